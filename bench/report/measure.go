package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
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
	once  bool // the benchmark counts its rounds itself
}

func phases(s settings) []phase {
	t := s.benchtime.String()
	cores := "1," + strconv.Itoa(runtime.NumCPU())
	if runtime.NumCPU() == 1 {
		cores = "1"
	}
	return []phase{
		{bench: "^BenchmarkHit$", benchtime: t, cpu: cores, apart: true},
		{bench: "^Benchmark(Body|Growth.*)$", benchtime: t, cpu: "1", apart: true},
		{bench: "^BenchmarkRedisHit", benchtime: (3 * s.benchtime).String(), apart: true},
		{bench: "^BenchmarkInvalidate", benchtime: t},
		{bench: "^BenchmarkContention$", benchtime: t, apart: true},
		{bench: "^BenchmarkStampede$", benchtime: "3x"},
		{bench: "^BenchmarkMillion", benchtime: "1x"},
		{bench: "^Benchmark(Heap|RedisBytes)$", benchtime: "1x"},
		{bench: "^BenchmarkLateFill$", benchtime: "1x", once: true},
	}
}

// measure runs all phases and writes what they print to the file raw. The file is
// replaced only after everything has succeeded.
func measure(s settings, raw string) error {
	dir, err := os.MkdirTemp("", "restflow-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "bench.test")
	if err := command("go", "test", "-c", "-o", binary, ".").Run(); err != nil {
		return fmt.Errorf("compile the benchmarks: %w", err)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "toolchain: %s\ncores: %d\nrounds: %d\nbenchtime: %v\n", runtime.Version(), runtime.NumCPU(), s.rounds, s.benchtime)
	for _, p := range phases(s) {
		began := time.Now()
		if err := p.run(s, binary, &out); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "%-40s %v\n", p.bench, time.Since(began).Round(time.Second))
	}
	return os.WriteFile(raw, out.Bytes(), 0o644)
}

func (p phase) run(s settings, binary string, out io.Writer) error {
	processes, count := 1, s.rounds
	if p.apart {
		processes, count = s.rounds, 1
	}
	if p.once {
		processes, count = 1, 1
	}
	for range processes {
		args := []string{"-test.run=^$", "-test.bench=" + p.bench, "-test.benchtime=" + p.benchtime, "-test.count=" + strconv.Itoa(count), "-test.timeout=1h"}
		if p.cpu != "" {
			args = append(args, "-test.cpu="+p.cpu)
		}
		cmd := command(binary, args...)
		cmd.Stdout = out
		cmd.Env = append(os.Environ(), "BENCH_FULL=1", "RESTFLOW_REQUIRE_SERVICES=1")
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w", p.bench, err)
		}
	}
	return nil
}

func command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd
}
