package tagkey

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ResolvePartitions turns the names of partition fields into their indexes, in
// the order given: what [Key.Partition] and [Plan.AppendPartition] take. A name
// is that of the tag, or "source:name" where two sources share it. A name that
// is unknown, ambiguous, given twice or not of a partition field is an error.
func (p *Plan) ResolvePartitions(names ...string) ([]int, error) {
	indexes := make([]int, 0, len(names))
	for _, name := range names {
		i, err := p.resolvePartition(name)
		if err != nil {
			return nil, err
		}
		if slices.Contains(indexes, i) {
			return nil, p.resolveError(name, "is given twice", "give each field once")
		}
		indexes = append(indexes, i)
	}
	return indexes, nil
}

func (p *Plan) resolvePartition(name string) (int, error) {
	var matches []int
	for i := range p.parts {
		if p.steps[i].answersTo(name) {
			matches = append(matches, i)
		}
	}
	switch len(matches) {
	case 0:
		return 0, p.unresolved(name)
	case 1:
		return matches[0], nil
	}
	ids := make([]string, len(matches))
	for i, m := range matches {
		ids[i] = strconv.Quote(p.steps[m].id())
	}
	return 0, p.resolveError(name, "is ambiguous", "write "+strings.Join(ids, " or "))
}

// answersTo reports whether the field goes by name. Case matters to no header.
func (s *step) answersTo(name string) bool {
	if s.Source == sourceHeader {
		return strings.EqualFold(name, s.Name) || strings.EqualFold(name, s.id())
	}
	return name == s.Name || name == s.id()
}

func (p *Plan) unresolved(name string) error {
	for i := p.parts; i < len(p.steps); i++ {
		if p.steps[i].answersTo(name) {
			return p.resolveError(name, "is no partition field", "flag it partition; "+p.listPartitions())
		}
	}
	if near := nearest(strings.ToLower(name), p.partitionNames()); near != "" {
		return p.resolveError(name, "is unknown", "did you mean "+strconv.Quote(near)+"? "+p.listPartitions())
	}
	return p.resolveError(name, "is unknown", p.listPartitions())
}

func (p *Plan) listPartitions() string {
	if p.parts == 0 {
		return "there are no partition fields"
	}
	return "the partition fields are " + strings.Join(p.partitionNames(), ", ")
}

// partitionNames are what resolvePartition takes: names, with their source where
// two share one.
func (p *Plan) partitionNames() []string {
	count := make(map[string]int)
	for i := range p.parts {
		count[p.steps[i].Name]++
	}
	names := make([]string, p.parts)
	for i := range names {
		if names[i] = p.steps[i].Name; count[names[i]] > 1 {
			names[i] = p.steps[i].id()
		}
	}
	return names
}

func (p *Plan) resolveError(name, problem, mend string) error {
	return fmt.Errorf("tagkey: %s: partition %q %s; %s", typeName(p.typ), name, problem, mend)
}
