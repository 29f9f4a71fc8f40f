package configs

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// bare is a host with a variable that is no password hash and an empty one, the files of
// testdata, and links to a directory wherever one is looked for.
var bare = host{
	env: func(name string) (string, bool) {
		if name == "EMPTY" {
			return "", true
		}
		return "canary of the environment", name == "CANARY_HASH"
	},
	readFile: os.ReadFile,
	evalLinks: func(path string) (string, error) {
		if filepath.Base(path) == "link" {
			return filepath.Join(filepath.Dir(path), "data"), nil
		}
		return "", os.ErrNotExist
	},
}

// TestS52_Problems compares all that is said of wrong configurations with golden files.
func TestS52_Problems(t *testing.T) {
	files, err := filepath.Glob("testdata/problems/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no test files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			cfg, err := parse(file, data, bare)
			if err == nil {
				t.Fatalf("accepted: %+v", cfg)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".txt", err.Error()+"\n")
			if strings.Contains(strings.ToLower(err.Error()), "canary ") || strings.Contains(err.Error(), "canary@") {
				t.Errorf("a secret shows: %v", err)
			}
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n got:\n%s\nwant:\n%s", path, got, want)
	}
}

const whole = `
listeners:
  - {address: "127.0.0.1:2121"}
  - {address: "127.0.0.1:2990", tls: implicit}
passive: {ports: "50000-50999", address: "", by_client: [{network: 10.0.0.0/8, address: 10.1.2.3}]}
tls: {self_signed: true, min_version: "1.0", required: true, session_reuse: required}
stores:
  disk:  {kind: localdir, path: ./data}
  s3:    {kind: s3, bucket: bucket, region: us-east-1, endpoint: "http://127.0.0.1:9000", path_style: true, access_key: "${KEY}", secret_key: "a-${SECRET}-$${z}"}
  gcs:   {kind: gcs, bucket: bucket, endpoint: ""}
  azure: {kind: azblob, account: a, container: bucket, account_key: "${BASE64}", endpoint: ""}
  old:   {kind: ftp, url: "ftps://old.example:2121/data", user: u, password: "${SECRET}", connections: 3, time_zone: UTC, charset: latin1, certificate_sha256: "AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB"}
users:
  - name: cam1
    password: "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGFzaGFzaGFzaA"
    charset: gbk
    tls: required
    min_tls_version: "1.3"
    ciphers: modern
    active: false
    listing: dos
    unknown_site: accept
    overwrite_policy: refuse
    disabled: true
    expires: 2027-12-31
    networks: [192.0.2.0/24]
    incomplete: discard
    require_close_notify: true
    allo: enforce
    mounts:
      - {path: /, store: s3, prefix: cams/cam1/, rights: [list, read, write, overwrite, delete, rename, mkdir], rename_directory_max: 50, behind: {store: disk, path: /, until: 2027-03-31, copy: on_read}, mirror_writes: true}
      - path: /in
        store: disk
        rights: [write]
        hide: [".*", in/*/raw]
        deny: ["*.exe"]
        incomplete: park
        require_close_notify: false
        allo: ignore
        overwrite_policy: keep_both
        concurrent_uploads: refuse
  - {name: cam2, password: "$1$ryoZ13uQ$s/pg/v0yvADnExHRg8akZ1", template: camera, limits: {transfers: 1}}
templates:
  camera: {profile: own, charset: latin1, limits: {transfers: 2, upload_rate: 1MiB, download_rate: 2MiB, file_size: 5GiB, commands_per_second: 20}, mounts: [{path: /, store: disk, prefix: "cams/{user}/", rights: [write]}]}
profiles: {own: {charset: gbk, listing: dos, min_tls_version: "1.1"}}
accounts: [{file: users.yaml}, {file: /etc/other.yaml}]
anonymous:
  mounts: [{path: /public, store: s3, prefix: public/, hide: ["*.part"], behind: {store: disk, path: /pub}}]
  limits: {sessions: 100}
cache:  {ttl: 0s, entries: 100000, bytes: 64MiB}
uploads: {grace: 300ms, resume_window: 36h}
limits: {sessions: 10, sessions_per_address: 5, transfers: 50, upload_rate: 100MiB, download_rate: 200MiB, idle_timeout: 6m, login_timeout: 31s, transfer_timeout: 61s, drain_timeout: 0s, buffers: 1GiB, hash_per_hour: 1MiB, per_account: {sessions: 3}}
guard: {address_guesses_per_minute: 11, account_guesses_per_hour: 61, ban_after: 101, ban_time: 2h, exempt: [10.0.0.0/8, "2001:db8::/32"]}
spool:  {dir: "", bytes: 0}
log:    {format: text, level: debug}
audit:  {file: audit.log, format: xferlog}
admin:  {address: ":9121", public: true}
sandbox: off
`

