package ftp

import (
	"context"
	"io"
	"iter"
	"testing"
)

// TestP17_ListingsStream counts writes: one for 32 KiB, whatever the length of the listing,
// and one for the first 4 KiB.
func TestP17_ListingsStream(t *testing.T) {
	w := &countingFlow{}
	lw := newListWriter(&transfer{}, &dataConn{flow: w}, longFormat(Manners{}))
	const entries = 100_000
	for range entries {
		if err := lw.add(Entry{Name: "a name of some length.txt", ModTime: fakeTime}); err != nil {
			t.Fatal(err)
		}
		if n := w.octets + len(lw.buf); w.writes == 0 && n > firstList {
			t.Fatalf("no write for %d octets", n)
		}
	}
	if err := lw.flush(); err != nil {
		t.Fatal(err)
	}
	// The first and the last are smaller.
	if want := w.octets/listBuffer + 2; w.writes > want || cap(lw.buf) > listBuffer+4<<10 {
		t.Errorf("%d writes for %d octets, want %d; buffer of %d", w.writes, w.octets, want, cap(lw.buf))
	}
}

// endlessList lists until nobody wants more.
type endlessList struct {
	*fakeFS
	ended chan struct{}
}

func (f endlessList) List(ctx context.Context, _ Path) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		defer close(f.ended)
		for ctx.Err() == nil && yield(Entry{Name: "again"}, nil) {
		}
	}
}

// TestP17_ListingEndsWithItsClient asks the store for no more pages once the client has gone.
func TestP17_ListingEndsWithItsClient(t *testing.T) {
	for _, tt := range []struct {
		name  string
		leave func(*talker)
		codes []string
	}{
		{"data connection closed", func(k *talker) { k.data.Close() }, []string{"426"}},
		{"control connection closed", func(k *talker) { k.control.Close() }, nil},
		{"ABOR", func(k *talker) { k.control.Write([]byte("ABOR\r\n")) }, []string{"426", "226"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var files endlessList
			config := func(fake *fakeFS) Config {
				files = endlessList{fake, make(chan struct{})}
				return testConfig(files)
			}
			bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
				k.login()
				k.passive()
				k.say("LIST", "150")
				if _, err := io.ReadFull(k.data, make([]byte, 3*listBuffer)); err != nil {
					t.Fatal(err)
				}
				tt.leave(k)
				<-files.ended
				k.hear(tt.codes...)
			})
		})
	}
}

type countingFlow struct{ writes, octets int }

func (c *countingFlow) Read([]byte) (int, error) { return 0, io.EOF }

func (c *countingFlow) Write(p []byte) (int, error) {
	c.writes++
	c.octets += len(p)
	return len(p), nil
}
