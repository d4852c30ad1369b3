package tagkey

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Plan is a compiled key struct. It is immutable and safe for concurrent use.
type Plan struct {
	typ, pointer reflect.Type // K and *K
	namespace    string
	version      int
	prefix       []byte // format, namespace, version
	steps        []step // in key order; shared by copies under other namespaces
	parts        int    // the first so many steps are partitions
	needsArgs    bool
	needsRequest bool
}

// Type returns the key struct's type.
func (p *Plan) Type() reflect.Type { return p.typ }

// Namespace returns the namespace: from the tag, or else the package path and
// name of the type.
func (p *Plan) Namespace() string { return p.namespace }

// Version returns the version: from the tag, or else 1.
func (p *Plan) Version() int { return p.version }

// Prefix returns what every key of the plan begins with: the key format, the
// namespace and the version, each delimited.
func (p *Plan) Prefix() string { return string(p.prefix) }

// Fields returns a copy of the fields in key order: partition fields first,
// otherwise as declared.
func (p *Plan) Fields() []Field {
	fields := make([]Field, len(p.steps))
	for i := range p.steps {
		f := p.steps[i].Field
		f.Index, f.Ignore = slices.Clone(f.Index), slices.Clone(f.Ignore)
		fields[i] = f
	}
	return fields
}

// Partitions returns a copy of the partition fields, in key order.
func (p *Plan) Partitions() []Field { return p.Fields()[:p.parts] }

// NeedsArgs reports whether the plan has arg fields, so that only a value of
// the key struct, and no request, can fill it.
func (p *Plan) NeedsArgs() bool { return p.needsArgs }

// NeedsRequest reports whether the plan has fields whose source is a request:
// query, path, request, header or cookie.
func (p *Plan) NeedsRequest() bool { return p.needsRequest }

// Covers reports whether the key depends on what source calls name: by a field
// of that name, or by a "*" field that does not ignore it. Header names are
// compared without regard to case.
func (p *Plan) Covers(source, name string) bool {
	for i := range p.steps {
		if p.steps[i].covers(source, name) {
			return true
		}
	}
	return false
}

// String prints the plan:
//
//	UserDetail v1 {pk=path:pk partition, user.id=request:user.id partition, query=query:* hash}
func (p *Plan) String() string {
	fields := make([]string, len(p.steps))
	for i := range p.steps {
		fields[i] = p.steps[i].Field.String()
	}
	return p.namespace + " v" + strconv.Itoa(p.version) + " {" + strings.Join(fields, ", ") + "}"
}

// WithNamespace returns a copy of the plan whose keys stand under another namespace.
func (p *Plan) WithNamespace(namespace string) *Plan {
	q := *p
	q.namespace = namespace
	q.prefix = appendPrefix(nil, namespace, p.version)
	return &q
}
