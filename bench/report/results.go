package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchmath"
)

// results are all rounds of all benchmarks.
type results struct {
	config map[string]string   // of the machine and the run
	series map[string][]series // by the name of the benchmark without "Benchmark"
	names  []string            // in the order in which they ran
}

// series are the rounds of one benchmark in one unit.
type series struct {
	unit   string
	values []float64
}

func load(file string) (*results, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parse(f, file)
}

func parse(in io.Reader, file string) (*results, error) {
	r := &results{config: map[string]string{}, series: map[string][]series{}}
	for in := benchfmt.NewReader(in, file); in.Scan(); {
		switch rec := in.Result().(type) {
		case *benchfmt.SyntaxError:
			return nil, rec
		case *benchfmt.Result:
			for _, c := range rec.Config {
				r.config[c.Key] = string(c.Value)
			}
			for _, v := range rec.Values {
				r.add(string(rec.Name), v)
			}
		}
	}
	if len(r.names) == 0 {
		return nil, fmt.Errorf("%s holds no benchmark", file)
	}
	return r, nil
}

// add keeps a value in the unit in which the benchmark printed it.
func (r *results) add(name string, v benchfmt.Value) {
	value, unit := v.Value, v.Unit
	if v.OrigUnit != "" {
		value, unit = v.OrigValue, v.OrigUnit
	}
	if r.series[name] == nil {
		r.names = append(r.names, name)
	}
	all := r.series[name]
	i := slices.IndexFunc(all, func(s series) bool { return s.unit == unit })
	if i < 0 {
		i, all = len(all), append(all, series{unit: unit})
	}
	all[i].values = append(all[i].values, value)
	r.series[name] = all
}

// get returns the rounds of a benchmark in a unit; none if it did not run.
func (r *results) get(name, unit string) series {
	for _, s := range r.series[name] {
		if s.unit == unit {
			return s
		}
	}
	return series{}
}

// time returns the rounds of a benchmark's time in nanoseconds.
func (r *results) time(name string) series { return r.get(name, "ns/op") }

// children returns the value that follows prefix in the names of the benchmarks
// that have it, in the order in which they ran.
func (r *results) children(prefix string) (values []string) {
	for _, name := range r.names {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			value := strings.TrimSuffix(rest, r.suffix())
			if !slices.Contains(values, value) {
				values = append(values, value)
			}
		}
	}
	return values
}

// suffix ends the names of benchmarks that ran on all cores.
func (r *results) suffix() string {
	if r.config["cores"] == "1" {
		return ""
	}
	return "-" + r.config["cores"]
}

// all returns the name of a benchmark as it is when it ran on all cores.
func (r *results) all(name string) string { return name + r.suffix() }

func (s series) present() bool { return len(s.values) > 0 }

// median returns NaN without rounds.
func (s series) median() float64 {
	if !s.present() {
		return math.NaN()
	}
	return s.summary().Center
}

func (s series) summary() benchmath.Summary {
	return benchmath.AssumeNothing.Summary(benchmath.NewSample(slices.Clone(s.values), &benchmath.DefaultThresholds), 0.95)
}

// spread is half the width of the 95% confidence interval of the median, relative.
func (s series) spread() string {
	if !s.present() {
		return ""
	}
	return s.summary().PctRangeString()
}

// over divides round by round: a round of both met the same state of the machine.
func (s series) over(base series) series {
	q := series{unit: "ratio"}
	for i := range min(len(s.values), len(base.values)) {
		q.values = append(q.values, s.values[i]/base.values[i])
	}
	return q
}
