package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var sample = []chapter{
	{ID: "a", Tests: []test{
		{ID: "works"},
		{ID: "better", Kind: optimal},
		{ID: "asks", Kind: check},
		{ID: "leans", DependsOn: []string{"works"}},
		{ID: "falls", DependsOn: []string{"leans-on-broken"}},
		{ID: "leans-on-broken", Kind: optimal, DependsOn: []string{"broken"}},
	}},
	{ID: "b", Tests: []test{
		{ID: "broken"},
		{ID: "unready"},
		{ID: "of-browsers", BrowserOnly: true},
	}},
}

const sampleResults = `{
	"works": true, "better": ["Assertion", "Response 2\n does not come from cache"], "asks": true, "leans": true,
	"falls": true, "leans-on-broken": true, "broken": ["Assertion", "no"], "unready": ["Setup", "retry"]}`

func TestOutcomesAreThoseOfTheSuite(t *testing.T) {
	all, err := judge(sample, []byte(sampleResults))
	require.NoError(t, err)
	require.Equal(t, []outcome{
		{"a", "works", required, pass, ""},
		{"a", "better", optimal, fail, "Response 2 does not come from cache"},
		{"a", "asks", check, pass, ""},
		{"a", "leans", required, pass, ""},
		{"a", "falls", required, dependency, ""},
		{"a", "leans-on-broken", optimal, dependency, ""},
		{"b", "broken", required, fail, "no"},
		{"b", "unready", required, setup, "retry"},
	}, all)
	again, err := parseOutcomes(formatOutcomes(all))
	require.NoError(t, err)
	for i := range all {
		all[i].detail = ""
	}
	require.Equal(t, all, again)
}

func TestResultsThatCannotBeRead(t *testing.T) {
	_, err := judge(sample, []byte(`{"works": true}`))
	require.EqualError(t, err, "the suite has no result of better")
	_, err = judge(sample, []byte(`{"works": 7}`))
	require.EqualError(t, err, "results of the suite: json: cannot unmarshal number into Go value of type [2]string")
	_, err = parseOutcomes([]byte("a works required\n"))
	require.EqualError(t, err, "\"a works required\\n\" is no outcome; write chapter, test, kind and verdict")
}

func TestSummaryListsWhatDoesNotPass(t *testing.T) {
	all, err := judge(sample, []byte(sampleResults))
	require.NoError(t, err)
	require.Equal(t, strings.Join([]string{
		"optimal    fail       a/better: Response 2 does not come from cache",
		"required   dependency a/falls: ",
		"optimal    dependency a/leans-on-broken: ",
		"required   fail       b/broken: no",
		"required   setup      b/unready: retry",
		"",
	}, "\n"), summary(all))
}
