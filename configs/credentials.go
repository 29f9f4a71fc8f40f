package configs

import (
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// Credentials are an account's own for one store, in place of the store's. What the account
// asks of the store it asks with them, so that the store itself keeps it within its mounts.
// Which fields they may have depends on the store's kind: s3 takes keys, or a role that the
// store's credentials take on for the account; gcs a file; azblob a shared access signature.
type Credentials struct {
	AccessKey       Secret     `yaml:"access_key"`
	SecretKey       Secret     `yaml:"secret_key"`
	AssumeRole      AssumeRole `yaml:"assume_role"`
	CredentialsFile string     `yaml:"credentials_file"` // JSON as the service issues it; absolute in a users file
	SASToken        Secret     `yaml:"sas_token"`        // the query of a URL that is signed for the container or the account
}

// ownKeys are the keys of an account's credentials for a kind of store; none for a kind
// that knows nobody but the gateway. right is how they are written.
func ownKeys(k Kind) (keys []string, right string) {
	switch k {
	case S3:
		return []string{"access_key", "secret_key", "assume_role"}, "write access_key and secret_key, or assume_role: {role_arn: …}"
	case GCS:
		return []string{"credentials_file"}, "write credentials_file: FILE.json, of a service account that may reach the account's prefixes and no more"
	case AzureBlob:
		return []string{"sas_token"}, "write sas_token, as the portal or the tools show it"
	}
	return nil, ""
}

// AssumeRole is a role of the AWS Security Token Service (AWS STS API reference,
// AssumeRole), of which a session gets what the account's mounts need and no more.
type AssumeRole struct {
	RoleARN     string `yaml:"role_arn"`
	Endpoint    string `yaml:"sts_endpoint"` // "" is the store's endpoint, or AWS's own in the store's region
	ExternalID  Secret `yaml:"external_id"`
	SessionName string `yaml:"session_name"` // [UserMark] is the user's name; "" is DefaultSessionName
}

// DefaultSessionName is what an account's session is called in the service's records.
const DefaultSessionName = "causeway-" + UserMark

// SessionNameOf is the name of a user's session. What the service takes in no such name is
// replaced, and what is too long for it is left out: it is for its records alone.
func (r AssumeRole) SessionNameOf(user string) string {
	form := r.SessionName
	if form == "" {
		form = DefaultSessionName
	}
	name := strings.Map(func(r rune) rune {
		if sessionRune(r) {
			return r
		}
		return '-'
	}, strings.ReplaceAll(form, UserMark, user))
	return name[:min(len(name), maxSessionName)]
}

// The lengths of a session's name that the service takes.
const (
	minSessionName = 2
	maxSessionName = 64
)

// sessionRune tells whether a session's name may have r in it: [\w+=,.@-] in ASCII.
func sessionRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_+=,.@-", r)
}

// accountCredentials judges what an account, or a template, has for the stores of its
// mounts.
func (c *checker) accountCredentials(field string, all map[string]Credentials) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		at := field + "." + name
		store, known := c.cfg.Stores[name]
		keys, right := ownKeys(store.Kind)
		switch {
		case !known:
			c.unknownStore(at, name)
		case store.Kind == "" || c.has(at): // which has been told
		case len(keys) == 0:
			c.wrong(at, fmt.Sprintf("a store of kind %s takes no credentials of accounts", store.Kind),
				"use them with a store of kind s3, gcs or azblob, or remove them: the account then uses the store's own")
		case !slices.ContainsFunc(keys, func(key string) bool { return c.given(at + "." + key) }):
			c.wrong(at, "has none that a store of kind "+string(store.Kind)+" takes", right)
		default:
			c.foreignKeys(at, store.Kind, keys, right)
			c.ownCredentials(at, store.Kind, all[name])
		}
	}
}

