package signals

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// binding is one call of Bind.
type binding struct {
	bus    *Bus
	reg    *registry
	target *target
	lanes  []*lane // known ones and those that this call adds
	rules  []*rule
}

// Bind ties rules to a target; it may be called again to add rules. It checks all names, types
// and conversions. All problems are returned at once, as joined *BindErrors, and then nothing is
// bound. A target bound without rules can be reached by Apply.
func (b *Bus) Bind(t Target, rules ...Rule) error {
	info, err := describe(t)
	if err != nil {
		return err
	}
	b.binding.Lock()
	defer b.binding.Unlock()
	bind := binding{bus: b, reg: b.registry.Load()}
	if err := bind.find(t, info); err != nil {
		return err
	}
	if err := bind.compileAll(rules); err != nil {
		return err
	}
	return b.replace(bind.commit)
}

// Unbind forgets a target and its rules, and sends their waiting batches. Work that is under way
// still runs.
func (b *Bus) Unbind(t Target) {
	b.binding.Lock()
	defer b.binding.Unlock()
	before := b.registry.Load().lanes
	_ = b.replace(func(r *registry) { // a closed bus has sent its batches
		r.rules = slices.DeleteFunc(r.rules, func(x *rule) bool { return x.lane.target.Target == t })
		r.targets = slices.DeleteFunc(r.targets, func(x *target) bool { return x.Target == t })
		r.index()
	})
	for _, l := range before {
		if l.target.Target == t && l.batcher != nil {
			l.batcher.close()
		}
	}
}

// describe asks the target once and checks what it says.
func describe(t Target) (TargetInfo, error) {
	if t == nil {
		return TargetInfo{}, &BindError{Problem: "it is nil", Mend: "pass a cache"}
	}
	info := t.Describe()
	var errs []error
	fail := func(f *flaw) {
		errs = append(errs, &BindError{Target: info.Name, Problem: f.problem, Mend: f.mend})
	}
	if !reflect.TypeOf(t).Comparable() {
		fail(flawf("pass a pointer", "%s cannot be compared", article(reflect.TypeOf(t))))
	}
	if info.Name == "" {
		fail(flawf("name it in Describe", "it has no name"))
	}
	if info.KeyType == nil || info.KeyType.Kind() != reflect.Struct {
		fail(flawf("describe the key struct", "its key type %v is no struct", info.KeyType))
		return info, errors.Join(errs...)
	}
	for i, f := range info.Fields {
		if err := checkField(info, i, f); err != nil {
			fail(err)
		}
	}
	return info, errors.Join(errs...)
}

func checkField(info TargetInfo, i int, f TargetField) *flaw {
	at, err := safeFieldType(info.KeyType, f.Index)
	switch {
	case err != nil:
		return flawf("describe where the field stands", "key field %q has the index %v: %v", f.Name, f.Index, err)
	case at != f.Type:
		return flawf("describe the field's own type", "key field %q is %s, not %s", f.Name, article(at), article(f.Type))
	case slices.ContainsFunc(info.Fields[:i], func(o TargetField) bool { return o.Name == f.Name }):
		return flawf("give each field a name of its own", "key field %q is there twice", f.Name)
	}
	return nil
}

// safeFieldType walks an index without pointers, since a new key has none to follow.
func safeFieldType(t reflect.Type, index []int) (reflect.Type, error) {
	if len(index) == 0 {
		return nil, errors.New("it is empty")
	}
	for _, i := range index {
		if t.Kind() != reflect.Struct || i < 0 || i >= t.NumField() {
			return nil, fmt.Errorf("%s has no such field", t)
		}
		if f := t.Field(i); f.IsExported() || f.Anonymous {
			t = f.Type
			continue
		}
		return nil, fmt.Errorf("%s.%s is not exported", t, t.Field(i).Name)
	}
	return t, nil
}

// find reuses what an earlier Bind of the same target made.
func (b *binding) find(t Target, info TargetInfo) error {
	b.lanes = slices.Clone(b.reg.lanes)
	for _, known := range b.reg.targets {
		if known.Target == t {
			b.target = known
			return nil
		}
		if known.info.Name == info.Name && known.info.KeyType != info.KeyType {
			return &BindError{
				Target: info.Name, Mend: "give it a name of its own",
				Problem: fmt.Sprintf("another target of this name has the key type %s, not %s", known.info.KeyType, info.KeyType),
			}
		}
	}
	b.target = &target{Target: t, info: info}
	return nil
}

func (b *binding) compileAll(rules []Rule) error {
	var errs []error
	for _, from := range rules {
		r, problems := b.compile(from)
		errs = append(errs, problems...)
		r.label = []string{r.name}
		b.rules = append(b.rules, r)
	}
	return errors.Join(errs...)
}

// commit edits the registry once everything is known to be right.
func (b *binding) commit(r *registry) {
	if !slices.Contains(r.targets, b.target) {
		r.targets = append(r.targets, b.target)
	}
	r.rules = append(r.rules, b.rules...)
	r.index()
}
