package auth

import (
	"crypto/subtle"
	"strings"
)

// descrypt is crypt(3)'s oldest kind: 25 rounds of DES (FIPS 46-3) over a block of zeros,
// with the password's first eight characters, seven bits of each, as key, and with twelve
// bits of salt that swap outputs of the expansion. Go's crypto/des cannot swap them. It is
// written for being read, one bit to an octet; a password takes some hundred microseconds.
type descrypt struct {
	expansion [48]byte // E with the salt's swaps, counted from 0
	want      string   // behind the salt
}

func decodeDES(text string) (digest, error) {
	d := descrypt{expansion: desE, want: text[2:]}
	salt := crypt64Number(text[:2])
	for i := range 12 {
		if salt>>i&1 == 1 {
			d.expansion[i], d.expansion[i+24] = d.expansion[i+24], d.expansion[i]
		}
	}
	return d, nil
}

func (d descrypt) Match(password string) bool {
	var key, block [64]byte
	for i := range min(len(password), 8) {
		for bit := range 7 {
			key[8*i+bit] = password[i] >> (6 - bit) & 1
		}
	}
	subkeys := desSubkeys(key)
	for range 25 {
		block = d.encrypt(block, subkeys)
	}
	return subtle.ConstantTimeCompare([]byte(crypt64Bits(block)), []byte(d.want)) == 1
}

// crypt64Bits writes a block in digits of six bits, the highest bit first.
func crypt64Bits(block [64]byte) string {
	var digits strings.Builder
	for i := 0; i < 64; i += 6 {
		n := 0
		for j := i; j < i+6; j++ {
			n <<= 1
			if j < 64 {
				n |= int(block[j])
			}
		}
		digits.WriteByte(crypt64Digits[n])
	}
	return digits.String()
}

// encrypt is DES of one block.
func (d descrypt) encrypt(block [64]byte, subkeys [16][48]byte) [64]byte {
	var left, right [32]byte
	for i := range 32 {
		left[i], right[i] = block[desIP[i]], block[desIP[i+32]]
	}
	for _, subkey := range subkeys {
		f := d.round(right, subkey)
		for i := range f {
			f[i] ^= left[i]
		}
		left, right = right, f
	}
	for i, from := range desIP { // its inverse; the halves are swapped
		if i < 32 {
			block[from] = right[i]
		} else {
			block[from] = left[i-32]
		}
	}
	return block
}

// round is the function f of the standard.
func (d descrypt) round(right [32]byte, subkey [48]byte) (out [32]byte) {
	var mixed [48]byte
	for i, from := range d.expansion {
		mixed[i] = right[from] ^ subkey[i]
	}
	var boxed [32]byte
	for box := range 8 {
		in := mixed[6*box : 6*box+6]
		row, column := in[0]<<1|in[5], in[1]<<3|in[2]<<2|in[3]<<1|in[4]
		n := desS[box][16*row+column]
		for bit := range 4 {
			boxed[4*box+bit] = n >> (3 - bit) & 1
		}
	}
	for i, from := range desP {
		out[i] = boxed[from]
	}
	return out
}

// desSubkeys are the keys of the sixteen rounds.
func desSubkeys(key [64]byte) (subkeys [16][48]byte) {
	var cd [56]byte
	for i, from := range desPC1 {
		cd[i] = key[from]
	}
	for n := range subkeys {
		for range desShifts[n] {
			c, d := cd[0], cd[28]
			copy(cd[:28], cd[1:28])
			copy(cd[28:], cd[29:])
			cd[27], cd[55] = c, d
		}
		for i, from := range desPC2 {
			subkeys[n][i] = cd[from]
		}
	}
	return subkeys
}
