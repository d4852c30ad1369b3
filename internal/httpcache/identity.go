package httpcache

import (
	"net/http"
	"slices"
	"strings"

	"github.com/restflow-go/restflow/tagkey"
)

// identity knows which fields of a plan tell users apart, and so which
// credentials of a request the key covers.
type identity struct {
	shared        bool
	fields        []int // of Plan.Fields: request values, credentials' headers, cookies
	values        []int // the request values among them: one that is present covers every credential
	authorization bool  // the Authorization header is in the key
	cookieHeader  bool  // the whole Cookie header is
	cookies       map[string]bool
	ignored       []string
	recognised    func(tagkey.Values) bool // Config.Identified
}

func newIdentity(cfg *Config) identity {
	id := identity{shared: cfg.Shared, cookies: map[string]bool{}, ignored: cfg.IgnoreCookies, recognised: cfg.Identified}
	for i, f := range cfg.Plan.Fields() {
		switch {
		case f.Source == "request" && !f.BuiltIn():
			id.values = append(id.values, i)
		case f.Source == "header" && f.SourceName == "Authorization":
			id.authorization = true
		case f.Source == "header" && f.SourceName == "Cookie":
			id.cookieHeader = true
		case f.Source == "cookie":
			id.cookies[f.SourceName] = true
		default:
			continue
		}
		id.fields = append(id.fields, i)
	}
	return id
}

// told reports whether the key holds something that tells the user apart.
func (id *identity) told(k *tagkey.Key) bool { return present(k, id.fields) }

func present(k *tagkey.Key, fields []int) bool {
	return slices.ContainsFunc(fields, k.Present)
}

// covers reports whether the key holds a value that tells the user apart, whatever
// credentials came with it.
func (id *identity) covers(k *tagkey.Key) bool { return present(k, id.values) }

// refuse says which credential of the request the key does not cover. Answers to
// such a request may be one user's own.
func (id *identity) refuse(v *Visit, covered bool) string {
	if id.shared || covered {
		return ""
	}
	r := v.Request.HTTP
	if len(r.Header["Authorization"]) > 0 && !id.authorization {
		return "the request has an Authorization header, and the key has no identity field"
	}
	if lines := r.Header["Cookie"]; len(lines) > 0 && !id.cookieHeader {
		if why := id.foreignCookie(r, lines); why != "" {
			return why
		}
	}
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		return "the request has a client certificate, and the key has no identity field"
	}
	if h := v.Writer.Header(); len(h["Set-Cookie"]) > 0 && names(h["Vary"], "Cookie") {
		if why := id.newCookie(r, h["Set-Cookie"]); why != "" {
			return why
		}
	}
	if id.recognised != nil && id.recognised(v.Request.Values) {
		return "the request is a known user's, and the key has no identity field"
	}
	return ""
}

// newCookie says which cookie outer middleware gives the client that is neither in
// the key nor ignored, where it says as well that the response varies with cookies: the
// handler may show what the cookie is to hold, as it does with a token against CSRF. A
// cookie in the key covers only a client that has it.
func (id *identity) newCookie(r *http.Request, lines []string) string {
	for _, line := range lines {
		name, _, _ := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		held := (id.cookieHeader || id.cookies[name]) && len(r.CookiesNamed(name)) > 0
		if !held && !id.ignores(name) {
			return "the client is given the cookie " + name + ", and the key has no identity field"
		}
	}
	return ""
}

// foreignCookie says which cookie is neither in the key nor ignored. A cookie
// that is named there may be missing in the key all the same: net/http drops
// those that it takes for malformed, and others may not.
func (id *identity) foreignCookie(r *http.Request, lines []string) string {
	named, last := 0, ""
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ";") {
			name, _, _ := strings.Cut(strings.TrimSpace(part), "=")
			switch name = strings.TrimSpace(name); {
			case name == "":
			case id.cookies[name]:
				named, last = named+1, name
			case !id.ignores(name):
				return "the request has the cookie " + name + ", and the key has no identity field"
			}
		}
	}
	if named == 0 {
		return ""
	}
	for name := range id.cookies {
		named -= len(r.CookiesNamed(name))
	}
	if named != 0 {
		return "the request has the cookie " + last + ", which the key does not hold"
	}
	return ""
}

func (id *identity) ignores(cookie string) bool {
	for _, pattern := range id.ignored {
		if prefix, ok := strings.CutSuffix(pattern, "*"); ok && strings.HasPrefix(cookie, prefix) || cookie == pattern {
			return true
		}
	}
	return false
}
