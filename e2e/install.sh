#!/bin/sh
# Installs what the end-to-end tests need and this machine lacks: FTP clients as
# Debian packages, store servers, the Node client, and servers of accounts and
# old FTP servers in cache folders. Says nothing when nothing is missing. Never touches the module's go.mod.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/causeway-e2e
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# quietly runs a command; its output is shown only when it fails.
quietly() {
	"$@" >"$log" 2>&1 </dev/null || { cat "$log" >&2; echo "install: failed: $*" >&2; return 1; }
}

version() { sed -n "s/^$1 //p" "$here/stores/versions.txt"; }

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

apt_install() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
		install --no-install-recommends "$@"
}

# apt_install_fresh refreshes the package lists only when the ones at hand do not do.
apt_install_fresh() {
	apt_install "$@" || {
		as_root apt-get -q -o DPkg::Lock::Timeout=300 update
		apt_install "$@"
	}
}

# command:package
clients="curl:curl lftp:lftp ncftpput:ncftp wget:wget tnftp:tnftp inetutils-ftp:inetutils-ftp
	busybox:busybox openssl:openssl python3:python3"
missing=
for pair in $clients; do
	command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair#*:}"
done
if [ -n "$missing" ]; then
	echo "install: packages:$missing"
	# shellcheck disable=SC2086 # a list of words
	quietly apt_install_fresh $missing
fi

# go_server NAME MODULE builds a store server outside of this module.
go_server() {
	dir=$cache/$1-$(version "$1")
	[ -x "$dir/$1" ] && return
	echo "install: $1 $(version "$1") (takes minutes once)"
	mkdir -p "$dir"
	(cd / && quietly env CGO_ENABLED=0 GOFLAGS= GOBIN="$dir" \
		nice go install -trimpath -ldflags "-s -w" "$2@v$(version "$1")")
}

# npm_package NAME installs a package into its own folder, all or nothing.
npm_package() {
	dir=$cache/$1-$(version "$1")
	[ -d "$dir/node_modules/$1" ] && return
	echo "install: $1 $(version "$1")"
	rm -rf "$dir" "$dir.partial"
	mkdir -p "$dir.partial"
	(cd "$dir.partial" && quietly npm install --no-audit --no-fund --loglevel=error --prefix . "$1@$(version "$1")")
	mv "$dir.partial" "$dir"
}

go_server versitygw github.com/versity/versitygw/cmd/versitygw
go_server fake-gcs-server github.com/fsouza/fake-gcs-server
npm_package azurite
npm_package basic-ftp

# servers of accounts and old FTP servers have their folder. PostgreSQL does not
# run as root, and nobody else may pass root's home.
servers=$cache/servers
[ "$(id -u)" != 0 ] || servers=/var/cache/causeway-e2e/servers

# unpacked FILE tells whether a file, which may be a pattern, is there.
unpacked() {
	for file in "$servers"$1; do
		[ -e "$file" ] && return
	done
	return 1
}

# fetch PACKAGE downloads a package, the one of a version if it only stands for
# that, and what this machine lacks of all that they depend on.
fetch() {
	# shellcheck disable=SC2046 # a word, or none
	apt-get -q -y -o Debug::NoLocking=true -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
		-o Dir::Cache::archives="$servers.partial/archives" \
		install --download-only --reinstall --no-install-recommends "$1" \
		$(apt-cache depends "$1" | sed -n "s/.*Depends: \($1-[0-9]*\)\$/\1/p")
}

# server FILE PACKAGE unpacks a Debian package that has the file, so that no
# service of this machine is started, configured or replaced.
server() {
	unpacked "$1" && return
	echo "install: $2"
	rm -rf "$servers.partial"
	mkdir -p "$servers.partial/archives/partial" "$servers"
	quietly fetch "$2" || { as_root apt-get -q -o DPkg::Lock::Timeout=300 update >/dev/null && quietly fetch "$2"; }
	for archive in "$servers".partial/archives/*.deb; do
		quietly dpkg -x "$archive" "$servers"
	done
	rm -rf "$servers.partial"
	unpacked "$1" || { echo "install: $2 has no $1" >&2; return 1; }
}

umask 022
server /usr/sbin/slapd slapd
server /usr/sbin/mariadbd mariadb-server-core
server '/usr/lib/postgresql/*/bin/postgres' postgresql
server /usr/sbin/vsftpd vsftpd
server '/lib/*/security/pam_pwdfile.so' libpam-pwdfile
server /usr/sbin/proftpd proftpd-core
server /usr/lib/proftpd/mod_tls.so proftpd-mod-crypto
server /usr/sbin/pure-ftpd pure-ftpd
server /usr/bin/pure-pw pure-ftpd-common
