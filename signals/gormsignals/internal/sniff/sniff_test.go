package sniff_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/signals/gormsignals/internal/sniff"
)

func write(tables ...string) sniff.Statement {
	return sniff.Statement{Verb: sniff.Write, Tables: tables, Counted: len(tables) == 1}
}

func uncounted(tables ...string) sniff.Statement {
	return sniff.Statement{Verb: sniff.Write, Tables: tables}
}

var (
	read    = sniff.Statement{}
	unknown = sniff.Statement{Verb: sniff.Unknown}
)

func TestParseFindsTheTablesThatAreWritten(t *testing.T) {
	for _, c := range []struct {
		dialect string
		sql     string
		want    []sniff.Statement
	}{
		{"sqlite", "SELECT 1", []sniff.Statement{read}},
		{"sqlite", "", nil},
		{"sqlite", " ; ; ", nil},
		{"sqlite", "-- nothing but a remark", nil},
		{"sqlite", "INSERT INTO users (a) VALUES (1)", []sniff.Statement{uncounted("users")}},
		{"sqlite", "insert or replace into main.[My Users] values (1)", []sniff.Statement{write("my users")}},
		{"sqlite", "INSERT INTO users SELECT * FROM old_users", []sniff.Statement{write("users")}},
		{"sqlite", "INSERT INTO a (x) VALUES ('; DELETE FROM b') ON CONFLICT (x) DO UPDATE SET x = 1", []sniff.Statement{write("a")}},
		{"sqlite", "REPLACE INTO users VALUES (1)", []sniff.Statement{write("users")}},
		{"sqlite", "UPDATE OR IGNORE users SET a = 1", []sniff.Statement{write("users")}},
		{"sqlite", "/* DELETE FROM a */ update -- b\n users set c = 'it''s' where d in (select e from f)", []sniff.Statement{write("users")}},
		{"sqlite", "DELETE FROM \"users\"", []sniff.Statement{write("users")}},
		{"postgres", `UPDATE ONLY "crm"."Users" AS u SET a = 1 FROM teams WHERE u.b = teams.b`, []sniff.Statement{write("users")}},
		{"postgres", "DELETE FROM users USING teams WHERE a = b", []sniff.Statement{write("users")}},
		{"postgres", "SELECT * FROM users FOR UPDATE", []sniff.Statement{read}},
		{"postgres", "(SELECT 1)", []sniff.Statement{read}},
		{"postgres", "WITH a AS (SELECT replace(b, 'x', 'y') FROM c) SELECT * FROM a FOR UPDATE", []sniff.Statement{read}},
		{"postgres", "WITH gone AS (DELETE FROM users RETURNING *) SELECT * FROM gone", []sniff.Statement{uncounted("users")}},
		{
			"postgres", "WITH gone AS MATERIALIZED (DELETE FROM users RETURNING *), x AS (SELECT 1) INSERT INTO archive SELECT * FROM gone",
			[]sniff.Statement{uncounted("users", "archive")},
		},
		{"postgres", "WITH a(b) AS (SELECT c #> '{d}' FROM e) UPDATE f SET g = 1", []sniff.Statement{uncounted("f")}},
		{"postgres", "EXPLAIN UPDATE users SET a = 1", []sniff.Statement{read}},
		{"postgres", "EXPLAIN (ANALYZE, BUFFERS) UPDATE users SET a = 1", []sniff.Statement{uncounted("users")}},
		{"postgres", "SELECT $$ ; DELETE FROM users $$", []sniff.Statement{read}},
		{"postgres", "SELECT $a$ $$ ; DELETE FROM users $a$; DELETE FROM teams WHERE id = $1", []sniff.Statement{read, write("teams")}},
		{"postgres", `SELECT E'it\'s ; DELETE FROM users'`, []sniff.Statement{read}},
		{"postgres", `SELECT 'c:\'; DELETE FROM users`, []sniff.Statement{read, write("users")}},
		{"postgres", "/* /* */ DELETE FROM a */ DELETE FROM b", []sniff.Statement{write("b")}},
		{"postgres", "MERGE INTO users u USING staged s ON u.id = s.id WHEN MATCHED THEN UPDATE SET a = 1", []sniff.Statement{write("users")}},
		{"postgres", "TRUNCATE users, teams", []sniff.Statement{uncounted("users", "teams")}},
		{"postgres", "TRUNCATE TABLE users CASCADE", []sniff.Statement{unknown}},
		{"postgres", "COPY users (a, b) FROM STDIN", []sniff.Statement{uncounted("users")}},
		{"postgres", "COPY users TO STDOUT", []sniff.Statement{read}},
		{"postgres", "COPY (SELECT 1) TO STDOUT", []sniff.Statement{read}},
		{"postgres", "REFRESH MATERIALIZED VIEW CONCURRENTLY totals", []sniff.Statement{uncounted("totals")}},
		{"postgres", "DROP TABLE IF EXISTS users", []sniff.Statement{uncounted("users")}},
		{"postgres", "DROP SCHEMA crm CASCADE", []sniff.Statement{unknown}},
		{"postgres", "ALTER TABLE users ADD COLUMN a bigint", []sniff.Statement{uncounted("users")}},
		{"postgres", "CREATE TABLE users (a bigint)", []sniff.Statement{read}},
		{"postgres", "CREATE TABLE a AS WITH gone AS (DELETE FROM users RETURNING b) SELECT b FROM gone", []sniff.Statement{uncounted("users")}},
		{"postgres", "COPY (DELETE FROM users RETURNING a) TO STDOUT", []sniff.Statement{uncounted("users")}},
		{"postgres", "WITH RECURSIVE a(n) AS (SELECT 1) SEARCH DEPTH FIRST BY n SET o UPDATE users SET b = 1 FROM a", []sniff.Statement{uncounted("users")}},
		{"postgres", "WITH RECURSIVE a(n) AS (SELECT 1) CYCLE n SET c USING p DELETE FROM users", []sniff.Statement{uncounted("users")}},
		{"postgres", "WITH a AS (SELECT 1) ((SELECT * FROM a))", []sniff.Statement{read}},
		{"postgres", "WITH a AS (SELECT 1) something new", []sniff.Statement{unknown}},
		{"postgres", "ANALYZE users", []sniff.Statement{read}},
		{"postgres", "CREATE OR REPLACE VIEW a AS SELECT 1", []sniff.Statement{uncounted("a")}},
		{"postgres", "CREATE INDEX a ON b (c)", []sniff.Statement{read}},
		{"postgres", "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC DELETE FROM users; SELECT 1; END", []sniff.Statement{read}},
		{"postgres", "CALL rebuild()", []sniff.Statement{unknown}},
		{"postgres", "DO $$ BEGIN DELETE FROM users; END $$", []sniff.Statement{unknown}},
		{"postgres", "COMMIT PREPARED 'a'", []sniff.Statement{unknown}},
		{"postgres", "DELETE FROM users WHERE a = 'never ends", []sniff.Statement{unknown}},
		{"postgres", "SELECT 1 /* never ends", []sniff.Statement{unknown}},
		{"mysql", "# it's a remark\nUPDATE `users` SET a = 'it\\'s'", []sniff.Statement{write("users")}},
		{"mysql", "UPDATE users u JOIN teams t ON (u.team_id = t.id), logs SET u.a = 1, t.b = 2", []sniff.Statement{uncounted("users", "teams", "logs")}},
		{"mysql", "DELETE u, t.* FROM users AS u JOIN teams AS t ON u.a = t.a WHERE 1", []sniff.Statement{uncounted("u", "t", "users", "teams")}},
		{"mysql", "DELETE FROM users, teams USING users JOIN teams JOIN logs WHERE 1", []sniff.Statement{uncounted("users", "teams", "logs")}},
		{"mysql", "DELETE FROM users WHERE id = 1", []sniff.Statement{write("users")}},
		{"mysql", "DELETE FROM u USING users u JOIN teams t ON u.a = t.a", []sniff.Statement{uncounted("u", "users", "teams")}},
		{"mysql", "SET STATEMENT max_statement_time=60 FOR UPDATE users SET a = 1", []sniff.Statement{write("users")}},
		{"mysql", "SET STATEMENT a=1", []sniff.Statement{unknown}},
		{"mysql", "SET autocommit = 1", []sniff.Statement{{Commits: true}}},
		{"mysql", "ANALYZE FORMAT=JSON UPDATE users SET a = 1", []sniff.Statement{uncounted("users")}},
		{"mysql", "ANALYZE LOCAL TABLE users", []sniff.Statement{{Commits: true}}},
		{"mysql", "CREATE OR REPLACE TABLE users (a int)", []sniff.Statement{{Verb: sniff.Write, Tables: []string{"users"}, Commits: true}}},
		{"mysql", "WITH a AS (SELECT 1--1 AS n) UPDATE users SET b = 1", []sniff.Statement{uncounted("users")}},
		{"mysql", "DELETE LOW_PRIORITY QUICK FROM users LIMIT 1", []sniff.Statement{write("users")}},
		{"mysql", "INSERT IGNORE users VALUES (1)", []sniff.Statement{write("users")}},
		{"mysql", "INSERT INTO a VALUES (1) ON DUPLICATE KEY UPDATE b = VALUES(b)", []sniff.Statement{write("a")}},
		{"mysql", "SELECT /*+ NO_CACHE */ 1", []sniff.Statement{read}},
		{"mysql", "/*!50000 DELETE FROM users */", []sniff.Statement{write("users")}},
		{"mysql", "LOAD DATA INFILE 'x' INTO TABLE users", []sniff.Statement{uncounted("users")}},
		{"mysql", "TRUNCATE users", []sniff.Statement{{Verb: sniff.Write, Tables: []string{"users"}, Commits: true}}},
		{"mysql", "CREATE TABLE a (b int)", []sniff.Statement{{Commits: true}}},
		{"mysql", "CREATE TEMPORARY TABLE a (b int)", []sniff.Statement{read}},
		{"mysql", "RENAME TABLE a TO b", []sniff.Statement{{Verb: sniff.Write, Tables: []string{"a"}, Commits: true}}},
		{"sqlserver", "UPDATE u SET a = (SELECT b FROM c) FROM users u WHERE 1 = 1", []sniff.Statement{uncounted("u", "users")}},
		{"sqlserver", "INSERT TOP (5) INTO crm..[users] VALUES (1)", []sniff.Statement{uncounted("users")}},
		{"sqlserver", "DELETE users WHERE a = 1", []sniff.Statement{write("users")}},
	} {
		require.Equal(t, c.want, sniff.Parse(c.sql, sniff.For(c.dialect)), "%s: %s", c.dialect, c.sql)
	}
}

