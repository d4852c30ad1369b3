package signals

import (
	"bytes"
	"time"
)

// groupSet gathers the different groups of one target, up to a limit beyond which they become
// the whole cache.
type groupSet struct {
	target  *target
	limit   int
	all     bool          // drops everything at once; nothing else matters then
	softAll time.Duration // Soft of the whole cache, if it is to be dropped so
	groups  []Group
	ids     idSet
}

func (s *groupSet) add(g Group) {
	switch {
	case s.all:
	case g.All:
		s.widenBy(g.Soft)
	case s.softAll > 0 && g.Soft >= s.softAll: // the whole cache covers it
	case len(s.groups) > 0 && s.has(g):
	case len(s.groups) >= s.limit:
		for _, other := range s.groups {
			g.Soft = min(g.Soft, other.Soft)
		}
		s.groups = nil
		s.ids.reset()
		s.widenBy(g.Soft)
	default:
		s.groups = append(s.groups, g)
	}
}

// widenBy adds the whole cache.
func (s *groupSet) widenBy(soft time.Duration) {
	switch {
	case soft == 0:
		s.widen()
	case s.softAll == 0 || soft < s.softAll:
		s.softAll = soft
	}
}

func (s *groupSet) widen() {
	s.all, s.groups = true, nil
	s.ids.reset()
}

// has reports whether the group is there already, which then takes the smaller Soft. It is asked
// from the second group on: the first needs no identity until there is another.
func (s *groupSet) has(g Group) bool {
	if len(s.groups) == 1 {
		s.ids.reset()
		s.ids.add(s.target, s.groups[0], 0)
	}
	at := s.ids.add(s.target, g, len(s.groups))
	if at == len(s.groups) {
		return false
	}
	s.groups[at].Soft = min(s.groups[at].Soft, g.Soft)
	return true
}

// list returns the groups to drop; it is empty if there are none.
func (s *groupSet) list() []Group {
	switch {
	case s.all:
		return []Group{{All: true}}
	case s.softAll > 0:
		return append(s.groups, Group{All: true, Soft: s.softAll})
	}
	return s.groups
}

func (s *groupSet) empty() bool { return !s.all && s.softAll == 0 && len(s.groups) == 0 }

// idSet tells byte strings apart: a few by comparison in one buffer, many by a map.
type idSet struct {
	buf  []byte
	ends []int
	at   []int // which group each is of
	many map[string]int
}

const fewIDs = 8

func (s *idSet) reset() { *s = idSet{buf: s.buf[:0], ends: s.ends[:0], at: s.at[:0]} }

// add returns which group has the identity: at, if it is new. What has none is always new.
func (s *idSet) add(t *target, g Group, at int) int {
	start := len(s.buf)
	buf, ok := t.identify(s.buf, g)
	id := buf[start:]
	if !ok {
		return at
	}
	if s.many != nil {
		found, ok := s.many[string(id)]
		if !ok {
			s.many[string(id)] = at
			return at
		}
		return found
	}
	if found := s.findFew(id); found >= 0 {
		return found
	}
	s.buf, s.ends, s.at = buf, append(s.ends, len(buf)), append(s.at, at)
	if len(s.ends) > fewIDs {
		s.index()
	}
	return at
}

func (s *idSet) findFew(id []byte) int {
	start := 0
	for i, end := range s.ends {
		if bytes.Equal(s.buf[start:end], id) {
			return s.at[i]
		}
		start = end
	}
	return -1
}

// index moves the identities from the buffer to a map.
func (s *idSet) index() {
	s.many = make(map[string]int, 4*fewIDs)
	start := 0
	for i, end := range s.ends {
		s.many[string(s.buf[start:end])] = s.at[i]
		start = end
	}
	s.buf, s.ends, s.at = s.buf[:0], s.ends[:0], s.at[:0]
}
