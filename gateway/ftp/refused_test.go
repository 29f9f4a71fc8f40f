package ftp

import (
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// TestD14_RefusedConnectionStaysForTheReply: the data connection of a command that was
// refused is not reset before the client has had time for the reply, and then it is; the next
// one takes its place at once.
func TestD14_RefusedConnectionStaysForTheReply(t *testing.T) {
	bubble(t, func(files *fakeFS) Config { return testConfig(files) }, ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		k.passive()
		first := k.data
		k.say("RETR nothing", "550")
		time.Sleep(refusedFor - time.Millisecond)
		synctest.Wait()
		if err := first.SetReadDeadline(time.Now()); err != nil {
			t.Fatal(err)
		}
		if _, err := first.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the data connection ended with the reply: %v", err)
		}
		if err := first.SetReadDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		wantReset(t, first)

		k.passive()
		second := k.data
		k.say("RETR nothing", "550")
		k.passive()
		synctest.Wait()
		wantReset(t, second)
		k.say("STOR x", "150")
		k.data.Write([]byte("whole"))
		k.data.Close()
		k.hear("226")
		wantContent(t, k.files, "x", "whole")
	})
}
