package restflow

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// What may wait to be saved, and how much of it is sent at once.
const (
	maxSaves    = 1024     // keys
	maxSaving   = 32 << 20 // bytes of entries, by estimate; one entry may always wait
	saveWorkers = 8
)

// A saver brings entries into a shared store, so that nobody's answer waits for it.
//
// A key has at most one save, which carries the newest entry made for the key: it
// takes the place of one that waits, and is sent after one that is being sent. So
// the entries of a key reach the store in their order, and one that was outdated or
// deleted before its turn never does.
//
// Until a save has ended, lookups of this process find its entry here. Workers
// start when there is something to do, and end when there is nothing.
type saver struct {
	flights *flights     // their shards hold the saves, under the locks of Delete and Replace
	count   atomic.Int64 // saves that have not ended; zero lets lookups pass without a lock
	hurry   atomic.Bool  // drop what has not been sent

	mu      sync.Mutex // protects what follows; a shard's lock comes first
	queue   []*save    // those whose turn has not come
	bytes   int        // of the entries of all saves
	workers int
	closed  bool
}

// save is what is on its way for one key. The shard's lock protects its fields.
type save struct {
	key     Key
	draft                 // the newest
	size    int           // of the entry
	number  uint64        // of the flight that made it
	sending chan struct{} // done of the draft that was sent last, or is being sent
}

// draft is an entry to be saved, and how.
type draft struct {
	entry *Entry // nil once Delete came
	ctx   context.Context
	store *Store        // with the timeout to keep
	lease *lease        // to be given back when the entry has arrived
	done  chan struct{} // closed when it was sent, or will not be
}

// renew makes room for another draft beside one that is being sent. One that waits
// gives its place up, and who waits for it waits for the newer one.
func (sv *save) renew() {
	if sv.done == sv.sending {
		sv.done = make(chan struct{})
	}
}

func newSaver(fs *flights) *saver {
	for i := range fs.shards {
		fs.shards[i].saves = make(map[string]*save)
	}
	return &saver{flights: fs}
}

// drop takes the newest draft back. One that is being sent will be removed.
func (sv *save) drop() {
	sv.release()
	if sv.entry = nil; sv.sending != nil {
		sv.renew()
	}
}

// release gives back the lease of a draft that may never be sent, at once: its turn may be
// long in coming. There is no mark, since the next entry need not come to nothing.
func (sv *save) release() {
	if sv.lease != nil {
		go sv.lease.end(false)
	}
}

// errForgotten says that Delete or Replace came before the entry was accepted.
var errForgotten = errors.New("forgotten")

// put accepts e, which f made, for saving. ctx must not end with the request.
func (w *saver) put(ctx context.Context, s *Store, k *Key, f *Flight, e *Entry) error {
	sh := w.flights.shard(k)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sv := sh.saves[string(k.Bytes)]
	switch {
	case f.forgotten.Load():
		return errForgotten
	case sv == nil:
		sv = &save{key: *k}
		sv.key.Bytes, sv.key.Scopes = e.Key, slices.Clone(k.Scopes)
		if err := w.admit(sv, e.size()); err != nil {
			return err
		}
		sh.saves[string(k.Bytes)] = sv
	case sv.entry != nil && sv.number > f.number:
		return nil // a younger flight was quicker, and would have replaced it
	default:
		if err := w.admit(sv, e.size()); err != nil {
			sv.drop() // it is older, and would come after the answer that is not stored
			return err
		}
	}
	sv.release()
	sv.renew()
	sv.draft, sv.number = draft{e, ctx, s, f.lease.pass(), sv.done}, f.number
	return nil
}

// admit makes room for an entry of sv, in place of the one that it has, and sees
// to it that somebody sends it. The shard's lock is held.
func (w *saver) admit(sv *save, size int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	bytes, isNew := w.bytes-sv.size+size, sv.store == nil
	switch {
	case w.closed:
		return ErrClosed
	case isNew && w.count.Load() >= maxSaves, bytes > maxSaving && bytes > size:
		return ErrBacklog
	}
	w.bytes, sv.size = bytes, size
	if !isNew {
		return nil
	}
	w.count.Add(1)
	w.queue = append(w.queue, sv)
	if w.workers < saveWorkers {
		w.workers++
		go w.work()
	}
	return nil
}

func (w *saver) work() {
	for sv := w.next(); sv != nil; sv = w.next() {
		w.bring(sv)
	}
}

// next returns the save whose turn it is, or ends the worker.
func (w *saver) next() *save {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		w.queue = nil
		w.workers--
		return nil
	}
	sv := w.queue[0]
	w.queue[0], w.queue = nil, w.queue[1:]
	return sv
}

