//go:build e2e

package e2e

import (
	"context"
	"os"
	"strings"
	"testing"

	"causeway/configs"
	"causeway/e2e/accounts"
)

// The tables of other servers' documentation: ProFTPD's doc/howto/SQL.html, Pure-FTPd's
// README.MySQL and README.PGSQL.
const (
	proftpdTable = `CREATE TABLE users (userid VARCHAR(30) NOT NULL UNIQUE, passwd VARCHAR(80) NOT NULL,
		uid INTEGER UNIQUE, gid INTEGER, homedir VARCHAR(255), shell VARCHAR(255))`
	pureftpdMySQL = `CREATE TABLE users (User VARCHAR(16) BINARY NOT NULL, Password VARCHAR(64) BINARY NOT NULL,
		Uid INT(11) NOT NULL default '-1', Gid INT(11) NOT NULL default '-1', Dir VARCHAR(128) BINARY NOT NULL, PRIMARY KEY (User))`
	pureftpdPostgres = `CREATE TABLE users ("User" TEXT NOT NULL, "Password" TEXT NOT NULL,
		"Uid" INTEGER NOT NULL default '-1', "Gid" INTEGER NOT NULL default '-1', "Dir" TEXT NOT NULL, PRIMARY KEY ("User"))`
)

// ownTable is one with all that a row can say, in both databases' SQL.
const ownTable = `CREATE TABLE accounts (name VARCHAR(30) NOT NULL UNIQUE, password VARCHAR(120), template VARCHAR(30),
	disabled BOOLEAN NOT NULL, expires DATE, networks VARCHAR(100), home VARCHAR(100))`

// ownRows are its accounts, whose passwords' hash takes the place of HASH.
const ownRows = `INSERT INTO accounts VALUES
	('rowan', 'HASH', 'partner', false, '2999-12-31', '127.0.0.0/8, ::1', NULL),
	('homer', 'HASH', NULL, false, NULL, NULL, '/srv/homer'),
	('closed', 'HASH', 'partner', true, NULL, NULL, NULL),
	('past', 'HASH', 'partner', false, '2020-12-31', NULL, NULL),
	('elsewhere', 'HASH', 'partner', false, NULL, '192.0.2.0/24', NULL),
	('empty', '', 'partner', false, NULL, NULL, NULL),
	('none', NULL, 'partner', false, NULL, NULL, NULL),
	('clear', 's3cret pass#1', 'partner', false, NULL, NULL, NULL),
	('homeless', 'HASH', NULL, false, NULL, NULL, NULL)`

// ownAttempts are logins to it.
func ownAttempts() []attempt {
	return []attempt{
		{"rowan", password, "230", "partners/rowan"},
		{"homer", password, "230", "srv/homer"},
		{"rowan", "wrong", "530", ""},
		{"closed", password, "530", ""},
		{"past", password, "530", ""},
		{"elsewhere", password, "530", ""},
		{"empty", password, "530", ""},
		{"none", password, "530", ""},
		{"clear", password, "530", ""}, // a password that stands in the table opens nothing unless that is allowed
		{"homeless", password, "530", ""},
		{"stranger", password, "530", ""},
	}
}

// queries are those of configs/examples/sql.yaml: for ProFTPD, for Pure-FTPd, and one's own.
func queries(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../configs/examples/sql.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.NewReplacer("${PROFTPD_DSN}", "x", "${PUREFTPD_DSN}", "x", "${ACCOUNTS_DSN}", "x",
		"{certificate: cert.pem, key: key.pem, required: true}", "{self_signed: true}").Replace(string(text)))
	cfg, err := configs.Load(writeFile(t, "sql.yaml", string(text)))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, a := range cfg.Accounts {
		all = append(all, a.SQL.Query)
	}
	return all
}

// source is one of a gateway's sources of accounts.
func source(t *testing.T, driver, dsn, query string) string {
	return "  - sql: {driver: " + driver + ", dsn_file: " + quote(writeFile(t, "dsn", dsn+"\n")) + ", query: " + quote(query) + ", template: staff}\n"
}

