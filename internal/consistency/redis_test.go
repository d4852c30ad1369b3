package consistency_test

import (
	"context"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/restflow-go/restflow"
)

// overRedis opens a store over a client whose commands are carried out on what is
// shared, without a network, on which a bubble's time would wait.
func overRedis(v *view) *restflow.Store {
	client := redis.NewClient(&redis.Options{
		Addr: "nowhere", ContextTimeoutEnabled: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	client.AddHook(fakeRedis{v})
	s, err := restflow.NewRedis(client, restflow.RedisConfig{})
	return must(s, err)
}

// fakeRedis does what the store asks of Redis.
type fakeRedis struct{ *view }

func (fakeRedis) DialHook(next redis.DialHook) redis.DialHook { return next }

func (f fakeRedis) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(_ context.Context, cmd redis.Cmder) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.do(cmd)
		return cmd.Err()
	}
}

func (f fakeRedis) ProcessPipelineHook(redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	carryOut := func(cmds []redis.Cmder) {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, cmd := range cmds {
			f.do(cmd)
		}
	}
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if name, _ := cmds[0].Args()[1].(string); !f.isSlow() || !strings.HasPrefix(name, "restflow:e:") || cmds[0].Name() != "set" {
			carryOut(cmds)
			return nil // each command has its error
		}
		done, gate := make(chan struct{}), f.hold()
		go func() { // it arrives also if nobody waits for it any more
			<-gate
			carryOut(cmds)
			close(done)
		}()
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f fakeRedis) do(cmd redis.Cmder) {
	if f.down {
		cmd.SetErr(errDown)
		return
	}
	args := make([]string, len(cmd.Args()))
	for i, a := range cmd.Args() {
		args[i] = textOf(a)
	}
	switch cmd := cmd.(type) {
	case *redis.SliceCmd: // MGET
		values := make([]any, 0, len(args))
		for _, name := range args[1:] {
			if v, ok := f.value(name); ok {
				values = append(values, v)
			} else {
				values = append(values, nil)
			}
		}
		cmd.SetVal(values)
	case *redis.StringCmd: // GET
		if v, ok := f.value(args[1]); ok {
			cmd.SetVal(v)
		} else {
			cmd.SetErr(redis.Nil)
		}
	case *redis.StatusCmd: // SET
		f.set(args)
	case *redis.BoolCmd: // SET NX, PEXPIRE
		_, ok := f.value(args[1])
		switch {
		case args[0] == "set" && !ok:
			f.set(args)
		case args[0] == "pexpire" && ok:
			it := f.items[args[1]]
			it.expires = time.Now().Add(life("px", args[2]))
			f.items[args[1]] = it
		}
	case *redis.IntCmd: // DEL
		for _, name := range args[1:] {
			delete(f.items, name)
		}
	case *redis.Cmd: // EVALSHA
		f.soften(args[3], args[4], args[5])
	default:
		panic(fmt.Sprintf("%T %v", cmd, args))
	}
}

func textOf(a any) string {
	switch a := a.(type) {
	case []byte:
		return string(a)
	case encoding.BinaryMarshaler:
		b, _ := a.MarshalBinary()
		return string(b)
	}
	return fmt.Sprint(a)
}

func (v *view) value(name string) (string, bool) {
	it, ok := v.items[name]
	if !ok || !time.Now().Before(it.expires) {
		return "", false
	}
	return string(it.value), true
}

// set carries out SET name value EX|PX n, with more behind.
func (v *view) set(args []string) {
	v.items[args[1]] = item{[]byte(args[2]), time.Now().Add(life(args[3], args[4]))}
}

func life(unit, n string) time.Duration {
	if unit == "px" {
		n += "ms"
	} else {
		n += "s"
	}
	d, err := time.ParseDuration(n)
	if err != nil {
		panic(err)
	}
	return d
}

// soften is the script of a soft bump.
func (v *view) soften(name, nonce, until string) {
	was, ok := v.value(name)
	if !ok {
		return
	}
	before := was[:8]
	if v.generations && len(was) == 24 {
		before = was[8:16]
	}
	if v.endless {
		until = string(binary.LittleEndian.AppendUint64(nil, 1<<62))
	}
	hash := sha256.Sum256([]byte(was + nonce))
	it := v.items[name]
	it.value = []byte(string(hash[:8]) + before + until)
	v.items[name] = it
}
