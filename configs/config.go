// Package configs is the typed configuration of the gateway: the form of the YAML file,
// its defaults, and everything that can be found wrong with it before anything is opened.
// It opens no store, listens nowhere, and knows no protocol; it reads the configuration
// file, looks at the certificate and credential files that it names, and follows links to
// the directories.
//
// Its central type is [Config]. The directory also holds commented examples, one for each
// store and for each common use, and a systemd unit.
package configs

import (
	"net/netip"
	"time"
)

// Config is a whole configuration. [Load] returns only valid ones, with every file path
// absolute or relative to the working directory; one that is built in code starts from
// [Default].
type Config struct {
	Listeners []Listener          `yaml:"listeners"`
	Passive   Passive             `yaml:"passive"`
	TLS       TLS                 `yaml:"tls"`
	Stores    map[string]Store    `yaml:"stores"`
	Templates map[string]Template `yaml:"templates"` // for Users, users files and other providers of accounts
	Profiles  map[string]Device   `yaml:"profiles"`  // beside ReadyProfiles
	Users     []User              `yaml:"users"`
	Accounts  []AccountSource     `yaml:"accounts"`
	Anonymous Anonymous           `yaml:"anonymous"`
	Hashes    PasswordHashes      `yaml:"password_hashes"`
	Cache     Cache               `yaml:"cache"`
	Uploads   Uploads             `yaml:"uploads"`
	Limits    Limits              `yaml:"limits"`
	Guard     Guard               `yaml:"guard"`
	Spool     Spool               `yaml:"spool"`
	Log       Log                 `yaml:"log"`
	Audit     Audit               `yaml:"audit"`
	Admin     Admin               `yaml:"admin"`
	Sandbox   Sandbox             `yaml:"sandbox"`

	source source
}

// Listener is one address for control connections.
type Listener struct {
	Address string      `yaml:"address"` // host:port
	TLS     ListenerTLS `yaml:"tls"`     // "" offers explicit TLS where Config.TLS is on
}

// Passive says where data connections of PASV and EPSV come in.
type Passive struct {
	Ports    PortRange      `yaml:"ports"`
	Address  netip.Addr     `yaml:"address"`   // announced by PASV; the zero Addr announces the address that the client reached
	ByClient []ByClientRule `yaml:"by_client"` // the longest network that contains the client decides, before Address
}

// ByClientRule announces another address to the clients of one network.
type ByClientRule struct {
	Network netip.Prefix `yaml:"network"`
	Address netip.Addr   `yaml:"address"` // IPv4
}

// TLS is off when neither SelfSigned nor Certificate is set.
type TLS struct {
	Certificate  string       `yaml:"certificate"` // PEM file, the server's own certificate first
	Key          string       `yaml:"key"`         // PEM file
	SelfSigned   bool         `yaml:"self_signed"` // a new ECDSA certificate at every start
	MinVersion   TLSVersion   `yaml:"min_version"`
	Required     bool         `yaml:"required"` // no login and no data in clear
	SessionReuse SessionReuse `yaml:"session_reuse"`
}

// Enabled tells whether there is a certificate to offer.
func (t TLS) Enabled() bool { return t.SelfSigned || t.Certificate != "" }

// Store is one bucket, container or directory. Which fields it may have depends on Kind.
type Store struct {
	Kind            Kind   `yaml:"kind"`
	Path            string `yaml:"path"` // localdir
	Bucket          string `yaml:"bucket"`
	Region          string `yaml:"region"`
	Endpoint        string `yaml:"endpoint"` // "" is the service itself
	PathStyle       bool   `yaml:"path_style"`
	AccessKey       Secret `yaml:"access_key"`
	SecretKey       Secret `yaml:"secret_key"`
	CredentialsFile string `yaml:"credentials_file"`
	Account         string `yaml:"account"`
	Container       string `yaml:"container"`
	AccountKey      Secret `yaml:"account_key"`

	// An FTP server; see check_ftp.go.
	URL               string `yaml:"url"` // ftp:// in clear, ftps:// by AUTH TLS or, on port 990, from the first octet
	User              string `yaml:"user"`
	Password          Secret `yaml:"password"`
	Connections       int    `yaml:"connections"`        // most at a time; 0 is DefaultConnections
	TimeZone          string `yaml:"time_zone"`          // of the times in its listings, as the IANA calls it; "" or AutoZone finds it out
	Charset           string `yaml:"charset"`            // of its file names, as the WHATWG Encoding Standard calls it; "" is UTF-8
	CA                string `yaml:"ca"`                 // PEM file of who may sign its certificate; "" is the system's
	CertificateSHA256 string `yaml:"certificate_sha256"` // in hexadecimal; the one certificate that is trusted
}

