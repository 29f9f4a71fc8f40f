package ftp

import "bytes"

// Telnet codes (RFC 854). The codes from telnetWill to telnetDont have an option after them.
const (
	telnetSE   = 240
	telnetDM   = 242
	telnetIP   = 244
	telnetSB   = 250
	telnetWill = 251
	telnetWont = 252
	telnetDo   = 253
	telnetDont = 254
	telnetIAC  = 255
)

// maxTelnetAnswers bounds the answers to options in a session. Clients that negotiate
// try a few options once.
const maxTelnetAnswers = 64

// decoderRoom is the room in octets that decoding one octet takes.
const decoderRoom = 2

// telnetDecoder takes Telnet codes out of a stream, wherever reads cut it.
type telnetDecoder struct {
	state   telnetState
	code    byte // what the option to come is about
	answers int
}

type telnetState uint8

const (
	telnetData    telnetState = iota
	telnetCode                // after IAC
	telnetOption              // after WILL, WONT, DO or DONT
	telnetSub                 // in a subnegotiation
	telnetSubCode             // after IAC in a subnegotiation
)

// decode decodes the n octets at b[1:] to the beginning of b and returns how many they
// are: up to n, and one more for an IAC that the call before kept back. answer is called
// with the refusal of each option that the peer wants or offers.
func (d *telnetDecoder) decode(b []byte, n int, answer func([]byte)) int {
	if d.state == telnetData && bytes.IndexByte(b[1:1+n], telnetIAC) < 0 {
		return copy(b, b[1:1+n])
	}
	out := 0
	for _, c := range b[1 : 1+n] {
		out += d.octet(b[out:], c, answer)
	}
	return out
}

// octet decodes one octet and tells how many it put into dst, which may be 0, 1 or 2.
func (d *telnetDecoder) octet(dst []byte, c byte, answer func([]byte)) int {
	switch d.state {
	case telnetData:
		if c != telnetIAC {
			dst[0] = c
			return 1
		}
		d.state = telnetCode
	case telnetCode:
		return d.afterIAC(dst, c)
	case telnetOption:
		d.state = telnetData
		d.refuse(c, answer)
	case telnetSub, telnetSubCode:
		return d.within(dst, c)
	}
	return 0
}

// afterIAC decodes the octet after an IAC. One that is no Telnet code makes the IAC an
// octet of data: clients with names in an 8-bit charset forget to double it.
func (d *telnetDecoder) afterIAC(dst []byte, c byte) int {
	d.state = telnetData
	switch {
	case c == telnetIAC:
		dst[0] = telnetIAC
		return 1
	case c == telnetSB:
		d.state = telnetSub
	case telnetWill <= c && c <= telnetDont:
		d.state, d.code = telnetOption, c
	case c < telnetSE:
		dst[0], dst[1] = telnetIAC, c
		return 2
	}
	return 0
}

// within skips a subnegotiation. No client may start one, since all options are refused;
// so the end of the line ends it too, lest it swallow the commands that follow.
func (d *telnetDecoder) within(dst []byte, c byte) int {
	switch {
	case c == '\n':
		d.state = telnetData
		dst[0] = c
		return 1
	case d.state == telnetSub && c == telnetIAC:
		d.state = telnetSubCode
	case d.state == telnetSubCode && c == telnetSE:
		d.state = telnetData
	default:
		d.state = telnetSub
	}
	return 0
}

// refuse answers WILL with DONT and DO with WONT. WONT and DONT need no answer.
func (d *telnetDecoder) refuse(option byte, answer func([]byte)) {
	refusal := byte(telnetWont)
	switch d.code {
	case telnetWill:
		refusal = telnetDont
	case telnetDo:
	default:
		return
	}
	if d.answers < maxTelnetAnswers {
		d.answers++
		answer([]byte{telnetIAC, refusal, option})
	}
}
