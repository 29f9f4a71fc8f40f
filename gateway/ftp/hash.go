package ftp

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"hash"
	"hash/crc32"
	"strings"
)

// defaultHash is the algorithm of HASH until OPTS HASH chooses another.
const defaultHash = "SHA-256"

// hashNames are the algorithms of HASH by their registered names, strongest advice first,
// in the order in which FEAT shows them (draft-bryan-ftp-hash §3.1).
func hashNames() [5]string {
	return [...]string{defaultHash, "SHA-512", "SHA-1", "MD5", "CRC32"}
}

// newHash starts the algorithm of that name, in any case of letters, and tells its
// registered name; errors.ErrUnsupported if there is none such. MD5, SHA-1 and CRC32 are
// for finding damage: they prove nothing about who made a file.
func newHash(name string) (h hash.Hash, canonical string, err error) {
	canonical = strings.ToUpper(name)
	switch canonical {
	case "SHA-256":
		return sha256.New(), canonical, nil
	case "SHA-512":
		return sha512.New(), canonical, nil
	case "SHA-1":
		return sha1.New(), canonical, nil
	case "MD5":
		return md5.New(), canonical, nil
	case "CRC32":
		return crc32.NewIEEE(), canonical, nil
	}
	return nil, "", errors.ErrUnsupported
}

// hashFeat lists the algorithms as the FEAT line of HASH does, a star on the selected one.
func hashFeat(selected string) string {
	names := hashNames()
	for i, name := range names {
		if name == selected {
			names[i] += "*"
		}
	}
	return strings.Join(names[:], ";")
}
