package signals

import (
	"fmt"
	"strings"
)

// choices is the mend for an unknown name: the nearest candidate, or all of them.
func choices(name string, candidates []string) string {
	if near := nearest(name, candidates); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(candidates) == 0 {
		return "there are none"
	}
	return "use one of " + strings.Join(candidates, ", ")
}

// nearest returns the candidate that differs least from name: by letter case alone, by a part
// before or after a dot, or else by at most a third of its letters. It returns "" if there is none.
func nearest(name string, candidates []string) string {
	lower := strings.ToLower(name)
	best, limit := "", max(1, len(name)/3)+1
	for _, c := range candidates {
		folded := strings.ToLower(c)
		switch d := distance(lower, folded); {
		case d == 0:
			return c
		case d < limit:
			best, limit = c, d
		case best == "" && (strings.HasPrefix(folded, lower+".") || strings.HasSuffix(folded, "."+lower)):
			best = c
		}
	}
	return best
}

// distance counts the bytes to insert, delete, replace or swap with their neighbour that turn a
// into b: the optimal string alignment distance.
func distance(a, b string) int {
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			substitute := row[j]
			if a[i] != b[j] {
				substitute++
			}
			next[j+1] = min(substitute, next[j]+1, row[j+1]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
