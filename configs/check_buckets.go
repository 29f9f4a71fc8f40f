package configs

import (
	"cmp"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// buckets reports stores that hold the same objects. To the gateway they would be two: a
// rename from one to the other would write an object onto itself and then delete it, and
// what is changed by one would stay in the cache of the other.
func (c *checker) buckets() {
	names := slices.SortedFunc(maps.Keys(c.cfg.Stores), func(a, b string) int {
		return cmp.Or(cmp.Compare(c.line("stores."+a), c.line("stores."+b)), cmp.Compare(a, b))
	})
	for i, name := range names {
		for _, earlier := range names[:i] {
			if how := overlap(c.bucket(name), c.bucket(earlier)); how != "" {
				c.wrong("stores."+name+"."+bucketKey(c.cfg.Stores[name].Kind), how+" that of stores."+earlier,
					"keep one store, and give its mounts two prefixes")
			}
		}
	}
}

// bucketKey is the key that says which bucket of a service it is; "" for a kind that is
// not known.
func bucketKey(k Kind) string {
	return map[Kind]string{LocalDir: "path", S3: "bucket", GCS: "bucket", AzureBlob: "container", FTP: "url"}[k]
}

// overlap says how two buckets have objects in common; "" if they have none.
func overlap(a, b string) string {
	switch {
	case a == "" || b == "":
		return ""
	case a == b:
		return "is the same as"
	case strings.HasPrefix(a, b):
		return "is inside"
	case strings.HasPrefix(b, a):
		return "is around"
	}
	return ""
}

// bucket is a text that begins with that of another store if the objects of the one are
// among those of the other. It is "" if the configuration does not say enough.
func (c *checker) bucket(name string) string {
	s := c.cfg.Stores[name]
	id := s.value(bucketKey(s.Kind))
	switch {
	case id == "":
		return ""
	case s.Kind == FTP:
		return s.tree()
	case s.Kind == LocalDir:
		return "localdir:" + strings.TrimSuffix(filepath.ToSlash(c.host.directory(id)), "/") + "/"
	}
	return string(s.Kind) + "://" + s.service() + "/" + id + "/"
}

// service is the address of the service that has the bucket; "" is the provider's own.
func (s Store) service() string {
	u, err := url.Parse(strings.TrimSuffix(s.Endpoint, "/"))
	if err != nil {
		return s.Endpoint
	}
	host := strings.ToLower(u.Hostname())
	switch {
	case s.Kind == AzureBlob && s.Endpoint == "":
		host = strings.ToLower(s.Account) + ".blob.core.windows.net"
	case s.Endpoint == "",
		s.Kind == S3 && strings.HasSuffix(host, ".amazonaws.com"), // names are unique over all regions
		s.Kind == GCS && host == "storage.googleapis.com":
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[bool]string{true: "80", false: "443"}[strings.EqualFold(u.Scheme, "http")]
	}
	return net.JoinHostPort(host, port) + u.Path
}
