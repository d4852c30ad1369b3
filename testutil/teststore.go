package testutil

import (
	"testing"

	"github.com/restflow-go/restflow"
)

// TestStore checks that a store keeps the promises that caches rely on. open is
// called for each part with that part's t and returns a store for it, which may
// hold entries of others: the keys are new each time. It closes the store when t
// ends, by t.Cleanup.
//
//	func TestStore(t *testing.T) {
//		testutil.TestStore(t, func(t *testing.T) *restflow.Store {
//			s, err := restflow.NewStore(mystore.New(…), restflow.StoreConfig{Kind: restflow.InProcess})
//			if err != nil {
//				t.Fatal(err)
//			}
//			t.Cleanup(func() { s.Close() })
//			return s
//		})
//	}
//
// A store that talks to a server should get a generous Timeout here: every error
// fails the test. It needs room for some megabytes. The suite takes a few seconds.
func TestStore(t *testing.T, open func(t *testing.T) *restflow.Store) {
	for _, part := range storeParts {
		t.Run(part.name, func(t *testing.T) { part.check(newProbe(t, open(t))) })
	}
}

// part is one check of the suite.
type part struct {
	name  string
	check func(p *probe)
}

var storeParts = []part{
	{"load of nothing", loadNothing},
	{"entries come back as they were saved", roundTrips},
	{"an entry is seen at once where it was made", seenAtOnce},
	{"values come back from a store that keeps them decoded", decodedValue},
	{"the full key is compared", keysApart},
	{"epochs exist once they were asked for", epochsExist},
	{"an absent epoch is a miss", absentEpochs},

	{"a bump drops its group and no other", bumpGroups},
	{"a bump does not end with its context", bumpWithoutContext},
	{"a soft bump leaves no more than stale entries, and no longer", bumpSoftly},
	{"T1 a late fill across a soft bump", softLateFill},
	{"tags", tags},
	{"too many tags", manyTags},

	{"T1 a late fill lands dead", lateFill},
	{"T1 a late replacement lands dead", lateReplace},
	{"T1 a late background fill lands dead", lateLaunch},
	{"T2 who comes after a bump joins no older run", noOlderRun},
	{"one run answers all", oneRun},
	{"waiters run themselves after a panic", leaderPanics},
	{"waiters get nothing from a run that made nothing", nothingMade},
	{"a waiter leaves when its context ends", waiterLeaves},
	{"a leader whose client has gone still saves", leaderWithoutClient},

	{"delete", deleteEntry},
	{"delete keeps a run's entry out", deleteDuringFill},
	{"replace", replaceEntry},
	{"replace outdates older runs", replaceDuringFill},
	{"expiry", expiry},
	{"stale window", staleWindow},
	{"an entry past its time is not saved", savedTooLate},

	{"views share everything", views},
	{"close", closeTwice},
	{"never older than the last invalidation", hammerStore},
}
