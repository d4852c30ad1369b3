package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Kinds of tests. A check asks how a cache behaves, and no answer is wrong.
const (
	required = "required"
	optimal  = "optimal"
	check    = "check"
)

// Verdicts on tests. A test whose setup fails, or that depends on one that does
// not pass, tells nothing.
const (
	pass       = "pass"
	fail       = "fail"
	setup      = "setup"
	dependency = "dependency"
)

// An outcome is a test with the verdict on it. Detail says what went wrong.
type outcome struct {
	chapter, id, kind, verdict, detail string
}

// result is what the suite says of a test: true, or a class and a text.
type result struct {
	passed        bool
	class, detail string
}

func (r *result) UnmarshalJSON(b []byte) error {
	var pair [2]string
	if err := json.Unmarshal(b, &r.passed); err == nil {
		return nil
	}
	if err := json.Unmarshal(b, &pair); err != nil {
		return err
	}
	r.class, r.detail = pair[0], pair[1]
	return nil
}

// judge reads results as the suite's own page does.
func judge(chapters []chapter, results []byte) ([]outcome, error) {
	var by map[string]result
	if err := json.Unmarshal(results, &by); err != nil {
		return nil, fmt.Errorf("results of the suite: %w", err)
	}
	tests := map[string]test{}
	for _, c := range chapters {
		for _, t := range c.Tests {
			tests[t.ID] = t
		}
	}
	var all []outcome
	for _, c := range chapters {
		for _, t := range c.Tests {
			r, ran := by[t.ID]
			if !ran {
				if t.BrowserOnly {
					continue
				}
				return nil, fmt.Errorf("the suite has no result of %s", t.ID)
			}
			kind := t.Kind
			if kind == "" {
				kind = required
			}
			all = append(all, outcome{c.ID, t.ID, kind, verdict(t, tests, by), oneLine(r.detail)})
		}
	}
	return all, nil
}

func verdict(t test, tests map[string]test, by map[string]result) string {
	for _, id := range t.DependsOn {
		if verdict(tests[id], tests, by) != pass {
			return dependency
		}
	}
	switch r := by[t.ID]; {
	case r.passed:
		return pass
	case r.class == "Setup":
		return setup
	}
	return fail
}

// oneLine takes out what differs from run to run, and line ends.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// formatOutcomes writes a test a line.
func formatOutcomes(all []outcome) []byte {
	var b bytes.Buffer
	for _, o := range all {
		fmt.Fprintln(&b, o.chapter, o.id, o.kind, o.verdict)
	}
	return b.Bytes()
}

// parseOutcomes reads what formatOutcomes wrote.
func parseOutcomes(text []byte) ([]outcome, error) {
	var all []outcome
	for line := range strings.Lines(string(text)) {
		w := strings.Fields(line)
		if len(w) != 4 {
			return nil, fmt.Errorf("%q is no outcome; write chapter, test, kind and verdict", line)
		}
		all = append(all, outcome{chapter: w[0], id: w[1], kind: w[2], verdict: w[3]})
	}
	return all, nil
}

// summary lists what did not pass, with what the suite said of it.
func summary(all []outcome) string {
	var b strings.Builder
	for _, o := range all {
		if o.verdict != pass {
			fmt.Fprintf(&b, "%-10s %-10s %s/%s: %s\n", o.kind, o.verdict, o.chapter, o.id, o.detail)
		}
	}
	return b.String()
}
