// Command cachetests runs the public tests for HTTP caches (the npm package
// http-cache-tests, cache-tests.fyi) against an Echo server with this middleware,
// and writes what came of them into docs/http.md.
//
//	make cache-tests
//
// The tests bring an origin server of their own and a client. Between them stands
// a reverse proxy as an Echo handler behind the cache (newGateway). The origin
// says by Cache-Control and Expires how long its answers are fresh, so the cache
// is configured to follow it: the only answers it stores are those that say so.
//
// A test that is required or optimal and does not pass must have its reason in
// reasons.go, and a reason must have such a test: the command fails otherwise, so
// that neither a new defect nor a mended one goes unnoticed.
//
// Outcomes are kept in testdata/outcomes.txt, from which the package's tests make
// the tables again and compare them with the document. Running the suite needs
// node and npm; the tests do not.
package main
