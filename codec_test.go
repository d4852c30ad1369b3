package restflow_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

var update = flag.Bool("update-codec", false, "rewrite the golden encodings; a change of them needs a new format version")

// samples are entries whose encodings are golden. Nothing in them is of today.
func samples() map[string]*restflow.Entry {
	return map[string]*restflow.Entry{
		"zero": {},
		"response": {
			Key: []byte("User v1\x00/users/:id\x00\xff"), Epochs: []restflow.Epoch{1, 1 << 63, 0xfeedfacecafebeef},
			Created: 1_700_000_000_000_000_000, Expires: 1_700_000_003_600_000_000, StaleUntil: 1_700_000_007_200_000_000, Delta: 1_234_567,
			Status: 200, ETag: `W/"5-abc"`,
			Header: []restflow.Field{
				{Op: restflow.SetField, Name: "Content-Type", Values: []string{"application/json; charset=UTF-8"}},
				{Op: restflow.AddField, Name: "Link", Values: []string{"</b>", "</a>", ""}},
				{Op: restflow.DelField, Name: "X-Outer"},
			},
			Body: []byte("{\"id\":1}\n"),
		},
		"tagged": {
			Key: []byte{0}, Epochs: []restflow.Epoch{7, 8, 9, 10, 11, 12, 13, 14}, Status: 404,
			Tags: []restflow.Tag{{Scope: restflow.AnyTag, Epoch: 3}, {Scope: restflow.TagScope("order:7"), Epoch: 5}},
			Body: []byte("no such order"),
		},
		"compressed": {
			Key: []byte("big"), Epochs: []restflow.Epoch{42}, Status: 200,
			Body: []byte(strings.Repeat("what repeats, ", 40)),
		},
	}
}

// compressFrom is the size from which samples are compressed: one of them is.
const compressFrom = 256

// The encodings of today are read by every release that knows version 1, and
// those of earlier releases by this one.
func TestGoldenEncodings(t *testing.T) {
	for name, e := range samples() {
		path := filepath.Join("testdata", "entry", name+".v1.hex")
		raw := restflow.AppendEntry(nil, e, compressFrom)
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(hex.Dump(raw)), 0o644))
		}
		dump, err := os.ReadFile(path)
		require.NoError(t, err)
		golden := undump(t, string(dump))
		got, err := restflow.DecodeEntry(golden)
		require.NoError(t, err, name)
		requireSame(t, e, got)
		if name != "compressed" { // a better compressor may write something else
			require.Equal(t, string(dump), hex.Dump(raw), name)
		}
	}
}

// undump reads what hex.Dump wrote.
func undump(t *testing.T, dump string) []byte {
	t.Helper()
	var raw []byte
	for line := range strings.Lines(dump) {
		bytes, _, _ := strings.Cut(line[10:], "|")
		b, err := hex.DecodeString(strings.ReplaceAll(bytes, " ", ""))
		require.NoError(t, err)
		raw = append(raw, b...)
	}
	return raw
}

// requireSame compares what the encoding keeps; nil and empty are the same to it.
func requireSame(t testing.TB, want, got *restflow.Entry) {
	t.Helper()
	normal := func(e *restflow.Entry) restflow.Entry {
		n := restflow.Entry{
			Created: e.Created, Expires: e.Expires, StaleUntil: e.StaleUntil, Delta: e.Delta, Status: e.Status, ETag: e.ETag,
			Key: append([]byte{}, e.Key...), Body: append([]byte{}, e.Body...),
			Epochs: append([]restflow.Epoch{}, e.Epochs...), Tags: append([]restflow.Tag{}, e.Tags...),
		}
		for _, f := range e.Header {
			f.Values = append([]string{}, f.Values...)
			n.Header = append(n.Header, f)
		}
		return n
	}
	require.Equal(t, normal(want), normal(got))
}

// Whatever is cut off or turned over anywhere is found out.
func TestDamagedEncodingsAreRejected(t *testing.T) {
	for name, e := range samples() {
		raw := restflow.AppendEntry(nil, e, compressFrom)
		for n := range raw {
			_, err := restflow.DecodeEntry(raw[:n:n])
			require.ErrorIs(t, err, restflow.ErrEncoding, "%s: %d bytes of %d", name, n, len(raw))
		}
		for i := range raw {
			for bit := range 8 {
				damaged := bytes.Clone(raw)
				damaged[i] ^= 1 << bit
				_, err := restflow.DecodeEntry(damaged)
				require.ErrorIs(t, err, restflow.ErrEncoding, "%s: bit %d of byte %d", name, bit, i)
			}
		}
		for range 200 { // two values mixed up
			other := restflow.AppendEntry(nil, samples()["response"], 0)
			cut := rand.IntN(min(len(raw), len(other)))
			mixed := append(bytes.Clone(raw[:cut]), other[cut:]...)
			if !bytes.Equal(mixed, raw) && !bytes.Equal(mixed, other) {
				_, err := restflow.DecodeEntry(mixed)
				require.ErrorIs(t, err, restflow.ErrEncoding)
			}
		}
	}
}

