package signals

import "reflect"

// Rules is a snapshot of what is bound.
type Rules []RuleInfo

// RuleInfo describes one bound rule.
type RuleInfo struct {
	Name  string
	Model reflect.Type
}

// Rules tells what is wired.
func (b *Bus) Rules() Rules { return nil }

// Models lists the models of the rules, sorted by name.
func (r Rules) Models() []reflect.Type { return nil }
