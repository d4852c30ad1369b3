package chaos_test

import (
	"testing"

	"github.com/redis/go-redis/v9"
)

// clientOf returns a client of one node, which ends with the test.
func clientOf(t *testing.T, options *redis.Options) *redis.Client {
	t.Helper()
	c := redis.NewClient(options)
	t.Cleanup(func() { _ = c.Close() })
	return c
}
