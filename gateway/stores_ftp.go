package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"time"
	_ "time/tzdata" // for time_zone, where the system has none, as in small containers

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"

	"causeway/backends"
	"causeway/backends/ftp"
	"causeway/backends/ftp/ftpclient"
	"causeway/configs"
)

// errUnknownCharset is a charset that no table knows, or that FTP's commands cannot be in.
var errUnknownCharset = errors.New("is no charset whose first 128 characters are those of ASCII")

func ftpServer() provider {
	return provider{
		open: openFTP,
		grant: map[permission]string{
			put:     "the right to upload, to rename, and to make directories there to the user at the server",
			list:    "the right to change to the directories and to list them to the user at the server",
			get:     "the right to download the files to the user at the server",
			discard: "the right to delete files and directories to the user at the server",
		},
		tree:    true,
		sparing: true,
		remedy: func(c configs.Store) (key, right string) {
			if _, err := charsetOfServer(c.Charset); err != nil {
				return "charset", "write one of the WHATWG Encoding Standard, such as iso-8859-1, or remove it for UTF-8"
			}
			return "ca", "name a PEM file that exists and can be read"
		},
	}
}

// openFTP makes the store; the server is not asked yet.
func openFTP(_ context.Context, c configs.Store, shared common) (backends.Backend, error) {
	server, err := ftpClient(c)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	connections := c.Connections
	if connections == 0 {
		connections = configs.DefaultConnections
	}
	return ftp.New(ftp.Config{
		Server: server, Root: u.Path, Connections: connections, Dir: shared.spool,
		AutoZone: c.TimeZone == "" || c.TimeZone == configs.AutoZone,
		LeftOut: func(dir string, lines ftp.LeftOut) {
			if shared.leftOut != nil && !shared.leftOut(dir, lines) || shared.leftOut == nil && lines.Links > 0 {
				return // it was told before, or is as the documents say
			}
			shared.log.Warn("the old server lists what cannot be shown", slog.String("server", server.Address), slog.String("path", dir),
				slog.Int("undecodable", lines.Undecodable), slog.Int("unsafe", lines.Unsafe), slog.Int("unparsed", lines.Unparsed),
				slog.Int("too_long", lines.TooLong), slog.Int("links", lines.Links), slog.Int("closed", lines.Closed), slog.String("example", lines.Example))
		},
	})
}

// ftpClient is how to reach the server of a store of kind ftp, and as whom to log in there.
func ftpClient(c configs.Store) (ftpclient.Config, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return ftpclient.Config{}, err
	}
	server := ftpclient.Config{Address: net.JoinHostPort(u.Hostname(), portOf(u)), User: c.User, Password: c.Password.Reveal()}
	if u.Scheme == "ftps" {
		if server.TLS = ftpclient.Explicit; u.Port() == "990" {
			server.TLS = ftpclient.Implicit
		}
		if server.TLSConfig, err = trustOf(c); err != nil {
			return ftpclient.Config{}, err
		}
	}
	if c.TimeZone != "" && c.TimeZone != configs.AutoZone {
		if server.Zone, err = time.LoadLocation(c.TimeZone); err != nil {
			return ftpclient.Config{}, err
		}
	}
	server.Charset, err = charsetOfServer(c.Charset)
	return server, err
}

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return "21"
}

// trustOf says which certificate of the server is believed.
func trustOf(c configs.Store) (*tls.Config, error) {
	pin, err := c.PinnedCertificate()
	if err != nil {
		return nil, err
	}
	trust := ftpclient.Trust{SHA256: pin}
	if c.CA != "" {
		authorities, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, err
		}
		trust.Roots = x509.NewCertPool()
		trust.Roots.AppendCertsFromPEM(authorities)
	}
	return trust.TLSConfig(), nil
}

// charsetOfServer is nil for UTF-8.
func charsetOfServer(name string) (encoding.Encoding, error) {
	if name == "" {
		return nil, nil
	}
	e, err := htmlindex.Get(name)
	if err != nil || !extendsASCII(e) {
		return nil, fmt.Errorf("charset %q %w", name, errUnknownCharset)
	}
	if known, err := htmlindex.Name(e); err == nil && known == "utf-8" {
		return nil, nil
	}
	return e, nil
}
