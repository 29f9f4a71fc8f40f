package usersfile

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// The functions of this file change the text where the tree is changed, and nothing else
// of it: written anew from its tree, a file keeps its comments and loses its blank lines
// and the places of things. They know the plain forms only and return nil for others, or
// even a text that says something else; render finds out and takes the tree.

// render is the text that says what the tree says.
func (l *list) render(spliced []byte) ([]byte, error) {
	if spliced != nil && l.sameAs(spliced) {
		return spliced, nil
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(l.root); err != nil {
		return nil, err
	}
	return b.Bytes(), enc.Close()
}

// sameAs tells whether a text says what the tree says.
func (l *list) sameAs(text []byte) bool {
	var got, want any
	return yaml.Unmarshal(text, &got) == nil && l.root.Decode(&want) == nil && reflect.DeepEqual(got, want)
}

// withItems is the text with more accounts in lines after the last.
func (l *list) withItems(items []*yaml.Node) []byte {
	if l.users.Style&yaml.FlowStyle != 0 {
		return nil
	}
	lines, last, indent := l.lines(), len(l.users.Content)-1, "  "
	if last >= 0 {
		indent = l.indent()
	}
	var added []string
	for _, item := range items {
		encoded, err := yaml.Marshal(item)
		if err != nil {
			return nil
		}
		added = append(added, indent+"- "+string(encoded))
	}
	if last >= 0 {
		_, end := l.extent(lines, last)
		return join(slices.Insert(endLine(lines, end-1), end, added...))
	}
	first := "users:\n" + strings.Join(added, "")
	if l.key == nil {
		return join(append(endLine(lines, len(lines)-1), first))
	}
	return l.withKeyLine(lines, "users: []", first)
}

// withoutItem is the text without the lines of an account.
func (l *list) withoutItem(i int) []byte {
	if l.key == nil || l.users.Style&yaml.FlowStyle != 0 {
		return nil
	}
	lines := l.lines()
	start, end := l.extent(lines, i)
	lines = slices.Delete(lines, start, end)
	if len(l.users.Content) == 1 {
		return l.withKeyLine(lines, "users:", "users: []\n")
	}
	return join(lines)
}

// withKeyLine is the text with the line of the word users replaced, if it is as it was.
func (l *list) withKeyLine(lines []string, was, is string) []byte {
	if at := l.key.Line - 1; at < len(lines) && strings.TrimSpace(lines[at]) == was {
		lines[at] = is
		return join(lines)
	}
	return nil
}

// endLine gives a line its end, which the last of a file may lack.
func endLine(lines []string, i int) []string {
	if i >= 0 && !strings.HasSuffix(lines[i], "\n") {
		lines[i] += "\n"
	}
	return lines
}

// withValue is the text with another value in the place of old.
func (l *list) withValue(old, value *yaml.Node) []byte {
	lines := l.lines()
	line, at, token := place(lines, old)
	if token == "" {
		return nil
	}
	lines[line] = lines[line][:at] + write(value) + lines[line][at+len(token):]
	return join(lines)
}

// withPair is the text with one more key of an account, behind its name.
func (l *list) withPair(item, key, value *yaml.Node) []byte {
	lines := l.lines()
	line, at, token := place(lines, valueOf(item, "name"))
	if token == "" {
		return nil
	}
	added := key.Value + ": " + write(value)
	if item.Style&yaml.FlowStyle != 0 {
		end := at + len(token)
		lines[line] = lines[line][:end] + ", " + added + lines[line][end:]
		return join(lines)
	}
	return join(slices.Insert(endLine(lines, line), line+1, strings.Repeat(" ", item.Column-1)+added+"\n"))
}

// lines are those of the text, each with its end.
func (l *list) lines() []string { return slices.Collect(strings.Lines(string(l.text))) }

func join(lines []string) []byte { return []byte(strings.Join(lines, "")) }

// indent is what stands before the dashes of the accounts.
func (l *list) indent() string { return strings.Repeat(" ", l.users.Column-1) }

// extent is the lines of an account, from start to before end: all that are indented more
// than its dash, but for comments and blank lines after the last.
func (l *list) extent(lines []string, i int) (start, end int) {
	start = l.users.Content[i].Line - 1
	end = start + 1
	for n := end; n < len(lines); n++ {
		text := strings.TrimSpace(lines[n])
		if text == "" || text[0] == '#' {
			continue
		}
		if len(lines[n])-len(strings.TrimLeft(lines[n], " ")) < l.users.Column {
			break
		}
		end = n + 1
	}
	return start, end
}

// place finds a value that is written as it is, plainly or in quotes: its line, where in it
// the value begins, and how it is written; "" if it is written in another way.
func place(lines []string, value *yaml.Node) (line, at int, token string) {
	line = value.Line - 1
	if line < 0 || line >= len(lines) {
		return 0, 0, ""
	}
	for range value.Column - 1 { // in characters
		_, size := utf8.DecodeRuneInString(lines[line][at:])
		at += size
	}
	for _, token := range []string{"'" + value.Value + "'", `"` + value.Value + `"`, value.Value} {
		if strings.HasPrefix(lines[line][at:], token) {
			return line, at, token
		}
	}
	return 0, 0, ""
}

// write is a value as it stands in a file. Hashes have no quotes in them.
func write(value *yaml.Node) string {
	if value.Style&yaml.SingleQuotedStyle != 0 {
		return "'" + value.Value + "'"
	}
	return value.Value
}