func TestParseFindsTransactionControl(t *testing.T) {
	for _, c := range []struct {
		sql  string
		want sniff.Statement
	}{
		{"BEGIN", sniff.Statement{Verb: sniff.Begin}},
		{"begin immediate transaction", sniff.Statement{Verb: sniff.Begin}},
		{"START TRANSACTION READ WRITE", sniff.Statement{Verb: sniff.Begin}},
		{"COMMIT WORK", sniff.Statement{Verb: sniff.Commit}},
		{"END", sniff.Statement{Verb: sniff.Commit}},
		{"ROLLBACK", sniff.Statement{Verb: sniff.Rollback}},
		{"ROLLBACK AND CHAIN", sniff.Statement{Verb: sniff.Rollback, Chains: true}},
		{"COMMIT AND NO CHAIN", sniff.Statement{Verb: sniff.Commit}},
		{"ABORT TRANSACTION", sniff.Statement{Verb: sniff.Rollback}},
		{"SAVEPOINT Sp1", sniff.Statement{Verb: sniff.Savepoint, Name: "sp1"}},
		{`SAVEPOINT "sp 2"`, sniff.Statement{Verb: sniff.Savepoint, Name: "sp 2"}},
		{"ROLLBACK TO sp1", sniff.Statement{Verb: sniff.RollbackTo, Name: "sp1"}},
		{"ROLLBACK TRANSACTION TO SAVEPOINT sp1", sniff.Statement{Verb: sniff.RollbackTo, Name: "sp1"}},
		{"RELEASE SAVEPOINT sp1", sniff.Statement{Verb: sniff.Release, Name: "sp1"}},
		{"SAVE TRANSACTION sp1", sniff.Statement{Verb: sniff.Savepoint, Name: "sp1"}},
		{"ROLLBACK TRANSACTION sp1", sniff.Statement{Verb: sniff.RollbackTo, Name: "sp1"}},
	} {
		require.Equal(t, []sniff.Statement{c.want}, sniff.Parse(c.sql, sniff.For("postgres")), c.sql)
	}
}

