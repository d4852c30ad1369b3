package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A suite is the installed npm package: its folder, and one for what it writes.
type suite struct{ dir, scratch string }

// A test is one of the suite's: what it is called, what kind it is, and which
// others must pass for its outcome to mean anything.
type test struct {
	ID          string   `json:"id"`
	Kind        string   `json:"kind"`
	DependsOn   []string `json:"depends_on"`
	BrowserOnly bool     `json:"browser_only"`
}

// A chapter is a named group of tests.
type chapter struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Tests []test `json:"tests"`
}

// listing prints the tests as the suite's own client loads them. Its export needs
// packages that only its developers install.
const listing = `
import chapters from './tests/index.mjs'
import surrogate from './tests/surrogate-control.mjs'
console.log(JSON.stringify([...chapters, surrogate]))`

// chapters lists the suite's tests.
func (s *suite) chapters(ctx context.Context) ([]chapter, error) {
	out, err := s.node(ctx, nil, "--input-type=module", "--eval", listing)
	if err != nil {
		return nil, err
	}
	var all []chapter
	return all, json.Unmarshal(out, &all)
}

// run sends the suite's requests to base and returns what it says of each test:
// true, or the class and the text of a failure.
func (s *suite) run(ctx context.Context, base, id string) ([]byte, error) {
	// The client looks for what npm hands to scripts; an id that is missing is not empty.
	return s.node(ctx, []string{"npm_package_config_base=" + base, "npm_package_config_id=" + id}, "cli.mjs")
}

// node runs a script in the suite's folder and returns what it prints.
func (s *suite) node(ctx context.Context, env []string, args ...string) ([]byte, error) {
	cmd := s.command(ctx, env, args...)
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("node %s: %w", args[0], err)
	}
	return stdout.Bytes(), nil
}

func (s *suite) command(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "node", append([]string{"--no-warnings"}, args...)...)
	cmd.Dir, cmd.Stderr = s.dir, os.Stderr
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

// origin starts the suite's origin server on a free port. It ends with ctx.
func (s *suite) origin(ctx context.Context) (*url.URL, error) {
	cmd := s.command(ctx, []string{
		"npm_config_protocol=http", "npm_config_port=0",
		"npm_config_pidfile=" + filepath.Join(s.scratch, "origin.pid"),
	}, "server/server.mjs")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if at, ok := strings.CutPrefix(lines.Text(), "Listening on "); ok {
			go drain(lines, cmd)
			return listening(at)
		}
	}
	return nil, fmt.Errorf("the origin ended before it listened: %w", cmd.Wait())
}

// listening makes an address to call of one to listen on, which is all addresses.
func listening(at string) (*url.URL, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, err
	}
	u.Host, u.Path = "localhost:"+u.Port(), ""
	return u, nil
}

// drain keeps the server from waiting for somebody to read what it prints.
func drain(lines *bufio.Scanner, cmd *exec.Cmd) {
	for lines.Scan() {
		continue
	}
	_ = cmd.Wait() // it was killed with its context
}
