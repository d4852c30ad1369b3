// Command cachetests runs the public tests for HTTP caches (the npm package
// http-cache-tests, cache-tests.fyi) against an Echo server with this middleware,
// and writes the results into docs/http.md.
//
//	make cache-tests
//
// The tests bring an origin server of their own and a client. Between the two is a
// reverse proxy, an Echo handler behind the cache (newGateway). The origin declares
// with Cache-Control and Expires how long its responses are fresh, so the cache is
// configured to store only responses that declare it.
//
// A required or optimal test that does not pass must have its reason in reasons.go,
// and a reason must have such a test: otherwise the command fails, so that neither a
// new defect nor a fixed one goes unnoticed.
//
// Outcomes are kept in testdata/outcomes.txt, from which the package's tests make
// the tables again and compare them with the document. Running the suite needs
// node and npm; the tests do not.
package main
