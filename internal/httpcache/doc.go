// Package httpcache is the response-cache engine: it decides what may be looked
// up and stored, records what a handler writes, and replays entries. It knows
// net/http and no framework; an adapter passes it a request and runs the handler.
//
// A request goes through Engine.Serve:
//
//	policy of the request -> key -> Store.Load
//	  hit     write the entry
//	  miss    Store.Fill: the handler writes into a recorder, the policy of the
//	          response decides, the entry is saved, and then the client gets the
//	          recorded bytes
//	  bypass  the handler writes to the client, untouched
//
// The client gets what the handler wrote whatever happens to the entry, even if the
// handler fails or panics later: the recorder releases it.
package httpcache
