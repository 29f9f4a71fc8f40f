package ftp

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"
)

// reset ends a connection as a killed system does.
func reset(c net.Conn) {
	c.(*recorder).Conn.(interface{ SetLinger(int) error }).SetLinger(0)
	c.Close()
}

// cutOffs are the ways in which an upload of 12345 does not come to its end, with the
// codes that the client hears.
func cutOffs() map[string]struct {
	cut   func(*talker)
	codes []string
} {
	type cutOff = struct {
		cut   func(*talker)
		codes []string
	}
	return map[string]cutOff{
		"ABOR":              {func(k *talker) { k.control.Write([]byte("ABOR\r\n")) }, []string{"426", "226"}},
		"data reset":        {func(k *talker) { reset(k.data) }, []string{"426"}},
		"stall":             {func(*talker) { time.Sleep(time.Minute + 1) }, []string{"426"}},
		"flood":             {func(k *talker) { k.control.Write([]byte(strings.Repeat("PWD\r\n", 1000))) }, []string{"426", "EOF"}},
		"killed":            {func(k *talker) { k.control.Close() }, nil},
		"killed after NOOP": {func(k *talker) { k.say("NOOP", "200"); k.control.Close() }, nil},
		"killed after STAT": {func(k *talker) { k.say("STAT", "211"); k.control.Close() }, nil},
		"killed within a line": {func(k *talker) {
			k.control.Write([]byte("NOO"))
			k.control.Close()
		}, nil},
		"killed at the end of data": {func(k *talker) {
			k.data.Close()
			k.control.Close()
		}, nil},
		"ALLO": {func(k *talker) { k.data.Close() }, []string{"426"}},
	}
}

// cutOff plays one of them against a policy.
func cutOff(t *testing.T, how string, policy Policy, check func(*testing.T, *talker, logRecord)) {
	t.Helper()
	var log lockedBuilder
	policy.EnforceALLO = true
	config := func(files *fakeFS) Config {
		files.policy = policy
		c := testConfig(files)
		c.Grace = func(net.Conn, net.Conn, time.Duration) time.Duration { return time.Millisecond }
		c.Log = slog.New(slog.NewJSONHandler(&log, nil))
		return c
	}
	bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		k.passive()
		k.say("ALLO 6\nSTOR readme.txt", "200", "150")
		k.data.Write([]byte("12345"))
		cutOffs()[how].cut(k)
		time.Sleep(time.Second)
		said := k.hear(cutOffs()[how].codes...)
		all := records(t, log.String(), "transfer")
		if len(all) != 1 || all[0]["bytes"] != 5.0 || all[0]["end"] == "" || all[0]["crc32c"] != "18d12335" {
			t.Fatalf("log records of the transfer: %v", all)
		}
		all[0]["said"] = said
		check(t, k, all[0])
	})
}

func TestS12_CutOffUploadsAreParked(t *testing.T) {
	for how := range cutOffs() {
		t.Run(how, func(t *testing.T) {
			cutOff(t, how, Policy{}, func(t *testing.T, k *talker, r logRecord) {
				wantContent(t, k.files, "readme.txt", "hello\nworld\n")
				wantParked(t, k.files, "readme.txt", "12345")
				if r["done"] != "parked" || r["kept"] != 5.0 {
					t.Errorf("logged as %v", r)
				}
				if said := r["said"].(string); said != "" && !strings.Contains(said, "; 5 octets are kept; REST and STOR or APPE continue.") {
					t.Errorf("the client hears %q", said)
				}
			})
		})
	}
}

func TestS12_OrDiscarded(t *testing.T) {
	for how := range cutOffs() {
		t.Run(how, func(t *testing.T) {
			cutOff(t, how, Policy{Incomplete: DiscardIncomplete}, func(t *testing.T, k *talker, r logRecord) {
				wantContent(t, k.files, "readme.txt", "hello\nworld\n")
				wantParked(t, k.files, "readme.txt", "")
				if r["done"] != "discarded" || k.files.aborted != 1 {
					t.Errorf("logged as %v, %d uploads aborted", r, k.files.aborted)
				}
			})
		})
	}
}

func TestS12_OrPublished(t *testing.T) {
	for how := range cutOffs() {
		t.Run(how, func(t *testing.T) {
			cutOff(t, how, Policy{Incomplete: PublishIncomplete}, func(t *testing.T, k *talker, r logRecord) {
				wantContent(t, k.files, "readme.txt", "12345")
				wantParked(t, k.files, "readme.txt", "")
				if r["done"] != "published" || r["version"] != "v1" {
					t.Errorf("logged as %v", r)
				}
				if said := r["said"].(string); said != "" && !strings.Contains(said, "what came of it is stored") {
					t.Errorf("the client hears %q", said)
				}
			})
		})
	}
}