func TestLoadWhole(t *testing.T) {
	env := map[string]string{"KEY": "k: [1]", "SECRET": "s", "BASE64": "a2V5"}
	cfg, err := parse("/etc/causeway/causeway.yaml", []byte(whole), host{evalLinks: bare.evalLinks, env: func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}})
	if err != nil {
		t.Fatal(err)
	}
	cfg.source = source{}
	want := &Config{
		Listeners: []Listener{{Address: "127.0.0.1:2121"}, {Address: "127.0.0.1:2990", TLS: ImplicitTLS}},
		Passive: Passive{
			Ports:    PortRange{50000, 50999},
			ByClient: []ByClientRule{{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParseAddr("10.1.2.3")}},
		},
		TLS: TLS{SelfSigned: true, MinVersion: "1.0", Required: true, SessionReuse: ReuseRequired},
		Stores: map[string]Store{
			"disk":  {Kind: LocalDir, Path: "/etc/causeway/data"},
			"s3":    {Kind: S3, Bucket: "bucket", Region: "us-east-1", Endpoint: "http://127.0.0.1:9000", PathStyle: true, AccessKey: "k: [1]", SecretKey: "a-s-${z}"},
			"gcs":   {Kind: GCS, Bucket: "bucket"},
			"azure": {Kind: AzureBlob, Account: "a", Container: "bucket", AccountKey: "a2V5"},
			"old": {
				Kind: FTP, URL: "ftps://old.example:2121/data", User: "u", Password: "s", Connections: 3, TimeZone: "UTC", Charset: "latin1",
				CertificateSHA256: strings.Repeat("AB:", 31) + "AB",
			},
		},
		Users: []User{{
			Name: "cam1", Password: "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGFzaGFzaGFzaA",
			Disabled: true, Expires: Date{2027, time.December, 31}, Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
			Device: Device{
				Charset: "gbk", Incomplete: Discard, CloseNotify: CloseNotifyRequired, ALLO: EnforceALLO,
				TLS: RequiredTLS, MinTLS: "1.3", Ciphers: ModernCiphers, Active: PassiveOnly, Listing: DOSListing, UnknownSite: AcceptUnknown, Overwrite: Refuse,
			},
			Limits: AccountLimits{Sessions: 3},
			Mounts: []Mount{
				{Path: "/", Store: "s3", Prefix: "cams/cam1/", Rights: []Right{List, Read, Write, Overwrite, Delete, Rename, Mkdir}, RenameMax: 50,
					Behind: Behind{Store: "disk", Path: "/", Until: Date{2027, time.March, 31}, Copy: BehindOnRead}, MirrorWrites: true},
				{
					Path: "/in", Store: "disk", Rights: []Right{Write}, Hide: []string{".*", "in/*/raw"}, Deny: []string{"*.exe"}, Incomplete: Park, CloseNotify: CloseNotifyIgnored, ALLO: IgnoreALLO,
					Overwrite: KeepBoth, Concurrent: RefuseSecond,
				},
			},
		}, {
			Name: "cam2", Password: "$1$ryoZ13uQ$s/pg/v0yvADnExHRg8akZ1", Template: "camera", Profile: "own", Device: Device{Charset: "latin1", Listing: DOSListing, MinTLS: "1.1"},
			Mounts: []Mount{{Path: "/", Store: "disk", Prefix: "cams/cam2/", Rights: []Right{Write}}},
			Limits: AccountLimits{3, 1, MiB, 2 * MiB, 5 * GiB, 20},
		}},
		Templates: map[string]Template{"camera": {
			Profile: "own", Device: Device{Charset: "latin1"},
			Mounts: []Mount{{Path: "/", Store: "disk", Prefix: "cams/{user}/", Rights: []Right{Write}}},
			Limits: AccountLimits{0, 2, MiB, 2 * MiB, 5 * GiB, 20},
		}},
		Profiles:  map[string]Device{"own": {Charset: "gbk", Listing: DOSListing, MinTLS: "1.1"}},
		Accounts:  []AccountSource{{File: "/etc/causeway/users.yaml"}, {File: "/etc/other.yaml"}},
		Anonymous: Anonymous{[]AnonymousMount{{"/public", "s3", "public/", []string{"*.part"}, Behind{Store: "disk", Path: "/pub"}}}, AccountLimits{Sessions: 100}},
		Cache:     Cache{TTL: 0, Entries: 100000, Bytes: 64 * MiB},
		Uploads:   Uploads{Grace(300 * time.Millisecond), 36 * time.Hour},
		Limits:    Limits{10, 5, 50, 100 * MiB, 200 * MiB, 6 * time.Minute, 31 * time.Second, 61 * time.Second, 0, GiB, MiB, AccountLimits{Sessions: 3}},
		Guard:     Guard{11, 61, 101, 2 * time.Hour, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}},
		Log:       Log{"text", "debug"},
		Audit:     Audit{"/etc/causeway/audit.log", XferlogFormat},
		Admin:     Admin{":9121", true},
		Sandbox:   SandboxOff,
	}
	if !reflect.DeepEqual(cfg, want) {
		t.Errorf("got  %#v\nwant %#v", cfg, want)
	}
}

