// Package e2e tests the built causeway binary: real FTP clients on one side,
// real store servers on the other. It is not a place for unit tests, and none
// of its code runs in the gateway.
//
// Tests that need clients or servers carry the build tag e2e, so a plain
// `go test ./...` needs neither; `make check` runs everything, and there an
// absent client or server is a failure, never a skip. The central type is
// gateway: one running binary with its configuration.
package e2e
