package testutil

import (
	"fmt"
	"strconv"
	"strings"
)

// answer reads "STATUS [CACHE]" or a header line of an expected answer.
func (p *parser) answer(text string) error {
	s := p.current()
	if s == nil {
		return fmt.Errorf("answer %q follows no request", text)
	}
	if name, value, ok := strings.Cut(text, ":"); ok {
		if !p.reply {
			return fmt.Errorf("header line %q comes before the status", text)
		}
		if s.WantHeader == nil {
			s.WantHeader = make(map[string]string)
		}
		s.WantHeader[strings.TrimSpace(name)] = strings.TrimSpace(value)
		return nil
	}
	if p.reply {
		return fmt.Errorf("answer %q is the second one of its request", text)
	}
	p.reply = true
	return s.expect(text)
}

// expect reads the expected HTTP and cache status.
func (s *Step) expect(text string) error {
	words := strings.Fields(text)
	bad := fmt.Errorf("%q is no answer; want an HTTP status and HIT, MISS, STALE, BYPASS, REFRESH or nothing", text)
	if len(words) == 0 || len(words) > 2 {
		return bad
	}
	var err error
	if s.WantStatus, err = strconv.Atoi(words[0]); err != nil || s.WantStatus < 100 || s.WantStatus > 599 {
		return bad
	}
	if len(words) == 2 {
		var ok bool
		if s.Want, ok = parseStatus(words[1]); !ok {
			return bad
		}
	}
	return nil
}

// body adds a line to the expected body.
func (p *parser) body(text string) error {
	s := p.current()
	if s == nil || !p.reply {
		return fmt.Errorf("body line %q follows no answer", text)
	}
	if p.inBody {
		s.WantBody += "\n"
	}
	s.WantBody, p.inBody = s.WantBody+text, true
	return nil
}
