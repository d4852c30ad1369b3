package redistest

import (
	"os"
	"os/exec"
	"testing"
)

// Environment variables that say where the server is and whether it must be there.
const (
	// ServerEnv names the variable that holds the path of the redis-server program.
	ServerEnv = "RESTFLOW_REDIS_SERVER"
	// RequireEnv names the variable that turns a skip into a failure when it is 1.
	RequireEnv = "RESTFLOW_REQUIRE_SERVICES"
)

// Binary returns the path of the redis-server program. Without one it skips
// the test, or fails it when [RequireEnv] is 1.
func Binary(t testing.TB) string {
	t.Helper()
	if named := os.Getenv(ServerEnv); named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			missing(t, "redistest: "+ServerEnv+" does not name a program: "+err.Error())
		}
		return path
	}
	path, err := exec.LookPath("redis-server")
	if err != nil {
		missing(t, "redistest: no redis-server in PATH; install one (Debian: apt-get install redis-server) or name it in "+ServerEnv)
	}
	return path
}

// missing ends the test: a skip for whoever has no Redis, a failure for
// whoever said that services are required.
func missing(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv(RequireEnv) == "1" {
		t.Fatalf("%s (%s=1 makes this a failure)", reason, RequireEnv)
	}
	t.Skip(reason)
}
