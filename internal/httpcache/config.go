package httpcache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/lifetime"
	"github.com/restflow-go/restflow/tagkey"
)

// Defaults of Config.
const (
	DefaultMaxBodyBytes = 1 << 20
	DefaultFillTimeout  = 30 * time.Second
)

// Predicate decides about a response that the policy would store. An error means
// that it is not stored.
type Predicate func(ctx context.Context, res *Response) (bool, error)

// Response is a recorded response as a Predicate sees it: what the handler and
// inner middleware made. It must not be changed or kept.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Config is what an adapter hands to New. Adapters document its fields for users
// under the same names.
type Config struct {
	Adapter         string // leads error texts
	Store           *restflow.Store
	Plan            *tagkey.Plan
	TTL             time.Duration
	NoExpiration    bool
	Jitter          float64
	CacheIf         Predicate
	CacheUnless     Predicate
	CacheStatuses   []int
	SetCacheHeaders bool
	MaxBodyBytes    int
	StoreTimeout    time.Duration
	Shared          bool
	IgnoreCookies   []string
	IgnoreHost      bool
	Identified      func(tagkey.Values) bool // recognises users whom no header of a request shows
	OnEvent         func(context.Context, restflow.Event)
	Logger          *slog.Logger

	CacheStatus            bool
	ETag                   bool
	HonorRequestDirectives bool
	InvalidateOnUnsafe     bool
	StaleWhileRevalidate   time.Duration
	StaleIfError           time.Duration
	EarlyRefresh           float64
	FillTimeout            time.Duration
	Hermetic               bool
	Audit                  bool

	lifetime lifetime.Lifetime // TTL, NoExpiration and Jitter
}

// Check reports all faults of the config. It may lack a Plan.
func (c Config) Check() error { return c.normalize() }

// normalize checks the config and fills in defaults. All faults are reported at
// once, each with its fix.
func (c *Config) normalize() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf(c.Adapter+": Config."+format, args...))
	}
	if c.Store == nil {
		bad("Store is nil; give one made by restflow.NewMemory, NewRedis or NewStore")
	}
	c.lifetime = lifetime.Lifetime{TTL: c.TTL, NoExpiration: c.NoExpiration, Jitter: c.Jitter}
	errs = append(errs, c.lifetime.Normalize(c.Adapter+": Config.")...)
	if c.CacheIf != nil && c.CacheUnless != nil {
		bad("CacheIf and CacheUnless exclude each other; remove one")
	}
	if c.MaxBodyBytes < 0 {
		bad("MaxBodyBytes: %d is negative; give a number of bytes, or 0 for %d", c.MaxBodyBytes, DefaultMaxBodyBytes)
	}
	for _, d := range []struct {
		name string
		v    time.Duration
		zero string
	}{
		{"StoreTimeout", c.StoreTimeout, "the store's own"},
		{"StaleWhileRevalidate", c.StaleWhileRevalidate, "never"},
		{"StaleIfError", c.StaleIfError, "never"},
		{"FillTimeout", c.FillTimeout, DefaultFillTimeout.String()},
	} {
		errs = append(errs, lifetime.Check(c.Adapter+": Config."+d.name, d.v, d.zero))
	}
	if !(c.EarlyRefresh >= 0) { // nor NaN
		bad("EarlyRefresh: %v is not 0 or more; leave it 0 for never, 1 is the usual value", c.EarlyRefresh)
	}
	for _, s := range c.CacheStatuses {
		if !replayable(s) {
			bad("CacheStatuses: %d cannot be replayed; name final statuses other than 206, 304, 412 and 416", s)
		}
	}
	for _, name := range c.IgnoreCookies {
		if star := strings.Index(name, "*"); name == "" || star >= 0 && star != len(name)-1 {
			bad("IgnoreCookies: %q is no cookie name; give a name, or a prefix that ends in *", name)
		}
	}
	if c.Plan != nil && c.Plan.NeedsArgs() {
		errs = append(errs, fmt.Errorf("%s: key struct %s has arg fields (%s), which only a restflow.Func can fill; use path, query, request, header or cookie",
			c.Adapter, c.Plan.Type(), strings.Join(args(c.Plan), ", ")))
	}
	if c.MaxBodyBytes == 0 {
		c.MaxBodyBytes = DefaultMaxBodyBytes
	}
	if c.FillTimeout == 0 {
		c.FillTimeout = DefaultFillTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return errors.Join(errs...)
}

// args are the fields that a function's caller gives.
func args(p *tagkey.Plan) (names []string) {
	for _, f := range p.Fields() {
		if f.Source == "arg" {
			names = append(names, f.GoName)
		}
	}
	return names
}
