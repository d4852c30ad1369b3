package gormsignals_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/signals/gormsignals"
)

// TestMatrix runs every form of write in every mode on every database. It asserts exactly the groups
// that are dropped, that none is dropped before the commit, and that at the moment of each drop a
// second connection sees the write.
func TestMatrix(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		migrate(t, d)
		bus, r := listening(t, d.second)
		dirty := true // what is rolled back leaves the tables as they were
		for _, m := range modes {
			t.Run(m.name, func(t *testing.T) {
				db := m.opened(t, d, gormsignals.New(bus))
				for _, f := range forms {
					if f.only != "" && f.only != d.name || f.not == d.name {
						continue
					}
					t.Run(f.name, func(t *testing.T) {
						if dirty {
							seed(t, d)
						}
						dirty = !m.none && f.check != ""
						r.check, r.unseen = f.check, 0
						m.run(t, db, func() { require.Empty(t, r.take(), "dropped before the commit") }, f.write)
						want := f.want
						if m.alone && f.alone != nil {
							want = f.alone
						}
						if m.none {
							want = nil
						}
						require.ElementsMatch(t, want, r.take())
						require.Zero(t, r.unseen, "dropped before a second connection saw the write")
					})
				}
			})
		}
	})
}
