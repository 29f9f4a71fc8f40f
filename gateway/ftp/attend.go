package ftp

import (
	"context"
	"errors"
	"os"
	"time"
)

// outcome is how the job of a transfer ended.
type outcome struct {
	reply reply
	err   error
}

// attend runs a job beside the control connection and returns its final reply. Meanwhile
// commands are read: some are answered at once, ABOR ends the job, the others wait. When
// the control connection ends without QUIT, so does the job (RFC 959 §4.1.1). A lasting job
// ends by itself, or with the server.
func (s *session) attend(ctx context.Context, t *transfer, job func(context.Context) (reply, error)) (reply, error) {
	ctx, cancel := context.WithCancelCause(context.WithValue(ctx, transferKey{}, t.id))
	defer cancel(nil)
	if t.lasting {
		cancel = func(error) {}
	}
	s.transfer = t
	go t.carry(ctx, job)
	o := s.meanwhile(ctx, t, cancel)
	// What wakes this goroutine must not interrupt the read of a later command.
	<-t.gone
	s.transfer = nil
	if !t.begun {
		s.params.refuseRoute(t.route)
	}
	s.doing.path, s.doing.transfer = t.path, t
	return o.reply, o.err
}

// meanwhile serves the control connection until the job has ended.
func (s *session) meanwhile(ctx context.Context, t *transfer, cancel context.CancelCauseFunc) outcome {
	for {
		// Cleared before the look at the channels: the job sends first and wakes after.
		// On a connection that is closed the read will tell.
		_ = s.raw.SetReadDeadline(time.Time{})
		select {
		case r := <-t.preliminary:
			s.put(r)
			_ = s.out.Flush() // an error stays, and comes again from read
			t.written <- struct{}{}
			continue
		case o := <-t.ended:
			return o
		default:
		}
		cmd, err := s.read()
		switch {
		case err == nil:
			s.interject(ctx, cmd, cancel)
		case errors.Is(err, os.ErrDeadlineExceeded): // woken by the job, or by Shutdown
		default:
			return s.outlast(t, cancel)
		}
	}
}

// interject deals with a command that came during a transfer. Once one has to wait, so do
// those that follow it, and replies keep the order of commands.
func (s *session) interject(ctx context.Context, cmd command, cancel context.CancelCauseFunc) {
	row := s.server.commands.index[cmd.verb]
	switch {
	case row == nil:
	case row.during == attends && len(s.queue) == 0 && blank(cmd.arg):
		s.put(s.execute(ctx, cmd))
		return
	case row.during == aborts:
		cancel(errAborted)
	case row.during == leaves && !s.leaving:
		s.leaving = true
		close(s.transfer.goodbye)
	}
	s.queued += queueCost(cmd)
	if s.queued > maxQueued {
		cancel(errFlooded)
		s.closing = true
		return
	}
	s.queue = append(s.queue, cmd)
}

// queueCost is what a waiting command counts for, in octets.
func queueCost(cmd command) int { return len(cmd.arg) + 64 }

// outlast waits for the job when the control connection has ended. After QUIT that is a
// goodbye, and what was sent before it is still done.
func (s *session) outlast(t *transfer, cancel context.CancelCauseFunc) outcome {
	if !s.leaving {
		cancel(errVanished)
		s.closing = true
	}
	for {
		select {
		case <-t.preliminary:
			t.written <- struct{}{}
		case o := <-t.ended:
			return o
		}
	}
}
