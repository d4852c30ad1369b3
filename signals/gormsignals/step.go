package gormsignals

// stepsBy reports whether the database adds step to a key that it makes to get the next one. GORM
// counts so from the first key of a batch, where no RETURNING tells them. Clusters of MySQL take
// larger steps, lest two nodes should make one key.
func (w *watch) stepsBy(step int64) bool {
	if w.db.Dialector.Name() != "mysql" {
		return true
	}
	rows, err := w.ConnPool.QueryContext(w.db.Statement.Context, "SELECT @@auto_increment_increment")
	if err != nil {
		return false
	}
	defer func() { _ = rows.Close() }() // Err has told whatever there is to tell
	var actual int64
	return rows.Next() && rows.Scan(&actual) == nil && rows.Err() == nil && actual == step
}
