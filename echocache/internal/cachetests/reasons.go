package main

// A reason says why tests do not pass, and why they should not. Tests are named
// as chapter/test, with the patterns of path.Match. Of two reasons for a test the
// first counts.
type reason struct {
	tests []string
	why   string
}

var reasons = []reason{
	{
		[]string{
			"cc-response/cc-resp-no-cache-revalidate*", "cc-response/cc-resp-must-revalidate-stale",
			"conditional-inm/conditional-etag-*-generate*", "conditional-inm/conditional-etag-vary-headers", "update304/*",
		},
		"There is no origin to ask: the handler makes the answer in this process. A stale entry is made anew, as a whole; " +
			"`no-cache` is not stored. So no 304 ever arrives that could update an entry.",
	},
	{
		[]string{"stale/stale-close-*"},
		"The origin breaks the connection, the gateway answers 502 from no cache, as it must, and the test then looks for the " +
			"origin's count in that answer. Nobody in the suite's published results passes. What is meant is in " +
			"[`TestResponsesNarrowTheStaleWindows`](../echocache/freshness_test.go); `no-cache` is not stored at all.",
	},
	{
		[]string{"age-parse/age-parse-prefix"},
		"`Age: 0,7200` is two ages. RFC 9111, 5.1 would have the first count; we store nothing of which we do not know how old it is. " +
			"The title of the test asks for the same, its expectation does not.",
	},
	{
		[]string{"heuristic/heuristic-*-cached"},
		"Freshness that nobody declared is the TTL's business, not a guess from `Last-Modified`. The tests run with a predicate that stores only what declares it.",
	},
	{
		[]string{"vary/vary-normalise-*"},
		"A header field in the key is compared as it was sent. Two spellings cost an entry, and never give the wrong one. " +
			"`lower` folds case; middleware before the cache can do the rest.",
	},
	{
		[]string{"conditional-lm/conditional-lm-fresh-no-lm"},
		"Without `Last-Modified` nothing shows that the client has this representation; the test's date is older than the entry's `Date` besides (RFC 9111, 4.3.2).",
	},
	{
		[]string{"headers/headers-store-Set-Cookie", "other/other-set-cookie"},
		"`Set-Cookie` is never stored: a session would be handed to the next client.",
	},
	{
		[]string{"other/other-cookie", "auth/other-authorization-*"},
		"A request with credentials is cached only under a key that tells users apart, or with `Shared` or `IgnoreCookies`. `public` is not enough.",
	},
	{
		[]string{"headers/headers-store-Content-Range", "partial/*"},
		"Ranges are the handler's: requests for them pass by the cache, and neither a 206 nor anything with `Content-Range` is stored.",
	},
	{
		[]string{"headers/headers-store-Transfer-Encoding"},
		"The origin sends a transfer coding that does not exist. Go's client refuses that answer before the cache sees it.",
	},
	{
		[]string{"invalidation/invalidate-*-location", "invalidation/invalidate-*-cl"},
		"RFC 9111, 4.4 lets a cache invalidate what `Location` and `Content-Location` name, and no longer demands it. " +
			"A key is made of a route's parameters, so that a URI alone does not lead to it; rules know what else a write changes.",
	},
	{
		[]string{"method/method-POST"},
		"Only GET's answers are stored.",
	},
	{
		[]string{"surrogate-control/*"},
		"`Surrogate-Control` speaks to caches in front of an origin. This one is a part of it, and is configured.",
	},
}