// User is one account.
type User struct {
	Name     string  `yaml:"name"`
	Password Secret  `yaml:"password"` // a hash: argon2, bcrypt, scrypt, PBKDF2, of the crypt(3) family, or an LDAP scheme's
	Mounts   []Mount `yaml:"mounts"`
	Template string  `yaml:"template"` // which has been applied; "" is none
	Home     string  `yaml:"home"`     // what [HomeMark] stands for in the template; "" is nothing
	Profile  string  `yaml:"profile"`  // a key of Config.Profiles or ReadyProfiles, which has been applied; "" is none
	Device   `yaml:",inline"`

	Disabled bool           `yaml:"disabled"`
	Expires  Date           `yaml:"expires"`  // the last day of the account; the zero Date is never
	Networks []netip.Prefix `yaml:"networks"` // of clients that may log in; none is all

	Credentials map[string]Credentials `yaml:"credentials"` // by the store, a key of Config.Stores; without, its own are used

	Limits AccountLimits `yaml:"limits"`
}

// Mount shows the keys that begin with Prefix as the directory Path.
type Mount struct {
	Path   string  `yaml:"path"`   // absolute, "/" is the root
	Store  string  `yaml:"store"`  // a key of Config.Stores
	Prefix string  `yaml:"prefix"` // "" or ending in "/"
	Rights []Right `yaml:"rights"`

	// Names below Path, as in [path.Match], in either case of letters. One with a slash is for
	// the path seen from the mount, and one without for each name in it.
	Hide []string `yaml:"hide"` // they do not show, and are not there for any command
	Deny []string `yaml:"deny"` // nothing is written there, or gets such a name

	// "" is as the user says.
	Incomplete  Incomplete  `yaml:"incomplete"`
	CloseNotify CloseNotify `yaml:"require_close_notify"`
	ALLO        ALLO        `yaml:"allo"`

	Overwrite  OverwritePolicy   `yaml:"overwrite_policy"`     // "" is as the user says, and then Replace
	Concurrent ConcurrentUploads `yaml:"concurrent_uploads"`   // "" is LastWins
	RenameMax  int               `yaml:"rename_directory_max"` // objects in a directory that may be renamed; 0 is DefaultRenameMax

	Quota     Quota     `yaml:"quota"`
	Retention Retention `yaml:"retention"`

	Behind       Behind `yaml:"behind"`
	MirrorWrites bool   `yaml:"mirror_writes"` // what is written, renamed and deleted here is so behind, too
}

// DefaultRenameMax is how many objects a directory may hold that is renamed one by one.
const DefaultRenameMax = 10_000

// Anonymous lets "anonymous" and "ftp" in with any password, where it has mounts.
type Anonymous struct {
	Mounts []AnonymousMount `yaml:"mounts"`
	Limits AccountLimits    `yaml:"limits"` // of all who come so together
}

// Enabled tells whether anonymous logins are accepted.
func (a Anonymous) Enabled() bool { return len(a.Mounts) > 0 }

// AnonymousMount is a [Mount] that can be listed and read, and nothing else.
type AnonymousMount struct {
	Path   string   `yaml:"path"`
	Store  string   `yaml:"store"`
	Prefix string   `yaml:"prefix"`
	Hide   []string `yaml:"hide"`
	Behind Behind   `yaml:"behind"`
}

// Cache bounds what is remembered of the stores' objects.
type Cache struct {
	TTL     time.Duration `yaml:"ttl"` // 0 turns the cache off
	Entries int           `yaml:"entries"`
	Bytes   Size          `yaml:"bytes"`
}

// Spool is a folder for parts of uploads that do not fit the buffers. It is off when Dir
// is "".
type Spool struct {
	Dir   string `yaml:"dir"`
	Bytes Size   `yaml:"bytes"`
}

// Log says how the log is written.
type Log struct {
	Format LogFormat `yaml:"format"`
	Level  LogLevel  `yaml:"level"`
}

// Default is a configuration with every default and nothing else: it has no listener, no
// store and no user yet.
func Default() *Config {
	return &Config{
		TLS:     TLS{MinVersion: "1.2", SessionReuse: ReuseOffered},
		Cache:   Cache{TTL: 5 * time.Second, Entries: 100_000, Bytes: 64 * MiB},
		Uploads: Uploads{Grace: AutoGrace, ResumeWindow: 24 * time.Hour},
		Limits: Limits{
			Sessions:           10_000,
			SessionsPerAddress: 100,
			IdleTimeout:        5 * time.Minute,
			LoginTimeout:       30 * time.Second,
			TransferTimeout:    time.Minute,
			DrainTimeout:       30 * time.Second,
			Buffers:            256 * MiB,
			HashPerHour:        256 * GiB,
		},
		Guard: Guard{AddressGuessesPerMinute: 10, AccountGuessesPerHour: 60, BanAfter: 100, BanTime: time.Hour},
		Log:   Log{Format: "json", Level: "info"},
		Audit: Audit{Format: "json"},

		Sandbox: SandboxOn,
	}
}
