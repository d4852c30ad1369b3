package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// table is a table of Markdown. All columns but the first are aligned to the right.
type table struct {
	head []string
	rows [][]string
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) String() string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.head)
	rule := make([]string, len(t.head))
	for i := range rule {
		rule[i] = "--:"
	}
	rule[0] = ":--"
	line(rule)
	for _, cells := range t.rows {
		line(cells)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// none stands where nothing was measured.
const none = "–"

// significant writes a number with three significant digits, without an exponent.
func significant(v float64) string {
	if v == 0 {
		return "0"
	}
	if math.IsNaN(v) {
		return none
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	if digits >= 0 {
		return strconv.FormatFloat(v, 'f', digits, 64)
	}
	unit := math.Pow(10, float64(-digits))
	return thousands(math.Round(v/unit) * unit)
}

// thousands writes a whole number with commas.
func thousands(v float64) string {
	s := strconv.FormatFloat(math.Round(v), 'f', 0, 64)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// span writes nanoseconds.
func span(ns float64) string {
	if math.IsNaN(ns) {
		return none
	}
	for _, u := range []struct {
		name string
		ns   float64
	}{{"s", 1e9}, {"ms", 1e6}, {"µs", 1e3}} {
		if ns >= u.ns {
			return significant(ns/u.ns) + " " + u.name
		}
	}
	return significant(ns) + " ns"
}

// times writes a ratio.
func times(v float64) string {
	if math.IsNaN(v) {
		return none
	}
	if v >= 1000 {
		return thousands(v) + "×"
	}
	if v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64) + "×"
	}
	if v >= 10 {
		return strconv.FormatFloat(v, 'f', 1, 64) + "×"
	}
	return strconv.FormatFloat(v, 'f', 2, 64) + "×"
}

// count writes what is mostly a whole number.
func count(v float64) string {
	if math.IsNaN(v) {
		return none
	}
	if v == math.Trunc(v) {
		return thousands(v)
	}
	return significant(v)
}
