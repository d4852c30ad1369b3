package signals

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"
)

// compiler turns one Rule into a rule and gathers its problems.
type compiler struct {
	*binding
	from Rule
	to   *rule
	errs []error
}

// compile checks everything in a Rule. The rule is of use only if there are no errors.
func (b *binding) compile(from Rule) (*rule, []error) {
	c := &compiler{binding: b, from: from, to: &rule{
		ops:     from.Ops,
		predict: from.If,
		custom:  from.Invalidate,
		typed:   from.typed,
		all:     from.All,
		rewarm:  from.Rewarm,
		soft:    from.Soft,
		returns: from.OnError == Return,
		source:  from,
	}}
	c.model()
	c.action()
	c.options()
	if c.to.model != nil {
		c.mapping()
		c.matching()
	}
	c.rewarm()
	return c.to, c.errs
}

// fail records a problem of one field of the Rule.
func (c *compiler) fail(field string, err error) {
	if f, ok := errors.AsType[*flaw](err); ok {
		c.errs = append(c.errs, &BindError{
			Rule: c.to.name, Target: c.target.info.Name, Field: field, Problem: f.problem, Mend: f.mend,
		})
	}
}

// model finds the model's type and names the rule by it.
func (c *compiler) model() {
	typ := structType(typeOf(c.from.Model))
	c.to.name = c.ruleName(typ)
	switch {
	case typ == nil:
		c.fail("Model", flawf("set it to a value of the model, as User{}, or make the rule with On", "it is missing"))
	case c.from.typed != nil && c.from.typed.model.Kind() != reflect.Struct:
		c.fail("On", flawf("take a pointer to the model's struct", "its function takes a *%s", c.from.typed.model))
	case typ.Kind() != reflect.Struct:
		c.fail("Model", flawf("give a value of the model's struct type, as User{}", "%s is no struct", typ))
	case c.from.typed != nil && c.from.typed.model != typ:
		c.fail("Model", flawf("leave it as On set it", "it is %s, but On's function takes %s", typeName(typ), article(typeName(c.from.typed.model))))
	default:
		c.to.model = typ
	}
}

// action checks that exactly one thing says what to invalidate.
func (c *compiler) action() {
	r := c.from
	given := 0
	for _, is := range []bool{len(r.Map) > 0 && !r.All, r.All, r.Invalidate != nil, r.typed != nil} {
		if is {
			given++
		}
	}
	switch {
	case given == 0:
		c.fail("", flawf("set Map, All or Invalidate, or make the rule with On", "it says nothing to invalidate"))
	case given > 1:
		c.fail("", flawf("keep one of Map, All, Invalidate and On", "it says more than one thing to invalidate"))
	case r.All && len(r.Map) > 0 && !r.Rewarm:
		c.fail("Map", flawf("remove Map or All", "All drops the whole cache already"))
	}
}

func (c *compiler) options() {
	r := c.from
	if r.Ops == 0 {
		c.to.ops = AnyOp
	}
	if r.Ops&^AnyOp != 0 {
		c.fail("Ops", flawf("join Create, Update and Delete by |", "%s is no set of operations", r.Ops))
	}
	if r.OnError > Return {
		c.fail("OnError", flawf("use Report or Return", "there is no policy %d", r.OnError))
	}
	if len(r.Reads) > 0 && !c.to.functional() {
		c.fail("Reads", flawf("remove it", "the rule has no function that could read"))
	}
	switch {
	case r.Soft < 0:
		c.fail("Soft", flawf("give how long entries may answer as stale, or leave it 0 for not at all", "%v is negative", r.Soft))
	case 0 < r.Soft && r.Soft < time.Millisecond:
		c.fail("Soft", flawf(fmt.Sprintf("write %d * time.Second for seconds", int64(r.Soft)), "%v is less than a millisecond; a number alone counts nanoseconds", r.Soft))
	}
	c.dispatching()
}

// matching compiles what decides whether the rule fires.
func (c *compiler) matching() {
	c.to.watch = c.paths("Watch", c.from.Watch)
	c.to.reads = c.paths("Reads", c.from.Reads)
	for _, name := range slices.Sorted(maps.Keys(c.from.When)) {
		cond, err := compileCondition(c.to.model, name, c.from.When[name])
		if err != nil {
			c.fail(fmt.Sprintf("When[%q]", name), err)
			continue
		}
		c.to.when = append(c.to.when, cond)
		c.to.moves = append(c.to.moves, cond.src)
	}
	if c.to.mapper != nil {
		c.to.moves = append(c.to.moves, c.to.mapper.paths...)
	}
	c.to.moves = append(c.to.moves, c.to.reads...)
}

func (c *compiler) paths(field string, names []string) []*path {
	var paths []*path
	for _, name := range names {
		p, err := compilePath(c.to.model, name)
		if err != nil {
			c.fail(field, err)
			continue
		}
		paths = append(paths, p)
	}
	return paths
}
