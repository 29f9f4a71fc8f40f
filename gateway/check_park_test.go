package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/configs"
)

// unkept is a store that loses what it was told to park.
type unkept struct{ guarded }

func (unkept) Parked(context.Context, backends.ParkedQuery) (backends.ParkedPage, error) {
	return backends.ParkedPage{}, nil
}

// halting is a store that finds what is parked and cannot go on with it.
type halting struct{ guarded }

var errRecord = errors.New("the record cannot be read\x1b")

func (h halting) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	if o.Resume != "" {
		return nil, &backends.Error{Op: "create", Key: key, Kind: backends.ErrUnavailable, Err: errRecord}
	}
	return h.Backend.Create(ctx, key, o)
}

// TestS52_CheckParksAnUpload: whether uploads can be parked is told, is no failure, and
// leaves nothing behind.
func TestS52_CheckParksAnUpload(t *testing.T) {
	store := mem.New(mem.Options{})
	for _, c := range []struct {
		name  string
		store backends.Backend
		want  string // how the line begins; "" for none
	}{
		{"can", store, "ok"},
		{"may not list", guarded{store, "list"}, "denied: uploads that are cut off are lost"},
		{"has no such thing", confined{store, []string{""}}, "denied: uploads that are cut off are lost"},
		{"cannot go on", halting{guarded{store, ""}}, `failed: uploads that are cut off may be lost: create "in/.causeway/check-`},
		{"is down", down{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := parkLine(t, c.store, configs.Write)
			if !strings.HasPrefix(got, c.want) || (got == "") != (c.want == "") || strings.Contains(got, "\x1b") {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if left := store.Uploads(); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
	if got := parkLine(t, unkept{guarded{store, ""}}, configs.Write); !strings.HasPrefix(got, "failed") {
		t.Errorf("what was parked is gone: %q", got)
	}
	if got := parkLine(t, store, configs.Read); got != "" {
		t.Errorf("where nothing is stored: %q", got)
	}
}

// parkLine is what check says of parking on a store whose one mount grants one right.
func parkLine(t *testing.T, store backends.Backend, right configs.Right) string {
	t.Helper()
	cfg := configs.Default()
	cfg.Stores = map[string]configs.Store{"s3": {Kind: configs.S3}}
	cfg.Users = []configs.User{{Mounts: []configs.Mount{{Path: "/", Store: "s3", Prefix: "in/", Rights: []configs.Right{right}}}}}
	var out bytes.Buffer
	missing := checkStore(t, cfg, "s3", store, &out)
	if counted := strings.Count(out.String(), "put     failed"); missing != counted {
		t.Errorf("%d missing, want %d:\n%s", missing, counted, out.String())
	}
	for line := range strings.Lines(out.String()) {
		if fields := strings.Fields(line); fields[1] == string(parks) {
			_, text, _ := strings.Cut(line, string(parks))
			return strings.TrimSpace(text)
		}
	}
	return ""
}

// checkStore checks a store with its own credentials.
func checkStore(t *testing.T, cfg *configs.Config, name string, store backends.Backend, w io.Writer) (missing int) {
	t.Helper()
	return trial{label: name, name: name, store: store, cfg: cfg}.check(t.Context(), w)
}
