package echocache

import (
	"bytes"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"
)

// sealed keeps the query of the request that the handler got from being the one
// that the context has parsed before. Methods of the context that hand it on, to a
// renderer and the like, must hand on this one.
type sealed struct {
	echo.Context
	query url.Values
}

func (s *sealed) QueryParams() url.Values {
	if s.query == nil {
		s.query = s.Request().URL.Query()
	}
	return s.query
}

func (s *sealed) QueryParam(name string) string { return s.QueryParams().Get(name) }

func (s *sealed) Bind(i any) error { return s.Echo().Binder.Bind(i, s) }

func (s *sealed) Error(err error) { s.Echo().HTTPErrorHandler(err, s) }

func (s *sealed) Render(code int, name string, data any) error {
	if s.Echo().Renderer == nil {
		return echo.ErrRendererNotRegistered
	}
	var page bytes.Buffer
	if err := s.Echo().Renderer.Render(&page, name, data, s); err != nil {
		return err
	}
	return s.HTMLBlob(code, page.Bytes())
}

// indent is what the client has asked for by the parameter pretty, as Echo reads it.
func (s *sealed) indent() string {
	if _, pretty := s.QueryParams()["pretty"]; pretty || s.Echo().Debug {
		return "  "
	}
	return ""
}

func (s *sealed) JSON(code int, i any) error { return s.JSONPretty(code, i, s.indent()) }

func (s *sealed) JSONPretty(code int, i any, indent string) error {
	if h := s.Response().Header(); h.Get(echo.HeaderContentType) == "" {
		h.Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
	}
	s.Response().Status = code
	return s.Echo().JSONSerializer.Serialize(s, i, indent)
}

func (s *sealed) JSONP(code int, callback string, i any) error {
	var value body
	c := &elsewhere{s, echo.NewResponse(&value, s.Echo())}
	if err := s.Echo().JSONSerializer.Serialize(c, i, s.indent()); err != nil {
		return err
	}
	return s.JSONPBlob(code, callback, value.Bytes())
}

func (s *sealed) XML(code int, i any) error { return s.XMLPretty(code, i, s.indent()) }

// elsewhere is a context whose response goes somewhere else.
type elsewhere struct {
	*sealed
	response *echo.Response
}

func (e *elsewhere) Response() *echo.Response { return e.response }

// body is the writer of a response of which only the body matters.
type body struct{ bytes.Buffer }

func (*body) Header() http.Header { return http.Header{} }
func (*body) WriteHeader(int)     {}
