package gcs

import "hash/crc32"

// Checksums of parts make that of the whole: CRC-32C is linear over GF(2), so the
// checksum of a before n octets is that of a multiplied by x^(8n) modulo the polynomial
// (Mark Adler's crc32_combine). Polynomials are bit-reversed as in hash/crc32: the
// highest bit is the term x^0.

// one is the polynomial 1, and byX8 is x^8.
const (
	one  = uint32(1) << 31
	byX8 = one >> 8
)

// combine is the CRC-32C of a followed by b, of which b has n octets.
func combine(a, b uint32, n int64) uint32 {
	return multiply(power(n), a) ^ b
}

// multiply is the product of two polynomials modulo the CRC's.
func multiply(a, b uint32) uint32 {
	var product uint32
	for bit := one; bit != 0; bit >>= 1 {
		if a&bit != 0 {
			product ^= b
		}
		if b&1 != 0 { // times x
			b = b>>1 ^ crc32.Castagnoli
		} else {
			b >>= 1
		}
	}
	return product
}

// power is x^(8n), by squaring.
func power(n int64) uint32 {
	result, square := one, byX8
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			result = multiply(result, square)
		}
		square = multiply(square, square)
	}
	return result
}
