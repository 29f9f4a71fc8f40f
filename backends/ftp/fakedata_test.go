package ftp

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"
)

// listenData answers EPSV.
func (s *session) listenData() string {
	if s.data != nil {
		s.data.Close()
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "425 no port"
	}
	s.data = ln
	return fmt.Sprintf("229 at (|||%d|)", ln.Addr().(*net.TCPAddr).Port)
}

// accept takes the data connection, says 150, and runs the transfer.
func (s *session) transfer(run func(net.Conn) error) string {
	if s.data == nil {
		return "425 EPSV first"
	}
	c, err := s.data.Accept()
	s.data.Close()
	s.data = nil
	if err != nil {
		return "425 nobody came"
	}
	defer c.Close()
	if _, err := fmt.Fprint(s.c, "150 here\r\n"); err != nil {
		return "drop"
	}
	if err := run(c); err != nil {
		return "426 broken off"
	}
	if err := c.Close(); err != nil {
		return "426 broken off"
	}
	return "226 done"
}

func (s *session) retr(name string) string {
	file, err := os.Open(name)
	if err != nil {
		return "550 no"
	}
	defer file.Close()
	offset := s.rest
	s.rest = 0
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return "550 no"
	}
	s.mu.Lock()
	cut := s.cut
	s.cut = 0
	s.mu.Unlock()
	if cut > 0 {
		s.transfer(func(c net.Conn) error {
			_, err := io.CopyN(c, file, cut)
			return err
		})
		return "drop"
	}
	return s.transfer(func(c net.Conn) error {
		_, err := io.Copy(c, file)
		return err
	})
}

func (s *session) stor(name string) string {
	file, err := os.Create(name)
	if err != nil {
		return "553 no"
	}
	defer file.Close()
	return s.transfer(func(c net.Conn) error {
		_, err := io.Copy(file, c)
		return err
	})
}

func (s *session) list(verb string) string {
	dir := s.file("")
	if verb == "MLSD" && s.noMLST {
		return "500 what?"
	}
	if s.entry != nil {
		return s.transfer(s.synthetic)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "550 no"
	}
	return s.transfer(func(c net.Conn) error {
		w := bufio.NewWriter(c)
		for i := range entries {
			e := entries[len(entries)-1-i] // no order to count on
			info, err := os.Lstat(filepath.Join(dir, e.Name()))
			if err != nil {
				continue // gone meanwhile
			}
			if verb == "MLSD" {
				fmt.Fprintf(w, "%s %s\r\n", facts1(info), e.Name())
			} else {
				fmt.Fprintf(w, "%s\r\n", s.unixLine(info))
			}
		}
		return w.Flush()
	})
}

// synthetic lists what no directory has.
func (s *session) synthetic(c net.Conn) error {
	w := bufio.NewWriterSize(c, 64<<10)
	for i := 0; ; i++ {
		line := s.entry(i)
		if line == "" {
			return w.Flush()
		}
		if _, err := fmt.Fprintf(w, "%s\r\n", line); err != nil {
			return err
		}
	}
}

// unixLine is that of ls, with the server's time.
func (s *session) unixLine(info os.FileInfo) string {
	at := info.ModTime().UTC().Add(s.zone)
	when := at.Format("Jan _2 15:04")
	if time.Since(at) > 180*24*time.Hour {
		when = at.Format("Jan _2  2006")
	}
	mode, name := "-rw-r--r--", info.Name()
	switch {
	case info.IsDir():
		mode = "drwxr-xr-x"
	case info.Mode()&os.ModeSymlink != 0:
		mode, name = "lrwxrwxrwx", name+" -> somewhere"
	}
	return fmt.Sprintf("%s 1 u g %d %s %s", mode, info.Size(), when, name)
}