const least = `
listeners: [{address: ":0"}]
stores: {disk: {kind: localdir, path: data}}
anonymous: {mounts: [{path: /, store: disk}]}
`

func TestLoadDefaults(t *testing.T) {
	cfg, err := parse("x.yaml", []byte(least), bare)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	if cfg.Cache != want.Cache || cfg.Uploads != want.Uploads || cfg.Limits != want.Limits || cfg.TLS != want.TLS || cfg.Log != want.Log ||
		cfg.Audit != want.Audit || cfg.Admin != want.Admin {
		t.Errorf("defaults are gone: %+v", cfg)
	}
}

func TestProblemOfALoadedConfig(t *testing.T) {
	cfg, err := parse("x.yaml", []byte(least), bare)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ field, want string }{
		{"stores.disk.path", "x.yaml:3: stores.disk.path: wrong; right"},
		{"anonymous.mounts[0].prefix", "x.yaml:4: anonymous.mounts[0].prefix: wrong; right"},
		{"users[3].charset", "x.yaml:2: users[3].charset: wrong; right"},
	} {
		if got := cfg.Problem(c.field, "wrong", "right").Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	if got := Default().Problem("stores", "wrong", "right").Error(); got != "stores: wrong; right" {
		t.Errorf("a configuration without a file: %q", got)
	}
}

func TestProblemsUnwrap(t *testing.T) {
	_, err := parse("x.yaml", nil, bare)
	var p *Problem
	if !errors.As(err, &p) || p.File != "x.yaml" || p.Line != 1 {
		t.Errorf("got %#v", p)
	}
}

func TestLoadWithoutFile(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestParseSize(t *testing.T) {
	for _, c := range []struct {
		text string
		want Size
	}{{"0", 0}, {"1", 1}, {"7B", 7}, {"64MiB", 64 * MiB}, {"2 GiB", 2 * GiB}, {"3KiB", 3 * KiB}, {"1TiB", TiB}} {
		if got, err := ParseSize(c.text); err != nil || got != c.want {
			t.Errorf("%q: %d, %v", c.text, got, err)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "+1", "1.5GiB", "1MB", "0x10", "9223372036854775808", "8388608TiB"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}

func TestParsePortRange(t *testing.T) {
	for _, text := range []string{"1", "2-1", "0-5", "1-65536", "a-b", "1-2-3", "-", "1 - 2"} {
		if got, err := parsePortRange(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
	if got, err := parsePortRange("1-65535"); err != nil || got != (PortRange{1, 65535}) {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestEveryFieldIsDecoded fails when a field is added whose type has no parser.
func TestEveryFieldIsDecoded(t *testing.T) {
	var visit func(v reflect.Value, field string)
	visit = func(v reflect.Value, field string) {
		switch {
		case v.Kind() == reflect.Pointer:
			visit(reflect.New(v.Type().Elem()).Elem(), field)
		case v.Kind() == reflect.Struct && !isScalar(v):
			keys, fields := keysOf(v.Type())
			for i, key := range keys {
				if key != "" {
					visit(v.FieldByIndex(fields[i].Index), join(field, key))
				} else if fields[i].IsExported() {
					t.Errorf("%s.%s has no key", field, fields[i].Name)
				}
			}
		case v.Kind() == reflect.Map, v.Kind() == reflect.Slice:
			visit(reflect.New(v.Type().Elem()).Elem(), field+"[]")
		default:
			defer func() {
				if r := recover(); r != nil {
					t.Errorf("%s: %v", field, r)
				}
			}()
			setScalar("x", v)
		}
	}
	visit(reflect.ValueOf(Default()).Elem(), "")
	visit(reflect.ValueOf(new(UsersFile)).Elem(), "")
}

func FuzzLoad(f *testing.F) {
	files, _ := filepath.Glob("testdata/problems/*.yaml")
	examples, _ := filepath.Glob("examples/*.yaml")
	for _, file := range slices.Concat(files, examples) {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(whole))
	f.Add([]byte(least))
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := parse("fuzz.yaml", data, host{env: bare.env, evalLinks: bare.evalLinks, readFile: func(string) ([]byte, error) { return nil, os.ErrNotExist }})
		if (cfg == nil) == (err == nil) {
			t.Fatalf("%v and %v", cfg, err)
		}
		var ps Problems
		if err != nil && (!errors.As(err, &ps) || len(ps) == 0) {
			t.Fatalf("not Problems: %v", err)
		}
		for _, p := range ps {
			if p.Wrong == "" || p.Line < 0 {
				t.Fatalf("problem without a place or a text: %#v", p)
			}
		}
		if cfg != nil {
			_ = fmt.Sprint(cfg)
		}
	})
}
