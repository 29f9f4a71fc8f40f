package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"causeway/gateway/ftp"
)

var began = time.Date(2026, 11, 28, 21, 30, 0, 5e6, time.Local)

func client(user string) ftp.Client {
	return ftp.Client{Session: ftp.SessionID([]byte("ABCDEFGHIJ")), User: user, Remote: netip.MustParseAddr("192.0.2.7"), TLS: true}
}

func mustPath(t testing.TB, name string) ftp.Path {
	t.Helper()
	p, err := ftp.Path{}.Join(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// stored is a STOR that went well.
func stored(t testing.TB, user, name string) ftp.CommandEvent {
	return ftp.CommandEvent{
		Client: client(user), Verb: "STOR", Path: mustPath(t, name), Code: 226, Began: began, Took: 2 * time.Second,
		Transfer: &ftp.TransferEvent{ID: "ABCDEFGHIJ.7", Upload: true, Bytes: 9, CRC32C: 0xe3069283,
			Done: "stored", End: "data ended", Version: `"e1"`, Took: 1700 * time.Millisecond},
	}
}

// events are one of each kind that there is a line for, and some that there is none for.
func events(t *testing.T) []ftp.CommandEvent {
	cut := stored(t, "cam1", "/in/b c.jpg")
	cut.Code = 426
	cut.Transfer = &ftp.TransferEvent{ID: "ABCDEFGHIJ.8", Upload: true, ASCII: true, Bytes: 4, Done: "parked", Kept: 4, Took: time.Millisecond}
	beside := stored(t, "cam1", "/in/a.jpg")
	beside.Transfer.Name = "a-1.jpg"
	sent := stored(t, "anonymous", "/in/ü")
	sent.Verb = "RETR"
	sent.Transfer = &ftp.TransferEvent{ID: "ABCDEFGHIJ.9", Bytes: 1 << 40, Done: "sent", Took: time.Hour}
	change := func(verb, name string, code int) ftp.CommandEvent {
		return ftp.CommandEvent{Client: client("cam1"), Verb: verb, Path: mustPath(t, name), Changes: true, Code: code, Began: began}
	}
	renamed := change("RNTO", "/in/new", 250)
	renamed.From = mustPath(t, "/in/old")
	return []ftp.CommandEvent{
		stored(t, "cam1", "/in/a.jpg"), cut, beside, sent, renamed,
		change("DELE", "/in/x", 250), change("DELE", "/in/y", 550), change("MKD", "/d", 257),
		{Client: client("cam1"), Verb: "RETR", Path: mustPath(t, "/none"), Code: 550, Began: began},
		{Client: client("cam1"), Verb: "LIST", Path: mustPath(t, "/in"), Code: 226, Began: began, Transfer: &ftp.TransferEvent{Done: "sent"}},
		{Client: client("cam1"), Verb: "SIZE", Path: mustPath(t, "/in/a.jpg"), Code: 213, Began: began},
		{Client: client("cam1"), Verb: "STOR", Code: 553, Began: began},
	}
}

// all are the lines of the events.
func all(t *testing.T, e encoder) string {
	var lines []byte
	for _, event := range events(t) {
		if operates(event) {
			lines = append(lines, e.command(event)...)
		}
	}
	return string(lines)
}

func TestXferlog(t *testing.T) {
	// The times are local, and the tests' zone is not known.
	at := began.Add(2 * time.Second).Format(time.ANSIC)
	want := at + " 2 192.0.2.7 9 /in/a.jpg b _ i r cam1 ftp 0 * c\n" +
		at + " 1 192.0.2.7 4 /in/b_c.jpg a _ i r cam1 ftp 0 * i\n" +
		at + " 2 192.0.2.7 9 /in/a-1.jpg b _ i r cam1 ftp 0 * c\n" +
		at + " 3600 192.0.2.7 1099511627776 /in/ü b _ o a anonymous ftp 0 * c\n" +
		began.Format(time.ANSIC) + " 0 192.0.2.7 0 /in/x b _ d r cam1 ftp 0 * c\n"
	if got := all(t, xferLines{}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if line := (xferLines{}).login(ftp.LoginEvent{Client: client("cam1"), Code: 230}, "ok"); line != nil {
		t.Errorf("a login has a line: %s", line)
	}
}

func TestJSON(t *testing.T) {
	at, later := began.UTC().Format(stamp), began.Add(2*time.Second).UTC().Format(stamp)
	head := func(at, user string) string {
		return `{"time":"` + at + `","event":"file","session":"ABCDEFGHIJ","user":"` + user + `","remote":"192.0.2.7","tls":true,`
	}
	const file = `,"transfer":"ABCDEFGHIJ.7","done":"stored","end":"data ended","bytes":9,"crc32c":"e3069283"`
	want := head(later, "cam1") + `"verb":"STOR","path":"/in/a.jpg","code":226,"took":"2s"` + file + `,"version":"\"e1\""}` + "\n" +
		head(later, "cam1") + `"verb":"STOR","path":"/in/b c.jpg","code":426,"took":"2s","transfer":"ABCDEFGHIJ.8","done":"parked","bytes":4,"kept":4,"crc32c":"00000000"}` + "\n" +
		head(later, "cam1") + `"verb":"STOR","path":"/in/a.jpg","code":226,"took":"2s"` + file + `,"name":"a-1.jpg","version":"\"e1\""}` + "\n" +
		head(later, "anonymous") + `"verb":"RETR","path":"/in/ü","code":226,"took":"2s","transfer":"ABCDEFGHIJ.9","done":"sent","bytes":1099511627776,"crc32c":"00000000"}` + "\n" +
		head(at, "cam1") + `"verb":"RNTO","from":"/in/old","path":"/in/new","code":250,"took":"0s"}` + "\n" +
		head(at, "cam1") + `"verb":"DELE","path":"/in/x","code":250,"took":"0s"}` + "\n" +
		head(at, "cam1") + `"verb":"DELE","path":"/in/y","code":550,"took":"0s"}` + "\n" +
		head(at, "cam1") + `"verb":"MKD","path":"/d","code":257,"took":"0s"}` + "\n" +
		head(at, "cam1") + `"verb":"RETR","path":"/none","code":550,"took":"0s"}` + "\n"
	if got := all(t, jsonLines{}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	login := ftp.LoginEvent{Client: client("cam1"), Time: began, Code: 530, Err: errors.New("bucket s3://hidden")}
	want = `{"time":"` + at + `","event":"login","session":"ABCDEFGHIJ","user":"cam1","remote":"192.0.2.7","tls":true,"code":530,"result":"refused"}` + "\n"
	if got := string(jsonLines{}.login(login, "refused")); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// forgeries are names that would begin a line, end a field, or move a cursor.
var forgeries = []string{
	"a\n{\"event\":\"login\",\"user\":\"root\",\"code\":230}", `a","code":230,"x":"`, "a\r\nb", "a\x1b[2J", "a\u202eb", "a\u2028b", "a\u0085b",
	"a\x00b", "a b\tc", "a\x7fb", "\U000e0001", "a\\u000ab", "a\xffb", "", `"`, "<&>",
}

// checkLines finds whether a name has got out of its field.
func checkLines(t *testing.T, user, name string) {
	t.Helper()
	e := ftp.CommandEvent{Client: client(user), Verb: "DELE", Changes: true, Code: 250, Began: began}
	if p, err := (ftp.Path{}).Join(name); err == nil {
		e.Path = p
	}
	e.Transfer = &ftp.TransferEvent{Done: "stored", Version: name, Name: name}
	line := jsonLines{}.command(e)
	var got record
	got.transfer = new(transfer)
	if err := json.Unmarshal(line, &got); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	if bytes.Count(line, []byte("\n")) != 1 || bytes.ContainsFunc(line[:len(line)-1], hidden) {
		t.Errorf("%q", line)
	}
	if got.Code != 250 || got.Path != e.Path.String() || utf8.ValidString(user) && got.User != user || utf8.ValidString(name) && got.Version != name {
		t.Errorf("%q %q has become %+v", user, name, got)
	}
	line = xferLines{}.command(e)
	if fields := strings.Fields(string(line)); len(fields) != 18 || bytes.Count(line, []byte("\n")) != 1 || bytes.ContainsFunc(line[:len(line)-1], hidden) {
		t.Errorf("%d fields: %q", len(fields), line)
	}
	line = jsonLines{}.login(ftp.LoginEvent{Client: client(user), Time: began, Code: 530}, "refused")
	if err := json.Unmarshal(line, new(map[string]any)); err != nil || bytes.Count(line, []byte("\n")) != 1 {
		t.Errorf("%q: %v", line, err)
	}
}

// TestO10_NamesCannotForgeALine in either format, and JSON gives them back as they were.
func TestO10_NamesCannotForgeALine(t *testing.T) {
	for _, name := range forgeries {
		for _, user := range forgeries {
			checkLines(t, user, name)
		}
	}
}

func FuzzLines(f *testing.F) {
	for _, name := range forgeries {
		f.Add(name, name)
	}
	f.Fuzz(checkLines)
}
