package main

import (
	"bytes"
	_ "embed"
	"text/template"
)

// The words of the page; its numbers are calls of results.
//
//go:embed page.md.tmpl
var words string

// page renders the page.
func page(r *results) ([]byte, error) {
	t, err := template.New("page.md.tmpl").Parse(words)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, r)
	return out.Bytes(), err
}

// Machine names what was measured on.
func (r *results) Machine() string {
	return r.config["cpu"] + ", " + r.config["cores"] + " cores, " + r.config["goos"] + "/" + r.config["goarch"] + ", " + r.config["toolchain"]
}

// Rounds is how often everything was measured.
func (r *results) Rounds() string { return r.config["rounds"] }
