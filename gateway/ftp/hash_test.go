package ftp

import (
	"encoding/hex"
	"errors"
	"testing"
)

func TestNewHash(t *testing.T) {
	// The sums of "123456789", the check value of CRC catalogues.
	for _, tt := range []struct{ name, canonical, sum string }{
		{"SHA-256", "SHA-256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"},
		{"sha-1", "SHA-1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"},
		{"Md5", "MD5", "25f9e794323b453885f5181f1b624d0b"},
		{"crc32", "CRC32", "cbf43926"},
		{"sha-512", "SHA-512", "d9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274ad27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85"},
	} {
		h, canonical, err := newHash(tt.name)
		if err != nil {
			t.Fatalf("newHash(%q): %v", tt.name, err)
		}
		if _, err := h.Write([]byte("123456789")); err != nil {
			t.Fatal(err)
		}
		if sum := hex.EncodeToString(h.Sum(nil)); canonical != tt.canonical || sum != tt.sum {
			t.Errorf("newHash(%q): %s %s", tt.name, canonical, sum)
		}
	}
	for _, name := range []string{"", "SHA256", "SHA-3", "MD5 ", "CRC32C", "*"} {
		if _, _, err := newHash(name); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("newHash(%q): %v, want errors.ErrUnsupported", name, err)
		}
	}
}

func TestEveryListedHashExists(t *testing.T) {
	for _, name := range hashNames() {
		if _, canonical, err := newHash(name); err != nil || canonical != name {
			t.Errorf("newHash(%q): %q, %v", name, canonical, err)
		}
	}
}

func TestHashFeat(t *testing.T) {
	for selected, want := range map[string]string{
		defaultHash: "SHA-256*;SHA-512;SHA-1;MD5;CRC32",
		"MD5":       "SHA-256;SHA-512;SHA-1;MD5*;CRC32",
	} {
		if got := hashFeat(selected); got != want {
			t.Errorf("hashFeat(%q) = %q", selected, got)
		}
	}
}
