package restflow_test

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

func FuzzEntryRoundTrip(f *testing.F) {
	f.Add([]byte("key"), []byte("body"), "Content-Type", "text/plain", uint64(7), int64(1), 200, uint8(3), 0)
	f.Add([]byte{}, bytes.Repeat([]byte("a"), 5000), "", "\x00\xff", ^uint64(0), int64(-1), 1<<31-1, uint8(255), 100)
	f.Fuzz(func(t *testing.T, key, body []byte, name, value string, number uint64, created int64, status int, shape uint8, compress int) {
		if status < 0 || status > 1<<31-1 {
			t.Skip("no status")
		}
		e := &restflow.Entry{
			Key: key, Body: body, Status: status, ETag: value,
			Created: created, Expires: created + 1, StaleUntil: -created, Delta: int64(number),
		}
		for i := range shape & 7 {
			e.Epochs = append(e.Epochs, restflow.Epoch(number+uint64(i)))
			e.Tags = append(e.Tags, restflow.Tag{Scope: restflow.Scope(number * uint64(i)), Epoch: restflow.Epoch(i)})
			field := restflow.Field{Op: restflow.Op((shape + i) % 3), Name: name}
			for range (shape >> 3) & 7 {
				field.Values = append(field.Values, value)
			}
			e.Header = append(e.Header, field)
		}
		prefix := []byte("before")
		raw := restflow.AppendEntry(bytes.Clone(prefix), e, compress)
		require.True(t, bytes.HasPrefix(raw, prefix))
		got, err := restflow.DecodeEntry(raw[len(prefix):])
		require.NoError(t, err)
		requireSame(t, e, got)
	})
}

func FuzzDecodeEntry(f *testing.F) {
	for _, e := range samples() {
		f.Add(restflow.AppendEntry(nil, e, compressFrom), true)
	}
	f.Add([]byte("rf\x01\x01"), false)
	f.Fuzz(func(t *testing.T, raw []byte, seal bool) {
		if seal && len(raw) >= 12 {
			restflow.Seal(raw) // or the checksum would keep out all but the seeds
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		e, err := restflow.DecodeEntry(raw)
		runtime.ReadMemStats(&after)
		// Strings and slices of headers weigh more than their bytes; other
		// goroutines of the fuzzer allocate too.
		if got, most := after.TotalAlloc-before.TotalAlloc, uint64(16<<20+restflow.Inflated(len(raw))+100*len(raw)); got > most {
			t.Fatalf("%d bytes allocated for %d", got, len(raw))
		}
		if err != nil {
			require.ErrorIs(t, err, restflow.ErrEncoding)
			require.Nil(t, e)
			return
		}
		again, err := restflow.DecodeEntry(restflow.AppendEntry(nil, e, 0))
		require.NoError(t, err)
		requireSame(t, e, again)
	})
}
