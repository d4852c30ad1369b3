package redistest

import (
	"net"
	"sync"
	"time"
)

const (
	// pieceSize is the most that is read, and passed on, at once.
	pieceSize = 32 << 10
	// piecesHeld bounds what one direction of a connection may hold back;
	// beyond it the sender feels the pressure, as it would of a full socket.
	piecesHeld = 256
)

// link is one client's connection through a proxy.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	once           sync.Once
	done           chan struct{} // closed when both sides are
}

// piece is some bytes on their way, and when they may arrive.
type piece struct {
	data []byte
	due  time.Time
}

// run passes bytes both ways until the connection is over.
//
// A client that hangs up ends only its own direction: what it sent before must
// still reach the server, perhaps much later. A server that hangs up ends all.
func (l *link) run() {
	var both sync.WaitGroup
	both.Go(func() {
		l.pass(l.client, l.server, false)
		if half, ok := l.server.(*net.TCPConn); ok {
			_ = half.CloseWrite() // the server may be gone
		}
	})
	both.Go(func() {
		l.pass(l.server, l.client, true)
		l.close()
	})
	both.Wait()
}

// close ends both sides. It may be called often and from anywhere.
func (l *link) close() {
	l.once.Do(func() {
		close(l.done)
		_ = l.client.Close()
		_ = l.server.Close()
	})
}

// pass carries one direction: a reader ahead, so that a delay shifts the
// traffic instead of thinning it, and a writer behind.
func (l *link) pass(from, to net.Conn, replies bool) {
	queue := make(chan piece, piecesHeld)
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(queue)
		l.read(from, queue, replies)
	})
	for p := range queue {
		if l.wait(p.due) {
			l.deliver(to, p.data, replies)
		}
	}
	reader.Wait()
}

func (l *link) read(from net.Conn, queue chan<- piece, replies bool) {
	buf := make([]byte, pieceSize)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			due := time.Now()
			if f, _ := l.proxy.now(); replies {
				due = due.Add(f.delay)
			}
			queue <- piece{append([]byte(nil), buf[:n]...), due}
		}
		if err != nil {
			return
		}
	}
}

// wait returns true when a piece may be delivered, and false when the
// connection ended before that.
func (l *link) wait(due time.Time) bool {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.done:
		return false
	}
	for {
		f, changed := l.proxy.now()
		if !f.hold {
			return true
		}
		select {
		case <-changed:
		case <-l.done:
			return false
		}
	}
}

// deliver writes a piece, as far as the faults let it. When the receiver is
// gone it is dropped: the queue must drain all the same.
func (l *link) deliver(to net.Conn, data []byte, replies bool) {
	if !replies {
		_, _ = to.Write(data)
		return
	}
	if f, _ := l.proxy.now(); f.edit != nil {
		f.edit(data)
	}
	pass := l.proxy.allow(len(data))
	_, _ = to.Write(data[:pass])
	if pass < len(data) {
		l.proxy.Cut()
	}
}
