package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestMedianAndSpread(t *testing.T) {
	for _, tt := range []struct {
		rounds         []float64
		median, spread float64
	}{
		{nil, 0, 0},
		{[]float64{3}, 3, 0},
		{[]float64{9, 1, 2}, 2, 8},
		{[]float64{4, 1, 2, 9}, 3, 8},
	} {
		r := Row{Rounds: tt.rounds}
		if r.Median() != tt.median || r.Spread() != tt.spread {
			t.Errorf("%v: median %v, spread %v", tt.rounds, r.Median(), r.Spread())
		}
	}
}

func TestVerdicts(t *testing.T) {
	for _, tt := range []struct {
		row            Row
		limit, verdict string
	}{
		{Row{Rounds: []float64{7}}, "", "told"},
		{Row{Rounds: []float64{1, 1, 7}, Target: AtMost(1)}, "<= 1", "pass"},
		{Row{Rounds: []float64{1, 1.01, 7}, Target: AtMost(1), Unit: "ms"}, "<= 1 ms", "MISS"},
		{Row{Rounds: []float64{0.95}, Target: AtLeast(0.95)}, ">= 0.95", "pass"},
		{Row{Rounds: []float64{0.94}, Target: AtLeast(0.95)}, ">= 0.95", "MISS"},
		{Row{Target: AtMost(1)}, "<= 1", "MISS"}, // nothing was measured
	} {
		if tt.row.limit() != tt.limit || tt.row.verdict() != tt.verdict {
			t.Errorf("%+v: %q, %q", tt.row, tt.row.limit(), tt.row.verdict())
		}
	}
}

func TestNumbersHaveThreeDigitsThatCount(t *testing.T) {
	for _, tt := range []struct {
		v    float64
		want string
	}{
		{0, "0"}, {0.012345, "0.0123"}, {1.35, "1.35"}, {99.96, "100"}, {1234567, "1234567"}, {-1234, "-1234"},
	} {
		if got := number(tt.v, ""); got != tt.want {
			t.Errorf("%v is told as %q", tt.v, got)
		}
	}
}

func TestReport(t *testing.T) {
	r := Report{Quick: true, Server: "null", Rows: []Row{
		{Work: "STOR", Figure: "CPU", Unit: "s/GiB", Rounds: []float64{2}, Target: AtMost(1), Note: "noisy"},
	}, Errors: []string{"x: broken"}}
	var b bytes.Buffer
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"no proof", "2 s/GiB", "<= 1 s/GiB", "MISS", "noisy", "could not run: x: broken", "1 missed"} {
		if !strings.Contains(b.String(), text) {
			t.Errorf("does not say %q:\n%s", text, b.String())
		}
	}
	path := filepath.Join(t.TempDir(), "report.json")
	if err := r.JSON(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(text, &back); err != nil || len(back.Rows) != 1 || *back.Rows[0].Target != *r.Rows[0].Target {
		t.Errorf("read back as %+v: %v", back, err)
	}
}

func TestCasesHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range cases() {
		if !regexp.MustCompile(`^[a-zA-Z0-9-]+$`).MatchString(c.Name) || seen[c.Name] || c.Run == nil {
			t.Errorf("case %q: twice there, or unfit for -run, or without work", c.Name)
		}
		seen[c.Name] = true
	}
}

func TestSpeedOf(t *testing.T) {
	const said = "+H:16384\n+F:25:AES-128-GCM:4376576000.00\n"
	if v, err := speedOf(said); err != nil || v != 4376576000 {
		t.Errorf("%v, %v", v, err)
	}
	for _, bad := range []string{"", "+F:25:AES-128-GCM:0.00\n", "+F:25:AES-128-GCM:fast\n"} {
		if v, err := speedOf(bad); err == nil {
			t.Errorf("%q is read as %v", bad, v)
		}
	}
}

// TestConfigurationsAreComplete: what a case adds comes after what every gateway has.
func TestConfigurationsAreComplete(t *testing.T) {
	s := &Store{URL: "http://127.0.0.1:1", Bucket: "b", key: "k", secret: "s"}
	got := GatewayOptions{Limits: ", buffers: 32MiB", Extra: "cache: {ttl: 0s}\n", Rights: "read", Hash: "$5$x"}.yaml(s)
	for _, text := range []string{"buffers: 32MiB}\n", "\ncache: {ttl: 0s}\n", "rights: [read]", `password: "$5$x"`, `endpoint: "http://127.0.0.1:1"`, "bucket: b"} {
		if !strings.Contains(got, text) {
			t.Errorf("lacks %q:\n%s", text, got)
		}
	}
}
