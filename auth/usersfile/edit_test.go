package usersfile

import (
	"errors"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// byHand is a file as people write them.
const byHand = `# Partners. Ask Kim before you change the template.
templates:
  partner:                       # one line each, below
    mounts: [{path: /, store: s3, prefix: "in/{user}/", rights: [write]}]

users:
  # big ones
  - {name: acme, password: '$1$old', template: partner}   # since 2019

  - name: müller & co            # pays late
    password: "$1$old"
    template: partner

    expires: 2027-03-31

  # small ones
  - {name: 'it''s', "password": $1$old, template: partner, disabled: true}

# the end
`

// edits are the subcommands; each sees byHand and is compared by its lines.
var edits = map[string]func([]byte) ([]byte, error){
	"add": func(text []byte) ([]byte, error) {
		return Add(text, Entry{Name: "true", Hash: "$6$new$x", Template: "partner"})
	},
	"add two": func(text []byte) ([]byte, error) {
		return Add(text, Entry{Name: "b", Hash: "$h"}, Entry{Name: "a", Hash: "$h"})
	},
	"add none":               func(text []byte) ([]byte, error) { return Add(text) },
	"passwd of a line":       func(text []byte) ([]byte, error) { return SetPassword(text, "acme", "$6$new") },
	"passwd of a block":      func(text []byte) ([]byte, error) { return SetPassword(text, "müller & co", "$6$new") },
	"passwd of a plain word": func(text []byte) ([]byte, error) { return SetPassword(text, "it's", "$6$new") },
	"rehash a line": func(text []byte) ([]byte, error) {
		return ReplacePassword(text, "acme", "$1$old", "$6$new")
	},
	"disable a line":   func(text []byte) ([]byte, error) { return Disable(text, "acme") },
	"disable a block":  func(text []byte) ([]byte, error) { return Disable(text, "müller & co") },
	"enable":           func(text []byte) ([]byte, error) { return Enable(text, "it's") },
	"remove the first": func(text []byte) ([]byte, error) { return Remove(text, "acme") },
	"remove a block":   func(text []byte) ([]byte, error) { return Remove(text, "müller & co") },
	"remove the last":  func(text []byte) ([]byte, error) { return Remove(text, "it's") },
}

// TestEditsChangeWhatTheyMust: everything else is as it was, to the octet.
func TestEditsChangeWhatTheyMust(t *testing.T) {
	line := "  - {name: acme, password: '$1$old', template: partner}   # since 2019\n"
	block := "  - name: müller & co            # pays late\n    password: \"$1$old\"\n    template: partner\n\n    expires: 2027-03-31\n"
	odd := "  - {name: 'it''s', \"password\": $1$old, template: partner, disabled: true}\n"
	for name, change := range map[string][2]string{
		"add":                    {odd, odd + "  - {name: \"true\", password: '$6$new$x', template: partner}\n"},
		"add two":                {odd, odd + "  - {name: b, password: '$h'}\n  - {name: a, password: '$h'}\n"},
		"add none":               {odd, odd},
		"passwd of a line":       {line, strings.ReplaceAll(line, "$1$old", "$6$new")},
		"rehash a line":          {line, strings.ReplaceAll(line, "$1$old", "$6$new")},
		"passwd of a block":      {block, strings.ReplaceAll(block, `"$1$old"`, "'$6$new'")},
		"passwd of a plain word": {odd, strings.ReplaceAll(odd, "$1$old", "'$6$new'")},
		"disable a line":         {line, strings.ReplaceAll(line, "acme", "acme, disabled: true")},
		"disable a block":        {block, strings.ReplaceAll(block, "pays late\n", "pays late\n    disabled: true\n")},
		"enable":                 {odd, strings.ReplaceAll(odd, "true", "false")},
		"remove the first":       {line, ""},
		"remove a block":         {block, ""},
		"remove the last":        {odd, ""},
	} {
		got, err := edits[name]([]byte(byHand))
		if want := strings.Replace(byHand, change[0], change[1], 1); err != nil || string(got) != want {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
}

// TestEditsOfOtherForms: what is written in a way that is not known is written anew, and
// says the same, with its comments.
func TestEditsOfOtherForms(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no file yet", "", "users:\n  - {name: new, password: '$h'}\n"},
		{"no users", "templates: {}  # none", "templates: {}  # none\nusers:\n  - {name: new, password: '$h'}\n"},
		{"an empty list", "users: []\n# end\n", "users:\n  - {name: new, password: '$h'}\n# end\n"},
		{"a list in brackets", "# all\nusers: [{name: a}] # here\n", "# all\nusers: [{name: a}, {name: new, password: '$h'}] # here\n"},
		{"no indent", "users:\n- name: a", "users:\n- name: a\n- {name: new, password: '$h'}\n"},
		{"an end of the document", "users:\n  - name: a\n...\n", "users:\n  - name: a\n  - {name: new, password: '$h'}\n...\n"},
	} {
		got, err := Add([]byte(c.text), Entry{Name: "new", Hash: "$h"})
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n%s", c.name, err, got)
		}
	}
	got, err := SetPassword([]byte("users:\n  # one\n  - name: a\n    password: >-\n      $1\n"), "a", "$h")
	if err != nil || string(got) != "users:\n  # one\n  - name: a\n    password: '$h'\n" {
		t.Errorf("a folded text: %v\n%s", err, got)
	}
	got, err = Remove([]byte("a: 1\nusers:\n  - name: a\n\nb: 2\n"), "a")
	if err != nil || string(got) != "a: 1\nusers: []\n\nb: 2\n" {
		t.Errorf("the only one removed: %v\n%s", err, got)
	}
}

func TestEditsThatCannotBe(t *testing.T) {
	text := []byte(byHand)
	if _, err := Add(text, Entry{Name: "acme"}); !errors.Is(err, ErrTaken) {
		t.Errorf("a name that is taken: %v", err)
	}
	if _, err := Add(text, Entry{Name: "b"}, Entry{Name: "b"}); !errors.Is(err, ErrTaken) {
		t.Errorf("a name twice: %v", err)
	}
	if _, err := ReplacePassword(text, "acme", "$1$other", "$h"); !errors.Is(err, ErrOtherPassword) {
		t.Errorf("a password that was changed: %v", err)
	}
	if _, err := ReplacePassword(text, "nobody", "$1$old", "$h"); !errors.Is(err, ErrUnknown) {
		t.Errorf("rehash nobody: %v", err)
	}
	for name, edit := range map[string]func([]byte, string) ([]byte, error){"disable": Disable, "enable": Enable, "remove": Remove} {
		if _, err := edit(text, "nobody"); !errors.Is(err, ErrUnknown) {
			t.Errorf("%s nobody: %v", name, err)
		}
	}
	for _, wrong := range []string{"users: {a: b}", "users: text", "- a", "a: ["} {
		if got, err := Add([]byte(wrong), Entry{Name: "a"}); err == nil {
			t.Errorf("%q becomes %q", wrong, got)
		}
	}
}

// FuzzEdit: whatever the file, an edit that says it has worked has done what it had to, and
// nothing else.
func FuzzEdit(f *testing.F) {
	f.Add(byHand, "acme")
	f.Add("users: [{name: a}]", "a")
	f.Add("users:\n- name: |\n    a\n  x: 1\n-\n  name: b", "b")
	f.Fuzz(func(t *testing.T, text, name string) {
		before, err := accountsOf(text)
		if err != nil || name == "" {
			return
		}
		added, err := Add([]byte(text), Entry{Name: name, Hash: "$h"})
		if err != nil {
			return
		}
		if after, err := accountsOf(string(added)); err != nil || len(after) != len(before)+1 || after[len(before)]["name"] != name {
			t.Fatalf("%q: %v\n%s", name, err, added)
		}
		for _, edit := range []func([]byte, string) ([]byte, error){Disable, Enable, Remove} {
			if added, err = edit(added, name); err != nil {
				t.Fatal(err)
			}
		}
		if after, err := accountsOf(string(added)); err != nil || len(after) != len(before) {
			t.Fatalf("%q is left: %v\n%s", name, err, added)
		}
	})
}

func accountsOf(text string) ([]map[string]any, error) {
	var file struct{ Users []map[string]any }
	err := yaml.Unmarshal([]byte(text), &file)
	return file.Users, err
}
