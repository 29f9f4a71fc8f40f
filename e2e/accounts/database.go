package accounts

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	_ "github.com/go-sql-driver/mysql" // registers mysql
	_ "github.com/jackc/pgx/v5/stdlib" // registers pgx

	"causeway/e2e/process"
	"causeway/e2e/unpacked"
)

// The user of the databases who may read, and nothing else, and the database's name.
const (
	DatabaseUser     = "gateway"
	DatabasePassword = "s3cret of the gateway"
	DatabaseName     = "ftp"
)

// Database is a running database server.
type Database struct {
	*process.Server
	Admin *sql.DB // may do everything
}

// Close ends the connections of Admin and the server.
func (d *Database) Close() {
	_ = d.Admin.Close() // what it was for is done
	d.Stop()
}

// open makes Admin, and with it the gateway's user, who may read the tables that it makes.
func (d *Database) open(ctx context.Context, driver, dsn string, statements ...string) (*Database, error) {
	var err error
	if d.Admin, err = sql.Open(driver, dsn); err != nil {
		d.Stop()
		return nil, err
	}
	for _, statement := range statements {
		if _, err := d.Admin.ExecContext(ctx, statement); err != nil {
			d.Close()
			return nil, fmt.Errorf("%s: %w", statement, err)
		}
	}
	return d, nil
}

// answers tells whether a database lets its superuser in.
func answers(ctx context.Context, driver, dsn string) bool {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return false
	}
	defer db.Close() //nolint:errcheck // it has been asked
	return db.PingContext(ctx) == nil
}

// StartPostgres starts a PostgreSQL with an empty database in an empty folder, which it
// gives to who runs it: PostgreSQL refuses to run as root.
func StartPostgres(ctx context.Context, dir string) (*Database, error) {
	postgres, err := unpacked.Locate("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	if err := give(dir); err != nil {
		return nil, err
	}
	// SCRAM for all, so that the gateway has to prove that it knows a password.
	passwords := filepath.Join(dir, "password")
	if err := write(dir, map[string]string{"password": DatabasePassword}); err != nil {
		return nil, err
	}
	if err := give(passwords); err != nil {
		return nil, err
	}
	initdb := unprivileged(postgres.Beside("initdb").Command("-D", data, "-U", "admin", "--pwfile", passwords,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"))
	initdb.Dir = dir
	if err := run(initdb); err != nil {
		return nil, err
	}
	dsn := func(address string) string {
		return fmt.Sprintf("host=127.0.0.1 port=%s user=admin password='%s' dbname=postgres sslmode=disable", address[strings.LastIndex(address, ":")+1:], DatabasePassword)
	}
	server, err := process.Start(ctx, process.Program{
		Command: func(port string) *exec.Cmd {
			cmd := unprivileged(postgres.Command("-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1",
				"-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "jit=off", "-c", "shared_buffers=8MB"))
			cmd.Dir = dir
			return cmd
		},
		Ready: func(ctx context.Context, address string) bool { return answers(ctx, "pgx", dsn(address)) },
	})
	if err != nil {
		return nil, err
	}
	return (&Database{Server: server}).open(ctx, "pgx", dsn(server.Address),
		"CREATE USER "+DatabaseUser+" PASSWORD '"+DatabasePassword+"'",
		"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO "+DatabaseUser)
}

// StartMariaDB starts a MariaDB with an empty database in an empty folder.
func StartMariaDB(ctx context.Context, dir string) (*Database, error) {
	mariadbd, err := unpacked.Locate("/usr/sbin/mariadbd")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return nil, err
	}
	base := []string{"--no-defaults", "--basedir=" + mariadbd.Root + "/usr", "--datadir=" + data, "--skip-name-resolve",
		"--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M", "--innodb-flush-method=nosync"}
	if os.Geteuid() == 0 {
		base = append(base, "--user=root") // it asks to be told so
	}
	bootstrap := mariadbd.Command(slices.Concat(base, []string{"--bootstrap"})...)
	script, err := systemTables(mariadbd.Root + "/usr/share/mysql")
	if err != nil {
		return nil, err
	}
	bootstrap.Stdin = strings.NewReader(script)
	if err := run(bootstrap); err != nil {
		return nil, err
	}
	dsn := func(address string) string {
		return fmt.Sprintf("admin:%s@tcp(%s)/%s", DatabasePassword, address, DatabaseName)
	}
	server, err := process.Start(ctx, process.Program{
		Command: func(port string) *exec.Cmd {
			return mariadbd.Command(slices.Concat(base, []string{"--bind-address=127.0.0.1", "--port=" + port, "--socket=" + filepath.Join(dir, "socket")})...)
		},
		Ready: func(ctx context.Context, address string) bool { return answers(ctx, "mysql", dsn(address)) },
	})
	if err != nil {
		return nil, err
	}
	return (&Database{Server: server}).open(ctx, "mysql", dsn(server.Address))
}

// systemTables is what mariadb-install-db does, and the users.
func systemTables(share string) (string, error) {
	script := "CREATE DATABASE mysql;\nUSE mysql;\n"
	for _, name := range []string{"mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql"} {
		part, err := os.ReadFile(filepath.Join(share, name))
		if err != nil {
			return "", err
		}
		script += string(part) + "\n"
	}
	return script + fmt.Sprintf(`FLUSH PRIVILEGES;
CREATE DATABASE %[1]s;
CREATE USER admin@'127.0.0.1' IDENTIFIED BY '%[2]s';
GRANT ALL ON *.* TO admin@'127.0.0.1' WITH GRANT OPTION;
CREATE USER %[3]s@'127.0.0.1' IDENTIFIED BY '%[2]s';
GRANT SELECT ON %[1]s.* TO %[3]s@'127.0.0.1';
`, DatabaseName, DatabasePassword, DatabaseUser), nil
}
