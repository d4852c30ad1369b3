package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/restflow-go/restflow"
)

func main() {
	var o options
	flag.StringVar(&o.suite, "suite", "", "folder of the installed npm package http-cache-tests")
	flag.StringVar(&o.doc, "doc", "docs/http.md", "document whose tables are written")
	flag.StringVar(&o.outcomes, "outcomes", "echocache/internal/cachetests/testdata/outcomes.txt", "file that keeps the outcomes")
	flag.StringVar(&o.json, "json", "", "file for the suite's own results; none by default")
	flag.StringVar(&o.id, "id", "", "run one test, and print its requests and responses")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := o.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cachetests:", err)
		os.Exit(1)
	}
}

type options struct{ suite, doc, outcomes, json, id string }

var errNoSuite = errors.New("-suite names no folder with the npm package http-cache-tests; see the cache-tests target of the Makefile")

// run starts both servers, runs the suite, and writes down what came of it.
func (o *options) run(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(o.suite, "cli.mjs")); o.suite == "" || err != nil {
		return errNoSuite
	}
	scratch, err := os.MkdirTemp("", "cachetests")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &suite{o.suite, scratch}
	base, err := gateway(ctx, s)
	if err != nil {
		return err
	}
	out, err := s.run(ctx, base, o.id)
	if err != nil {
		return err
	}
	if o.id != "" {
		_, err := os.Stdout.Write(out)
		return err
	}
	return o.record(ctx, s, out)
}

// gateway starts the servers and returns the address of the one with the cache.
func gateway(ctx context.Context, s *suite) (string, error) {
	origin, err := s.origin(ctx)
	if err != nil {
		return "", err
	}
	store, err := restflow.NewMemory(restflow.MemoryConfig{})
	if err != nil {
		return "", err
	}
	e, err := newGateway(store, origin)
	if err != nil {
		return "", err
	}
	l, err := net.Listen("tcp", "localhost:0") //nolint:noctx // it listens at once
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: e, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	context.AfterFunc(ctx, func() {
		_ = server.Close()
		_ = store.Close()
	})
	return "http://" + l.Addr().String(), nil
}

// record writes the results, the outcomes and the tables.
func (o *options) record(ctx context.Context, s *suite, results []byte) error {
	if o.json != "" {
		if err := os.WriteFile(o.json, results, 0o600); err != nil {
			return err
		}
	}
	all, err := s.chapters(ctx)
	if err != nil {
		return err
	}
	outcomes, err := judge(all, results)
	if err != nil {
		return err
	}
	if err := os.WriteFile(o.outcomes, formatOutcomes(outcomes), 0o600); err != nil {
		return err
	}
	fmt.Print(summary(outcomes))
	if err := unexplained(outcomes, reasons); err != nil {
		return err
	}
	return rewrite(o.doc, tables(outcomes, reasons))
}
