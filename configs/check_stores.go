package configs

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// storeKeys says which keys a kind of store must have and which it may have, beside kind.
func storeKeys(k Kind) (must, may []string) {
	switch k {
	case LocalDir:
		return []string{"path"}, nil
	case S3:
		return []string{"bucket"}, []string{"region", "endpoint", "path_style", "access_key", "secret_key"}
	case GCS:
		return []string{"bucket"}, []string{"credentials_file", "endpoint"}
	case AzureBlob:
		return []string{"account", "container"}, []string{"account_key", "endpoint"}
	}
	return nil, nil
}

func (c *checker) store(name string, s Store) {
	field := "stores." + name
	if !c.required(field+".kind", "write "+oneOf(s.Kind.choices())) || c.has(field) {
		return
	}
	must, may := storeKeys(s.Kind)
	for _, key := range must {
		c.filled(field+"."+key, s.value(key), fmt.Sprintf("a store of kind %s needs it", s.Kind))
	}
	known := slices.Concat(must, may)
	for _, key := range keysOfStore() {
		if c.given(field+"."+key) && !slices.Contains(known, key) {
			c.wrong(field+"."+key, fmt.Sprintf("a store of kind %s has no such key", s.Kind), "known here: "+strings.Join(known, ", "))
		}
	}
	c.credentials(field, s)
	c.endpoint(field+".endpoint", s.Endpoint)
}

// filled reports a required field that is missing or empty.
func (c *checker) filled(field, value, right string) {
	if c.required(field, right) && value == "" {
		c.wrong(field, "is empty", right)
	}
}

func (c *checker) credentials(field string, s Store) {
	const both = "set both, or none to use the SDK's default chain (environment, role, instance)"
	switch {
	case s.AccessKey != "" && s.SecretKey == "":
		c.wrong(field+".secret_key", "access_key is set without it", both)
	case s.AccessKey == "" && s.SecretKey != "":
		c.wrong(field+".access_key", "secret_key is set without it", both)
	}
	if s.CredentialsFile != "" {
		c.file(field+".credentials_file", s.CredentialsFile)
	}
}

func (c *checker) endpoint(field, endpoint string) {
	if endpoint == "" {
		return
	}
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		c.wrong(field, fmt.Sprintf("%q is not an address of a service", redact(u, endpoint)), "write https://host, http://host:port, or nothing for the service itself")
	case u.User != nil:
		c.wrong(field, "holds a user or password", "remove it; credentials have their own keys")
	}
}

// redact is the endpoint without what may be a password in it.
func redact(u *url.URL, endpoint string) string {
	if u == nil || u.User != nil {
		return "…"
	}
	return endpoint
}

// value returns a text field by its key.
func (s Store) value(key string) string {
	switch key {
	case "path":
		return s.Path
	case "bucket":
		return s.Bucket
	case "account":
		return s.Account
	case "container":
		return s.Container
	}
	return ""
}

// keysOfStore are all keys that some kind has.
func keysOfStore() []string {
	keys := map[string]bool{}
	for _, k := range Kind("").choices() {
		must, may := storeKeys(Kind(k))
		for _, key := range slices.Concat(must, may) {
			keys[key] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}
