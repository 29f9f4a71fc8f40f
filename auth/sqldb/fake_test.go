package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"slices"
	"testing"
)

// table is a database that answers every query with the same rows, and writes down what it
// is asked. It is its own driver.
type table struct {
	columns  []string
	dates    []string // columns of the type DATE
	rows     [][]driver.Value
	err      error
	asked    []string
	args     []any
	readOnly bool
}

// provider asks the table.
func (tb *table) provider(t *testing.T, cfg Config) *Provider {
	t.Helper()
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(tb)
	p.db = func() *sql.DB { return db }
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func (tb *table) Connect(context.Context) (driver.Conn, error) { return conn{tb}, nil }
func (tb *table) Driver() driver.Driver                        { return nil }

type conn struct{ *table }

func (c conn) Prepare(string) (driver.Stmt, error) { return nil, errors.ErrUnsupported }
func (c conn) Close() error                        { return nil }
func (c conn) Begin() (driver.Tx, error)           { return nil, errors.ErrUnsupported }

func (c conn) BeginTx(_ context.Context, opts driver.TxOptions) (driver.Tx, error) {
	c.readOnly = opts.ReadOnly
	return c, nil
}

func (c conn) Commit() error   { return errors.ErrUnsupported }
func (c conn) Rollback() error { return nil }

func (c conn) QueryContext(_ context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.asked = append(c.asked, query)
	for _, arg := range args {
		c.args = append(c.args, arg.Value)
	}
	return &cursor{table: c.table}, c.err
}

// cursor goes through the table's rows.
type cursor struct {
	*table
	at int
}

func (c *cursor) Columns() []string { return c.columns }
func (c *cursor) Close() error      { return nil }

func (c *cursor) ColumnTypeDatabaseTypeName(i int) string {
	if slices.Contains(c.dates, c.columns[i]) {
		return "DATE"
	}
	return "TEXT"
}

func (c *cursor) Next(dest []driver.Value) error {
	if c.at == len(c.rows) {
		return io.EOF
	}
	copy(dest, c.rows[c.at])
	c.at++
	return nil
}
