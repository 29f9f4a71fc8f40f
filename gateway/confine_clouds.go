package gateway

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// The SDKs find credentials by themselves where the configuration has none: by variables
// of the environment, below the home of their user, and where Kubernetes mounts tokens.
// What their own files name elsewhere is not followed, but for Google's token files.

// cloudFiles are those that variables name.
func cloudFiles(env func(string) string) []string {
	var files []string
	for _, name := range []string{
		"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
		"AWS_CA_BUNDLE", "GOOGLE_APPLICATION_CREDENTIALS", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_CERTIFICATE_PATH",
	} {
		files = append(files, env(name))
	}
	return files
}

// cloudFolders are those that are looked into without being named.
func cloudFolders(env func(string) string) []string {
	folders := []string{"/var/run/secrets", "/run/secrets", "/var/opt/azcmagent/tokens"}
	if home := env("HOME"); home != "" {
		folders = append(folders, filepath.Join(home, ".aws"), filepath.Join(home, ".config", "gcloud"))
	}
	return folders
}

// cloudCaches are folders where AWS's SDK writes tokens that it has renewed.
func cloudCaches(env func(string) string) []string {
	home := env("HOME")
	if home == "" {
		return nil
	}
	return []string{filepath.Join(home, ".aws", "sso", "cache"), filepath.Join(home, ".aws", "login", "cache")}
}

// subjectToken is the file that holds the token of a workload, of which a credentials file
// of Google's tells (external_account); "" if it does not.
func subjectToken(credentials string) string {
	text, err := os.ReadFile(credentials)
	if err != nil {
		return "" // no such file; the SDK has said so if it needs it
	}
	var account struct {
		Source struct {
			File string `json:"file"`
		} `json:"credential_source"`
	}
	if json.Unmarshal(text, &account) != nil {
		return ""
	}
	return account.Source.File
}
