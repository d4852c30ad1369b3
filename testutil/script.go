package testutil

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Script is [Run] as a conversation. Its text has a sign at the start of each line:
//
//	# alice's page is hers alone
//	> GET /users/1 as alice
//	< 200 MISS
//	| {"name":"Ada"}
//	> GET /users/1 as bob
//	> Accept-Language: de
//	< 200 MISS
//	< Content-Language: de
//	! rename 1 Grace
//	> GET /users/1 as alice
//	< 200 MISS
//
// A line with > is a request, or a header line of the one above. A line with < is
// the expected response: the HTTP status and how the cache answered (nothing or
// BYPASS if none takes part), then header fields; lines with | are the body.
// A line with ! calls a function. Lines with # and empty ones are for the
// reader. White space before a sign is ignored.
//
// Requests with bodies, reasons and checks of other kinds are for Run.
type Script struct {
	// Handler answers the requests. Required.
	Handler http.Handler
	// Recorder is as in Run; nil reads the X-Cache-Status header.
	Recorder *Recorder
	// As holds the identities by their names in the text.
	As map[string]Identity
	// Do holds the functions by name; they get the other words of their line.
	Do map[string]func(t testing.TB, args ...string)
}

// Run carries out text. A line that cannot be parsed fails the test before anything is
// sent. Failures name the line of the request.
func (s *Script) Run(t testing.TB, text string) {
	t.Helper()
	p := parser{script: s}
	for i, line := range strings.Split(text, "\n") {
		if err := p.line(i+1, strings.TrimSpace(line)); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
	}
	if err := p.unanswered(); err != nil {
		t.Fatalf("%v", err)
	}
	for i := range p.steps {
		r := runner{handler: s.Handler, rec: s.Recorder, step: &p.steps[i], label: p.steps[i].Name}
		r.run(t)
	}
}

// parser turns lines into steps.
type parser struct {
	script *Script
	steps  []Step
	reply  bool // the last step has its reply line
	inBody bool // and its first body line
}

func (p *parser) line(n int, line string) error {
	if line == "" {
		return nil
	}
	text := strings.TrimPrefix(line[1:], " ")
	switch line[0] {
	case '#':
		return nil
	case '>':
		return p.request(n, strings.TrimSpace(text))
	case '<':
		return p.answer(strings.TrimSpace(text))
	case '|':
		return p.body(text)
	case '!':
		return p.call(n, strings.Fields(text))
	}
	return fmt.Errorf("%q has none of the signs # > < | ! before it", line)
}

// current is the request that a line continues, nil if there is none.
func (p *parser) current() *Step {
	if len(p.steps) == 0 || p.steps[len(p.steps)-1].Do != nil {
		return nil
	}
	return &p.steps[len(p.steps)-1]
}

// unanswered is an error if the last request has no answer to compare with.
func (p *parser) unanswered() error {
	if s := p.current(); s != nil && !p.reply {
		return fmt.Errorf("request %q has no answer", firstLine(s.Request))
	}
	return nil
}

func (p *parser) request(n int, text string) error {
	words := strings.Fields(text)
	if len(words) > 0 && strings.HasSuffix(words[0], ":") {
		s := p.current()
		if s == nil || p.reply {
			return fmt.Errorf("header line %q follows no request", text)
		}
		s.Request += "\n" + text
		return nil
	}
	if err := p.unanswered(); err != nil {
		return err
	}
	s := Step{Name: fmt.Sprintf("line %d", n)}
	switch {
	case len(words) == 2:
	case len(words) == 4 && words[2] == "as":
		if s.As = p.script.As[words[3]]; s.As == nil {
			return fmt.Errorf("Script.As has no %q", words[3])
		}
	default:
		return fmt.Errorf("%q is no request; want \"METHOD target\" or \"METHOD target as NAME\"", text)
	}
	s.Request = words[0] + " " + words[1]
	p.steps, p.reply, p.inBody = append(p.steps, s), false, false
	return nil
}

func (p *parser) call(n int, words []string) error {
	if len(words) == 0 {
		return fmt.Errorf("\"!\" names no function")
	}
	if err := p.unanswered(); err != nil {
		return err
	}
	f := p.script.Do[words[0]]
	if f == nil {
		return fmt.Errorf("Script.Do has no %q", words[0])
	}
	p.steps = append(p.steps, Step{
		Name: fmt.Sprintf("line %d", n),
		Do:   func(t testing.TB) { f(t, words[1:]...) },
	})
	return nil
}
