package archtest

// House is what must hold in this repository. The arrows between the packages are
//
//	tagkey <- restflow <- internal/httpcache <- echocache
//	signals <- signals/gormsignals
//
// and whoever implements a target of signals may import signals.
var House = []Rule{
	Imports{
		Of:    []string{"tagkey/..."},
		Deny:  []string{"..."},
		Allow: []string{"std/...", "self/tagkey/..."},
		Why:   "tagkey stands on the standard library alone",
		Mend:  "move what needs the import to a package above tagkey",
	},
	Imports{
		Of:     []string{"signals/..."},
		Except: []string{"signals/gormsignals/..."},
		Deny:   []string{"..."},
		Allow:  []string{"std/...", "self/signals", "self/signals/..."},
		Why:    "signals stands on the standard library alone and knows caches only as its Target",
		Mend:   "declare in signals the small interface that is needed, or move the code to the cache's package",
	},
	Imports{
		Of:    []string{"signals/gormsignals/..."},
		Deny:  []string{"self/..."},
		Allow: []string{"self/signals/..."},
		Why:   "gormsignals knows of this module only signals",
		Mend:  "pass what it needs through signals",
	},
	Imports{
		Of:     []string{"..."},
		Except: []string{"internal/httpcache/...", "echocache/...", "testutil/..."},
		Deny:   []string{"self/internal/httpcache/..."},
		Why:    "the engine lies under the framework adapters and above the root",
		Mend:   "use the adapter, or move what both need down to the root package",
	},
	Imports{
		Of:     []string{"..."},
		Except: []string{"echocache/...", "examples/...", "testutil/..."},
		Deny:   []string{"self/echocache/..."},
		Why:    "nothing lies above an adapter but a user's program",
		Mend:   "move what is needed down to internal/httpcache",
	},
	Imports{
		Of:     []string{"..."},
		Except: []string{"signals/gormsignals/...", "examples/..."},
		Deny:   []string{"self/signals/gormsignals/..."},
		Why:    "nothing lies above the GORM plugin but a user's program",
		Mend:   "take the changes from signals",
	},
	Imports{
		Of:     []string{"..."},
		Except: []string{"signals/gormsignals/...", "examples/..."},
		Deny:   []string{"gorm.io/...", "github.com/glebarez/..."},
		Why:    "only gormsignals knows GORM, so that no other user builds it",
		Mend:   "move it to signals/gormsignals",
	},
	Imports{
		Of:     []string{"..."},
		Except: []string{"echocache/...", "examples/...", "testutil/..."},
		Deny:   []string{"github.com/labstack/..."},
		Why:    "only echocache knows Echo, so that another framework is one small adapter",
		Mend:   "speak net/http, or move it to echocache",
	},
	Imports{
		Of:    []string{"internal/httpcache/..."},
		Tests: true,
		Deny:  []string{"github.com/labstack/..."},
		Why:   "the engine and its tests speak net/http",
		Mend:  "test it with net/http/httptest, and the adapter in echocache",
	},
	Imports{
		Of:     []string{"..."},
		Except: []string{"testutil/...", "internal/redistest/..."},
		Deny: []string{
			"std/testing/...", "github.com/stretchr/...", "go.uber.org/goleak/...",
			"pgregory.net/rapid/...", "github.com/alicebob/...",
		},
		Why:  "test code must not reach a user's program",
		Mend: "move it to a _test.go file or to testutil",
	},
	Imports{
		Of:     []string{"..."},
		Except: []string{"testutil/...", "examples/..."},
		Deny:   []string{"std/net/http/httptest"},
		Why:    "httptest adds a flag to every program that links it",
		Mend:   "implement http.ResponseWriter, or move it to a _test.go file",
	},
	Imports{
		Of:     []string{"..."},
		Except: []string{"testutil/...", "internal/redistest/..."},
		Deny:   []string{"self/testutil/...", "self/internal/redistest/...", "self/internal/archtest/..."},
		Why:    "only tests use what is made for tests",
		Mend:   "move the caller to a _test.go file",
	},
	Imports{
		Of:    []string{"..."},
		Tests: true,
		Deny:  []string{"github.com/eko/gocache/..."},
		Allow: []string{"github.com/eko/gocache/lib/v4/store", "github.com/eko/gocache/store/..."},
		Why:   "gocache is a port for stores; its other packages link Prometheus into every user",
		Mend:  "use lib/v4/store and the adapters under store/",
	},
	OwnModule{Folder: "bench", Why: "the libraries it compares with must not reach users"},
	PackageComment{},
	Documented{},
	Panics{Except: []string{"testutil/..."}}, // its suites try what a panic does
	Names{
		Deny: []string{"util", "utils", "helper", "helpers", "types", "common", "misc"},
		Why:  "it invites whatever fits nowhere else",
	},
	Length{
		{Files: "/README.md", Lines: 150},
		{Files: "/examples/*/main.go", Lines: 120},
		{Files: "*_test.go", Lines: 600},
		{Files: "*.go", Lines: 400},
	},
}
