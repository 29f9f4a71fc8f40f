package sqldb

import (
	"database/sql"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"causeway/auth"
)

// row is a row by the names of its columns, in small letters.
type row struct {
	columns []string
	dates   []bool // columns of the type DATE
	values  []sql.NullString
}

// newRow knows the columns that rows have.
func newRow(rows *sql.Rows) (*row, error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	r := &row{values: make([]sql.NullString, len(types))}
	needed := 0
	for _, t := range types {
		name := strings.ToLower(t.Name())
		if name == "name" || name == "password" {
			needed++
		}
		r.columns = append(r.columns, name)
		r.dates = append(r.dates, t.DatabaseTypeName() == "DATE")
	}
	if needed != 2 {
		return nil, errColumns
	}
	return r, nil
}

func (r *row) scan(rows *sql.Rows) error {
	into := make([]any, len(r.values))
	for i := range r.values {
		into[i] = &r.values[i]
	}
	return rows.Scan(into...)
}

// text is a column's, "" for NULL and where there is no such column.
func (r *row) text(column string) string {
	for i, name := range r.columns {
		if name == column {
			return r.values[i].String
		}
	}
	return ""
}

// account is what the row says, but for the password.
func (r *row) account() (*auth.Found, error) {
	f := &auth.Found{Values: map[string]string{}}
	var err error
	if f.Name, err = canonical(r.text("name")); err != nil {
		return nil, fmt.Errorf("column name: %w", err)
	}
	for i, column := range r.columns {
		value := strings.TrimSpace(r.values[i].String)
		if r.dates[i] {
			value = value[:min(len(value), len(time.DateOnly))] // drivers make a time of it
		}
		if !r.values[i].Valid {
			continue
		}
		switch column {
		case "name", "password":
		case "template":
			f.Template = value
		case "disabled":
			f.Disabled, err = flag(value)
		case "expires":
			f.Expires, err = end(value)
		case "networks":
			f.Networks, err = networks(value)
		default:
			f.Values[column] = value
		}
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", column, err)
		}
	}
	return f, nil
}

// canonical is a name without the spaces that columns of the type CHAR put behind it.
func canonical(text string) (string, error) {
	name, ok := auth.Canonical(strings.TrimRight(text, " "))
	if !ok {
		return "", auth.ErrName
	}
	return name, nil
}

func flag(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "", "f", "false", "n", "no":
		return false, nil
	case "t", "true", "y", "yes":
		return true, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n != 0, err
}

// end is the time from which on an account has expired. MySQL's zero dates are never.
func end(text string) (time.Time, error) {
	if text == "" || strings.HasPrefix(text, "0000-00-00") {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	for _, form := range []string{time.RFC3339Nano, time.DateTime, "2006-01-02 15:04:05.999999999Z07"} {
		if t, err := time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither a date nor a time", text)
}

func networks(text string) ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		n, err := netip.ParsePrefix(word)
		if addr, errAddr := netip.ParseAddr(word); errAddr == nil {
			n, err = addr.Unmap().Prefix(addr.Unmap().BitLen())
		}
		if err != nil {
			return nil, fmt.Errorf("%q is neither a network nor an address", word)
		}
		list = append(list, n.Masked())
	}
	return list, nil
}
