package httpcache

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/restflow-go/restflow/tagkey"
)

// A seal takes away from a request what the plan does not declare: query values,
// header fields, cookies, the address and the certificate of the client. The
// method, the host, the path, whether there is TLS, and values of the context stay.
type seal struct {
	allQuery bool
	ignored  []string // of query,*
	query    map[string]bool
	headers  map[string]bool
	cookies  map[string]bool
}

func newSeal(plan *tagkey.Plan) *seal {
	s := &seal{query: map[string]bool{}, headers: map[string]bool{}, cookies: map[string]bool{}}
	for _, f := range plan.Fields() {
		switch f.Source {
		case "query":
			s.query[f.SourceName] = true
			if f.SourceName == "*" {
				s.allQuery, s.ignored = true, f.Ignore
			}
		case "header":
			s.headers[f.SourceName] = true
		case "cookie":
			s.cookies[f.SourceName] = true
		}
	}
	return s
}

// seals reports whether the seal takes the input away.
func (s *seal) seals(in input) bool {
	switch in.kind {
	case "query":
		return !s.query[in.name] && (!s.allQuery || slices.ContainsFunc(s.ignored, func(p string) bool { return fits(p, in.name) }))
	case "header":
		return !s.headers[in.name]
	case "cookie":
		return !s.cookies[in.name] && !s.headers["Cookie"]
	}
	return true
}

// fits matches a name with a pattern that may end in a star.
func fits(pattern, name string) bool {
	prefix, star := strings.CutSuffix(pattern, "*")
	return name == pattern || star && strings.HasPrefix(name, prefix)
}

// An input is something of a request that a handler can read.
type input struct{ kind, name string }

func (in input) String() string {
	if in.name == "" {
		return in.kind
	}
	return in.kind + " " + in.name
}

// inputs lists what a handler can read of r, apart from what never is taken away.
func inputs(r *http.Request) []input {
	var all []input
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		if name, _, _ := strings.Cut(pair, "="); name != "" {
			if plain, err := url.QueryUnescape(name); err == nil {
				name = plain
			}
			all = append(all, input{"query", name})
		}
	}
	for name := range r.Header {
		if name != "Cookie" {
			all = append(all, input{"header", name})
		}
	}
	for _, c := range r.Cookies() {
		all = append(all, input{"cookie", c.Name})
	}
	slices.SortFunc(all, func(a, b input) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(append(all, input{"client address", ""}))
}

// without returns a copy of r that lacks the inputs for which drop is true.
func without(r *http.Request, drop func(input) bool) *http.Request {
	out := r.Clone(r.Context())
	out.Form, out.PostForm, out.MultipartForm = nil, nil, nil // parsed from what goes
	var query []string
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		if pair != "" && !drop(input{"query", name}) {
			query = append(query, pair)
		}
	}
	out.URL.RawQuery = strings.Join(query, "&")
	out.RequestURI = out.URL.RequestURI()
	for name := range r.Header {
		if name != "Cookie" && drop(input{"header", name}) {
			delete(out.Header, name)
		}
	}
	if cookies := r.Cookies(); len(cookies) > 0 {
		delete(out.Header, "Cookie")
		for _, c := range cookies {
			if !drop(input{"cookie", c.Name}) {
				out.AddCookie(c)
			}
		}
	}
	if drop(input{"client address", ""}) {
		out.RemoteAddr = ""
		if r.TLS != nil {
			out.TLS = &tls.ConnectionState{Version: r.TLS.Version, HandshakeComplete: true, ServerName: r.TLS.ServerName}
		}
	}
	return out
}
