package plan

import (
	"os"
	"testing"
	"testing/fstest"
)

// files are the sizes that a fuzzed configuration and what it may include have at most.
const files = 1 << 12

// seed adds the files of testdata.
func seed(f *testing.F, names ...string) {
	f.Helper()
	for _, name := range names {
		text, err := os.ReadFile("testdata/etc/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
}

// plans makes a configuration of a text, which must be a right one whatever the text says.
func plans(t *testing.T, server string, text []byte) {
	t.Helper()
	if len(text) > files {
		return
	}
	fsys := fstest.MapFS{
		"etc/ftp.conf":       {Data: text},
		"etc/more/other":     {Data: text},
		"etc/users/joe":      {Data: text},
		"etc/pam.d/ftp":      {Data: []byte("auth required pam_userdb.so db=/etc/logins")},
		"etc/dir/conf/Bind":  {Data: text},
		"etc/dir/conf/Quota": {Data: text},
	}
	for _, from := range []string{"etc/ftp.conf", "etc/dir"} {
		if from == "etc/dir" && server != PureFTPd {
			continue
		}
		p, err := Read(fsys, server, from)
		if err != nil {
			continue // includes without end
		}
		loads(t, p.YAML(Options{}))
		loads(t, p.YAML(Options{Root: "/srv/ftp"}))
	}
}

func FuzzVsftpd(f *testing.F) {
	seed(f, "vsftpd.conf", "vsftpd_readonly.conf")
	f.Add([]byte("local_enable=YES\nlocal_root=/srv/{home}/$USER\nuser_sub_token=$USER\nuser_config_dir=/etc/users\nguest_enable=YES\npam_service_name=ftp"))
	f.Fuzz(func(t *testing.T, text []byte) { plans(t, Vsftpd, text) })
}

func FuzzProFTPD(f *testing.F) {
	seed(f, "proftpd/proftpd.conf", "proftpd/tls.conf")
	f.Add([]byte("Include /etc/more/*\nInclude /etc/ftp.conf\n<Anonymous /x>\n<Limit ALL>\nDenyAll\n</Limit>\n"))
	f.Fuzz(func(t *testing.T, text []byte) { plans(t, ProFTPD, text) })
}

func FuzzPureFTPd(f *testing.F) {
	seed(f, "pure-ftpd/pure-ftpd.conf", "pure-ftpd/cmdline")
	f.Add([]byte("pure-ftpd -ABd -c 5 --quota=1:1 -S ::1,21"))
	f.Fuzz(func(t *testing.T, text []byte) { plans(t, PureFTPd, text) })
}
