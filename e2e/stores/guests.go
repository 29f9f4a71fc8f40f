package stores

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// guests is how many accounts the S3 server has beside its owner's. Tests that run at a
// time share them: what each may do is said by the policy of the test's own bucket.
const guests = 8

// S3Guest is an account of the S3 server that may do nothing unless a bucket's policy
// allows it. Its key is its name in policies. n is from 0 to 7.
func S3Guest(n int) (key, secret string) {
	return fmt.Sprintf("guest%d", n), fmt.Sprintf("guest%d-secret", n)
}

// writeGuests makes the folder in which versitygw keeps its accounts.
func writeGuests(dir string) error {
	type account struct {
		Access string `json:"access"`
		Secret string `json:"secret"`
		Role   string `json:"role"`
	}
	accounts := map[string]account{}
	for n := range guests {
		key, secret := S3Guest(n)
		accounts[key] = account{key, secret, "user"}
	}
	text, err := json.Marshal(map[string]any{"accessAccounts": accounts})
	if err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "users.json"), text, 0o600)
}
