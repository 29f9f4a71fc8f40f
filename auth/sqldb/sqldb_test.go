package sqldb

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/auth"
)

// Configurations of both drivers, of which no server is asked.
func postgres() Config {
	return Config{Driver: Postgres, DSN: "postgres://ftp@127.0.0.1:1/ftp", Query: "SELECT name, password FROM t WHERE name = {user}"}
}

func maria() Config {
	c := postgres()
	c.Driver, c.DSN = MySQL, "ftp@tcp(127.0.0.1:1)/ftp"
	return c
}

// TestA9_NamesAreParameters: no name changes the query, whatever it is.
func TestA9_NamesAreParameters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cfg   Config
		query string
		want  string
		args  int
	}{
		{postgres(), "SELECT name, password FROM t WHERE name = {user} OR alias = {user}", "SELECT name, password FROM t WHERE name = $1 OR alias = $1", 1},
		{maria(), "SELECT name, password FROM t WHERE name = {user} OR alias = {user}", "SELECT name, password FROM t WHERE name = ? OR alias = ?", 2},
		{maria(), "SELECT name, 'it''s' AS password FROM t WHERE name={user}", "SELECT name, 'it''s' AS password FROM t WHERE name=?", 1},
	} {
		tb := &table{columns: []string{"name", "password"}}
		c.cfg.Query = c.query
		p := tb.provider(t, c.cfg)
		for _, name := range []string{"acme", `'%00)(*)`, "' OR '1'='1", `\' OR 1=1; DROP TABLE t; --`, "{user}", "$1", "?"} {
			tb.asked, tb.args = nil, nil
			if _, err := p.Find(t.Context(), auth.Attempt{Name: name, Password: "secret"}); !errors.Is(err, auth.ErrUnknown) {
				t.Errorf("%q: %v", name, err)
			}
			if !slices.Equal(tb.asked, []string{c.want}) || !slices.Equal(tb.args, slices.Repeat([]any{name}, c.args)) || !tb.readOnly {
				t.Errorf("%q is asked as %q with %q; read only: %v", name, tb.asked, tb.args, tb.readOnly)
			}
		}
	}
}

