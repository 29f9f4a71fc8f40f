package ftp

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestS11_ControlConnection plays clients that are gone when their data has ended.
func TestS11_ControlConnection(t *testing.T) {
	graceful := func(files *fakeFS) Config {
		c := testConfig(files)
		c.Grace = func(net.Conn, net.Conn, time.Duration) time.Duration { return 200 * time.Millisecond }
		return c
	}
	for _, tt := range []struct {
		name  string
		play  func(*talker)
		codes []string
		kept  bool
	}{
		{"killed at the end of data", func(k *talker) {
			k.data.Close()
			time.Sleep(199 * time.Millisecond)
			k.control.Close()
		}, nil, false},
		{"killed before the end of data", func(k *talker) {
			k.control.Close()
			synctest.Wait()
			k.data.Close()
		}, nil, false},
		{"ABOR at the end of data", func(k *talker) {
			k.data.Close()
			k.control.Write([]byte("ABOR\r\n"))
		}, []string{"426", "226"}, false},
		{"gone after QUIT", func(k *talker) {
			k.control.Write([]byte("QUIT\r\n"))
			k.control.Close()
			synctest.Wait()
			k.data.Close()
			synctest.Wait()
		}, nil, true},
		{"QUIT at the end of data", func(k *talker) {
			k.data.Close()
			time.Sleep(100 * time.Millisecond)
			k.control.Write([]byte("QUIT\r\n"))
		}, []string{"226", "221", "EOF"}, true},
		{"within a line", func(k *talker) {
			k.control.Write([]byte("QUI"))
			k.data.Close()
			k.control.Close()
		}, nil, false},
		{"NOOP at the end of data, then killed", func(k *talker) {
			k.data.Close()
			k.say("NOOP", "200")
			k.control.Close()
		}, nil, false},
		{"still there", func(k *talker) {
			k.data.Close()
			time.Sleep(200*time.Millisecond + 1)
		}, []string{"226"}, true},
		{"gone after the grace", func(k *talker) {
			k.data.Close()
			time.Sleep(200*time.Millisecond + 1)
			synctest.Wait()
			k.control.Close()
		}, []string{"226"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, graceful, ListenOptions{}, func(t *testing.T, k *talker) {
				k.login()
				k.passive()
				k.say("STOR x", "150")
				k.data.Write([]byte("whole"))
				tt.play(k)
				k.hear(tt.codes...)
				if _, ok := k.files.content("x"); ok != tt.kept {
					t.Errorf("stored: %v, want %v", ok, tt.kept)
				}
			})
		})
	}
}

// TestS11_EndThatWasNotReadInTime: the grace is over, but by then it is known that there is
// something to wait for.
func TestS11_EndThatWasNotReadInTime(t *testing.T) {
	growing := func(files *fakeFS) Config {
		c := testConfig(files)
		asked := 0
		c.Grace = func(net.Conn, net.Conn, time.Duration) time.Duration {
			asked++
			return time.Duration(min(asked, 2)) * 200 * time.Millisecond
		}
		return c
	}
	// Of timers of the same moment any may be the first.
	for after, kept := range map[time.Duration]bool{400*time.Millisecond - 1: false, 400*time.Millisecond + 1: true} {
		bubble(t, growing, ListenOptions{}, func(t *testing.T, k *talker) {
			k.login()
			k.passive()
			k.say("STOR x", "150")
			k.data.Write([]byte("whole"))
			k.data.Close()
			time.Sleep(after)
			synctest.Wait()
			k.control.Close()
			synctest.Wait()
			if _, ok := k.files.content("x"); ok != kept {
				t.Errorf("gone after %v: stored %v, want %v", after, ok, kept)
			}
		})
	}
}

func TestAborWhileTheStoreIsAsked(t *testing.T) {
	bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
		k.files.retrieve = func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		k.login()
		k.passive()
		k.say("RETR readme.txt")
		k.say("ABOR", "426", "226")
		k.files.retrieve = nil
		k.say("HASH readme.txt", "213")
	})
}

func TestPanicInATransfer(t *testing.T) {
	bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		k.passive()
		k.say("RETR panic\nPWD", "451", "EOF")
	})
}
