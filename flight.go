package restflow

import (
	"context"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
)

// A Flight is one run of a handler on behalf of everybody who asks for the same
// key under the same epochs. Because the epochs are part of what they ask for, a
// request that arrives after an invalidation never joins a run that began before
// it: it read other epochs.
type Flight struct {
	epochs    [MaxScopes]Epoch
	scopes    int
	number    uint64 // of those launched in its shard
	done      chan struct{}
	entry     *Entry // set before done is closed; nil if nothing was stored
	waiters   atomic.Int32
	forgotten atomic.Bool   // Delete came meanwhile
	abandoned atomic.Bool   // see Abandon
	closed    bool          // to others; see FillAlone
	apart     chan struct{} // closed by Alone
	leader    leaderContext
	lease     *lease // to run under; nil without one
	saving    bool   // its entry is being saved, till it lands. The shard's lock protects it
	others    *siblings
}

// siblings are the flights of one key, in their order. The shard's lock protects them.
type siblings struct {
	all  []*Flight
	room [1]*Flight // more only while the epochs of a key change
}

// Waiters is how many others wait for the flight at the moment.
func (f *Flight) Waiters() int { return int(f.waiters.Load()) }

const flightShards = 64

// flights are the runs under way, by key. More than one run of a key is in the
// air only while its epochs change.
type flights struct {
	seed     maphash.Seed
	shards   [flightShards]flightShard
	landings landings
}

type flightShard struct {
	mu       sync.Mutex
	m        map[string]*siblings
	launched uint64
	saves    map[string]*save // what flights have made and is on its way to the store
}

func (fs *flights) init() {
	fs.seed = maphash.MakeSeed()
	fs.landings.seed = fs.seed
	for i := range fs.shards {
		fs.shards[i].m = make(map[string]*siblings)
	}
}

func (fs *flights) shard(k *Key) *flightShard {
	return &fs.shards[maphash.Bytes(fs.seed, k.Bytes)%flightShards]
}

// join returns the flight of k under epochs, and whether the caller leads it.
func (fs *flights) join(k *Key, epochs []Epoch) (f *Flight, leader bool) {
	sh := fs.shard(k)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	of := sh.of(k)
	for _, f := range of.all {
		if f.open() && slices.Equal(f.epochs[:f.scopes], epochs) {
			f.waiters.Add(1)
			return f, false
		}
	}
	return sh.launch(of, epochs), true
}

// open reports whether others may join. The shard's lock is held.
func (f *Flight) open() bool {
	select {
	case <-f.apart:
		return false
	default:
		return !f.closed && !f.forgotten.Load()
	}
}

// launch returns a flight of the caller's own, which others can join. What older
// ones make is not stored any more: it could replace what this one makes.
func (fs *flights) launch(k *Key, epochs []Epoch) *Flight {
	sh := fs.shard(k)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.forget(k)
	return sh.launch(sh.of(k), epochs)
}

// launchClosed returns a flight that nobody can join, though Delete reaches it.
func (fs *flights) launchClosed(k *Key, epochs []Epoch) *Flight {
	sh := fs.shard(k)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	f := sh.launch(sh.of(k), epochs)
	f.closed = true
	return f
}

// tryLaunch returns a new flight of k under epochs, or nil if there is one.
func (fs *flights) tryLaunch(k *Key, epochs []Epoch) *Flight {
	sh := fs.shard(k)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	of := sh.of(k)
	for _, f := range of.all {
		if slices.Equal(f.epochs[:f.scopes], epochs) {
			return nil
		}
	}
	return sh.launch(of, epochs)
}

// of returns the flights of k, for one to be launched among them.
func (sh *flightShard) of(k *Key) *siblings {
	of := sh.m[string(k.Bytes)]
	if of == nil {
		of = new(siblings)
		of.all = of.room[:0]
		sh.m[string(k.Bytes)] = of
	}
	return of
}

func (sh *flightShard) launch(of *siblings, epochs []Epoch) *Flight {
	sh.launched++
	f := &Flight{scopes: len(epochs), number: sh.launched, done: make(chan struct{}), apart: make(chan struct{}), others: of}
	copy(f.epochs[:], epochs)
	of.all = append(of.all, f)
	return f
}