func TestFixedConditions(t *testing.T) {
	for sql, want := range map[string]bool{
		"UPDATE users SET a = now()": true,
		"UPDATE users SET a = (SELECT b FROM c WHERE random() < 1) WHERE id = $1":           true,
		"UPDATE users SET a = 1 WHERE id IN ($1,$2) AND (lower(b) = $3 OR NOT (c = 'f()'))": true,
		"DELETE FROM users WHERE a = 1 RETURNING f(a)":                                      true,
		"DELETE FROM users WHERE id IN (SELECT id FROM old)":                                false,
		"DELETE FROM users WHERE random() < 0.5":                                            false,
		`DELETE FROM users WHERE "random" () < 0.5`:                                         false,
		"DELETE FROM users WHERE expires < current_timestamp":                               false,
		"DELETE FROM users WHERE @a < 5":                                                    false,
		"DELETE FROM users WHERE a = 'never ends":                                           false,
	} {
		require.Equal(t, want, sniff.Fixed(sql, sniff.For("postgres")), sql)
	}
}

func TestConditionsBesideOthers(t *testing.T) {
	for _, c := range []struct {
		sql              string
		closed, conjunct bool
	}{
		{"a = 1", true, true},
		{"a = 1 AND (b = 2 OR c = ')')", true, true},
		{"a = 1\nOR b = 2", true, false},
		{"a = 1 || b = 2", true, false},
		{"a = 1 xor b = 2", true, false},
		{"a = 1) OR (b = 2", false, false},
		{"a = 1 -- for now", false, false},
		{"a = 1 /* for now */", false, false},
		{"a = 1; b", false, false},
		{"a = 'b", false, false},
		{"(a = 1", false, false},
	} {
		require.Equal(t, c.closed, sniff.Closed(c.sql, sniff.For("mysql")), c.sql)
		require.Equal(t, c.conjunct, sniff.Conjunct(c.sql, sniff.For("mysql")), c.sql)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("WITH a AS (DELETE FROM b) SELECT 1", "postgres")
	f.Add("DELETE t.* FROM t", "mysql")
	f.Add("UPDATE [a", "sqlite")
	f.Fuzz(func(t *testing.T, sql, dialect string) {
		for _, s := range sniff.Parse(sql, sniff.For(dialect)) {
			if s.Verb == sniff.Write && len(s.Tables) == 0 {
				t.Fatalf("a write without tables: %q", sql)
			}
		}
		sniff.Fixed(sql, sniff.For(dialect))
		if sniff.Conjunct(sql, sniff.For(dialect)) && !sniff.Closed(sql, sniff.For(dialect)) {
			t.Fatalf("open to its neighbours: %q", sql)
		}
	})
}
