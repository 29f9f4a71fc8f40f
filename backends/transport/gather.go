package transport

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// smallBody is the most octets of a body that fit in a connection's buffer, beside the
// headers that there are as a rule.
const smallBody = buffer - 4<<10

// gather copies the body of req, which is small, to memory of its own. Package http sends
// such a body along with the headers, and any other apart from them, which is a packet and
// a system call more for each small file. The body is closed, and not read again.
func gather(req *http.Request) error {
	p := make([]byte, req.ContentLength)
	_, err := io.ReadFull(req.Body, p)
	if cerr := req.Body.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("body of a request: %w", err)
	}
	req.Body, req.GetBody = io.NopCloser(bytes.NewReader(p)), nil
	return nil
}
