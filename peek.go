package restflow

import "errors"

// ErrMiss is returned by Peek and Metadata when there is no entry that could answer: it
// was never made, has expired, or was invalidated, deleted or evicted.
var ErrMiss = errors.New("restflow: not cached")

// Peek tells of the entry that was loaded, for those who only look: Hit if it
// answers, Stale if it is kept past its TTL, ErrMiss if there is none.
func (s *Snapshot) Peek() (Metadata, error) {
	switch e := s.Entry; {
	case e == nil, !e.Servable(s.Now):
		return Metadata{}, ErrMiss
	case e.Fresh(s.Now):
		return e.Metadata(Hit), nil
	default:
		return e.Metadata(Stale), nil
	}
}
