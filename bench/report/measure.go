package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"time"
)

// phase is some of the benchmarks, and how they are run.
type phase struct {
	bench     string // a pattern, as for go test
	benchtime string
	cpu       string // as for go test; "" for all cores
	// apart runs each round in a process of its own, so that a busy minute of the
	// machine meets one round of every peer and not every round of one. Others have
	// set-ups that take long, and run their rounds in one process.
	apart bool
	// most bounds the rounds, where one takes long and no target hangs on it; 0 means
	// no bound.
	most int
}

// fewRounds is how often the memory of large caches is measured, as the page says.
const fewRounds = 3

func phases(s settings) []phase {
	t := s.benchtime.String()
	cores := "1," + strconv.Itoa(runtime.NumCPU())
	if runtime.NumCPU() == 1 {
		cores = "1"
	}
	return []phase{
		{bench: "^BenchmarkHit$", benchtime: t, cpu: cores, apart: true},
		{bench: "^Benchmark(Spread|Body|Growth.*)$", benchtime: t, cpu: "1", apart: true},
		{bench: "^BenchmarkRedisHit", benchtime: (2 * s.benchtime).String(), apart: true},
		{bench: "^BenchmarkInvalidate", benchtime: t},
		{bench: "^BenchmarkContention$", benchtime: t, apart: true},
		{bench: "^BenchmarkStampede$", benchtime: "3x"},
		{bench: "^BenchmarkMillion", benchtime: "1x", most: fewRounds},
		{bench: "^Benchmark(Heap|RedisBytes)$", benchtime: "1x", most: fewRounds},
		{bench: "^BenchmarkLateFill$", benchtime: "1x", most: 1}, // it counts its rounds itself,
	}
}

// measure runs the phases and writes what they print to the file raw, after each of
// them, so that what was measured is not lost when a later one fails.
func measure(s settings, raw string) error {
	only, err := regexp.Compile(s.only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "restflow-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary := filepath.Join(dir, "bench.test")
	if err := command("go", "test", "-c", "-o", binary, ".").Run(); err != nil {
		return fmt.Errorf("compile the benchmarks: %w", err)
	}
	out := fmt.Appendf(nil, "toolchain: %s\ncores: %d\nrounds: %d\nbenchtime: %v\n", runtime.Version(), runtime.NumCPU(), s.rounds, s.benchtime)
	for _, p := range phases(s) {
		began := time.Now()
		var printed []byte
		if only.MatchString(p.bench) {
			printed, err = p.run(s, binary)
		} else {
			printed, err = p.kept(raw)
		}
		if err != nil {
			return err
		}
		out = append(out, printed...)
		if s.only == "" {
			if err := os.WriteFile(raw, out, 0o644); err != nil {
				return err
			}
		}
		fmt.Fprintf(os.Stderr, "%-40s %v\n", p.bench, time.Since(began).Round(time.Second))
	}
	return os.WriteFile(raw, out, 0o644)
}

// kept returns what the file raw has of the phase.
func (p phase) kept(raw string) ([]byte, error) {
	text, err := os.ReadFile(raw)
	return lines(text, regexp.MustCompile(p.bench)), err
}

// lines returns the measurements of the benchmarks that match a pattern, and what
// the testing package says about the machine, once.
func lines(text []byte, bench *regexp.Regexp) (kept []byte) {
	said := map[string]bool{}
	for line := range bytes.Lines(text) {
		name := string(measurement.Find(line))
		about := machine.Match(line) && !said[string(line)]
		if about || name != "" && bench.MatchString(name) {
			kept = append(kept, line...)
			said[string(line)] = about
		}
	}
	return kept
}

var (
	measurement = regexp.MustCompile(`^Benchmark\w+`)
	machine     = regexp.MustCompile(`^(goos|goarch|cpu): `)
)

var errFailed = errors.New("a benchmark failed")

// run returns what the phase printed.
func (p phase) run(s settings, binary string) (all []byte, err error) {
	processes, count := 1, s.rounds
	if p.most > 0 {
		count = min(count, p.most)
	}
	if p.apart {
		processes, count = count, 1
	}
	for range processes {
		args := []string{"-test.run=^$", "-test.bench=" + p.bench, "-test.benchtime=" + p.benchtime, "-test.count=" + strconv.Itoa(count), "-test.timeout=1h"}
		if p.cpu != "" {
			args = append(args, "-test.cpu="+p.cpu)
		}
		var printed bytes.Buffer
		cmd := command(binary, args...)
		cmd.Stdout = &printed
		cmd.Env = append(os.Environ(), "BENCH_FULL=1", "RESTFLOW_REQUIRE_SERVICES=1")
		err := cmd.Run()
		// A benchmark that fails after its first round does not fail the process.
		if err == nil && bytes.Contains(printed.Bytes(), []byte("--- FAIL")) {
			err = errFailed
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w:\n%s", p.bench, err, printed.Bytes())
		}
		all = append(all, lines(printed.Bytes(), regexp.MustCompile(p.bench))...)
	}
	return all, nil
}

func command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd
}