// foreignKeys reports credentials for another kind of store.
func (c *checker) foreignKeys(field string, kind Kind, keys []string, right string) {
	all, _ := keysOf(reflect.TypeFor[Credentials]())
	for _, key := range all {
		if c.given(field+"."+key) && !slices.Contains(keys, key) {
			c.wrong(field+"."+key, fmt.Sprintf("a store of kind %s takes no such credentials", kind), right)
		}
	}
}

func (c *checker) ownCredentials(field string, kind Kind, own Credentials) {
	switch kind {
	case GCS:
		c.ownFile(field+".credentials_file", own.CredentialsFile)
	case AzureBlob:
		c.ownSignature(field+".sas_token", own.SASToken.Reveal())
	case S3:
		c.ownKeysOrRole(field, own)
	}
}

// ownFile judges a file with credentials. Where it is named by a users file, whose readers
// differ, it is looked at when the account logs in.
func (c *checker) ownFile(field, path string) {
	switch {
	case path == "":
		c.notEmptyOwn(field, path)
	case c.host.readFile == nil && !filepath.IsAbs(path):
		c.wrong(field, fmt.Sprintf("%q has no folder", path), "write an absolute path")
	case c.host.readFile != nil:
		c.file(field, path)
		c.confidential(field, path, "the account's credentials")
	}
}

// ownSignature judges a shared access signature as far as it can be seen that it is none.
func (c *checker) ownSignature(field, token string) {
	query, err := url.ParseQuery(strings.TrimPrefix(token, "?"))
	switch {
	case token == "":
		c.notEmptyOwn(field, token)
	case err != nil || query.Get("sig") == "" || query.Get("sv") == "":
		c.wrong(field, "is no shared access signature", "write the query of the signed URL, which begins with sv= or has &sig= in it")
	}
}

func (c *checker) ownKeysOrRole(field string, own Credentials) {
	keys := c.given(field+".access_key") || c.given(field+".secret_key")
	role := c.given(field + ".assume_role")
	const both = "set both, or write assume_role: {role_arn: …}"
	switch {
	case keys && role:
		_, right := ownKeys(S3)
		c.wrong(field, "has keys and a role", right)
	case role:
		c.role(field+".assume_role", own.AssumeRole)
	default:
		c.pair(field, both)
		c.notEmptyOwn(field+".access_key", own.AccessKey.Reveal())
		c.notEmptyOwn(field+".secret_key", own.SecretKey.Reveal())
	}
}

func (c *checker) notEmptyOwn(field, value string) {
	if c.given(field) && value == "" {
		c.wrong(field, "is empty", "write it, or remove the account's credentials: it then uses the store's own")
	}
}

func (c *checker) role(field string, r AssumeRole) {
	c.filled(field+".role_arn", r.RoleARN, "write the role's ARN, such as arn:aws:iam::123456789012:role/partners")
	if r.RoleARN != "" && (len(strings.Split(r.RoleARN, ":")) < 6 || !strings.HasPrefix(r.RoleARN, "arn:")) {
		c.wrong(field+".role_arn", fmt.Sprintf("%q is not the ARN of a role", r.RoleARN), "write one such as arn:aws:iam::123456789012:role/partners")
	}
	c.service(field+".sts_endpoint", r.Endpoint)
	c.notEmptyOwn(field+".external_id", r.ExternalID.Reveal())
	c.sessionName(field+".session_name", r.SessionName)
}

// sessionName judges a form, in which the user's name is not put in yet.
func (c *checker) sessionName(field, form string) {
	text := strings.ReplaceAll(form, UserMark, "")
	wrong := strings.ContainsFunc(text, func(r rune) bool { return !sessionRune(r) })
	short := text == form && len(form) < minSessionName
	if c.given(field) && (wrong || short || len(text) > maxSessionName) {
		c.wrong(field, fmt.Sprintf("%q is not the name of a session", form),
			fmt.Sprintf("write %d to %d letters, digits and _+=,.@-, with %s for the user's name", minSessionName, maxSessionName, UserMark))
	}
}
