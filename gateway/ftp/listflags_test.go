package ftp

import (
	"strings"
	"testing"
)

func TestP15_P16_ListOptions(t *testing.T) {
	for arg, want := range map[string]listArg{
		"":                   {},
		"dir":                {name: "dir"},
		"a b ":               {name: "a b "},
		" dir":               {name: " dir"},
		"-a":                 {},
		"-a ":                {},
		"-la":                {long: true},
		"-la dir":            {long: true, name: "dir"},
		"-aL my dir ":        {name: "my dir "},
		"-a -l -R a b":       {long: true, name: "a b"},
		"-d dir":             {directory: true, name: "dir"},
		"-ld":                {long: true, directory: true},
		"-1 x":               {name: "x"},
		"-BCXyz9 x":          {name: "x"}, // unknown ones mean nothing
		"-laR /":             {long: true, name: "/"},
		"-":                  {name: "-"},
		"- x":                {name: "- x"},
		"-l -":               {long: true, name: "-"},
		"--":                 {},
		"-- -l":              {name: "-l"},
		"-a -- -- x":         {name: "-- x"},
		"--help":             {name: "--help"},
		"-a.txt":             {name: "-a.txt"},
		"-é":                 {name: "-é"},
		"dir -l":             {name: "dir -l"},
		"-l  dir":            {long: true, name: " dir"},
		"./-l":               {name: "./-l"},
		"-l *.jpg":           {long: true, name: "*.jpg"},
		"-Q\x00 x":           {name: "-Q\x00 x"},
		"-a \xff":            {name: "\xff"},
		"-\u2028":            {name: "-\u2028"},
		"-T --time=x -- -- ": {name: "--time=x -- -- "},
	} {
		if got := parseListArg(arg); got != want {
			t.Errorf("parseListArg(%q) = %+v, want %+v", arg, got, want)
		}
	}
}

func FuzzParseListArg(f *testing.F) {
	for _, seed := range []string{"-la dir", "-- -x", "-", "-a -b c d "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		got := parseListArg(arg)
		if !strings.HasSuffix(arg, got.name) {
			t.Fatalf("parseListArg(%q) = %+v", arg, got)
		}
		if plain := parseListArg("-- " + arg); plain.name != arg || plain.long || plain.directory {
			t.Fatalf("behind --: %+v", plain)
		}
		if behind := parseListArg("-l " + arg); behind.name != got.name || !behind.long || behind.directory != got.directory {
			t.Fatalf("behind -l: %+v, want %+v", behind, got)
		}
	})
}
