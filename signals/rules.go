package signals

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Rules is a snapshot of what is bound, in the order of binding. It prints as a table.
type Rules []RuleInfo

// RuleInfo describes one bound rule.
type RuleInfo struct {
	Name       string            // the rule's own, or "Model->Target"
	Model      reflect.Type      // a struct type
	Ops        Op                // what fires it
	Watch      []string          // what an update must have changed; empty: anything
	When       map[string]any    // conditions
	Predicate  bool              // whether there is an If function
	Target     string            // the target's name
	Drops      string            // "all", "custom", or the key fields: "pk+user.id"
	Map        map[string]string // nil for rules that have none
	Soft       time.Duration     // how long what it drops may answer as stale; 0: not at all
	Rewarm     bool              // whether dropped entries are computed again
	Dispatcher string            // "inline", "pool", the dispatcher's own String, or its type
	Batch      Batch             // its zero value: none
	OnError    ErrorPolicy       // who hears of failures
}

// Rules returns a snapshot of all bound models, rules and targets. Changing it has no effect on the
// bus.
func (b *Bus) Rules() Rules {
	reg := b.registry.Load()
	rules := make(Rules, 0, len(reg.rules))
	for _, r := range reg.rules {
		rules = append(rules, r.info())
	}
	return rules
}

func (r *rule) info() RuleInfo {
	return RuleInfo{
		Name: r.name, Model: r.model, Ops: r.ops,
		Watch: slices.Clone(r.source.Watch), When: maps.Clone(r.source.When), Predicate: r.predict != nil,
		Target: r.lane.target.info.Name, Drops: r.drops(), Map: maps.Clone(r.source.Map),
		Soft: r.soft, Rewarm: r.rewarm,
		Dispatcher: r.lane.via.String(), Batch: r.lane.batch, OnError: r.source.OnError,
	}
}

func (r *rule) drops() string {
	switch {
	case r.all:
		return "all"
	case r.custom != nil:
		return "custom"
	case r.typed != nil:
		return strings.Join(r.names, "+")
	}
	return strings.Join(r.mapper.names, "+")
}

// Models lists the models of the rules, sorted by name.
func (r Rules) Models() []reflect.Type {
	var models []reflect.Type
	for _, rule := range r {
		if !slices.Contains(models, rule.Model) {
			models = append(models, rule.Model)
		}
	}
	slices.SortFunc(models, func(a, b reflect.Type) int { return cmp.Compare(a.String(), b.String()) })
	return models
}

// Targets lists the names of the targets that rules invalidate, sorted.
func (r Rules) Targets() []string {
	var names []string
	for _, rule := range r {
		names = append(names, rule.Target)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// String prints an aligned table, one rule a line.
func (r Rules) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RULE\tMODEL\tFIRES ON\tTARGET\tDROPS\tRUNS\tON ERROR")
	for _, rule := range r {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			rule.Name, rule.Model, rule.fires(), rule.Target, rule.work(), rule.runs(), rule.OnError)
	}
	_ = w.Flush() // a strings.Builder takes everything
	return b.String()
}

func (r RuleInfo) fires() string {
	s := r.Ops.String()
	if r.Ops == AnyOp {
		s = "any"
	}
	if len(r.Watch) > 0 {
		s += " of " + strings.Join(r.Watch, ",")
	}
	var conditions []string
	for _, name := range slices.Sorted(maps.Keys(r.When)) {
		path, negated := strings.CutPrefix(name, "!")
		sign := "="
		if negated {
			sign = "!="
		}
		conditions = append(conditions, fmt.Sprintf("%s%s%v", path, sign, r.When[name]))
	}
	if r.Predicate {
		conditions = append(conditions, "func")
	}
	if conditions != nil {
		s += " if " + strings.Join(conditions, " and ")
	}
	return s
}

func (r RuleInfo) work() string {
	s := r.Drops
	if r.Soft > 0 {
		s += fmt.Sprintf(", soft %v", r.Soft)
	}
	if r.Rewarm {
		s += ", rewarms"
	}
	return s
}

func (r RuleInfo) runs() string {
	if r.Batch.Delay > 0 {
		return fmt.Sprintf("%s, batched %v/%d", r.Dispatcher, r.Batch.Delay, r.Batch.Size)
	}
	return r.Dispatcher
}
