package tagkey

import "net/http"

// gather collects what the field's source has in a request: in k.pairs for a "*"
// field, else in k.texts.
func (s *step) gather(k *Key, r *Request) error {
	k.texts, k.pairs, k.hasList = k.texts[:0], k.pairs[:0], false
	switch s.Source {
	case sourceQuery:
		return k.gatherQuery(r.HTTP, s.SourceName)
	case sourcePath:
		return k.gatherPath(r, s.SourceName)
	case sourceHeader:
		k.gatherAll(r.HTTP.Header[s.SourceName])
	case sourceCookie:
		for _, cookie := range r.HTTP.CookiesNamed(s.SourceName) {
			k.texts = append(k.texts, k.keep(cookie.Value))
		}
	case sourceRequest:
		if s.lookup != nil {
			return s.lookup.gather(k, r.Values)
		}
		k.texts = append(k.texts, k.keep(builtIn(r.HTTP, s.SourceName)))
	default:
		return because(ErrArgument, "an arg field has no value in a request")
	}
	return nil
}

func (k *Key) gatherAll(values []string) {
	for _, value := range values {
		k.texts = append(k.texts, k.keep(value))
	}
}

func (k *Key) gatherQuery(r *http.Request, name string) error {
	raw := ""
	if r.URL != nil {
		raw = r.URL.RawQuery
	}
	if err := k.parseQuery(raw); err != nil {
		return err
	}
	if name == everything {
		k.pairs = append(k.pairs, k.query...)
		return nil
	}
	for _, p := range k.query {
		if string(k.text(p.name)) == name {
			k.texts = append(k.texts, p.value)
		}
	}
	return nil
}

// gatherPath refuses a route that names a parameter twice, rather than be blind
// to one of them.
func (k *Key) gatherPath(r *Request, name string) error {
	for i, param := range r.ParamNames[:min(len(r.ParamNames), len(r.ParamValues))] {
		switch name {
		case everything:
			k.pairs = append(k.pairs, pair{k.keep(param), k.keep(r.ParamValues[i]), i})
		case param:
			k.texts = append(k.texts, k.keep(r.ParamValues[i]))
		}
	}
	if len(k.texts) > 1 {
		return because(ErrRepeated, "the route names the parameter %d times", len(k.texts))
	}
	return nil
}

// builtIn reads what every request has. X-Forwarded-Proto is not trusted: anyone can send it.
func builtIn(r *http.Request, name string) string {
	switch {
	case name == "method":
		return r.Method
	case name == "host":
		return r.Host // the form lowers it, and keeps invalid UTF-8 apart
	case r.TLS != nil:
		return "https"
	}
	return "http"
}