// TestS12_StoreFailsMidway parks what the store has taken, whatever would be published.
func TestS12_StoreFailsMidway(t *testing.T) {
	for policy, kept := range map[Incomplete]string{ParkIncomplete: "12345", DiscardIncomplete: "", PublishIncomplete: "12345"} {
		config := func(files *fakeFS) Config {
			files.policy.Incomplete = policy
			return testConfig(files)
		}
		bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
			k.login()
			k.passive()
			k.say("STOR half", "150")
			k.data.Write([]byte("12345"))
			k.data.Write([]byte("67890"))
			if said := k.hear("451"); strings.Contains(said, "5 octets are kept") != (kept != "") {
				t.Errorf("the client hears %q", said)
			}
			wantAbsent(t, k.files, "half")
			wantParked(t, k.files, "half", kept)
		})
	}
}

// TestS13_GoingOnNeverLosesWhatIsParked has a transfer fail before any data.
func TestS13_GoingOnNeverLosesWhatIsParked(t *testing.T) {
	for _, policy := range []Incomplete{ParkIncomplete, DiscardIncomplete, PublishIncomplete} {
		config := func(files *fakeFS) Config {
			files.parked[mustPath("x")] = []byte("12345")
			files.parked[mustPath("bad-write")] = []byte("12345")
			files.policy.Incomplete = policy
			return testConfig(files)
		}
		bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
			k.login()
			k.say("PORT 198,51,100,7,19,137\nAPPE x", "200", "425") // nobody listens there
			k.passive()
			k.say("REST 5\nSTOR x", "350", "150")
			k.say("ABOR", "426", "226")
			k.say("EPSV\nAPPE x", "229")
			time.Sleep(connectTimeout)
			k.hear("425")
			wantParked(t, k.files, "x", "12345")
			k.passive()
			k.say("APPE bad-write", "150")
			k.data.Write([]byte("6"))
			k.hear("451", "EOF")
			wantParked(t, k.files, "bad-write", "12345")
		})
	}
}

// TestS50_DrainParks cuts an upload at the end of the drain timeout, also one that waits for
// its store, and also where cut-off uploads are published: it is not the client that ends.
func TestS50_DrainParks(t *testing.T) {
	for _, policy := range []Incomplete{ParkIncomplete, PublishIncomplete} {
		for name, kept := range map[string]string{"x": "12345", "stuck": ""} {
			config := func(files *fakeFS) Config {
				files.policy.Incomplete = policy
				return testConfig(files)
			}
			bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
				k.login()
				k.passive()
				k.say("STOR "+name, "150")
				k.data.Write([]byte("12345"))
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				defer cancel()
				if err := k.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Shutdown: %v", err)
				}
				said := k.hear("421", "EOF")
				if !strings.Contains(said, "stopping") || strings.Contains(said, "5 octets are kept") != (kept != "") {
					t.Errorf("who is cut hears %q", said)
				}
				wantAbsent(t, k.files, name)
				wantParked(t, k.files, name, kept)
			})
		}
	}
}

// TestS12_StuckWrites: the store's silence does not keep who sends ABOR waiting; where what
// came shall be published it gets a while.
func TestS12_StuckWrites(t *testing.T) {
	for policy, wait := range map[Incomplete]time.Duration{ParkIncomplete: 0, DiscardIncomplete: 0, PublishIncomplete: lastWrite} {
		config := func(files *fakeFS) Config {
			files.policy.Incomplete = policy
			return testConfig(files)
		}
		bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
			k.login()
			k.passive()
			k.say("STOR stuck", "150")
			k.data.Write([]byte("12345"))
			k.control.Write([]byte("ABOR\r\n"))
			if wait > 0 {
				time.Sleep(wait - 1)
				k.hear()
				time.Sleep(time.Nanosecond)
			}
			k.hear("426", "226")
			wantAbsent(t, k.files, "stuck")
		})
	}
}

// TestS12_CommitInDoubt: what the store has not answered for is parked, unless its octets
// have changed on their way: their number is no restart point.
func TestS12_CommitInDoubt(t *testing.T) {
	for kind, kept := range map[string]string{"I": "1\r\n2\r\n", "A": ""} {
		config := func(files *fakeFS) Config {
			files.policy.Incomplete = PublishIncomplete
			return testConfig(files)
		}
		bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
			k.login()
			k.say("TYPE "+kind, "200")
			k.passive()
			k.say("STOR lost", "150")
			k.data.Write([]byte("1\r\n2\r\n"))
			k.control.Write([]byte("ABOR\r\n"))
			k.hear("426", "226")
			wantParked(t, k.files, "lost", kept)
		})
	}
}

// TestFlushedWhileItIsJudged: an upload whose data has ended may send what it holds.
func TestFlushedWhileItIsJudged(t *testing.T) {
	var flushed int
	config := func(files *fakeFS) Config {
		c := testConfig(files)
		c.Grace = func(net.Conn, net.Conn, time.Duration) time.Duration {
			files.mu.Lock()
			defer files.mu.Unlock()
			flushed = files.flushed
			return 0
		}
		return c
	}
	bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		k.passive()
		k.say("STOR f", "150")
		k.data.Write([]byte("12345"))
		k.data.Close()
		k.hear("226")
		if flushed != 1 {
			t.Errorf("flushed %d times before the grace", flushed)
		}
	})
}
