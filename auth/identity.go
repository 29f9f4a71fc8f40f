package auth

// Identity is who an account is to a store that knows it apart from the gateway: keys, or
// a role that the gateway takes on for it. This package passes it on.
type Identity struct {
	AccessKey, SecretKey string
	Role                 Role // in place of the keys, unless its ARN is ""
}

// Role is a role of a token service, with the words of the configuration.
type Role struct {
	ARN, Endpoint, ExternalID string
	Session                   string // name in the service's records
}
