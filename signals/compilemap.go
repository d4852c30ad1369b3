package signals

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// mapping compiles what the rule invalidates.
func (c *compiler) mapping() {
	switch {
	case c.from.typed != nil:
		c.typedMapping()
	case len(c.from.Map) > 0, c.from.Rewarm && c.from.Invalidate == nil:
		c.to.mapper = c.mapper()
	}
	for _, name := range c.from.Require {
		if _, ok := c.from.Map[name]; !ok {
			mapped := slices.Sorted(maps.Keys(c.from.Map))
			c.fail("Require", flawf(choices(name, mapped), "%q is not in Map", name))
		}
	}
}

// mapper resolves Map in the target's order, so that every rule names groups alike.
func (c *compiler) mapper() *mapper {
	m := &mapper{key: c.target.info.KeyType}
	c.unknownKeys()
	for _, dst := range c.target.info.Fields {
		text, ok := c.from.Map[dst.Name]
		if !ok {
			continue
		}
		f, err := c.mapField(dst, text)
		if err != nil {
			c.fail(fmt.Sprintf("Map[%q]", dst.Name), err)
			continue
		}
		m.fields = append(m.fields, f)
		m.paths = append(m.paths, f.src)
		if dst.Partition {
			m.names = append(m.names, dst.Name)
		}
	}
	m.complete = len(m.fields) == len(c.target.info.Fields)
	if len(m.names) == 0 && len(c.errs) == 0 && !c.from.All {
		c.fail("Map", flawf("map a partition field too, or set All", "it fills no partition field"))
	}
	return m
}

func (c *compiler) unknownKeys() {
	known := c.target.names(!c.from.Rewarm)
	for _, name := range slices.Sorted(maps.Keys(c.from.Map)) {
		if _, ok := c.target.field(name); !ok {
			c.fail(fmt.Sprintf("Map[%q]", name),
				flawf(choices(name, known), "%s has no key field %q", typeName(c.target.info.KeyType), name))
		}
	}
}

func (c *compiler) mapField(dst TargetField, text string) (mapped, error) {
	f := mapped{dst: dst, required: slices.Contains(c.from.Require, dst.Name)}
	if !dst.Partition && !c.from.Rewarm {
		return f, c.target.noPartition(dst.Name)
	}
	src, err := compilePath(c.to.model, text)
	if err != nil {
		return f, err
	}
	f.src = src
	f.set, err = compileSetter(src.typ, dst.Type)
	return f, err
}

// typedMapping checks what On was given against the target.
func (c *compiler) typedMapping() {
	t := c.from.typed
	switch {
	case t.isNil:
		c.fail("On", flawf("pass a function that makes a key", "its function is nil"))
	case t.key != c.target.info.KeyType:
		c.fail("On", flawf("return "+article(c.target.info.KeyType), "its function makes %s", article(t.key)))
	case len(t.names) == 0:
		c.fail("On", flawf("name the partition fields that the key fills: "+strings.Join(c.target.names(true), ", "), "it names no key field"))
	}
	for i, name := range t.names {
		switch {
		case slices.Contains(t.names[:i], name):
			c.fail("On", flawf("name it once", "key field %q is named twice", name))
		case c.target.noPartition(name) != nil:
			c.fail("On", c.target.noPartition(name))
		}
	}
	c.to.names = c.ordered(t.names)
}

// ordered sorts names as the target declares them.
func (c *compiler) ordered(names []string) []string {
	return slices.DeleteFunc(c.target.names(true), func(n string) bool { return !slices.Contains(names, n) })
}

// rewarm checks that keys can be completed and computed.
func (c *compiler) rewarm() {
	if !c.from.Rewarm {
		return
	}
	info := c.target.info
	_, able := c.target.Target.(Rewarmer)
	switch {
	case !info.Rewarm && info.RewarmWhy != "":
		c.fail("Rewarm", flawf("remove Rewarm", "%s cannot rewarm: %s", info.Name, info.RewarmWhy))
	case !info.Rewarm || !able:
		c.fail("Rewarm", flawf("remove Rewarm", "%s cannot rewarm", info.Name))
	case c.from.Invalidate != nil:
		c.fail("Rewarm", flawf("use Map or On", "Invalidate makes groups, no complete keys"))
	case c.to.mapper != nil && !c.to.mapper.complete:
		c.fail("Rewarm", flawf("map "+strings.Join(c.unmapped(), ", ")+" too", "Map does not fill every key field"))
	}
}

func (c *compiler) unmapped() []string {
	return slices.DeleteFunc(c.target.names(false), func(n string) bool {
		_, ok := c.from.Map[n]
		return ok
	})
}
