package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
)

func matches(r reason, o outcome) bool {
	return slices.ContainsFunc(r.tests, func(pattern string) bool {
		ok, err := path.Match(pattern, o.chapter+"/"+o.id)
		return ok && err == nil
	})
}

// open reports whether an outcome needs a reason.
func (o outcome) open() bool { return o.kind != check && o.verdict != pass }

// unexplained reports tests without a reason, and reasons without a test.
func unexplained(all []outcome, reasons []reason) error {
	var errs []error
	for _, o := range all {
		if o.open() && !slices.ContainsFunc(reasons, func(r reason) bool { return matches(r, o) }) {
			errs = append(errs, fmt.Errorf("%s/%s (%s): %s, and reasons.go does not say why: %s", o.chapter, o.id, o.kind, o.verdict, o.detail))
		}
	}
	for _, r := range reasons {
		if !slices.ContainsFunc(all, func(o outcome) bool { return o.open() && matches(r, o) }) {
			errs = append(errs, fmt.Errorf("reasons.go says why %s does not pass, but it does", strings.Join(r.tests, ", ")))
		}
	}
	return errors.Join(errs...)
}

// tables are the document's: counts by chapter, then the reasons.
func tables(all []outcome, reasons []reason) string {
	var b strings.Builder
	b.WriteString("| tests | required | optimal | behaviours |\n|---|---|---|---|\n")
	var names []string
	for _, o := range all {
		if !slices.Contains(names, o.chapter) {
			names = append(names, o.chapter)
		}
	}
	for _, name := range names {
		row(&b, name, slices.DeleteFunc(slices.Clone(all), func(o outcome) bool { return o.chapter != name }))
	}
	row(&b, "**all**", all)
	b.WriteString("\n| do not pass | required | optimal | why |\n|---|---|---|---|\n")
	for i, r := range reasons {
		of := slices.DeleteFunc(slices.Clone(all), func(o outcome) bool { return !o.open() || !first(reasons, i, o) })
		fmt.Fprintf(&b, "| `%s` | %d | %d | %s |\n", strings.Join(r.tests, "`, `"), count(of, required, ""), count(of, optimal, ""), r.why)
	}
	return b.String()
}

// first reports whether the i-th reason is the first for a test, so that none counts twice.
func first(reasons []reason, i int, o outcome) bool {
	return slices.IndexFunc(reasons, func(r reason) bool { return matches(r, o) }) == i
}

// row counts what passed of what there is.
func row(b *strings.Builder, name string, of []outcome) {
	fmt.Fprintf(b, "| %s |", name)
	for _, kind := range []string{required, optimal, check} {
		if n := count(of, kind, ""); n > 0 {
			fmt.Fprintf(b, " %d of %d |", count(of, kind, pass), n)
		} else {
			b.WriteString(" |")
		}
	}
	b.WriteString("\n")
}

func count(of []outcome, kind, verdict string) (n int) {
	for _, o := range of {
		if o.kind == kind && (verdict == "" || o.verdict == verdict) {
			n++
		}
	}
	return n
}

// The tables stand in the document between these lines.
const (
	begin = "<!-- cache-tests: written by make cache-tests -->\n"
	end   = "<!-- cache-tests: end -->\n"
)

// rewrite puts text between the lines.
func rewrite(file, text string) error {
	doc, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, _, tail, err := cut(doc)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, slices.Concat(head, []byte(begin+"\n"+text+"\n"+end), tail), 0o600)
}

var errNoPlace = errors.New("the document has no place for the tables: " + strings.TrimSpace(begin) + " and " + strings.TrimSpace(end))

// cut takes the document apart at the lines.
func cut(doc []byte) (head, text, tail []byte, err error) {
	head, rest, ok := bytes.Cut(doc, []byte(begin))
	text, tail, closed := bytes.Cut(rest, []byte(end))
	if !ok || !closed {
		return nil, nil, nil, errNoPlace
	}
	return head, text, tail, nil
}
