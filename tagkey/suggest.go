package tagkey

import (
	"strconv"
	"strings"
)

// sourceSynonyms and flagSynonyms are words from elsewhere that people write
// for ours. Only what no edit distance finds needs to be here.
var sourceSynonyms = map[string]string{
	"param": sourcePath, "params": sourcePath, "uri": sourcePath, "url": sourcePath, "route": sourcePath,
	"ctx": sourceRequest, "context": sourceRequest, "req": sourceRequest, "user": sourceRequest,
	"qs": sourceQuery, "querystring": sourceQuery, "query_string": sourceQuery, "queryparam": sourceQuery, "get": sourceQuery,
	"headers": sourceHeader, "cookies": sourceCookie, "session": sourceCookie,
	"args": sourceArg, "argument": sourceArg, "func": sourceArg,
	"constant": sourceConst, "literal": sourceConst, "value": sourceConst,
	"fingerprint": sourceSchema, "type": sourceSchema, "model": sourceSchema,
	"ns": sourceNamespace, "name": sourceNamespace, "prefix": sourceNamespace,
	"ver": sourceVersion, "v": sourceVersion,
}

var flagSynonyms = map[string]string{
	"group": flagPartition, "partitioned": flagPartition, "key": flagPartition,
	"hashed": flagHash, "sha256": flagHash, "digest": flagHash,
	"omitempty": flagOptional, "omitzero": flagOptional, "opt": flagOptional,
	"sort": flagSorted, "ordered": flagSorted, "unordered": flagSorted,
	"lowercase": flagLower, "nocase": flagLower, "fold": flagLower, "ci": flagLower,
	"ignore": flagIgnore, "exclude": flagIgnore, "except": flagIgnore, "skip": flagIgnore,
}

// didYouMean is the mend for a word that is none of words: the closest, or all of them.
func didYouMean(word string, words []string, synonyms map[string]string) string {
	lower := strings.ToLower(strings.TrimSpace(word))
	if synonym, ok := synonyms[lower]; ok {
		return "did you mean " + strconv.Quote(synonym) + "?"
	}
	if near := nearest(lower, words); near != "" {
		return "did you mean " + strconv.Quote(near) + "?"
	}
	return "there are " + strings.Join(words, ", ")
}

// nearest finds the word at the least edit distance, if that is less than half
// of its length.
func nearest(word string, words []string) string {
	if len(word) > 64 {
		return ""
	}
	best, least := "", len(word)+1
	for _, candidate := range words {
		d := distance(word, strings.ToLower(candidate))
		if d < least && 2*d < len(candidate)+1 && 2*d < len(word)+1 {
			best, least = candidate, d
		}
	}
	return best
}

// distance is the Levenshtein distance of two short words, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