func TestWrongConfigurations(t *testing.T) {
	t.Parallel()
	with := func(c Config, change func(*Config)) Config {
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		cfg  Config
		want error
	}{
		"no mark":         {with(postgres(), func(c *Config) { c.Query = "SELECT 1" }), ErrNoMark},
		"quoted":          {with(postgres(), func(c *Config) { c.Query = "SELECT 1 WHERE a='{user}'" }), ErrQuoted},
		"quoted later":    {with(maria(), func(c *Config) { c.Query = "SELECT 'a' WHERE a={user} AND b=\"x{user}\"" }), ErrQuoted},
		"postgres's DSN":  {with(postgres(), func(c *Config) { c.DSN = "postgres://ftp:canary@host:port/ftp" }), ErrDSN},
		"MySQL's DSN":     {with(maria(), func(c *Config) { c.DSN = "ftp:canary@host" }), ErrDSN},
		"MySQL's options": {with(maria(), func(c *Config) { c.DSN += "?tls=canary" }), ErrDSN},
	} {
		if _, err := New(c.cfg); !errors.Is(err, c.want) || strings.Contains(fmt.Sprint(err), "canary") {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := New(with(postgres(), func(c *Config) { c.Driver = "oracle" })); err == nil {
		t.Error("a driver that there is not is taken")
	}
}

// TestAccount: what a row says is in the account.
func TestAccount(t *testing.T) {
	t.Parallel()
	tb := &table{
		columns: []string{"Name", "PASSWORD", "template", "disabled", "expires", "networks", "Home", "uid", "note"},
		dates:   []string{"expires"},
		rows: [][]driver.Value{{
			"acme  ", "$1$salt$hash", "partner", true, time.Date(2027, 3, 31, 0, 0, 0, 0, time.UTC),
			"192.0.2.0/24, 2001:db8::1 10.1.2.3/8", "/home/acme", int64(2001), nil,
		}},
	}
	got, err := tb.provider(t, postgres()).Find(t.Context(), auth.Attempt{Name: "ACME", Password: "secret"})
	want := &auth.Found{
		Name: "acme", Hash: "$1$salt$hash", Template: "partner", Disabled: true,
		Expires:  time.Date(2027, 4, 1, 0, 0, 0, 0, time.UTC),
		Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::1/128"), netip.MustParsePrefix("10.0.0.0/8")},
		Values:   map[string]string{"home": "/home/acme", "uid": "2001"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v\nwant %+v", got, err, want)
	}
}

// TestA8_SpacesAtTheEnd are no part of a name here: no row has the name that was asked for.
func TestA8_SpacesAtTheEnd(t *testing.T) {
	t.Parallel()
	tb := &table{columns: []string{"name", "password"}, rows: [][]driver.Value{{"bob", "x"}}}
	if _, err := tb.provider(t, postgres()).Find(t.Context(), auth.Attempt{Name: "bob "}); !errors.Is(err, auth.ErrUnknown) {
		t.Errorf("with a space: %v", err)
	}
	if _, err := tb.provider(t, postgres()).Find(t.Context(), auth.Attempt{Name: "bob"}); err != nil {
		t.Errorf("without: %v", err)
	}
}

// TestA12_WhatCannotBeUnderstood lets nobody in.
func TestA12_WhatCannotBeUnderstood(t *testing.T) {
	t.Parallel()
	broken := errors.New("the database says so")
	row := func(column string, value driver.Value) *table {
		return &table{columns: []string{"name", "password", column}, rows: [][]driver.Value{{"acme", "x", value}}}
	}
	for name, c := range map[string]struct {
		table *table
		want  error // nil for any
	}{
		"no answer":     {&table{err: broken}, broken},
		"no columns":    {&table{columns: []string{"userid", "passwd"}}, errColumns},
		"two rows":      {&table{columns: []string{"name", "password"}, rows: [][]driver.Value{{"acme", "x"}, {"ACME", "x"}}}, errAmbiguous},
		"no name":       {&table{columns: []string{"name", "password"}, rows: [][]driver.Value{{nil, "x"}}}, auth.ErrName},
		"an odd name":   {&table{columns: []string{"name", "password"}, rows: [][]driver.Value{{"a\x00b", "x"}}}, auth.ErrName},
		"an odd flag":   {row("disabled", "perhaps"), nil},
		"an odd date":   {row("expires", "31.3.2027"), nil},
		"an odd net":    {row("networks", "192.0.2.0/24, example.org"), nil},
		"an odd prefix": {row("networks", "192.0.2.0/33"), nil},
	} {
		found, err := c.table.provider(t, maria()).Find(t.Context(), auth.Attempt{Name: "acme", Password: "x"})
		if found != nil || err == nil || c.want != nil && !errors.Is(err, c.want) || errors.Is(err, auth.ErrLogin) || errors.Is(err, auth.ErrUnknown) {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		column driver.Value
		plain  bool
		want   auth.Found
		err    error
	}{
		{"$1$salt$hash", false, auth.Found{Hash: "$1$salt$hash"}, nil},
		{nil, false, auth.Found{}, nil}, // and no hash is one that nothing matches
		{"secret", true, auth.Found{Right: true}, nil},
		{"Secret", true, auth.Found{}, auth.ErrLogin},
		{"", true, auth.Found{}, auth.ErrLogin},
		{nil, true, auth.Found{}, auth.ErrLogin},
	} {
		tb := &table{columns: []string{"name", "password"}, rows: [][]driver.Value{{"acme", c.column}}}
		cfg := maria()
		cfg.Plain = c.plain
		found, err := tb.provider(t, cfg).Find(t.Context(), auth.Attempt{Name: "acme", Password: "secret"})
		if !errors.Is(err, c.err) || err == nil && (found.Right != c.want.Right || found.Hash != c.want.Hash) {
			t.Errorf("%v, plain %v: %+v, %v", c.column, c.plain, found, err)
		}
	}
}

func TestEnds(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                           "0001-01-01T00:00:00Z",
		"0000-00-00":                 "0001-01-01T00:00:00Z",
		"0000-00-00 00:00:00":        "0001-01-01T00:00:00Z",
		"2027-03-31":                 "2027-04-01T00:00:00Z",
		"2027-03-31 12:00:00":        "2027-03-31T12:00:00Z",
		"2027-03-31 00:00:00":        "2027-03-31T00:00:00Z",
		"2027-03-31 12:00:00.5":      "2027-03-31T12:00:00.5Z",
		"2027-03-31T12:00:00+02:00":  "2027-03-31T10:00:00Z",
		"2027-03-31 12:00:00.125+02": "2027-03-31T10:00:00.125Z",
	} {
		got, err := end(text)
		if err != nil || got.UTC().Format(time.RFC3339Nano) != want {
			t.Errorf("%q: %v, %v, want %s", text, got, err, want)
		}
	}
}

// TestCheck asks for nobody, and knows a query that cannot be used before anybody logs in.
func TestCheck(t *testing.T) {
	t.Parallel()
	good := &table{columns: []string{"name", "password"}}
	if err := good.provider(t, maria()).Check(t.Context()); err != nil || !good.readOnly {
		t.Errorf("a good query: %v", err)
	}
	bad := &table{columns: []string{"userid", "passwd"}}
	if err := bad.provider(t, maria()).Check(t.Context()); !errors.Is(err, errColumns) {
		t.Errorf("other columns: %v", err)
	}
}
