package redistest

import (
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy is a TCP proxy that belongs to one test and can be told to misbehave.
// It passes everything on until then. A fault stays until [Proxy.Heal]; several
// may be set together. Requests are what a client sends, replies what it gets.
//
// All methods may be called from any goroutine, and take effect at once for
// open connections as well as new ones.
type Proxy struct {
	listener net.Listener
	target   string
	workers  sync.WaitGroup // what must end before the test does

	mu      sync.Mutex // protects what follows
	faults  faults
	changed chan struct{} // closed and replaced when faults change: wakes what is held
	links   map[*link]struct{}
	closed  bool
}

// faults is what a proxy does wrong now.
type faults struct {
	cut   bool
	hold  bool
	delay time.Duration
	edit  func(reply []byte)
	limit int // bytes of replies that still pass; negative means no limit
}

// StartProxy starts a proxy before the server at target (host and port). It is
// ended, with its connections, when the test ends.
func StartProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", loopback(0))
	if err != nil {
		t.Fatalf("redistest: proxy: %v", err)
	}
	p := &Proxy{
		listener: listener,
		target:   target,
		faults:   faults{limit: -1},
		changed:  make(chan struct{}),
		links:    map[*link]struct{}{},
	}
	p.workers.Go(p.serve)
	t.Cleanup(p.stop)
	return p
}

// Addr returns the host and port to connect to instead of the target's.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Connections returns how many connections are open through the proxy.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links)
}

func (p *Proxy) serve() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return // the listener was closed: the test is over
		}
		p.workers.Go(func() { p.handle(conn) })
	}
}

// handle connects a client to the target and passes bytes until one side ends.
func (p *Proxy) handle(client net.Conn) {
	if p.refuses() {
		_ = client.Close()
		return
	}
	server, err := net.DialTimeout("tcp", p.target, askTimeout)
	if err != nil {
		_ = client.Close() // the client sees what it would see of a dead server
		return
	}
	l := &link{proxy: p, client: client, server: server, done: make(chan struct{})}
	if p.add(l) {
		l.run()
	}
	p.remove(l)
}

func (p *Proxy) refuses() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults.cut || p.closed
}

// add registers a connection, unless it was refused while it was being made.
func (p *Proxy) add(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.faults.cut || p.closed {
		return false
	}
	p.links[l] = struct{}{}
	return true
}

func (p *Proxy) remove(l *link) {
	l.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

func (p *Proxy) stop() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.listener.Close()
	p.Drop()
	p.workers.Wait()
}
