package signals

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// ruleName numbers default names that other rules of the target have.
func (c *compiler) ruleName(model reflect.Type) string {
	if c.from.Name != "" {
		return c.from.Name
	}
	base := typeName(model) + "->" + c.target.info.Name
	name := base
	for n := 2; c.taken(name); n++ {
		name = base + "#" + strconv.Itoa(n)
	}
	return name
}

func (c *compiler) taken(name string) bool {
	has := func(r *rule) bool { return r.name == name }
	bound := func(r *rule) bool { return has(r) && r.lane.target == c.target }
	return slices.ContainsFunc(c.reg.rules, bound) || slices.ContainsFunc(c.rules, has)
}

// dispatching resolves the dispatcher and finds or adds the lane.
func (c *compiler) dispatching() {
	v, ok := c.via()
	if !ok {
		return
	}
	batch := c.from.Batch
	pool, isPool := v.dispatcher.(*Pool)
	switch {
	case isPool && pool == nil:
		c.fail("Dispatcher", flawf("make it with NewPool", "the pool is nil"))
	case batch.Delay < 0 || batch.Size < 0:
		c.fail("Batch", flawf("give a Delay and a Size of zero or more", "it is negative"))
	case batch.Delay == 0 && batch.Size > 0:
		c.fail("Batch", flawf("set Delay", "it has a Size and no Delay"))
	case batch.Delay > 0 && v.dispatcher == Inline:
		c.fail("Batch", flawf("set Dispatcher to a Pool", "Inline work cannot wait"))
	case c.from.OnError == Return && batch.Delay > 0:
		c.fail("OnError", flawf("use Report, or remove Batch", "batched work ends after Publish has returned"))
	case c.from.OnError == Return && isPool:
		c.fail("OnError", flawf("use Report, or the Inline dispatcher", "a pool's work ends after Publish has returned"))
	default:
		c.to.lane = c.lane(v, batch)
	}
}

// via resolves the rule's dispatcher, or else the bus's.
func (c *compiler) via() (via, bool) {
	d, origin := c.from.Dispatcher, ""
	if d == nil {
		d, origin = c.bus.config.Dispatcher, "default"
	}
	name, isName := d.(Named)
	if !isName {
		return via{d, origin}, true
	}
	found, ok := c.bus.config.Dispatchers[string(name)]
	if !ok && name == "inline" {
		found = Inline
	}
	_, again := found.(Named)
	switch {
	case found == nil && !ok:
		known := append(slices.Sorted(maps.Keys(c.bus.config.Dispatchers)), "inline")
		c.fail("Dispatcher", flawf(choices(string(name), known), "the bus has no dispatcher %q", string(name)))
	case found == nil || again:
		c.fail("Dispatcher", flawf("put one that runs jobs into BusConfig.Dispatchers", "the bus's dispatcher %q is %s", string(name), article(typeOf(found))))
	default:
		return via{found, "name " + string(name)}, true
	}
	return via{}, false
}

func (c *compiler) lane(v via, batch Batch) *lane {
	if batch.Delay > 0 && batch.Size == 0 {
		batch.Size = defaultBatchSize
	}
	for _, l := range c.lanes {
		if l.target == c.target && l.batch == batch && l.via.same(v) {
			return l
		}
	}
	l := &lane{target: c.target, via: v, batch: batch, keyNames: c.target.names(false)}
	if batch.Delay > 0 {
		l.batcher = newBatcher(c.bus, l)
	}
	c.lanes = append(c.lanes, l)
	return l
}
