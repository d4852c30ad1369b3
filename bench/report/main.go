// Command report runs the benchmarks of this module and writes what came out:
// benchmarks.md with tables and plots for people, and benchmarks.txt in the Go
// benchmark format for benchstat.
//
//	go run ./report            measure, then write (about ten minutes on two cores)
//	go run ./report -only Hit  measure again what the pattern names, and keep the rest
//	go run ./report -render    write again from the benchmarks.txt that is there
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// settings are the flags.
type settings struct {
	docs      string
	rounds    int
	benchtime time.Duration
	only      string
	render    bool
}

func main() {
	var s settings
	flag.StringVar(&s.docs, "docs", "../docs", "folder to write to")
	flag.IntVar(&s.rounds, "rounds", 10, "how often everything is measured; tables show medians")
	flag.DurationVar(&s.benchtime, "benchtime", 100*time.Millisecond, "how long one measurement takes")
	flag.StringVar(&s.only, "only", "", "measure only benchmarks that match this pattern, and keep what benchmarks.txt has of the others")
	flag.BoolVar(&s.render, "render", false, "measure nothing, write from benchmarks.txt")
	flag.Parse()
	if err := run(s); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(s settings) error {
	raw := filepath.Join(s.docs, "benchmarks.txt")
	if !s.render {
		if err := measure(s, raw); err != nil {
			return err
		}
	}
	r, err := load(raw)
	if err != nil {
		return err
	}
	if err := plots(r, s.docs); err != nil {
		return err
	}
	text, err := page(r)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.docs, "benchmarks.md"), text, 0o644)
}
