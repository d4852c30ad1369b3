package redistest

import "time"

// Cut closes every connection and, until [Proxy.Heal], every new one as soon as
// it is accepted: a server that is down behind a living balancer.
func (p *Proxy) Cut() {
	p.change(func(f *faults) { f.cut = true })
	p.Drop()
}

// Drop closes every open connection once. New ones are served.
func (p *Proxy) Drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.close()
	}
}

// Blackhole accepts connections and keeps them open, but passes nothing on in
// either direction. What was sent meanwhile is delivered by [Proxy.Heal], also
// the requests of a client that has given up and gone: that is how TCP behaves
// across a partition, and how a write arrives late.
func (p *Proxy) Blackhole() {
	p.change(func(f *faults) { f.hold = true })
}

// Delay makes every reply arrive d later, so that a round trip takes d longer.
// Replies on their way keep the delay under which they set out.
func (p *Proxy) Delay(d time.Duration) {
	p.change(func(f *faults) { f.delay = d })
}

// CorruptBytes turns over the bits of every n-th byte of what the server sends,
// counted in each piece that is read from it; n = 1 spoils all. A client then
// finds garbage where it looks for the protocol's marks: it reports that, or
// waits for the end of a line that does not come.
func (p *Proxy) CorruptBytes(n int) {
	p.Corrupt(func(reply []byte) {
		for i := n - 1; i >= 0 && i < len(reply); i += n {
			reply[i] ^= 0xff
		}
	})
}

// Corrupt lets edit change in place each piece of what the server sends, for
// faults that leave the protocol whole and spoil only what it carries. A piece
// is what one read returned: a short reply is one piece. edit may be called
// from many goroutines at once.
func (p *Proxy) Corrupt(edit func(reply []byte)) {
	p.change(func(f *faults) { f.edit = edit })
}

// LimitBytes lets n more bytes of replies pass, over all connections together,
// and cuts at the next one, as [Proxy.Cut] does. With n = 0 a request is
// carried out and its reply is lost: the outcome that a client cannot know.
func (p *Proxy) LimitBytes(n int) {
	p.change(func(f *faults) { f.limit = n })
}

// Heal ends all faults. Connections that were closed stay closed.
func (p *Proxy) Heal() {
	p.change(func(f *faults) { *f = faults{limit: -1} })
}

// change sets faults and wakes whoever waits for them to change.
func (p *Proxy) change(set func(*faults)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	set(&p.faults)
	close(p.changed)
	p.changed = make(chan struct{})
}

// now returns the faults in force and a channel that is closed when they change.
func (p *Proxy) now() (faults, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults, p.changed
}

// allow takes n bytes of replies from the limit and returns how many may pass.
func (p *Proxy) allow(n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.faults.limit < 0 {
		return n
	}
	n = min(n, p.faults.limit)
	p.faults.limit -= n
	return n
}
