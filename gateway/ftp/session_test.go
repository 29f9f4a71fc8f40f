package ftp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// bubble runs a test in a bubble of synctest with a server and its client. Time passes
// only where the test sleeps.
func bubble(t *testing.T, c func(*fakeFS) Config, o ListenOptions, test func(*testing.T, *talker)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		files := newFakeFS()
		s := serveMem(t, c(files), o)
		k := &talker{t: t, server: s, files: files, control: record(s.connect(t, clientAddr))}
		test(t, k)
		k.control.Close()
		if k.data != nil {
			k.data.Close()
		}
		synctest.Wait()
		s.end(t)
		if files.uploads != 0 {
			t.Errorf("%d uploads neither committed nor aborted", files.uploads)
		}
	})
}

func plainConfig(files *fakeFS) Config { return testConfig(files) }

// talker is a client in a bubble.
type talker struct {
	t       *testing.T
	server  *memServer
	files   *fakeFS
	control *recorder
	data    *recorder
}

// say sends lines and wants the codes of the replies that come at once, and no other.
func (k *talker) say(lines string, codes ...string) {
	k.t.Helper()
	go k.control.Write([]byte(strings.ReplaceAll(lines, "\n", "\r\n") + "\r\n"))
	k.hear(codes...)
}

// hear wants final or preliminary replies with these codes, "EOF" for the end, and no other.
func (k *talker) hear(codes ...string) string {
	k.t.Helper()
	synctest.Wait()
	said, end := k.control.take()
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^(\d{3}) `).FindAllStringSubmatch(said, -1) {
		got = append(got, m[1])
	}
	if end != "" {
		got = append(got, "EOF")
	}
	if strings.Join(got, " ") != strings.Join(codes, " ") {
		k.t.Errorf("got %q, want the codes %v", said, codes)
	}
	return said
}

func (k *talker) login() {
	k.t.Helper()
	k.hear("220")
	k.say("USER u\nPASS p\nTYPE I", "331", "230", "200")
}

// passive agrees on a data connection and makes it.
func (k *talker) passive() {
	k.t.Helper()
	go k.control.Write([]byte("EPSV\r\n"))
	port := atoi(regexp.MustCompile(`\|(\d+)\|`).FindStringSubmatch(k.hear("229"))[1])
	c, err := k.server.net.Dial(k.t.Context(), netip.AddrPortFrom(clientAddr, 0), netip.AddrPortFrom(serverAddr, uint16(port)))
	if err != nil {
		k.t.Fatal(err)
	}
	k.data = &recorder{Conn: c}
}

func TestT23_T27_LoginTakesTooLong(t *testing.T) {
	bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
		k.hear("220")
		for range 2 { // an octet now and then, and NOOP, do not help
			time.Sleep(10 * time.Second)
			k.say("NOOP", "200")
		}
		time.Sleep(9 * time.Second)
		k.control.Write([]byte("U"))
		k.hear()
		time.Sleep(time.Second)
		k.hear("421", "EOF")
	})
}

func TestT24_HandshakeTakesTooLong(t *testing.T) {
	config := func(files *fakeFS) Config { return tlsConfig(t, files, ReuseOffered) }
	bubble(t, config, ListenOptions{ImplicitTLS: true}, func(t *testing.T, k *talker) {
		k.control.Write([]byte{22, 3, 1})
		time.Sleep(10*time.Second - 1)
		k.hear()
		time.Sleep(time.Nanosecond)
		k.hear("EOF")
	})
}

func TestIdleTimeout(t *testing.T) {
	bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		time.Sleep(5*time.Minute - 1)
		k.say("NOOP", "200")
		time.Sleep(5*time.Minute - 1)
		k.hear()
		time.Sleep(time.Nanosecond)
		k.hear("421", "EOF")
	})
}

func TestIdleTimeoutIsSuspendedDuringTransfers(t *testing.T) {
	config := func(files *fakeFS) Config {
		c := testConfig(files)
		c.Limits.TransferTimeout = time.Hour
		return c
	}
	bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		k.passive()
		k.say("STOR x", "150")
		time.Sleep(20 * time.Minute)
		k.hear()
		k.data.Close()
		k.hear("226")
		time.Sleep(5*time.Minute - 1)
		k.say("NOOP", "200")
	})
}

func TestD11_StalledTransfers(t *testing.T) {
	for _, command := range []string{"STOR x", "RETR readme.txt", "LIST"} {
		t.Run(command, func(t *testing.T) {
			bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
				k.login()
				k.passive()
				k.say(command, "150")
				time.Sleep(time.Minute - 1)
				k.hear()
				time.Sleep(time.Nanosecond)
				k.hear("426")
				wantAbsent(t, k.files, "x")
				k.say("NOOP", "200")
			})
		})
	}
}

// TestD12_SlowReaders cuts off who only keeps a transfer busy, and not who has a poor link.
// Neither makes the server read ahead more than its one buffer.
func TestD12_SlowReaders(t *testing.T) {
	for _, tt := range []struct {
		name   string
		octets int // a second
		after  time.Duration
		code   string
	}{
		{"attacker", 1, time.Minute, "426"},
		{"poor link", 20, 70_000 / 20 * time.Second, "226"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
				k.files.put("/big", strings.Repeat("x", 70_000))
				k.login()
				k.passive()
				k.say("RETR big", "150")
				var reader sync.WaitGroup
				reader.Go(func() {
					buf := make([]byte, tt.octets)
					for err := error(nil); err == nil; _, err = io.ReadFull(k.data, buf) {
						time.Sleep(time.Second)
					}
				})
				time.Sleep(tt.after - time.Second)
				if said := k.hear(); said != "" {
					t.Fatalf("%q too early", said)
				}
				k.control.Write([]byte("STAT\r\n"))
				if said := k.hear("211"); tt.code == "426" && !strings.Contains(said, fmt.Sprintf("(%d bytes)", smallBuffer)) {
					t.Errorf("not one buffer was read ahead: %s", said)
				}
				time.Sleep(2 * time.Second)
				k.hear(tt.code)
				k.data.Close()
				reader.Wait()
			})
		})
	}
}

func TestDataConnectionNeverComes(t *testing.T) {
	bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		k.say("EPSV\nRETR readme.txt", "229")
		time.Sleep(connectTimeout - 1)
		k.hear()
		time.Sleep(time.Nanosecond)
		k.hear("425")
		k.say("EPSV\nRETR readme.txt", "229")
		k.say("ABOR", "426", "226")
	})
}

func TestT22_RepliesAreNotRead(t *testing.T) {
	bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		c := k.server.connect(t, clientAddr) // nobody reads from it
		defer c.Close()
		time.Sleep(replyTimeout)
		synctest.Wait()
		if n := k.server.Sessions(); n != 1 {
			t.Errorf("%d sessions, want the other one alone", n)
		}
	})
}

func TestT22_PipelinedCommandsInOrder(t *testing.T) {
	bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		const n = 10_000
		go k.control.Write([]byte(strings.Repeat("NOOP\r\nSYST\r\n", n)))
		synctest.Wait()
		said, _ := k.control.take()
		if want := strings.Repeat("200 Done.\r\n215 UNIX Type: L8\r\n", n); said != want {
			t.Errorf("%d octets of replies, want %d", len(said), len(want))
		}
	})
}

// TestTelnetRefusalsComeAtOnce plays a client that waits for the refusal of its option
// before it sends a command.
func TestTelnetRefusalsComeAtOnce(t *testing.T) {
	bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
		k.hear("220")
		k.control.Write([]byte("\xff\xfd\x03\xff\xfb\x01"))
		if said := k.hear(); said != "\xff\xfc\x03\xff\xfe\x01" {
			t.Errorf("answered %q", said)
		}
		k.say("NOOP", "200")
	})
}

// slowList lists two files, the second long after the first.
type slowList struct {
	*fakeFS
	pause time.Duration
}

func (f slowList) List(context.Context, Path) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		began := time.Now()
		for _, name := range []string{"a", "b"} {
			if !yield(Entry{Name: name, ModTime: began}, nil) {
				return
			}
			time.Sleep(f.pause)
		}
	}
}

// TestListIsAsOfOneTime lists for longer than a time of day is shown.
func TestListIsAsOfOneTime(t *testing.T) {
	config := func(files *fakeFS) Config {
		return testConfig(slowList{files, 365 * 24 * time.Hour})
	}
	bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		k.passive()
		k.data = record(k.data.Conn)
		k.say("LIST", "150")
		time.Sleep(2 * 365 * 24 * time.Hour)
		k.hear("226")
		lines, _ := k.data.take()
		if strings.Count(lines, "00:00") != 2 {
			t.Errorf("listing\n%s", lines)
		}
	})
}

func TestT20_LineWithoutEnd(t *testing.T) {
	bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		k.say("NOOP "+strings.Repeat("x", 5000)+"\nNOOP", "500", "200")
		go k.control.Write(bytes.Repeat([]byte{'x'}, 10<<20))
		k.hear("500", "EOF")
	})
}

func TestFloodDuringATransferEndsTheSession(t *testing.T) {
	bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		k.passive()
		k.say("STOR x", "150")
		go k.control.Write([]byte(strings.Repeat("PWD\r\n", 10*maxQueued)))
		k.hear("426", "EOF")
		wantAbsent(t, k.files, "x")
	})
}

func TestLoginDelaysGrow(t *testing.T) {
	bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
		k.hear("220")
		for i, want := range []string{"530", "530", "421"} {
			k.say("USER u\nPASS wrong", "331")
			time.Sleep(failureDelay<<i - 1)
			k.hear()
			time.Sleep(time.Nanosecond)
			if want == "421" {
				k.hear(want, "EOF")
			} else {
				k.hear(want)
			}
		}
	})
}

// TestS42_SecretsAreNotLogged also is T7: what PASS sends is nowhere, whether it is right,
// wrong, out of order or garbled. The texts for a wrong name and a wrong password are one.
func TestS42_SecretsAreNotLogged(t *testing.T) {
	var log lockedBuilder
	config := func(files *fakeFS) Config {
		c := testConfig(files)
		c.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		return c
	}
	bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
		k.hear("220")
		k.say("PASS canary1\nPASSWORD canary2\nUSER u\nPASS canary3", "503", "500", "331")
		time.Sleep(time.Second)
		wrongPassword := k.hear("530")
		k.say("USER nobody\nPASS canary4", "331")
		time.Sleep(2 * time.Second)
		if wrongName := k.hear("530"); wrongName != wrongPassword {
			t.Errorf("%q for a wrong name, %q for a wrong password", wrongName, wrongPassword)
		}
		k.say("USER u\nPASS p\nSITE PASS canary5\nQUIT", "331", "230", "504", "221", "EOF")
	})
	if s := log.String(); strings.Contains(s, "canary") || !strings.Contains(s, `"verb":"QUIT"`) {
		t.Errorf("log: %s", s)
	}
}

type lockedBuilder struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuilder) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuilder) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestS41_AnonymousNeedsNoRightPassword(t *testing.T) {
	bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
		k.hear("220")
		k.say("USER anonymous\nPASS", "331", "230")
		k.say("USER anonymous\nPASS anything at all", "331", "230")
	})
}

func TestP20_ErrorsOfTheStoreStayInTheLog(t *testing.T) {
	bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		for _, command := range []string{"CWD", "SIZE", "MDTM", "MKD", "RMD", "DELE", "RNFR", "HASH", "MLST", "STAT"} {
			go k.control.Write([]byte(command + " secret/x\r\n"))
			if said := k.hear("451"); strings.Contains(said, "hidden") {
				t.Errorf("%s: %q", command, said)
			}
		}
	})
}
