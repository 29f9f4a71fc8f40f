package ftp

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestI6_OneReplyWhateverPanics at each step of an upload, whose room is given back.
func TestI6_OneReplyWhateverPanics(t *testing.T) {
	for name, play := range map[string]func(*talker){
		"bad-write":  func(k *talker) { k.data.Write([]byte("x")) },
		"bad-commit": func(k *talker) { k.data.Close() },
		"bad-park":   func(k *talker) { k.data.Write([]byte("x")); reset(k.data) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
				k.login()
				k.passive()
				k.say("STOR "+name+"\nPWD", "150")
				play(k)
				k.hear("451", "EOF") // the session is lost, and PWD with it
				wantAbsent(t, k.files, name)
			})
		})
	}
}

// TestS10_CommitOutlivesItsClient: once it has begun it stands, and the log tells of it.
func TestS10_CommitOutlivesItsClient(t *testing.T) {
	for _, how := range []string{"control connection gone", "ABOR"} {
		t.Run(how, func(t *testing.T) {
			var log lockedBuilder
			config := func(files *fakeFS) Config {
				files.hold, files.holding = make(chan struct{}), make(chan struct{})
				c := testConfig(files)
				c.Log = slog.New(slog.NewJSONHandler(&log, nil))
				return c
			}
			bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
				k.login()
				k.passive()
				k.say("STOR x", "150")
				k.data.Write([]byte("whole"))
				k.data.Close()
				<-k.files.holding
				codes := []string{"226", "226"}
				if how == "ABOR" {
					k.say("ABOR")
				} else {
					k.control.Close()
					codes = nil
				}
				synctest.Wait()
				wantAbsent(t, k.files, "x")
				close(k.files.hold)
				k.hear(codes...)
				wantContent(t, k.files, "x", "whole")
			})
			all := records(t, log.String(), "transfer")
			if len(all) != 1 || all[0]["done"] != "stored" || all[0]["version"] != "v1" {
				t.Errorf("log records of the transfer: %v", all)
			}
		})
	}
}

// TestS11_GoodbyeIsNotWaitedFor has a client that sends QUIT before or after its data has
// ended, and hangs up.
func TestS11_GoodbyeIsNotWaitedFor(t *testing.T) {
	config := func(files *fakeFS) Config {
		c := testConfig(files)
		c.Grace = func(net.Conn, net.Conn, time.Duration) time.Duration { return time.Hour }
		return c
	}
	for name, play := range map[string]func(*talker){
		"before": func(k *talker) { k.say("QUIT"); k.data.Close() },
		"after":  func(k *talker) { k.data.Close(); k.say("QUIT", "226", "221", "EOF") },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
				k.login()
				k.passive()
				k.say("STOR x", "150")
				k.data.Write([]byte("whole"))
				play(k)
				k.control.Close()
				synctest.Wait()
				wantContent(t, k.files, "x", "whole")
			})
		})
	}
}

// TestR6_DownloadsThatEndEarlyAreReset, and so are listings: no client may take what came
// for all of it.
func TestR6_DownloadsThatEndEarlyAreReset(t *testing.T) {
	for name, tt := range map[string]struct {
		line  string
		cut   func(*talker)
		codes []string
	}{
		"store fails midway":         {"RETR readme.txt", nil, []string{"451"}},
		"listing fails midway":       {"LIST", nil, []string{"451"}},
		"ABOR of a download":         {"RETR readme.txt", func(k *talker) { k.control.Write([]byte("ABOR\r\n")) }, []string{"426", "226"}},
		"ABOR of a listing":          {"MLSD", func(k *talker) { k.control.Write([]byte("ABOR\r\n")) }, []string{"426", "226"}},
		"end of the session":         {"RETR readme.txt", func(k *talker) { k.control.Close() }, nil},
		"client that reads too slow": {"RETR readme.txt", func(*talker) { time.Sleep(time.Minute + 1) }, []string{"426"}},
		"drain": {"RETR readme.txt", func(k *talker) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if err := k.server.Shutdown(ctx); !errors.Is(err, context.Canceled) {
				k.t.Error(err)
			}
		}, []string{"421", "EOF"}},
	} {
		t.Run(name, func(t *testing.T) {
			config := func(files *fakeFS) Config {
				files.readErr = errors.Join(ErrUnavailable, io.EOF)
				return testConfig(&brokenList{files})
			}
			bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
				k.login()
				k.passive()
				k.say(tt.line, "150")
				if tt.cut != nil {
					tt.cut(k) // before anything was read
				}
				if b, err := io.ReadAll(k.data); err == nil {
					t.Errorf("ended properly after %q", b)
				}
				k.hear(tt.codes...)
			})
		})
	}
}

// brokenList fails after its first entry.
type brokenList struct{ *fakeFS }

func (f *brokenList) List(context.Context, Path) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if yield(Entry{Name: strings.Repeat("x", listBuffer)}, nil) {
			yield(Entry{}, ErrUnavailable)
		}
	}
}