// land ends a flight: nobody joins it any more.
func (fs *flights) land(k *Key, f *Flight) {
	sh := fs.shard(k)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	of := f.others
	if of.all = slices.DeleteFunc(of.all, func(g *Flight) bool { return g == f }); len(of.all) == 0 {
		delete(sh.m, string(k.Bytes))
	}
	close(f.done)
}

// forget keeps what the flights of k make, or have made, from being stored. It
// returns what is closed when the saves that are being sent have ended, each of which
// removes what it saves.
func (fs *flights) forget(k *Key) (sent []chan struct{}) {
	sh := fs.shard(k)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sent = sh.forget(k)
	if sv := sh.saves[string(k.Bytes)]; sv != nil {
		if sv.drop(); sv.sending != nil {
			sent = append(sent, sv.sending)
		}
	}
	return sent
}

func (sh *flightShard) forget(k *Key) (saving []chan struct{}) {
	of := sh.m[string(k.Bytes)]
	if of == nil {
		return nil
	}
	for _, f := range of.all {
		f.forgotten.Store(true)
		if f.saving {
			saving = append(saving, f.done)
		}
	}
	return saving
}

// beginSave says that f, which made an entry of k, saves it now. It returns what is
// closed when the older flights that save have landed, so that the entries of a key
// reach the store in their order; and false if the entry may not be saved.
func (fs *flights) beginSave(k *Key, f *Flight) (older []chan struct{}, ok bool) {
	sh := fs.shard(k)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if f.forgotten.Load() {
		return nil, false
	}
	for _, g := range f.others.all {
		if g.saving && g.number < f.number {
			older = append(older, g.done)
		}
	}
	f.saving = true
	return older, true
}

// A Run makes the entry of a key, or returns nil if what it made may not be
// stored. It need not set the entry's key and epochs.
type Run func(f *Flight) *Entry

// Fill answers a miss. It makes the epochs that snap lacks exist, and then one
// caller for each key and epochs, the leader, calls run and saves the entry that
// it returns; the others wait for it.
//
// led says whether run was called. The entry is nil if there is none to share:
// run returned nil, or panicked (the panic goes on in the leader), or the store
// would not take the entry, or ctx ended first, or is that of the leader's run. A waiter
// then has to run for itself. An error is the store's, and comes before run was called (led is false) or
// from saving what it made (led is true, and the entry is returned all the same).
//
// Where saves go on in the background (see RedisConfig.SyncSaves) the leader only
// hands its entry over, and the error is ErrBacklog or ErrClosed. From then on the
// entry is found in this process; in others, once it has arrived.
//
// With RedisConfig.Lease a leader first waits for one that leads in another process,
// until ctx ends at most. If it gets that one's entry, led is false.
func (s *Store) Fill(ctx context.Context, k *Key, snap *Snapshot, run Run) (e *Entry, led bool, err error) {
	if err := s.settle(ctx, k, snap); err != nil {
		return nil, false, err
	}
	for {
		f, leader := s.flights.join(k, snap.Epochs())
		switch {
		case leader:
			return s.lookOrLead(ctx, k, snap, f, run)
		case f.runs(ctx):
			f.leave()
			return nil, false, nil
		case !f.wait(ctx):
			return nil, false, nil
		case f.entry != nil || !f.abandoned.Load() && !f.forgotten.Load():
			return s.stillTagged(ctx, f.entry), false, nil
		} // else the run came to nothing, though the next one need not: one for all of them
	}
}

// lookOrLead is a leader's part of Fill.
func (s *Store) lookOrLead(ctx context.Context, k *Key, snap *Snapshot, f *Flight, run Run) (e *Entry, led bool, err error) {
	defer s.flights.land(k, f)
	if f.entry = s.lookAgain(ctx, k, snap); f.entry == nil && s.leases != nil {
		f.entry = s.awaitLease(ctx, k, f)
	}
	if f.entry != nil {
		return f.entry, false, nil
	}
	e, err = s.lead(ctx, k, f, run)
	return e, true, err
}

