package gormsignals_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/restflow-go/restflow/signals/gormsignals"
)

// proxy stands between a driver and PostgreSQL, and cuts the connection at a COMMIT.
type proxy struct {
	listener net.Listener
	server   string
	cut      atomic.Int32 // see below
}

const (
	cutNever  = iota
	cutBefore // the server never gets the COMMIT
	cutAfter  // the server answers it, and the client never knows
)

func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{listener: listener, server: server}
	go p.serve()
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	return p
}

func (p *proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			client.Close()
			return
		}
		go p.forward(client, server)
	}
}

func (p *proxy) forward(client, server net.Conn) {
	defer client.Close()
	defer server.Close()
	var dropping atomic.Bool
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			if err != nil || dropping.Load() {
				return
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		if cut := p.cut.Load(); cut != cutNever && isCommit(buffer[:n]) {
			if cut == cutBefore {
				return
			}
			dropping.Store(true)
			if _, err := io.Copy(server, bytes.NewReader(buffer[:n])); err == nil {
				<-answered
			}
			return
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// isCommit tells a COMMIT from a connection's settings.
func isCommit(message []byte) bool {
	message = bytes.ToLower(message)
	return bytes.Contains(message, []byte("commit")) && !bytes.Contains(message, []byte("synchronous_commit"))
}

// The connection is lost in the middle of a COMMIT to a real PostgreSQL. Whether it was carried out cannot be
// known from this side, so both outcomes publish.
func TestConnectionLostAtCommit(t *testing.T) {
	d := openPostgres(t)
	migrate(t, d)
	seed(t, d)
	config, err := pgx.ParseConfig(d.open().(*postgres.Dialector).DSN)
	require.NoError(t, err)
	p := newProxy(t, net.JoinHostPort(config.Host, fmt.Sprint(config.Port)))
	addr := p.listener.Addr().(*net.TCPAddr)
	config.Host, config.Port = addr.IP.String(), uint16(addr.Port)

	bus, r := listening(t, d.second)
	for _, prepared := range []bool{false, true} {
		db, err := gorm.Open(postgres.New(postgres.Config{Conn: stdlib.OpenDB(*config)}), &gorm.Config{PrepareStmt: prepared, Logger: logger.Discard})
		require.NoError(t, err)
		require.NoError(t, db.Use(gormsignals.New(bus, gormsignals.Config{Logger: slog.New(slog.DiscardHandler)})))
		for cut, name := range map[int32]string{cutBefore: "lost", cutAfter: "kept"} {
			seed(t, d)
			p.cut.Store(cut)
			require.Error(t, db.Transaction(func(tx *gorm.DB) error { return tx.Model(&User{ID: 1}).Update("team_id", 5).Error }))
			require.Equal(t, []string{"user pk=1", "user team=1", "user team=5"}, r.take())
			var team int
			require.NoError(t, d.second.QueryRow("SELECT team_id FROM users WHERE id = 1").Scan(&team))
			require.Equal(t, map[string]int{"lost": 1, "kept": 5}[name], team)
			require.NoError(t, db.Exec("SELECT 1").Error, "a fresh connection works")
			p.cut.Store(cutNever)
			require.NoError(t, db.Model(&User{ID: 3}).Update("name", "amy").Error)
			require.Equal(t, []string{"user pk=3", "user team=2"}, r.take())
		}
		pool, err := db.DB()
		require.NoError(t, err)
		require.NoError(t, pool.Close())
	}
}
