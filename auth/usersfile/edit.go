package usersfile

import (
	"bytes"
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// ErrTaken: there is an account of this name. ErrUnknown: there is none. ErrOtherPassword:
// its password is not the one that was to be replaced.
var (
	ErrTaken         = errors.New("there is an account of this name already")
	ErrUnknown       = errors.New("there is no account of this name")
	ErrOtherPassword = errors.New("the account has another password by now")
)

// Entry is a new account.
type Entry struct {
	Name     string
	Hash     string
	Template string // "" is none
	Home     string // what {home} stands for in the template; "" is nothing

	Disabled bool
	Expires  string   // the last day, as 2027-03-31; "" is never
	Networks []string // of clients; none is all
}

// Add appends accounts, each in one line. The error matches ErrTaken if there is one of a
// name already, or two have the same; then none is added.
func Add(text []byte, entries ...Entry) ([]byte, error) {
	l, err := read(text)
	if err != nil || len(entries) == 0 {
		return text, err
	}
	taken := map[string]bool{}
	for _, item := range l.users.Content {
		if v := valueOf(item, "name"); v != nil {
			taken[v.Value] = true
		}
	}
	var items []*yaml.Node
	for _, e := range entries {
		if taken[e.Name] {
			return nil, ErrTaken
		}
		taken[e.Name] = true
		items = append(items, e.item())
	}
	spliced := l.withItems(items)
	l.users.Content = append(l.users.Content, items...)
	return l.render(spliced)
}

// item is the account as it stands in a file.
func (e Entry) item() *yaml.Node {
	item := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Style: yaml.FlowStyle}
	item.Content = append(pair("name", e.Name, 0), pair("password", e.Hash, yaml.SingleQuotedStyle)...)
	if e.Template != "" {
		item.Content = append(item.Content, pair("template", e.Template, 0)...)
	}
	item.Content = append(item.Content, e.more()...)
	return item
}

// more are the pairs of an account that most have none of.
func (e Entry) more() []*yaml.Node {
	var pairs []*yaml.Node
	if e.Home != "" {
		pairs = append(pairs, pair("home", e.Home, 0)...)
	}
	if e.Disabled {
		pairs = append(pairs, word("disabled"), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"})
	}
	if e.Expires != "" {
		pairs = append(pairs, word("expires"), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!timestamp", Value: e.Expires})
	}
	if len(e.Networks) > 0 {
		list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
		for _, n := range e.Networks {
			list.Content = append(list.Content, word(n))
		}
		pairs = append(pairs, word("networks"), list)
	}
	return pairs
}

// SetPassword gives an account another hash.
func SetPassword(text []byte, name, hash string) ([]byte, error) {
	return set(text, name, pair("password", hash, yaml.SingleQuotedStyle))
}

// ReplacePassword gives an account another hash in the place of one that is known. The error
// matches ErrOtherPassword if it has another by now.
func ReplacePassword(text []byte, name, old, hash string) ([]byte, error) {
	l, err := read(text)
	if err != nil {
		return nil, err
	}
	i := l.find(name)
	if i < 0 {
		return nil, ErrUnknown
	}
	if has := valueOf(l.users.Content[i], "password"); has == nil || has.Value != old {
		return nil, ErrOtherPassword
	}
	return SetPassword(text, name, hash)
}

// Disable lets nobody in to an account.
func Disable(text []byte, name string) ([]byte, error) {
	return set(text, name, []*yaml.Node{word("disabled"), {Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"}})
}

// Enable takes Disable back.
func Enable(text []byte, name string) ([]byte, error) {
	return set(text, name, []*yaml.Node{word("disabled"), {Kind: yaml.ScalarNode, Tag: "!!bool", Value: "false"}})
}

// Remove takes an account out. Comments before it stay.
func Remove(text []byte, name string) ([]byte, error) {
	l, err := read(text)
	if err != nil {
		return nil, err
	}
	i := l.find(name)
	if i < 0 {
		return nil, ErrUnknown
	}
	spliced := l.withoutItem(i)
	l.users.Content = append(l.users.Content[:i], l.users.Content[i+1:]...)
	return l.render(spliced)
}

// set gives an account a key with a value, in place of the one that it has.
func set(text []byte, name string, keyValue []*yaml.Node) ([]byte, error) {
	l, err := read(text)
	if err != nil {
		return nil, err
	}
	i := l.find(name)
	if i < 0 {
		return nil, ErrUnknown
	}
	item := l.users.Content[i]
	key, value := keyValue[0], keyValue[1]
	old := valueOf(item, key.Value)
	if old == nil {
		spliced := l.withPair(item, key, value)
		item.Content = append(item.Content, key, value)
		return l.render(spliced)
	}
	spliced := l.withValue(old, value)
	old.Tag, old.Value, old.Style = value.Tag, value.Value, value.Style
	return l.render(spliced)
}

// pair is a key with a text.
func pair(key, text string, style yaml.Style) []*yaml.Node {
	value := word(text)
	value.Style = style
	return []*yaml.Node{word(key), value}
}

func word(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

// list is a users file as text and as tree.
type list struct {
	text  []byte
	root  *yaml.Node // the document
	key   *yaml.Node // the word users, nil where there was none
	users *yaml.Node // the sequence of accounts, made where there was none
}

// errBreaks: YAML counts these as ends of lines, and edits are by lines as editors see them.
var errBreaks = errors.New("not to be edited here: lines must end in LF or CRLF alone")

var errNoList = errors.New("not a users file: users must be a list of maps")

// read finds the accounts. It knows only as much of the form as it needs.
func read(text []byte) (*list, error) {
	l := &list{text: text, root: new(yaml.Node)}
	if bytes.ContainsAny(bytes.ReplaceAll(text, []byte("\r\n"), nil), "\r\u0085\u2028\u2029") {
		return nil, errBreaks
	}
	if err := yaml.Unmarshal(text, l.root); err != nil {
		return nil, fmt.Errorf("not a users file: %w", err)
	}
	if l.root.Kind == 0 {
		l.root = &yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{{Kind: yaml.MappingNode, Tag: "!!map"}}}
	}
	top := l.root.Content[0]
	if top.Kind != yaml.MappingNode {
		return nil, errNoList
	}
	if i := indexOf(top, "users"); i >= 0 {
		l.key, l.users = top.Content[i], top.Content[i+1]
	} else {
		l.users = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		top.Content = append(top.Content, word("users"), l.users)
	}
	if l.users.Kind != yaml.SequenceNode {
		return nil, errNoList
	}
	if len(l.users.Content) == 0 {
		l.users.Style = 0 // not [], so that accounts get lines of their own
	}
	return l, nil
}

// find is the index of an account; -1 if there is none.
func (l *list) find(name string) int {
	for i, item := range l.users.Content {
		if v := valueOf(item, "name"); v != nil && v.Value == name {
			return i
		}
	}
	return -1
}

// valueOf is the value of a key of a map; nil if it has none.
func valueOf(m *yaml.Node, key string) *yaml.Node {
	if i := indexOf(m, key); i >= 0 {
		return m.Content[i+1]
	}
	return nil
}

// indexOf is where a map has a key; -1 if it has it nowhere, or is no map.
func indexOf(m *yaml.Node, key string) int {
	if m.Kind != yaml.MappingNode {
		return -1
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return i
		}
	}
	return -1
}