// lookAgain returns the entry that a flight has saved since snap was taken, if one has.
func (s *Store) lookAgain(ctx context.Context, k *Key, snap *Snapshot) *Entry {
	if !s.flights.landings.since(k, snap.landing) {
		return nil
	}
	var again Snapshot
	if s.Load(ctx, k, &again) != nil || again.Entry == nil || !again.Entry.Fresh(again.Now) {
		return nil
	}
	return again.Entry
}

// wait waits for the end of the flight, and reports whether it came before ctx's,
// and before it became clear that there will be nothing to share.
func (f *Flight) wait(ctx context.Context) bool {
	defer f.leave()
	select {
	case <-f.done:
		return true
	case <-f.apart:
		return false
	case <-ctx.Done():
		return false
	}
}

// Abandon says that the run came to nothing because its leader gave up. One of
// those who wait leads the next run then, where otherwise all would run at once.
func (f *Flight) Abandon() { f.abandoned.Store(true) }

// stillTagged returns e if the epochs of its tags still stand, and else nil. Tags
// are not among the epochs that a flight goes by, so that a waiter may have come
// after the invalidation of one.
func (s *Store) stillTagged(ctx context.Context, e *Entry) *Entry {
	if e == nil || len(e.Tags) == 0 {
		return e
	}
	if ok, err := s.tagsStand(ctx, e); err != nil || !ok {
		return nil
	}
	return e
}

// FillAlone is Fill without company: the caller leads whoever else runs, and
// nobody waits for it. It is for keys whose answers are known not to be stored.
func (s *Store) FillAlone(ctx context.Context, k *Key, snap *Snapshot, run Run) (*Entry, error) {
	if err := s.settle(ctx, k, snap); err != nil {
		return nil, err
	}
	f := s.flights.launchClosed(k, snap.Epochs())
	defer s.flights.land(k, f)
	return s.lead(ctx, k, f, run)
}

// settle makes the epochs that snap lacks exist.
func (s *Store) settle(ctx context.Context, k *Key, snap *Snapshot) error {
	if !absent(snap.Epochs()) {
		return nil
	}
	return s.call(ctx, "ensure", func(ctx context.Context) error {
		return s.ensure(ctx, k.Scopes, snap.Epochs())
	})
}

// Replace runs whatever is stored and whoever else runs, and saves the entry that
// run returns. It joins no flight, since one under way may have begun before
// what the caller knows of. The results are as in Fill; run was not called if
// the epochs could not be made to exist.
func (s *Store) Replace(ctx context.Context, k *Key, snap *Snapshot, run Run) (*Entry, error) {
	if err := s.settle(ctx, k, snap); err != nil {
		return nil, err
	}
	f := s.flights.launch(k, snap.Epochs())
	defer s.flights.land(k, f)
	return s.lead(ctx, k, f, run)
}

// lead runs and saves. The epochs are those read before the run: if one has been
// bumped meanwhile, the entry is dead where it lies.
func (s *Store) lead(ctx context.Context, k *Key, f *Flight, run Run) (*Entry, error) {
	// A mark, unless the next run need not come to nothing. The lease may be the saver's by
	// then, or was left below.
	defer func() { f.lease.leave(!f.abandoned.Load() && !f.forgotten.Load()) }()
	e := run(f)
	if e == nil || f.forgotten.Load() {
		return nil, nil
	}
	e.Key = slices.Clone(k.Bytes)
	e.Epochs = append(e.epochs[:0], f.epochs[:f.scopes]...) // an entry must not keep its flight
	ctx = context.WithoutCancel(ctx)
	if s.saves != nil {
		return s.handOver(ctx, k, f, e)
	}
	return s.saveNow(ctx, k, f, e)
}

// saveNow saves e and takes it back if Delete or Replace came meanwhile: they wait
// for the end of it.
func (s *Store) saveNow(ctx context.Context, k *Key, f *Flight, e *Entry) (*Entry, error) {
	older, ok := s.flights.beginSave(k, f)
	if !ok {
		return nil, nil
	}
	_ = waitFor(ctx, older) // each ends with its timeout
	err := s.save(ctx, k, e)
	if f.forgotten.Load() {
		s.remove(ctx, k) //nolint:errcheck // the entry may stay, as Delete documents
		return nil, nil
	}
	if err != nil {
		return e, err
	}
	f.entry = e
	s.flights.landings.add(k)
	f.lease.leave(false)
	return e, nil
}
