package testutil

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/restflow-go/restflow"
)

func loadNothing(p *probe) {
	if e := p.load(p.key("nothing", "a", "b")).Entry; e != nil {
		p.t.Fatalf("an entry that nobody made: %+v", e)
	}
}

// seenAtOnce looks without waiting until the save has ended.
func seenAtOnce(p *probe) {
	for i := range 200 {
		k, body := p.key(fmt.Sprint(i), "1"), fmt.Sprint("made for ", i)
		if _, _, err := p.s.Fill(p.ctx, k, p.load(k), func(*restflow.Flight) *restflow.Entry { return text(body) }); err != nil {
			p.t.Fatalf("Fill: %v", err)
		}
		p.want(k, body)
	}
}

// sample returns an entry that has everything but tags.
func sample() *restflow.Entry {
	now := time.Now()
	return &restflow.Entry{
		Created: now.UnixNano(), Expires: now.Add(time.Hour).UnixNano(), StaleUntil: now.Add(2 * time.Hour).UnixNano(),
		Delta: int64(1500 * time.Microsecond), Status: 203, ETag: `"v1"`,
		Header: []restflow.Field{
			{Op: restflow.SetField, Name: "Content-Type", Values: []string{"application/json"}},
			{Op: restflow.AddField, Name: "Link", Values: []string{"</b>; rel=next", "</a>; rel=prev", "</b>; rel=next"}},
			{Op: restflow.SetField, Name: "X-Empty", Values: []string{""}},
			{Op: restflow.DelField, Name: "X-Outer"},
			{Op: restflow.AddField, Name: "Link", Values: []string{"</c>"}},
		},
		Body: []byte(`{"id":1}`),
	}
}

func roundTrips(p *probe) {
	megabyte := make([]byte, 1<<20)
	for i := range megabyte {
		megabyte[i] = byte(i * i >> 7)
	}
	for name, change := range map[string]func(e *restflow.Entry){
		"everything":     func(*restflow.Entry) {},
		"no header":      func(e *restflow.Entry) { e.Header = nil },
		"empty body":     func(e *restflow.Entry) { e.Body = nil },
		"binary body":    func(e *restflow.Entry) { e.Body = []byte("\x00\xff\xfe{}\r\n\x00") },
		"a megabyte":     func(e *restflow.Entry) { e.Body = megabyte },
		"compressible":   func(e *restflow.Entry) { e.Body = []byte(strings.Repeat("the same again, ", 1<<14)) },
		"no expiry":      func(e *restflow.Entry) { e.Expires, e.StaleUntil = 0, 0 },
		"other status":   func(e *restflow.Entry) { e.Status = 404 },
		"hostile header": func(e *restflow.Entry) { e.Header[0].Values = []string{"a\x00b", "\xff", strings.Repeat("x", 5000)} },
	} {
		made, want := sample(), sample()
		want.Created, want.Expires, want.StaleUntil = made.Created, made.Expires, made.StaleUntil
		change(made)
		change(want)
		k := p.key(name, "1", "u")
		want.Key = slices.Clone(k.Bytes)
		p.fill(k, made)
		got := p.load(k)
		if got.Entry == nil {
			p.t.Fatalf("%s: a miss right after it was saved", name)
		}
		want.Epochs = got.Epochs()
		if err := differs(got.Entry, want); err != nil {
			p.t.Fatalf("%s: %v", name, err)
		}
	}
}

// differs returns an error that names a difference, if there is one.
func differs(got, want *restflow.Entry) error {
	fields := func(a, b restflow.Field) bool {
		return a.Op == b.Op && a.Name == b.Name && slices.Equal(a.Values, b.Values)
	}
	switch {
	case !bytes.Equal(got.Key, want.Key):
		return fmt.Errorf("key: got %q, want %q", got.Key, want.Key)
	case !slices.Equal(got.Epochs, want.Epochs):
		return fmt.Errorf("epochs: got %x, want %x", got.Epochs, want.Epochs)
	case !slices.Equal(got.Tags, want.Tags):
		return fmt.Errorf("tags: got %x, want %x", got.Tags, want.Tags)
	case got.Created != want.Created || got.Expires != want.Expires || got.StaleUntil != want.StaleUntil || got.Delta != want.Delta:
		return fmt.Errorf("times: got %d %d %d %d, want %d %d %d %d", got.Created, got.Expires, got.StaleUntil, got.Delta,
			want.Created, want.Expires, want.StaleUntil, want.Delta)
	case got.Status != want.Status || got.ETag != want.ETag:
		return fmt.Errorf("status and entity tag: got %d %q, want %d %q", got.Status, got.ETag, want.Status, want.ETag)
	case !slices.EqualFunc(got.Header, want.Header, fields):
		return fmt.Errorf("header: got %q, want %q", got.Header, want.Header)
	case !bytes.Equal(got.Body, want.Body):
		return fmt.Errorf("body: got %d bytes %s, want %d bytes %s", len(got.Body), quote(string(got.Body)), len(want.Body), quote(string(want.Body)))
	}
	return nil
}

func decodedValue(p *probe) {
	if !p.s.Decoded() {
		p.t.Skip("the store keeps entries encoded")
	}
	type result struct{ n int }
	v := &result{n: 42}
	p.fill(p.key("value"), &restflow.Entry{Value: v, Cost: 8})
	if got := p.load(p.key("value")).Entry; got == nil || got.Value != v {
		p.t.Fatalf("got %+v, want the very value that was saved", got)
	}
}

func keysApart(p *probe) {
	names := []string{
		"", "\x00", "\x00\x00", "a", "a\x00", "\x00a", "A", "a b", "a+b", "a%20b", "a&b=1", "a||b:2", "ä", "a\u0308",
		"\xff\xfe", "\r\n", "{a}", "*", "a*", strings.Repeat("a", 4000), strings.Repeat("a", 4001), strings.Repeat("a", 4000) + "b",
	}
	for i, name := range names {
		p.fill(p.key(name, "1"), text(fmt.Sprint(i)+"."))
	}
	for i, name := range names {
		p.want(p.key(name, "1"), fmt.Sprint(i)+".")
	}
	p.want(p.key("aa", "1"), "")
}
