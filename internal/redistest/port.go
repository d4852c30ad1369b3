package redistest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

// Ports are taken from below the ranges out of which kernels give ports to
// outgoing connections (32768 and up on Linux). So no client's connection can
// take the port of a server between its kill and its restart.
const (
	firstPort = 20000
	lastPort  = 31999
)

// reserved holds the ports of this process that belong to a running test, also
// while the server that uses them is down.
var reserved = struct {
	sync.Mutex
	ports map[int]bool
}{ports: map[int]bool{}}

// reservePort returns a port on which nothing listens now. Another process may
// still win it before it is used: whoever starts a server tries again then.
func reservePort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		if claim(port) {
			t.Cleanup(func() { release(port) })
			return port
		}
	}
	t.Fatalf("redistest: no free port of 127.0.0.1 between %d and %d", firstPort, lastPort)
	return 0
}

func claim(port int) bool {
	reserved.Lock()
	defer reserved.Unlock()
	if reserved.ports[port] {
		return false
	}
	ln, err := net.Listen("tcp", loopback(port))
	if err != nil {
		return false
	}
	_ = ln.Close() // nothing was accepted: there is nothing to lose
	reserved.ports[port] = true
	return true
}

func release(port int) {
	reserved.Lock()
	defer reserved.Unlock()
	delete(reserved.ports, port)
}

// loopback returns the address of a port of this machine.
func loopback(port int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}