// Contents that no encoder writes, under a checksum that is right.
func TestHostileContents(t *testing.T) {
	raw := restflow.AppendEntry(nil, &restflow.Entry{Key: []byte("k"), Body: []byte("body")}, 0)
	const head = 12
	for n := head; n < len(raw)-len("body"); n++ {
		cut := bytes.Clone(raw[:n])
		restflow.Seal(cut)
		_, err := restflow.DecodeEntry(cut)
		require.EqualError(t, err, "not an entry: cut short", "%d bytes", n)
	}
	fixed := raw[:head+32] // up to the status
	for name, tail := range map[string][]byte{
		"a status without end":        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"a status of 64 bits":         {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01},
		"nine epochs":                 append([]byte{0, 9}, make([]byte, 9*8+20)...),
		"epochs that are not there":   {0, 8, 1, 2, 3},
		"nine tags":                   append([]byte{0, 0, 9}, make([]byte, 9*16+20)...),
		"a key of two gigabytes":      {0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x07, 'k'},
		"more fields than bytes":      {0, 0, 0, 0, 0, 0xff, 0xff, 0x03, 0, 0, 0},
		"an operation that is none":   {0, 0, 0, 0, 0, 1, 3, 1, 'A', 0},
		"more values than bytes":      {0, 0, 0, 0, 0, 1, 0, 1, 'A', 0xff, 0x7f},
		"a field that is cut":         {0, 0, 0, 0, 0, 2, 0, 1, 'A', 0, 0, 0},
		"a name longer than the rest": {0, 0, 0, 0, 0, 1, 0, 200, 'A', 0},
	} {
		hostile := append(bytes.Clone(fixed), tail...)
		restflow.Seal(hostile)
		_, err := restflow.DecodeEntry(hostile)
		require.EqualError(t, err, "not an entry: cut short", name)
	}
}

func TestHostileCompression(t *testing.T) {
	plain := restflow.AppendEntry(nil, &restflow.Entry{}, 0)
	for name, body := range map[string][]byte{
		"no length":         {},
		"a gigabyte":        {0x80, 0x80, 0x80, 0x80, 0x04, 0x00, 'x'},
		"four gigabytes":    {0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 'x'},
		"another length":    {0x05, 0x00, 'x'},
		"a copy of nothing": {0x08, 0x15, 0x01},
	} {
		hostile := append(bytes.Clone(plain), body...)
		hostile[3] = 1
		restflow.Seal(hostile)
		_, err := restflow.DecodeEntry(hostile)
		require.EqualError(t, err, "not an entry: compressed body", name)
	}
}

// The bound grows with the body also where int has 32 bits, or what a process with 64 has
// stored would be unreadable there.
func TestCompressionBoundDoesNotOverflow(t *testing.T) {
	for _, n := range []int{1 << 10, 3 << 20, 4 << 20, math.MaxInt32} {
		require.GreaterOrEqual(t, restflow.Inflated(n), n)
	}
}

// What compresses better than a reader may believe is stored as it is.
func TestCompressionWithinBounds(t *testing.T) {
	for _, n := range []int{1, compressFrom - 1, compressFrom, 1 << 20, 1<<20 + 1, 8 << 20} {
		e := &restflow.Entry{Body: bytes.Repeat([]byte("a"), n)}
		raw := restflow.AppendEntry(nil, e, compressFrom)
		got, err := restflow.DecodeEntry(raw)
		require.NoError(t, err)
		require.True(t, bytes.Equal(e.Body, got.Body))
		if n >= compressFrom && n <= 1<<20 {
			require.Less(t, len(raw), n)
		}
		require.LessOrEqual(t, n, restflow.Inflated(len(raw)))
	}
	noise := make([]byte, 4096)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	raw := restflow.AppendEntry(nil, &restflow.Entry{Body: noise}, 1)
	require.True(t, bytes.HasSuffix(raw, noise), "what does not compress is stored as it is")
}
