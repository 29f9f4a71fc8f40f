package configs

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// livingKeys are those that a running gateway can follow, with all that is below them.
// Which certificate it shows is one of them if it has had one from files before.
func (c *Config) livingKeys(next *Config) []string {
	keys := []string{"templates", "profiles", "users", "accounts", "anonymous", "password_hashes", "guard", "log.level"}
	if c.TLS.Certificate != "" && next.TLS.Certificate != "" {
		keys = append(keys, "tls.certificate", "tls.key")
	}
	return keys
}

// Change is what has become of a configuration.
type Change struct {
	Config  *Config  // to go on with: the running one with what of the next it can follow
	Keys    []string // that are followed, such as users
	Restart []string // that have changed and take a restart, such as limits.buffers
}

// Adopt compares a running configuration with the next, which is valid, as [Load] returns
// it. The error is a [Problem] if they do not go together until a restart.
func (c *Config) Adopt(next *Config) (*Change, error) {
	change, livingKeys := Change{}, c.livingKeys(next)
	for _, key := range c.changed(next) {
		if slices.ContainsFunc(livingKeys, func(living string) bool { return key == living || strings.HasPrefix(key, living+".") }) {
			change.Keys = append(change.Keys, key)
		} else {
			change.Restart = append(change.Restart, key)
		}
	}
	adopted := *c
	adopted.Templates, adopted.Profiles, adopted.Users, adopted.Accounts = next.Templates, next.Profiles, next.Users, next.Accounts
	adopted.Anonymous, adopted.Hashes, adopted.Guard = next.Anonymous, next.Hashes, next.Guard
	adopted.Log.Level = next.Log.Level
	if slices.Contains(livingKeys, "tls.certificate") {
		adopted.TLS.Certificate, adopted.TLS.Key = next.TLS.Certificate, next.TLS.Key
	}
	adopted.source = next.source
	change.Config = &adopted
	return &change, errors.Join(adopted.storesRun(), c.sameAuthorities(next))
}

// sameAuthorities finds another set of authorities for clients' certificates: TLS asks by
// those that it has begun with, or for none.
func (c *Config) sameAuthorities(next *Config) error {
	if slices.Equal(c.clientAuthorities(), next.clientAuthorities()) {
		return nil
	}
	return next.Problem("accounts", "the authorities of clients' certificates are others",
		"restart the gateway to ask clients by them; until then nothing is changed")
}

func (c *Config) clientAuthorities() []string {
	var files []string
	for _, a := range c.Accounts {
		if a.Certificate != nil {
			files = append(files, a.Certificate.CA)
		}
	}
	slices.Sort(files)
	return files
}

// storesRun finds mounts and users files in stores that are not there yet.
func (c *Config) storesRun() error {
	judge := func(field string, mounts []Mount) error {
		for i, m := range mounts {
			if _, ok := c.Stores[m.Store]; !ok {
				return c.Problem(fmt.Sprintf("%s[%d].store", field, i), fmt.Sprintf("the store %q is new", m.Store),
					"restart the gateway to mount it; until then nothing is changed")
			}
			if _, ok := c.Stores[m.Behind.Store]; m.Behind.Enabled() && !ok {
				return c.Problem(fmt.Sprintf("%s[%d].behind.store", field, i), fmt.Sprintf("the store %q is new", m.Behind.Store),
					"restart the gateway to read through to it; until then nothing is changed")
			}
		}
		return nil
	}
	for i, a := range c.Accounts {
		if _, ok := c.Stores[a.Store]; a.Store != "" && !ok {
			return c.Problem(fmt.Sprintf("accounts[%d].store", i), fmt.Sprintf("the store %q is new", a.Store),
				"restart the gateway to read accounts there; until then nothing is changed")
		}
	}
	for name, t := range c.Templates {
		if err := judge("templates."+name+".mounts", t.Mounts); err != nil {
			return err
		}
	}
	for i, u := range c.Users {
		if err := judge(fmt.Sprintf("users[%d].mounts", i), u.Mounts); err != nil {
			return err
		}
	}
	return judge("anonymous.mounts", anonymousMounts(c.Anonymous))
}

// changed are the keys whose values differ, in the order of the types. Lists are compared
// as a whole.
func (c *Config) changed(next *Config) []string {
	var keys []string
	compare(reflect.ValueOf(c).Elem(), reflect.ValueOf(next).Elem(), "", func(key string) { keys = append(keys, key) })
	return keys
}

func compare(a, b reflect.Value, key string, differs func(key string)) {
	if a.Kind() != reflect.Struct || isScalar(a) {
		if !reflect.DeepEqual(a.Interface(), b.Interface()) {
			differs(key)
		}
		return
	}
	names, fields := keysOf(a.Type())
	for i, name := range names {
		if name != "" {
			compare(a.FieldByIndex(fields[i].Index), b.FieldByIndex(fields[i].Index), join(key, name), differs)
		}
	}
}
