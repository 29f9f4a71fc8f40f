package gateway

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"causeway/configs"
	"causeway/gateway/sandbox"
)

// Confine closes the sandbox around this process, for good, and tells the log what is in
// force. What stays open are the files of the configuration, those that the clouds' SDKs
// read by themselves, what the system needs, and the folders below keep. It is called when
// all listeners are bound and all stores are open.
func Confine(cfg *configs.Config, keep []string, log *slog.Logger) {
	files := openFiles(cfg, os.Getenv)
	files.Keep = append(files.Keep, keep...)
	switch state := sandbox.Enforce(files); {
	case state.Err == nil:
		log.Info("sandbox is closed", slog.String("files", state.Files), slog.String("calls", state.Calls))
	case errors.Is(state.Err, errors.ErrUnsupported):
		log.Info("this system has no sandbox")
	default:
		log.Warn("sandbox has gaps", slog.String("files", state.Files), slog.String("calls", state.Calls), slog.Any("err", state.Err))
	}
}

// openFiles are the files that a gateway uses once it runs.
func openFiles(cfg *configs.Config, env func(string) string) sandbox.Files {
	files := sandbox.Files{Read: systemFiles(env), Keep: []string{os.DevNull}}
	for path, use := range cfg.Files() {
		switch use {
		case configs.KeepUse:
			files.Keep = append(files.Keep, path)
		case configs.AppendUse:
			files.Append = append(files.Append, filepath.Dir(path))
		case configs.ReplaceUse:
			files.Keep = append(files.Keep, around(path)...)
		default:
			files.Read = append(files.Read, around(path)...)
		}
	}
	tokens := []string{subjectToken(env("GOOGLE_APPLICATION_CREDENTIALS"))}
	for _, s := range cfg.Stores {
		tokens = append(tokens, subjectToken(s.CredentialsFile))
	}
	files.Read = append(files.Read, around(append(tokens, cloudFiles(env)...)...)...)
	files.Read = append(files.Read, cloudFolders(env)...)
	files.Keep = append(files.Keep, cloudCaches(env)...)
	return files
}

// around are files with the folders that they are in, by their names and where links lead:
// a file that takes the place of one is then open too. The root and /etc hold what is not
// the gateway's, so there it is the file alone.
func around(paths ...string) []string {
	var all []string
	for _, path := range paths {
		if path == "" {
			continue
		}
		if abs, err := filepath.Abs(path); err == nil {
			path = abs
		}
		names := []string{path}
		if real, err := filepath.EvalSymlinks(path); err == nil && real != path {
			names = append(names, real)
		}
		for _, name := range names {
			if dir := filepath.Dir(name); dir == "/etc" || dir == filepath.Dir(dir) {
				all = append(all, name)
			} else {
				all = append(all, dir)
			}
		}
	}
	return all
}

// systemFiles are read by Go's own packages and the metrics: names of hosts, certificates
// of authorities, time zones, and what the process may know of itself.
func systemFiles(env func(string) string) []string {
	certificates := append(filepath.SplitList(env("SSL_CERT_DIR")), around(env("SSL_CERT_FILE"))...)
	return append(append(around(resolvConf), certificates...),
		"/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services", "/etc/protocols",
		"/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/pki/tls", "/etc/pki/ca-trust", "/etc/ca-certificates",
		"/usr/share/ca-certificates", "/usr/local/share/ca-certificates", "/var/lib/ca-certificates",
		"/etc/localtime", "/usr/share/zoneinfo", "/dev/urandom", "/proc/self", "/proc/stat", "/proc/uptime",
		"/proc/sys/kernel/random/boot_id", "/proc/sys/net/core/somaxconn")
}
