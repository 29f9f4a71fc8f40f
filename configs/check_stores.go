package configs

import (
	"encoding/base64"
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
	case FTP:
		return []string{"url", "user", "password"}, []string{"connections", "time_zone", "charset", "ca", "certificate_sha256"}
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
	c.bucketName(field, s)
	known := slices.Concat(must, may)
	for _, key := range keysOfStore() {
		if c.given(field+"."+key) && !slices.Contains(known, key) {
			c.wrong(field+"."+key, fmt.Sprintf("a store of kind %s has no such key", s.Kind), "known here: "+strings.Join(known, ", "))
		}
	}
	c.credentials(field, s)
	c.endpoint(field+".endpoint", s)
	c.ftpServer(field, s)
}

// filled reports a required field that is missing or empty.
func (c *checker) filled(field, value, right string) {
	if c.required(field, right) && value == "" {
		c.wrong(field, "is empty", right)
	}
}

func (c *checker) credentials(field string, s Store) {
	c.pair(field, "set both, or none to use the SDK's default chain (environment, role, instance)")
	c.notEmpty(field+".access_key", s.AccessKey.Reveal())
	c.notEmpty(field+".secret_key", s.SecretKey.Reveal())
	c.notEmpty(field+".account_key", s.AccountKey.Reveal())
	c.notEmpty(field+".credentials_file", s.CredentialsFile)
	if s.CredentialsFile != "" {
		c.file(field+".credentials_file", s.CredentialsFile)
		c.confidential(field+".credentials_file", s.CredentialsFile, "the store's credentials")
	}
	if _, err := base64.StdEncoding.DecodeString(s.AccountKey.Reveal()); err != nil {
		c.wrong(field+".account_key", "is not base64", "write one of the account's two access keys as the portal shows it")
	}
}

// pair reports one key without the other.
func (c *checker) pair(field, both string) {
	access, secret := c.given(field+".access_key"), c.given(field+".secret_key")
	switch {
	case access && !secret:
		c.wrong(field+".secret_key", "access_key is set without it", both)
	case secret && !access:
		c.wrong(field+".access_key", "secret_key is set without it", both)
	}
}

// notEmpty reports credentials that are in the file and empty: the store would be opened
// with the machine's own identity instead.
func (c *checker) notEmpty(field, value string) {
	if c.given(field) && value == "" {
		c.wrong(field, "is empty", "write it, or remove the key to use the SDK's default chain (environment, role, instance)")
	}
}

func (c *checker) endpoint(field string, s Store) {
	c.service(field, s.Endpoint)
	if u, err := url.Parse(s.Endpoint); err == nil && s.Kind == GCS && strings.Trim(u.Path, "/") != "" {
		c.wrong(field, "holds a path", "write "+u.Scheme+"://"+u.Host+" alone; the bucket has its own key")
	}
}

// service judges the URL of a service.
func (c *checker) service(field, endpoint string) {
	if endpoint == "" {
		return
	}
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		c.wrong(field, fmt.Sprintf("%q is not an address of a service", redact(endpoint)), rightEndpoint(endpoint))
	case u.User != nil:
		c.wrong(field, "holds a user or password", "remove it; credentials have their own keys")
	case u.RawQuery != "" || u.Fragment != "":
		c.wrong(field, "holds a query or a fragment", "remove what follows ? or #; credentials have their own keys")
	}
}

// rightEndpoint is what was meant, where only the scheme is missing.
func rightEndpoint(endpoint string) string {
	u, err := url.Parse("http://" + endpoint)
	if err != nil || redact(endpoint) != endpoint || strings.Contains(endpoint, "://") {
		return "write https://host, http://host:port, or nothing for the service itself"
	}
	return fmt.Sprintf("write http://%s or https://%[1]s", u.Host+u.Path)
}

// redact hides an endpoint that may hold a password or a signature.
func redact(endpoint string) string {
	if strings.ContainsAny(endpoint, "@?") {
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
	case "url":
		return s.URL
	case "user":
		return s.User
	case "password":
		return s.Password.Reveal()
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
