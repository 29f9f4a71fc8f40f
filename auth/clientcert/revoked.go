package clientcert

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// commonName is the type of an attribute (X.520 §6.2.2).
var commonName = asn1.ObjectIdentifier{2, 5, 4, 3}

// lists reads a file of revocation lists again when it has changed.
type lists struct {
	path string

	mu   sync.Mutex
	seen fs.FileInfo
	read revocations
}

// current are the lists of the file as it is now.
func (l *lists) current() (revocations, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	info, err := os.Stat(l.path)
	if err != nil {
		return nil, err
	}
	if l.seen != nil && os.SameFile(info, l.seen) && info.ModTime().Equal(l.seen.ModTime()) && info.Size() == l.seen.Size() {
		return l.read, nil
	}
	text, err := os.ReadFile(l.path)
	if err != nil {
		return nil, err
	}
	read, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("revocation lists %s: %w", l.path, err)
	}
	l.read, l.seen = read, info
	return read, nil
}

// revocations are lists of several authorities.
type revocations []*x509.RevocationList

var errNoList = errors.New("there is none in the file")

// parse reads lists in PEM, or one in DER.
func parse(text []byte) (revocations, error) {
	var all revocations
	if !bytes.Contains(text, []byte("-----BEGIN")) {
		list, err := x509.ParseRevocationList(text)
		return revocations{list}, err
	}
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "X509 CRL" {
			continue
		}
		list, err := x509.ParseRevocationList(block.Bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, list)
	}
	// What is left may be a list that was cut off.
	if len(all) == 0 || len(bytes.TrimSpace(text)) > 0 {
		return nil, errNoList
	}
	return all, nil
}

var (
	errUnlisted = errors.New("no revocation list of the certificate's authority")
	errStale    = errors.New("the revocation list of the certificate's authority should have been replaced")
)

// judge accepts a certificate if by one way to an authority nothing was revoked. An error
// that is no refusal means that it cannot be told.
func (r revocations) judge(chains [][]*x509.Certificate) error {
	var err error
	for _, chain := range chains {
		if err = r.judgeChain(chain); err == nil {
			return nil
		}
	}
	return err
}

// judgeChain looks at all but the authority at the end of a chain. Those between may be of
// an authority without a list; the first may not.
func (r revocations) judgeChain(chain []*x509.Certificate) error {
	for i, c := range chain[:len(chain)-1] {
		listed := false
		for _, list := range r {
			if list.CheckSignatureFrom(chain[i+1]) != nil {
				continue
			}
			listed = true
			if !list.NextUpdate.IsZero() && time.Now().After(list.NextUpdate) {
				return errStale
			}
			for _, entry := range list.RevokedCertificateEntries {
				if entry.SerialNumber.Cmp(c.SerialNumber) == 0 {
					return refused("it was revoked")
				}
			}
		}
		if i == 0 && !listed {
			return errUnlisted
		}
	}
	return nil
}
