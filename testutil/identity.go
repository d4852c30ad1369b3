package testutil

import "net/http"

// Identity gives a request an identity: a user, a tenant, a browser. Any function that
// changes the request will do.
type Identity func(*http.Request)

// AsBearer sends a bearer token in the Authorization header (RFC 6750, 2.1).
func AsBearer(token string) Identity {
	return AsHeader("Authorization", "Bearer "+token)
}

// AsBasic sends a user name and a password in the Authorization header (RFC 7617).
func AsBasic(user, password string) Identity {
	return func(r *http.Request) { r.SetBasicAuth(user, password) }
}

// AsHeader sends a header field, replacing one of the request.
func AsHeader(name, value string) Identity {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// AsCookie sends a cookie, beside those of the request.
func AsCookie(name, value string) Identity {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: name, Value: value}) }
}

// AsBoth is several identities at once, such as a user and a tenant.
func AsBoth(ids ...Identity) Identity {
	return func(r *http.Request) {
		for _, id := range ids {
			id(r)
		}
	}
}
