package restflow

// What tests in package restflow_test see of the inside.

// AppendEntry and DecodeEntry are the codec of stored entries.
var (
	AppendEntry = appendEntry
	DecodeEntry = decodeEntry
	ErrEncoding = errEncoding
)

// Inflated bounds what a compressed body of n bytes may hold.
var Inflated = inflated

// Seal writes the checksum of an encoded entry that a test has changed.
func Seal(raw []byte) {
	sum := checksum(raw)
	for i := range 8 {
		raw[4+i] = byte(sum >> (8 * i))
	}
}

// Waiting is how many wait for flights of k.
func (s *Store) Waiting(k *Key) (n int) {
	sh := s.flights.shard(k)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, f := range sh.m[string(k.Bytes)] {
		n += f.Waiters()
	}
	return n
}
