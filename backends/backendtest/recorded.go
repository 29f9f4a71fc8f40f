package backendtest

import (
	"fmt"

	"causeway/backends"
)

// recordedUpload writes down how an upload ends.
type recordedUpload struct {
	next     backends.Upload
	recorder *Recorder
	key      string
	written  int64
	ended    bool // by a commit that went well, or a park
}

func (u *recordedUpload) Write(p []byte) (int, error) {
	n, err := u.next.Write(p)
	u.written += int64(n)
	return n, err
}

// Flush is [backends.Flusher.Flush], which changes nothing and is not recorded.
func (u *recordedUpload) Flush() error { return backends.Flush(u.next) }

func (u *recordedUpload) Commit() (backends.Object, error) {
	u.recorder.record("commit", u.key, fmt.Sprint(u.written))
	obj, err := u.next.Commit()
	u.ended = err == nil
	return obj, err
}

func (u *recordedUpload) Park() (int64, error) {
	u.recorder.record("park", u.key, fmt.Sprint(u.written))
	size, err := u.next.Park()
	u.ended = true
	return size, err
}

func (u *recordedUpload) Abort() error {
	if !u.ended {
		u.recorder.record("abort", u.key)
	}
	return u.next.Abort()
}
