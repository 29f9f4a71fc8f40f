package auth

// Identity is who an account is to a store that knows it apart from the gateway, by one of
// these. This package passes it on.
type Identity struct {
	AccessKey, SecretKey string
	Role                 Role   // in place of the keys, unless its ARN is "": the gateway takes it on for the account
	CredentialsFile      string // "" for none
	SASToken             string // "" for none
}

// Role is a role of a token service, with the words of the configuration.
type Role struct {
	ARN, Endpoint, ExternalID string
	Session                   string // name in the service's records
}
