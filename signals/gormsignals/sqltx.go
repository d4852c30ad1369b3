package gormsignals

import (
	"database/sql"

	"gorm.io/gorm"
)

// SQLTx returns the *sql.Tx of a transaction, for code that needs it: the connection that
// gorm.DB.Statement.ConnPool holds is the plugin's. False means that db is in no transaction, or in
// one of another kind.
//
// Commit and roll back through GORM, since the plugin does not see it otherwise. It does not see writes
// through the *sql.Tx either: publish them with Publish.
func SQLTx(db *gorm.DB) (*sql.Tx, bool) {
	c := db.Statement.ConnPool
	for {
		switch v := c.(type) {
		case *sql.Tx:
			return v, v != nil
		case *tx:
			if v == nil {
				return nil, false
			}
			c = v.ConnPool
		case *gorm.PreparedStmtTX:
			c = v.Tx
		default:
			return nil, false
		}
	}
}
