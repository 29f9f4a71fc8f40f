package s3

import "bytes"

// scanner reads XML of the plainest form: elements, text, and attributes that mean nothing.
// Of anything else (a comment, a namespace's prefix, CDATA, text between elements) it says
// that it is bad, and reads no further.
type scanner struct {
	rest  []byte
	open  [][]byte // names of the elements around rest, the innermost last
	empty bool     // the innermost has ended within its own tag
	bad   bool
}

// element enters the next element within the innermost and returns its name. It returns nil
// when there is none, and has left the innermost then.
func (x *scanner) element() []byte {
	if x.empty {
		x.leave()
		return nil
	}
	x.rest = bytes.TrimLeft(x.rest, " \n\t")
	if x.bad || len(x.rest) < 2 || x.rest[0] != '<' {
		x.bad = true
		return nil
	}
	if x.rest[1] == '/' {
		x.end()
		return nil
	}
	i := 1
	for i < len(x.rest) && (isLetter(x.rest[i]) || i > 1 && isDigit(x.rest[i])) {
		i++
	}
	name := x.rest[1:i]
	attributes, rest, found := bytes.Cut(x.rest[i:], []byte(">"))
	attributes, x.empty = bytes.CutSuffix(attributes, []byte("/"))
	if !found || len(name) == 0 || !harmless(attributes) {
		x.bad = true
		return nil
	}
	x.rest = rest
	x.open = append(x.open, name)
	return name
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

// harmless tells whether what follows a name in its tag is nothing, or the name of the
// namespace.
func harmless(attributes []byte) bool {
	if len(attributes) == 0 {
		return true
	}
	value, found := bytes.CutPrefix(attributes, []byte(` xmlns="`))
	value, closed := bytes.CutSuffix(value, []byte(`"`))
	return found && closed && !bytes.ContainsAny(value, "\"<&")
}

// text leaves the innermost element and returns its text, escapes and all.
func (x *scanner) text() []byte {
	if x.empty {
		x.leave()
		return nil
	}
	i := 0
	for i < len(x.rest) && x.rest[i] != '<' {
		if x.rest[i] < ' ' {
			x.bad = true // what XML forbids, or changes
		}
		i++
	}
	text := x.rest[:i]
	x.rest = x.rest[i:]
	x.end()
	return text
}

// end reads the innermost element's end.
func (x *scanner) end() {
	if x.bad || len(x.open) == 0 {
		x.bad = true
		return
	}
	name := x.open[len(x.open)-1]
	n := len("</") + len(name)
	if len(x.rest) <= n || string(x.rest[:2]) != "</" || string(x.rest[2:n]) != string(name) || x.rest[n] != '>' {
		x.bad = true
		return
	}
	x.rest = x.rest[n+1:]
	x.leave()
}

func (x *scanner) leave() { x.open, x.empty = x.open[:len(x.open)-1], false }

// skip leaves the innermost element, whatever it holds.
func (x *scanner) skip() {
	for depth := len(x.open) - 1; !x.bad && len(x.open) > depth; {
		if !x.empty && !bytes.HasPrefix(bytes.TrimLeft(x.rest, " \n\t"), []byte("<")) {
			x.text()
			continue
		}
		x.element()
	}
}
