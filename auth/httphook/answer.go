package httphook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"causeway/auth"
)

// answer is what the service sends with status 200.
type answer struct {
	User     string            `json:"user"`     // the name that was asked for, or how it is written there
	Unknown  bool              `json:"unknown"`  // there is no such account, so that the next provider is asked
	Template string            `json:"template"` // "" is the configuration's choice
	Values   map[string]string `json:"values"`   // for the template's marks
	Disabled bool              `json:"disabled"`
	Expires  string            `json:"expires"`  // the last day (UTC), or a time of RFC 3339; "" is never
	Networks []netip.Prefix    `json:"networks"` // of clients; none is all
}

var (
	errNoAnswer = errors.New("the answer is not one object of JSON")
	errOther    = errors.New("the answer is not for the user who was asked for")
)

// parse makes an account of an answer. A key that is not known is an error: it may be meant
// to shut somebody out. So is an answer without the user's name: it may be any service's.
func parse(text []byte, user string) (*auth.Found, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var a answer
	if err := d.Decode(&a); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errNoAnswer
	}
	if a.Unknown {
		return nil, auth.ErrUnknown
	}
	name, ok := auth.Canonical(a.User)
	if !ok || !strings.EqualFold(name, user) {
		return nil, errOther
	}
	expires, err := endOf(a.Expires)
	if err != nil {
		return nil, err
	}
	return &auth.Found{
		Name:     name,
		Right:    true,
		Template: a.Template,
		Values:   a.Values,
		Disabled: a.Disabled,
		Expires:  expires,
		Networks: a.Networks,
	}, nil
}

// endOf is the time from which on an account has expired.
func endOf(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	return time.Parse(time.RFC3339, text)
}
