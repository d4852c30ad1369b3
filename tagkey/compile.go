package tagkey

import (
	"errors"
	"reflect"
	"slices"
	"sync"
)

// Compile compiles the key struct K, or returns the plan that an earlier call
// made. The error joins a [*FieldError] for every fault, in the order of
// declaration. Safe for concurrent use.
func Compile[K any]() (*Plan, error) { return CompileType(reflect.TypeFor[K]()) }

// MustCompile is [Compile] for package variables: it panics on an error.
func MustCompile[K any]() *Plan {
	p, err := Compile[K]()
	if err != nil {
		panic(err)
	}
	return p
}

// CompileType is [Compile] for a type that is only known at run time.
func CompileType(t reflect.Type) (*Plan, error) { return compiled(&structPlans, t, compileStruct) }

// CompileArgs compiles the argument type of a function cache. It differs from
// [CompileType] in what it takes:
//   - exported fields without a tag are arg fields;
//   - the type may also be any other type that an arg field may have, such as
//     int64 or time.Time: then there is one field, called arg, and no tag;
//   - a type without a package, such as struct{} or int64, needs no namespace
//     and has its own name as such. Give it a better one by [Plan.WithNamespace].
func CompileArgs(t reflect.Type) (*Plan, error) { return compiled(&argsPlans, t, compileArgs) }

// structPlans and argsPlans map a reflect.Type to its *Plan. Failures are not
// kept: they end the program or are shown once.
var structPlans, argsPlans sync.Map

func compiled(plans *sync.Map, t reflect.Type, compile func(reflect.Type) (*Plan, error)) (*Plan, error) {
	if t == nil {
		return nil, &FieldError{Type: "nil", Problem: "there is no type to compile", Mend: "give a struct"}
	}
	if p, ok := plans.Load(t); ok {
		return p.(*Plan), nil
	}
	p, err := compile(t)
	if err != nil {
		return nil, err
	}
	kept, _ := plans.LoadOrStore(t, p)
	return kept.(*Plan), nil
}

func compileStruct(t reflect.Type) (*Plan, error) {
	if t.Kind() != reflect.Struct {
		return nil, notAStruct(t)
	}
	return newPlan(t, false)
}

func compileArgs(t reflect.Type) (*Plan, error) {
	if t.Kind() == reflect.Struct && (!isScalar(t) || isTagged(t)) {
		return newPlan(t, true)
	}
	return newScalarPlan(t)
}

func notAStruct(t reflect.Type) error {
	e := &FieldError{Type: typeName(t), Problem: "is no struct", Mend: "declare a struct with a tagged field for all that the response depends on"}
	if t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct {
		e.Problem, e.Mend = "is a pointer", "use "+typeName(t.Elem())
	}
	return e
}

func newPlan(t reflect.Type, args bool) (*Plan, error) {
	c := collect(t, args)
	p := &Plan{typ: t, namespace: c.namespace(), version: c.version()}
	p.steps = c.steps()
	if len(c.faults) > 0 {
		return nil, c.err()
	}
	return p.arrange(), nil
}

func newScalarPlan(t reflect.Type) (*Plan, error) {
	f, fl := argForm(t, tag{source: sourceArg, name: sourceArg})
	if t.Kind() == reflect.Pointer {
		fl = &flaw{"is a pointer", "use " + typeName(t.Elem())}
	}
	if fl != nil {
		return nil, &FieldError{Type: typeName(t), Problem: fl.problem, Mend: fl.mend}
	}
	s := step{Field: Field{Name: sourceArg, Source: sourceArg, SourceName: sourceArg, Type: t}, form: f}
	s.prepare()
	p := &Plan{typ: t, namespace: defaultNamespace(t), version: 1, steps: []step{s}}
	return p.arrange(), nil
}

// arrange puts the partition fields first and derives what the steps imply.
func (p *Plan) arrange() *Plan {
	slices.SortStableFunc(p.steps, func(a, b step) int { return btoi(b.Partition) - btoi(a.Partition) })
	for i := range p.steps {
		s := &p.steps[i]
		p.parts += btoi(s.Partition)
		switch s.Source {
		case sourceArg:
			p.needsArgs = true
		case sourceConst, sourceSchema:
		default:
			p.needsRequest = true
		}
	}
	p.pointer = reflect.PointerTo(p.typ)
	p.prefix = appendPrefix(nil, p.namespace, p.version)
	return p
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// defaultNamespace is the type's name with its package, so that equal names in
// two packages do not share keys.
func defaultNamespace(t reflect.Type) string {
	if t.PkgPath() == "" {
		return t.String()
	}
	return t.PkgPath() + "." + t.Name()
}

// err joins the faults in the order of declaration.
func (c *collector) err() error {
	slices.SortStableFunc(c.faults, func(a, b fault) int { return a.place - b.place })
	errs := make([]error, len(c.faults))
	for i, f := range c.faults {
		errs[i] = f.err
	}
	return errors.Join(errs...)
}
