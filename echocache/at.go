package echocache

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/restflow-go/restflow"
)

// At says where a response is from, for methods without a request: it is what every
// response's key holds besides the key struct's fields. There is no RefreshAt, since
// only a request can be answered.
//
// The K beside it must have the values of the request. For a field that the request
// left out, give a nil pointer, or the zero of a field that is flagged optional: the
// zero of any other field is a value that was sent.
type At struct {
	// Route is the route as it was registered, with the prefix of its group:
	// "/users/:id". Required.
	Route string

	// Host is the Host header of the requests, with the port if they have one.
	// Required, unless the cache has IgnoreHost.
	Host string

	// Params are the route's path parameters that no field of the key struct
	// names, each as written in the path. Required if there are any.
	Params map[string]string
}

// errRoute is what is wrong with an At without a route.
var errRoute = errors.New("echocache: At.Route is empty; give the route as it was registered")

// locateAt finds the entry of k at a place, for a path that Echo matches as it was
// written, or for one that it matches as it reads. On success the caller releases the
// exchange.
func (c *Cache[K]) locateAt(k K, at At, asWritten bool) (*exchange, error) {
	names, values, err := c.params(at)
	if err != nil {
		return nil, err
	}
	x := c.pool.Get().(*exchange)
	x.Route, x.Request.ParamNames, x.Request.ParamValues = at.Route, names, values
	if err := c.engine.LocateValue(&x.Exchange, &k, at.Host, asWritten); err != nil {
		c.release(x)
		return nil, err
	}
	return x, nil
}

// findAt asks for the entry of k at a place, however its path was written.
func (c *Cache[K]) findAt(k K, at At, ask func(x *exchange) error) error {
	for _, asWritten := range [...]bool{false, true} {
		x, err := c.locateAt(k, at, asWritten)
		if err != nil {
			return err
		}
		err = ask(x)
		c.release(x)
		if !errors.Is(err, restflow.ErrMiss) {
			return err
		}
	}
	return restflow.ErrMiss
}

// params returns the parameters that the key holds beside the key struct, in the
// order of the route. All faults of at are reported at once.
func (c *Cache[K]) params(at At) (names, values []string, err error) {
	if at.Route == "" {
		return nil, nil, errRoute
	}
	var errs []error
	if at.Host == "" && c.engine.NeedsHost() {
		errs = append(errs, errors.New("echocache: At.Host is empty, and each host has its own entries; give it, or set Config.IgnoreHost"))
	}
	for _, name := range routeParams(at.Route) {
		if !c.engine.NeedsParam(name) {
			continue
		}
		names = append(names, name)
		value, ok := at.Params[name]
		if values = append(values, value); !ok {
			errs = append(errs, fmt.Errorf("echocache: At.Params: %s has the parameter %q, which no field of %s names; give its value", at.Route, name, c.Plan().Type()))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(at.Params)) {
		if !slices.Contains(names, name) {
			errs = append(errs, fmt.Errorf("echocache: At.Params: %q is %s; leave it out", name, c.stranger(at.Route, name)))
		}
	}
	return names, values, errors.Join(errs...)
}

// stranger says why a parameter has no place in At.
func (c *Cache[K]) stranger(route, name string) string {
	if slices.Contains(routeParams(route), name) {
		return "a field of " + c.Plan().Type().String() + " already"
	}
	return "no parameter of " + strconv.Quote(route)
}

// routeParams returns the parameters of a route of Echo in their order: what
// stands between a colon that no backslash escapes and the next slash, and "*"
// for each asterisk.
func routeParams(route string) (names []string) {
	for i := 0; i < len(route); i++ {
		switch {
		case route[i] == '*':
			names = append(names, "*")
		case route[i] == ':' && (i == 0 || route[i-1] != '\\'):
			name, _, _ := strings.Cut(route[i+1:], "/")
			names = append(names, name)
			i += len(name)
		}
	}
	return names
}