// insert makes tables and rows.
func insert(t *testing.T, db *accounts.Database, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.Admin.ExecContext(t.Context(), strings.ReplaceAll(s, "HASH", shared.hash)); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// inFolder starts a server in a folder that others than its maker may pass.
func inFolder(t *testing.T, start func(ctx context.Context, dir string) (*accounts.Database, error)) *accounts.Database {
	t.Helper()
	dir, err := os.MkdirTemp("", "causeway-database-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // what is left is temporary
	db, err := start(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// TestMariaDB serves the accounts of ProFTPD's and Pure-FTPd's tables, and of one's own, by
// the example's queries.
func TestMariaDB(t *testing.T) {
	t.Parallel()
	db := inFolder(t, accounts.StartMariaDB)
	insert(t, db,
		"CREATE DATABASE pureftpd", "GRANT SELECT ON pureftpd.* TO "+accounts.DatabaseUser+"@'127.0.0.1'",
		strings.Replace(pureftpdMySQL, "users", "pureftpd.users", 1), proftpdTable, ownTable, ownRows,
		`INSERT INTO users VALUES
			('crypt', 'HASH', 2001, 2001, '/home/ftp/crypt', '/bin/false'),
			('openssl', CONCAT('{sha1}', TO_BASE64(UNHEX(SHA1('s3cret pass#1')))), 2002, 2001, '/home/ftp/openssl', '/bin/false'),
			('backend', PASSWORD('s3cret pass#1'), 2003, 2001, '/home/ftp/backend', '/bin/false'),
			('up', 'HASH', 2004, 2001, '/home/../etc', '/bin/false')`,
		`INSERT INTO pureftpd.users VALUES
			('pure', MD5('s3cret pass#1'), 2001, 2001, '/home/ftp/pure'),
			('sha1', SHA1('s3cret pass#1'), 2001, 2001, '/home/ftp/sha1'),
			('crypt', 'HASH', 2001, 2001, '/home/ftp/second')`)
	dsn := func(database string) string {
		return accounts.DatabaseUser + ":" + accounts.DatabasePassword + "@tcp(" + db.Address + ")/" + database
	}
	q := queries(t)
	pure := strings.NewReplacer(`"User"`, "User", `"Password"`, "Password", `"Dir"`, "Dir").Replace(q[1])
	d := openDoor(t, doorTemplates+"accounts:\n"+source(t, "mysql", dsn("ftp"), q[0])+source(t, "mysql", dsn("pureftpd"), pure)+source(t, "mysql", dsn("ftp"), q[2]))
	d.attempts(t, append(ownAttempts(), []attempt{
		{user, password, "230", "own"},
		{"crypt", password, "230", "home/ftp/crypt"},
		{"CRYPT", password, "230", "home/ftp/crypt"},
		{"openssl", password, "230", "home/ftp/openssl"},
		{"backend", password, "230", "home/ftp/backend"},
		{"pure", password, "230", "home/ftp/pure"},
		{"sha1", password, "230", "home/ftp/sha1"},
		{"crypt", "wrong", "530", ""},
		{"pure", "wrong", "530", ""},
		{"up", password, "530", ""}, // a home that leads out of its place
	}...))
	d.proveDatabase(t, db, "crypt", "home/ftp/crypt")
}

// TestPostgres is TestMariaDB of the other database, with a table of passwords in clear.
func TestPostgres(t *testing.T) {
	t.Parallel()
	db := inFolder(t, accounts.StartPostgres)
	insert(t, db, pureftpdPostgres, strings.Replace(proftpdTable, "users", "proftpd", 1), ownTable, ownRows,
		`INSERT INTO users VALUES ('pure', md5('s3cret pass#1'), 2001, 2001, '/home/ftp/pure'), ('argon', 'HASH', 2001, 2001, '/home/ftp/argon')`,
		`INSERT INTO proftpd VALUES ('plain', 's3cret pass#1', 2001, 2001, '/home/ftp/plain', '/bin/false'), ('hashed', 'HASH', 2002, 2001, '/home/ftp/hashed', '/bin/false')`)
	dsn := "postgres://" + accounts.DatabaseUser + ":" + strings.ReplaceAll(accounts.DatabasePassword, " ", "%20") + "@" + db.Address + "/postgres?sslmode=disable"
	q := queries(t)
	inClear := source(t, "postgres", dsn, strings.Replace(q[0], "users", "proftpd", 1))
	inClear = strings.Replace(inClear, "template: staff", "template: staff, plain_passwords: true", 1)
	d := openDoor(t, doorTemplates+"accounts:\n"+inClear+source(t, "postgres", dsn, q[1])+source(t, "postgres", dsn, q[2]))
	d.attempts(t, append(ownAttempts(), []attempt{
		{user, password, "230", "own"},
		{"plain", password, "230", "home/ftp/plain"},
		{"plain", "wrong", "530", ""},
		{"hashed", password, "530", ""}, // what stands there is the password
		{"hashed", shared.hash, "230", "home/ftp/hashed"},
		{"pure", password, "230", "home/ftp/pure"},
		{"argon", password, "230", "home/ftp/argon"},
		{"PURE", password, "530", ""},
	}...))
	d.proveDatabase(t, db, "pure", "home/ftp/pure")
}

// proveDatabase is what holds of both: names are no SQL, nobody is let in while the
// database is down, and it is asked again when it is back.
func (d door) proveDatabase(t *testing.T, db *accounts.Database, name, place string) {
	t.Run("TestA9", func(t *testing.T) {
		d.attempts(t, hostileNames(password))
		var n int
		if err := db.Admin.QueryRowContext(t.Context(), "SELECT count(*) FROM users").Scan(&n); err != nil || n == 0 {
			t.Errorf("%d users are left: %v", n, err)
		}
	})
	t.Run("TestA12", func(t *testing.T) {
		db.Stop()
		d.attempts(t, []attempt{{name, password, "421", ""}, {"stranger", password, "421", ""}, {user, password, "230", "own"}})
		if err := db.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.attempts(t, []attempt{{name, password, "230", place}, {name, "wrong", "530", ""}})
	})
	for _, secret := range []string{accounts.DatabasePassword, strings.ReplaceAll(accounts.DatabasePassword, " ", "%20")} {
		if strings.Contains(d.log.String(), secret) {
			t.Error("the gateway's password of the database is in its log")
		}
	}
}
