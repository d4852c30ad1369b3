package restflow

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"sync"

	"github.com/redis/go-redis/v9"
)

// sweepNode is one server that holds entries.
type sweepNode struct {
	client redis.Cmdable
	id     string
}

// position is a cursor in clear: the servers that are done, and how far SCAN
// has come on the one that is not. Servers go by the id of their run, since a
// restart or a failover makes SCAN's cursors worthless.
type position struct {
	Space string   `json:"s"`
	Done  []string `json:"d,omitempty"`
	Node  string   `json:"n,omitempty"`
	At    uint64   `json:"a,omitempty"`
}

func (p *position) cursor() string {
	text, _ := json.Marshal(p) // strings and a number: it cannot fail
	return base64.RawURLEncoding.EncodeToString(text)
}

func parsePosition(cursor, space string) (position, error) {
	if cursor == "" {
		return position{Space: space}, nil
	}
	var p position
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || json.Unmarshal(text, &p) != nil || p.Space != space {
		return p, errCursor
	}
	return p, nil
}

func (r *redisStore) sweep(ctx context.Context, sw *sweep) error {
	at, err := parsePosition(sw.state.Cursor, sw.space)
	if err != nil {
		return err
	}
	var nodes []sweepNode
	if err := sw.store.call(ctx, "sweep", func(ctx context.Context) (err error) {
		nodes, err = r.nodes(ctx)
		return err
	}); err != nil {
		return err
	}
	for _, n := range nodes {
		if slices.Contains(at.Done, n.id) {
			continue
		}
		if at.Node != n.id {
			at.Node, at.At = n.id, 0
		}
		if enough, err := r.sweepNode(ctx, sw, n, &at); enough || err != nil {
			return err
		}
	}
	sw.state.Cursor = ""
	return nil
}

// sweepNode goes over what is left of one server.
func (r *redisStore) sweepNode(ctx context.Context, sw *sweep, n sweepNode, at *position) (enough bool, err error) {
	for at.Node == n.id {
		var deleted int
		var next uint64
		err := sw.store.call(ctx, "sweep", func(ctx context.Context) (err error) {
			deleted, next, err = r.sweepBatch(ctx, sw, n, at.At)
			return err
		})
		if err != nil {
			return false, err
		}
		if at.At = next; next == 0 {
			at.Done, at.Node = append(at.Done, n.id), ""
		}
		if sw.note(ctx, deleted, at.cursor()) {
			return true, nil
		}
	}
	return false, nil
}

// sweepBatch looks at one batch of keys. The pattern needs no escaping: neither
// a prefix nor an escaped namespace can hold what a pattern gives a meaning to.
// It only spares replies; what counts is hasName.
func (r *redisStore) sweepBatch(ctx context.Context, sw *sweep, n sweepNode, at uint64) (deleted int, next uint64, err error) {
	names, next, err := n.client.Scan(ctx, at, r.shape.prefix+sw.name+"*", int64(sw.cfg.BatchSize)).Result()
	if err != nil {
		return 0, 0, err
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return len(name) < len(r.shape.prefix) || !sw.hasName(name[len(r.shape.prefix):])
	})
	deleted, err = r.unlink(ctx, names)
	return deleted, next, err
}

func (r *redisStore) unlink(ctx context.Context, names []string) (int, error) {
	if len(names) == 0 {
		return 0, nil
	}
	if r.single != nil {
		n, err := r.single.Unlink(ctx, names...).Result()
		return int(n), err
	}
	cmds, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, name := range names {
			p.Unlink(ctx, name) // one by one, since each may be in a slot of its own
		}
		return nil
	})
	n := 0
	for _, c := range cmds {
		n += int(c.(*redis.IntCmd).Val())
	}
	return n, err
}

// nodes returns the servers to go over, in an order that lasts.
func (r *redisStore) nodes(ctx context.Context) ([]sweepNode, error) {
	cluster, ok := r.client.(interface {
		ForEachMaster(ctx context.Context, fn func(ctx context.Context, client *redis.Client) error) error
	})
	if !ok {
		return []sweepNode{{r.client, runID(ctx, r.client, "server")}}, nil
	}
	var mu sync.Mutex // ForEachMaster calls concurrently
	var nodes []sweepNode
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error {
		id := runID(ctx, c, c.Options().Addr)
		mu.Lock()
		defer mu.Unlock()
		nodes = append(nodes, sweepNode{c, id})
		return nil
	})
	slices.SortFunc(nodes, func(a, b sweepNode) int { return cmp.Compare(a.id, b.id) })
	return nodes, err
}

// runID is what the server calls its current run, or otherwise where it does not say.
func runID(ctx context.Context, c redis.Cmdable, otherwise string) string {
	info, err := c.InfoMap(ctx, "server").Result()
	if id := info["Server"]["run_id"]; err == nil && id != "" {
		return id
	}
	return otherwise
}
