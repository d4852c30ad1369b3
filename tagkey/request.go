package tagkey

import "net/http"

// Values is the context of a request, in which middleware leaves values by
// name. echo.Context satisfies it.
type Values interface{ Get(key string) any }

// Request is what a plan reads. It is not retained, so that callers can reuse it.
type Request struct {
	HTTP        *http.Request // required
	ParamNames  []string      // path parameters
	ParamValues []string      // in the order of ParamNames; a name without a value is absent
	Values      Values        // may be nil: then every request field but the built-in ones is absent
}
