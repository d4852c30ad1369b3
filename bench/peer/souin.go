package peer

import (
	"context"
	"net/http"
	"regexp"
	"time"

	"github.com/darkweak/souin/configurationtypes"
	"github.com/darkweak/souin/pkg/middleware"
	"go.uber.org/zap"
)

// souinCache is the core of github.com/darkweak/souin before net/http, over the
// in-memory storage that it brings along. Its authors advise others for production.
var souinCache = Peer{Name: "souin", Stack: "bare-net/http", Kind: Theirs, Open: func(_ Env, o Origin) (*Site, error) {
	cfg := &middleware.BaseConfiguration{
		DefaultCache: &configurationtypes.DefaultCache{
			TTL:     configurationtypes.Duration{Duration: ttl},
			Timeout: configurationtypes.Timeout{Backend: configurationtypes.Duration{Duration: time.Minute}},
		},
		SurrogateKeyDisabled: true,
		LogLevel:             "fatal",
	}
	cfg.SetLogger(zap.NewNop().Sugar())
	h := middleware.NewHTTPCacheHandler(cfg)
	site := muxSite(o, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = h.ServeHTTP(w, r, func(w http.ResponseWriter, r *http.Request) error { // errors are answered
				next.ServeHTTP(w, r)
				return nil
			})
		})
	})
	inner := site.Client
	site.Client = func() Client { return &endingClient{inner().(*httpClient)} }
	site.Drop = func(item int) error {
		for _, s := range h.Storers {
			s.DeleteMany(".*" + regexp.QuoteMeta(Path(item)) + `\?.*`)
		}
		return nil
	}
	site.Close = func() {
		for _, s := range h.Storers {
			_ = s.Reset()
		}
	}
	return site, nil
}}

// endingClient ends the context of each request after the answer, as net/http's
// server does. Souin waits for that end in a goroutine for each request.
type endingClient struct{ *httpClient }

func (c *endingClient) Ask() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	before := c.request
	c.request = before.WithContext(ctx)
	c.httpClient.Ask()
	c.request = before
}

func (c *endingClient) Answer() Answer {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	before := c.request
	c.request = before.WithContext(ctx)
	defer func() { c.request = before }()
	return c.httpClient.Answer()
}
