//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// S13, S14: an old object is never grafted onto a new upload, nor the other way round. What
// curl goes on with is what was written last.
func TestS13_S14_NothingIsGrafted(t *testing.T) {
	sizes := map[string][2]int{"short, then long": {10 << 20, 20 << 20}, "long, then short": {30 << 20, 20 << 20}}
	for name, size := range sizes {
		t.Run(name, func(t *testing.T) {
			onEachFreshBucket(t, setup{plain4: true}, func(t *testing.T, g *gateway, b *namedBucket, user string) {
				old, whole := content(size[0]), content(size[1])
				s := connect(t, g.address(false, false))
				s.login(user)
				s.store("STOR x.bin", old)
				cutOff(t, g, user, "x.bin", whole[:12<<20])
				b.holds(t, "x.bin", old)
				sendRest(t, g, user, "x.bin", whole)
				b.holds(t, "x.bin", whole)
			})
		})
	}
}

// S13, S14: an upload that was cut off before the object was written anew is over: curl
// adds to the object, or has nothing to add.
func TestS13_S14_OlderUploadIsOver(t *testing.T) {
	onEachFreshBucket(t, setup{plain4: true}, func(t *testing.T, g *gateway, b *namedBucket, user string) {
		cutOff(t, g, user, "x.bin", content(12<<20))
		newer := content(10 << 20)
		s := connect(t, g.address(false, false))
		s.login(user)
		s.store("STOR x.bin", newer[:9<<20])
		sendRest(t, g, user, "x.bin", newer)
		b.holds(t, "x.bin", newer)
	})
}

// cutOff kills a client that has sent the data. It waits until that is parked.
func cutOff(t *testing.T, g *gateway, user, name string, data []byte) {
	t.Helper()
	v := &victim{session: connect(t, g.address(false, false))}
	v.login(user)
	v.data = v.transfer("STOR " + name)
	v.write(v.data, data)
	v.awaitRead(len(data))
	v.dieWith(v.data)
	_, err := g.log.await(func(r record) bool {
		return r["msg"] == "transfer" && r.text("path") == "/"+name && r.text("user") == user && r.text("done") == "parked"
	}, 0, g.exited)
	if err != nil {
		t.Fatal(err)
	}
}

// sendRest has curl go on with a file.
func sendRest(t *testing.T, g *gateway, user, name string, whole []byte) {
	t.Helper()
	local := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(local, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := newSite(g.address(false, false), mode{tls: "plain"}, user, filepath.Join(t.TempDir(), "home"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.run(curl{}.args(s, "-C", "-", "-T", local, curl{}.url(s, "/"+name))); err != nil {
		t.Fatal(err)
	}
}

// S13, S40: a drop box, whose account may only write, resumes, and so does another account
// on the same mount.
func TestS13_S40_DropBoxResumes(t *testing.T) {
	buckets, err := newBuckets(t.Context(), shared.servers, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range buckets {
		t.Run(b.kind, func(t *testing.T) {
			dropBox := ", rights: [write]"
			g := start(t, setup{plain4: true, accounts: []account{{name: "one", store: b, mount: dropBox}, {name: "two", store: b, mount: dropBox}}})
			for _, second := range []string{"one", "two"} {
				name, whole := "by-"+second+".bin", content(13<<20)
				cutOff(t, g, "one", name, whole[:12<<20])
				sendRest(t, g, second, name, whole)
				b.holds(t, name, whole)
			}
		})
	}
}

// S17: the janitor ends what is parked, and nothing that somebody else has begun in the
// same bucket.
func TestS17_JanitorSparesForeignUploads(t *testing.T) {
	named, err := newS3Bucket(t.Context(), shared.servers.S3)
	if err != nil {
		t.Fatal(err)
	}
	b, foreign := named.bucket.(s3Bucket), "parked.bin"
	begun, err := b.client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &b.name, Key: &foreign})
	if err != nil {
		t.Fatal(err)
	}
	g := start(t, setup{plain4: true, accounts: []account{{name: user, store: named}}})
	cutOff(t, g, user, foreign, content(12<<20)) // of the same name
	begin := func() []types.MultipartUpload {
		out, err := b.client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &b.name})
		if err != nil {
			t.Fatal(err)
		}
		return out.Uploads
	}
	if n := len(begin()); n != 2 {
		t.Fatalf("%d uploads are begun", n)
	}
	janitor := start(t, setup{plain4: true, accounts: []account{{name: user, store: named}}, extra: "uploads: {resume_window: 1s}\n"})
	_, err = janitor.log.await(func(r record) bool { return r["msg"] == "abandoned work was ended" && r.text("key") == foreign }, 0, janitor.exited)
	if err != nil {
		t.Fatal(err)
	}
	left := begin()
	if len(left) != 1 || *left[0].UploadId != *begun.UploadId {
		t.Errorf("%d uploads are left, not the foreign one", len(left))
	}
}
