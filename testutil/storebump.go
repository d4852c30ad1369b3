package testutil

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/restflow-go/restflow"
)

func (p *probe) epochs(scopes []restflow.Scope, ensure bool) []restflow.Epoch {
	p.t.Helper()
	dst := make([]restflow.Epoch, len(scopes))
	if err := p.s.Epochs(p.ctx, scopes, dst, ensure); err != nil {
		p.t.Fatalf("Epochs: %v", err)
	}
	return dst
}

func epochsExist(p *probe) {
	scopes := p.key("k", "1", "u").Scopes
	first := p.epochs(scopes, true)
	if slices.Contains(first, 0) {
		p.t.Fatalf("epochs that were to exist: %x", first)
	}
	if again := p.epochs(scopes, true); !slices.Equal(first, again) {
		p.t.Fatalf("epochs changed without a bump: %x, then %x", first, again)
	}
	if read := p.epochs(scopes, false); !slices.Equal(first, read) {
		p.t.Fatalf("epochs: made %x, read %x", first, read)
	}
	p.bump(scopes...)
	if next := p.epochs(scopes, true); slices.ContainsFunc(next, func(e restflow.Epoch) bool { return e == 0 || slices.Contains(first, e) }) {
		p.t.Fatalf("epochs after a bump: %x, before it: %x", next, first)
	}
}

// absentEpochs bumps what nobody has ever filled: whether the store then holds
// new epochs or none, nothing made earlier may count.
func absentEpochs(p *probe) {
	k := p.key("k", "1", "u")
	before := p.load(k)
	p.bump(k.Scopes...)
	p.want(k, "")
	after := p.load(k)
	for i, e := range after.Epochs() {
		if e != 0 && e == before.Epochs()[i] {
			p.t.Fatalf("epoch %d stands after a bump", i)
		}
	}
	p.fill(k, text("new"))
	p.want(k, "new")
}

// bumpGroups fills the nine combinations of two partition fields with three
// values each, and sees which are left after each kind of bump.
func bumpGroups(p *probe) {
	for _, c := range []struct {
		name  string
		scope func() restflow.Scope
		left  string
	}{
		{"the whole cache", func() restflow.Scope { return p.all }, ""},
		{"a value of the first field", func() restflow.Scope { return p.group(0, "1") }, "2a 2b 2c 3a 3b 3c"},
		{"a value of the second field", func() restflow.Scope { return p.group(1, "b") }, "1a 1c 2a 2c 3a 3c"},
		{"a tuple", func() restflow.Scope { return p.key("", "2", "c").Scopes[3] }, "1a 1b 1c 2a 2b 3a 3b 3c"},
		{"a value that no entry has", func() restflow.Scope { return p.group(0, "b") }, "1a 1b 1c 2a 2b 2c 3a 3b 3c"},
		{"another cache", func() restflow.Scope { return restflow.CacheScope(p.space + "2") }, "1a 1b 1c 2a 2b 2c 3a 3b 3c"},
	} {
		p.luckily(func() error {
			p.renew()
			keys := p.nine()
			p.bump(c.scope())
			var left []string
			for _, k := range keys {
				if body := p.body(k); body != "" {
					left = append(left, body)
				}
			}
			if got := strings.Join(left, " "); got != c.left {
				return fmt.Errorf("after a bump of %s: got %q, want %q", c.name, got, c.left)
			}
			return nil
		})
	}
}

func (p *probe) nine() []*restflow.Key {
	p.t.Helper()
	var keys []*restflow.Key
	for _, a := range []string{"1", "2", "3"} {
		for _, b := range []string{"a", "b", "c"} {
			k := p.key(a+b, a, b)
			p.fill(k, text(a+b))
			keys = append(keys, k)
		}
	}
	return keys
}

func bumpWithoutContext(p *probe) {
	k := p.key("k", "1")
	p.fill(k, text("old"))
	dead, cancel := context.WithCancel(p.ctx)
	cancel()
	if err := p.s.Bump(dead, p.all, k.Scopes[1]); err != nil {
		p.t.Fatalf("Bump with a context that has ended: %v", err)
	}
	p.want(k, "")
	if err := p.s.Bump(p.ctx, p.all); err != nil {
		p.t.Fatalf("Bump of nothing: %v", err)
	}
}
