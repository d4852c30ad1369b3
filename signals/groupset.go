package signals

import "bytes"

// groupSet gathers the different groups of one target, up to a limit beyond which they become
// the whole cache.
type groupSet struct {
	target  *target
	limit   int
	all     bool // drops everything; nothing else matters then
	softAll bool
	groups  []Group
	ids     idSet
}

func (s *groupSet) add(g Group) {
	switch {
	case s.all:
	case g.All && g.Soft:
		s.softAll = true
	case g.All:
		s.widen()
	case len(s.groups) > 0 && !s.isNew(g):
	case len(s.groups) >= s.limit:
		s.widen()
	default:
		s.groups = append(s.groups, g)
	}
}

func (s *groupSet) widen() {
	s.all, s.groups = true, nil
	s.ids.reset()
}

// isNew is asked from the second group on: the first needs no identity until there is another.
func (s *groupSet) isNew(g Group) bool {
	if len(s.groups) == 1 {
		s.ids.reset()
		s.ids.add(s.target, s.groups[0])
	}
	return s.ids.add(s.target, g)
}

// list returns the groups to drop; it is empty if there are none.
func (s *groupSet) list() []Group {
	switch {
	case s.all:
		return []Group{{All: true}}
	case s.softAll:
		return append(s.groups, Group{All: true, Soft: true})
	}
	return s.groups
}

func (s *groupSet) empty() bool { return !s.all && !s.softAll && len(s.groups) == 0 }

// idSet tells byte strings apart: a few by comparison in one buffer, many by a map.
type idSet struct {
	buf  []byte
	ends []int
	many map[string]struct{}
}

const fewIDs = 8

func (s *idSet) reset() { *s = idSet{buf: s.buf[:0], ends: s.ends[:0]} }

// add reports whether the identity is new. What has none is always new.
func (s *idSet) add(t *target, g Group) bool {
	start := len(s.buf)
	buf, ok := t.identify(s.buf, g)
	id := buf[start:]
	if !ok {
		return true
	}
	if s.many != nil {
		_, found := s.many[string(id)]
		s.many[string(id)] = struct{}{}
		return !found
	}
	if s.hasFew(id) {
		return false
	}
	s.buf, s.ends = buf, append(s.ends, len(buf))
	if len(s.ends) > fewIDs {
		s.index()
	}
	return true
}

func (s *idSet) hasFew(id []byte) bool {
	start := 0
	for _, end := range s.ends {
		if bytes.Equal(s.buf[start:end], id) {
			return true
		}
		start = end
	}
	return false
}

// index moves the identities from the buffer to a map.
func (s *idSet) index() {
	s.many = make(map[string]struct{}, 4*fewIDs)
	start := 0
	for _, end := range s.ends {
		s.many[string(s.buf[start:end])] = struct{}{}
		start = end
	}
	s.buf, s.ends = s.buf[:0], s.ends[:0]
}