// bring sends what sv carries until it has sent the newest.
func (w *saver) bring(sv *save) {
	var d draft
	for w.step(sv, &d) {
		d.lease.end(d.send(&sv.key) != nil)
	}
	sv.lease.end(false) // it was not sent
}

// step sets d to what sv carries and reports true, unless that is what d was
// already, or was taken back before its turn: then the save ends. Nobody is told that a
// draft was sent while lookups still find it here.
func (w *saver) step(sv *save, d *draft) bool {
	sh := w.flights.shard(&sv.key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if d.done != nil {
		defer close(d.done)
	}
	if sv.done != d.done && (sv.entry != nil || sv.sending != nil) && !w.hurry.Load() {
		*d, sv.sending = sv.draft, sv.done
		return true
	}
	delete(sh.saves, string(sv.key.Bytes))
	w.count.Add(-1)
	w.mu.Lock()
	w.bytes -= sv.size
	w.mu.Unlock()
	if sv.done != d.done {
		close(sv.done)
	}
	return false
}

// send saves the entry, or removes the one before if there is none: Delete came
// while that was being sent. OnError is told of failures.
func (d *draft) send(k *Key) error {
	if d.entry == nil {
		return d.store.remove(d.ctx, k)
	}
	return d.store.save(d.ctx, k, d.entry)
}

// handOver leaves the saving to others. Those who wait get the entry also if too
// much is waiting to be saved: it is not the time for all of them to run.
func (s *Store) handOver(ctx context.Context, k *Key, f *Flight, e *Entry) (*Entry, error) {
	if _, over := e.left(); over {
		f.entry = e
		return e, nil
	}
	err := s.saves.put(ctx, s, k, f, e)
	if errors.Is(err, errForgotten) {
		return nil, nil
	}
	if err == nil {
		s.flights.landings.add(k)
	}
	f.entry = e
	return e, err
}

// entry returns the newest entry of k that is on its way, or nil.
func (w *saver) entry(k *Key) *Entry {
	if w == nil || w.count.Load() == 0 {
		return nil
	}
	sh := w.flights.shard(k)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sv := sh.saves[string(k.Bytes)]; sv != nil {
		return sv.entry
	}
	return nil
}

// flush waits until what is there has been sent, or ctx has ended.
func (w *saver) flush(ctx context.Context) error {
	for i := range w.flights.shards {
		if err := waitFor(ctx, w.flights.shards[i].drafts()); err != nil {
			return err
		}
	}
	return nil
}

// drafts returns what is closed when each draft has been sent.
func (sh *flightShard) drafts() []chan struct{} {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	all := make([]chan struct{}, 0, len(sh.saves))
	for _, sv := range sh.saves {
		all = append(all, sv.done)
	}
	return all
}

// waitFor waits until all of done are closed, or ctx has ended.
func waitFor(ctx context.Context, done []chan struct{}) error {
	for _, c := range done {
		select {
		case <-c:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// close accepts nothing more, gives what waits so long to be sent, drops the rest,
// and gives what is being sent as long again.
func (w *saver) close(within time.Duration) {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	for range 2 {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		err := w.flush(ctx)
		cancel()
		if err == nil {
			return
		}
		w.hurry.Store(true)
	}
}

// loadForeign asks a store that may fail. What this process is saving counts as stored: it is
// looked for first, since a save that ends meanwhile may come too late for the
// lookup and too early for us.
func (s *Store) loadForeign(ctx context.Context, k *Key, snap *Snapshot) error {
	saving := s.saves.entry(k)
	err := s.call(s.bound(ctx), "load", func(ctx context.Context) error {
		return s.backend.load(ctx, k, snap)
	})
	if err != nil || saving == nil {
		return err
	}
	// It is newer than what the store has, which counts only where it alone is alive.
	if e := snap.Entry; e == nil || saving.alive(k.Bytes, snap.Epochs()) || !e.alive(k.Bytes, snap.Epochs()) {
		snap.Entry, snap.Fault = saving, nil
	}
	return nil
}

// left is how long the entry is to be kept from now on, zero for ever, and whether
// that is over already.
func (e *Entry) left() (ttl time.Duration, over bool) {
	if e.Expires == 0 {
		return 0, false
	}
	ttl = time.Duration(e.StaleUntil - time.Now().UnixNano())
	return ttl, ttl <= 0
}

// Flush waits until the entries that were handed over for saving before have
// been sent, or could not be, or ctx ends, whose error it returns. Then other
// processes find them. It is for tests with several nodes: Close does it anyway.
// Where saves are waited for (see RedisConfig.SyncSaves) there is nothing to do.
func (s *Store) Flush(ctx context.Context) error {
	if s.saves == nil {
		return nil
	}
	return s.saves.flush(ctx)
}
