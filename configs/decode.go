package configs

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decoder copies a YAML tree into a Config or UsersFile, strictly, and remembers the line of
// every field. Their types are the schema.
type decoder struct {
	*report
	host    host
	secrets []string // the fields of secrets that stand in the file
}

// decode copies the tree into what the pointer into points to.
func (d *decoder) decode(root *yaml.Node, into any) {
	d.value(root, "", reflect.ValueOf(into).Elem())
}

// value decodes one node into v, which is settable.
func (d *decoder) value(n *yaml.Node, field string, v reflect.Value) {
	d.lines[field] = n.Line
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.wrong(field, "anchors and aliases are not supported", "write the value out")
	case n.ShortTag() == "!!null":
		d.wrong(field, "has no value", "give it one or remove the key")
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, field, v.Elem())
	case v.Kind() == reflect.Struct && !isScalar(v):
		d.structure(n, field, v)
	case v.Kind() == reflect.Map:
		d.mapping(n, field, v)
	case v.Kind() == reflect.Slice:
		d.sequence(n, field, v)
	default:
		d.scalar(n, field, v)
	}
}

// structure decodes a mapping whose keys are the fields of v.
func (d *decoder) structure(n *yaml.Node, field string, v reflect.Value) {
	known, fields := keysOf(v.Type())
	d.pairs(n, field, func(key, value *yaml.Node, child string) {
		i := slices.Index(known, key.Value)
		if i < 0 || key.Value == "" {
			d.wrongAt(key.Line, child, "unknown key", rightKey(key.Value, known))
			return
		}
		d.value(value, child, v.FieldByIndex(fields[i].Index))
	})
}

// mapping decodes a mapping with keys of the user's choice.
func (d *decoder) mapping(n *yaml.Node, field string, v reflect.Value) {
	v.Set(reflect.MakeMap(v.Type()))
	d.pairs(n, field, func(key, value *yaml.Node, child string) {
		if !isName(key.Value) {
			d.wrongAt(key.Line, child, fmt.Sprintf("%q is not a name", key.Value),
				"use lower-case letters, digits, - and _")
			return
		}
		element := reflect.New(v.Type().Elem()).Elem()
		d.value(value, child, element)
		v.SetMapIndex(reflect.ValueOf(key.Value), element)
	})
}

// pairs calls each for the keys of a mapping, once for each key.
func (d *decoder) pairs(n *yaml.Node, field string, each func(key, value *yaml.Node, child string)) {
	if n.Kind != yaml.MappingNode {
		d.wrong(field, "is "+describe(n), "write a map of keys and values")
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		child := join(field, key.Value)
		if first, ok := seen[key.Value]; ok {
			d.wrongAt(key.Line, child, "is set twice", fmt.Sprintf("remove it or the one in line %d", first))
			continue
		}
		seen[key.Value] = key.Line
		each(key, value, child)
	}
}

func (d *decoder) sequence(n *yaml.Node, field string, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.wrong(field, "is "+describe(n), "write a list: [ … ], or one item per line after a dash")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		d.value(item, fmt.Sprintf("%s[%d]", field, i), v.Index(i))
	}
}

func (d *decoder) scalar(n *yaml.Node, field string, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		d.wrong(field, "is "+describe(n), "write a single value")
		return
	}
	isText := v.Kind() == reflect.String && !v.Type().Implements(reflect.TypeFor[choice]())
	if isText && n.ShortTag() != "!!str" {
		d.wrong(field, "is "+describe(n)+", not text", "write it in quotes")
		return
	}
	text, ok := d.expand(n.Value, field)
	if !ok {
		return
	}
	if v.Type() == reflect.TypeFor[Secret]() && spelledOut(n.Value) {
		d.secrets = append(d.secrets, field)
	}
	if wrong, right := setScalar(text, v); wrong != "" {
		d.wrong(field, wrong, right)
	}
}

// expand replaces ${NAME} by the environment's value; $${ stands for ${ itself. A host
// without an environment has no variables, and the text is as it stands. A variable
// that is empty is refused: an empty key would mean the machine's own identity, an empty
// prefix the whole bucket, and so on, and none of them was asked for.
func (d *decoder) expand(text, field string) (string, bool) {
	if d.host.env == nil {
		return text, true
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		if !found {
			b.WriteString(text)
			return b.String(), true
		}
		if literal, ok := strings.CutSuffix(before, "$"); ok {
			b.WriteString(literal + "${")
			text = rest
			continue
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || !isVariable(name) {
			d.wrong(field, "${ without the name of an environment variable and }", "write ${NAME}, or $${ for ${ itself")
			return "", false
		}
		value, set := d.host.env(name)
		switch {
		case !set:
			d.wrong(field, "environment variable "+name+" is not set", "set it, or write the value here")
			return "", false
		case value == "":
			d.wrong(field, "environment variable "+name+" is empty", "set it, or remove the key")
			return "", false
		}
		b.WriteString(before + value)
		text = after
	}
}

// inline is the key of a struct whose fields are written among those around it.
const inline = ",inline"

// keysOf returns the YAML keys of a struct's fields, "" for unexported ones, and the fields.
func keysOf(t reflect.Type) (keys []string, fields []reflect.StructField) {
	for _, f := range reflect.VisibleFields(t) {
		if key := f.Tag.Get("yaml"); key != inline {
			keys, fields = append(keys, key), append(fields, f)
		}
	}
	return keys, fields
}

// rightKey says which keys there are, or which one was meant.
func rightKey(key string, known []string) string {
	known = slices.DeleteFunc(slices.Clone(known), func(k string) bool { return k == "" })
	if best := nearest(key, known); best != "" {
		return fmt.Sprintf("did you mean %s?", best)
	}
	return "known here: " + strings.Join(known, ", ")
}

func join(field, key string) string {
	if field == "" {
		return key
	}
	return field + "." + key
}

// isName tells whether s can name a store.
func isName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// isVariable tells whether s can name an environment variable (POSIX.1-2024, XBD 3.216).
func isVariable(s string) bool {
	for i, r := range s {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// describe says what a node is, without its value.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	}
	switch tag := n.ShortTag(); tag {
	case "!!str":
		return "text"
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	default:
		return "of type " + strconv.Quote(tag)
	}
}
