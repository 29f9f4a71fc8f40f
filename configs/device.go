package configs

import (
	"cmp"
	"maps"
)

// Device is how an account's clients talk, and what becomes of what they send. What is ""
// is left to who is asked next: the user, the template, the profile that one of them names,
// the default.
type Device struct {
	TLS         AccountTLS `yaml:"tls"`             // "" is AllowedTLS
	MinTLS      TLSVersion `yaml:"min_tls_version"` // "" is TLS.MinVersion
	Ciphers     Ciphers    `yaml:"ciphers"`         // "" is AnyCiphers
	Active      Active     `yaml:"active"`          // "" is true
	Charset     string     `yaml:"charset"`         // of the client's file names, as the WHATWG Encoding Standard calls it; "" is UTF-8
	Listing     Listing    `yaml:"listing"`         // "" is UnixListing
	UnknownSite SiteWords  `yaml:"unknown_site"`    // "" is RefuseUnknown

	// For mounts that do not say themselves; see [User.Judgement].
	Incomplete  Incomplete      `yaml:"incomplete"`
	CloseNotify CloseNotify     `yaml:"require_close_notify"`
	ALLO        ALLO            `yaml:"allo"`
	Overwrite   OverwritePolicy `yaml:"overwrite_policy"`
}

// or is d with what it leaves to next.
func (d Device) or(next Device) Device {
	return Device{
		TLS:         cmp.Or(d.TLS, next.TLS),
		MinTLS:      cmp.Or(d.MinTLS, next.MinTLS),
		Ciphers:     cmp.Or(d.Ciphers, next.Ciphers),
		Active:      cmp.Or(d.Active, next.Active),
		Charset:     cmp.Or(d.Charset, next.Charset),
		Listing:     cmp.Or(d.Listing, next.Listing),
		UnknownSite: cmp.Or(d.UnknownSite, next.UnknownSite),
		Incomplete:  cmp.Or(d.Incomplete, next.Incomplete),
		CloseNotify: cmp.Or(d.CloseNotify, next.CloseNotify),
		ALLO:        cmp.Or(d.ALLO, next.ALLO),
		Overwrite:   cmp.Or(d.Overwrite, next.Overwrite),
	}
}

// AccountTLS says whether an account can be used in clear.
type AccountTLS string

// What may be asked of an account's connections.
const (
	RequiredTLS AccountTLS = "required" // no login and no data in clear
	AllowedTLS  AccountTLS = "allowed"  // in clear as well, where TLS.Required lets anybody; the default
)

func (AccountTLS) choices() []string { return []string{string(RequiredTLS), string(AllowedTLS)} }

// Ciphers are the cipher suites that an account can be used with, where there is TLS.
type Ciphers string

// The choices of cipher suites.
const (
	AnyCiphers    Ciphers = "any"    // that the gateway offers; the default
	ModernCiphers Ciphers = "modern" // with forward secrecy and AEAD only (RFC 9325 §4.2)
)

func (Ciphers) choices() []string { return []string{string(AnyCiphers), string(ModernCiphers)} }

// Active says whether data connections may be made to the client, by PORT and EPRT.
type Active string

// Whether they may.
const (
	ActiveAllowed Active = "true" // the default
	PassiveOnly   Active = "false"
)

func (Active) choices() []string { return []string{string(ActiveAllowed), string(PassiveOnly)} }

// Listing is the form of the lines of LIST, and what SYST tells of it.
type Listing string

// The forms.
const (
	UnixListing Listing = "unix" // as of "ls -l"; the default
	DOSListing  Listing = "dos"  // as of "dir" on Windows
)

func (Listing) choices() []string { return []string{string(UnixListing), string(DOSListing)} }

// SiteWords says what is answered to SITE commands that there are not.
type SiteWords string

// What may be answered.
const (
	RefuseUnknown SiteWords = "refuse" // 504; the default
	AcceptUnknown SiteWords = "accept" // 200 and nothing is done, for clients that stop otherwise
)

func (SiteWords) choices() []string { return []string{string(RefuseUnknown), string(AcceptUnknown)} }

// ReadyProfiles are the profiles that need not be written. One of the configuration's own
// takes the place of that of its name.
func ReadyProfiles() map[string]Device {
	return map[string]Device{
		// Cameras and recorders begin anew after a failure, and end TLS without a word.
		"old-camera": {Active: ActiveAllowed, UnknownSite: AcceptUnknown, Incomplete: Discard, CloseNotify: CloseNotifyIgnored, ALLO: IgnoreALLO},
		// Scanners and printers begin their numbers anew when they are switched on.
		"scanner": {Active: ActiveAllowed, Incomplete: Discard, CloseNotify: CloseNotifyIgnored, ALLO: IgnoreALLO, Overwrite: KeepBoth},
		// ftp.exe knows nothing but active mode, sends names in the system's code page, and
		// shows listings as they come, to people and scripts that know those of IIS.
		"windows-ftp": {Active: ActiveAllowed, Charset: "windows-1252", Listing: DOSListing},
		// They send SITE with the forms of their data sets, and stop if it is refused.
		"mainframe": {Active: ActiveAllowed, UnknownSite: AcceptUnknown, Incomplete: Discard, ALLO: IgnoreALLO},
	}
}

// profiles are those that there are.
func (c *Config) profiles() map[string]Device {
	all := ReadyProfiles()
	maps.Copy(all, c.Profiles)
	return all
}
