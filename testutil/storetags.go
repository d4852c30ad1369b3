package testutil

import (
	"fmt"
	"strings"

	"github.com/restflow-go/restflow"
)

// tagged returns an entry with tags, whose epochs are read before it is made, as
// a handler has to.
func (p *probe) tagged(body string, scopes ...restflow.Scope) *restflow.Entry {
	p.t.Helper()
	e := text(body)
	for i, epoch := range p.epochs(scopes, true) {
		e.Tags = append(e.Tags, restflow.Tag{Scope: scopes[i], Epoch: epoch})
	}
	return e
}

// tag is a tag of the probe's own: tags belong to the whole store.
func (p *probe) tag(name string) string { return p.space + "/" + name }

func (p *probe) tagScopes(names ...string) []restflow.Scope {
	scopes := []restflow.Scope{restflow.AnyTag}
	for _, n := range names {
		scopes = append(scopes, restflow.TagScope(p.tag(n)))
	}
	return scopes
}

func (p *probe) invalidateTags(names ...string) {
	p.t.Helper()
	for i := range names {
		names[i] = p.tag(names[i])
	}
	if err := p.s.InvalidateTags(p.ctx, names...); err != nil {
		p.t.Fatalf("InvalidateTags: %v", err)
	}
}

func tags(p *probe) {
	p.luckily(func() error {
		made := map[string][]string{"both": {"a", "b"}, "only a": {"a"}, "only b": {"b"}, "other": {"c"}, "none": nil}
		for name, names := range made {
			e := text(name)
			if len(names) > 0 {
				e = p.tagged(name, p.tagScopes(names...)...)
			}
			p.fill(p.key(name, "1"), e)
			p.want(p.key(name, "1"), name)
		}
		p.invalidateTags("a")
		for name, names := range made {
			want := name
			if strings.HasPrefix(strings.Join(names, ""), "a") {
				want = ""
			}
			if got := p.body(p.key(name, "1")); got != want {
				return fmt.Errorf("%s: after the tag a was invalidated: got %q, want %q", name, got, want)
			}
		}
		return nil
	})
	// A change between the reading of a tag's epoch and the end of the handler.
	e := p.tagged("old", p.tagScopes("late")...)
	p.invalidateTags("late")
	k := p.key("late", "1")
	p.fill(k, e)
	p.want(k, "")
	p.invalidateTags()
}

// manyTags checks the coarse scope in which tags beyond MaxTags collapse.
func manyTags(p *probe) {
	k := p.key("many", "1")
	p.fill(k, p.tagged("all in one", restflow.AnyTag, restflow.ManyTags))
	p.want(k, "all in one")
	p.invalidateTags("anything")
	p.want(k, "")

	var names []string
	for i := range restflow.MaxTags - 1 {
		names = append(names, fmt.Sprint("t", i))
	}
	k = p.key("full", "1")
	p.fill(k, p.tagged("as many as fit", p.tagScopes(names...)...))
	p.want(k, "as many as fit")
	p.invalidateTags(names[len(names)-1])
	p.want(k, "")
}
