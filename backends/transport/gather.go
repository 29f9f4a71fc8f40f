package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// smallBody is the most octets of a body that fit in a connection's buffer, beside the
// headers that there are as a rule.
const smallBody = buffer - 4<<10

var errLonger = errors.New("there is more than was said")

// gather copies the body of req, which is small, to memory of its own. Package http sends
// such a body along with the headers, and any other apart from them, which is a packet and
// a system call more for each small file. The body is closed, and not read again: what is
// sent once more, where the server has closed the connection before, is the copy.
func gather(req *http.Request) error {
	p := make([]byte, req.ContentLength+1)
	n, err := io.ReadFull(req.Body, p)
	switch {
	case err == nil:
		err = errLonger
	case int64(n) == req.ContentLength && err == io.ErrUnexpectedEOF: //nolint:errorlint // io.ReadFull's own
		p, err = p[:n], nil
	case err == io.EOF: //nolint:errorlint // as above
		err = io.ErrUnexpectedEOF
	}
	if cerr := req.Body.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("body of a request: %w", err)
	}
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(p)), nil }
	req.Body, _ = req.GetBody() // it never fails
	return nil
}
