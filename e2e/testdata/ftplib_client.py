"""One operation with Python's ftplib; the site comes from the environment."""
import ftplib
import os
import ssl
import sys


class ImplicitTLS(ftplib.FTP_TLS):
    """FTP_TLS that wraps the control connection before the greeting."""

    def connect(self, host, port, timeout):
        import socket
        self.host, self.port, self.timeout = host, port, timeout
        sock = socket.create_connection((host, port), timeout)
        self.af = sock.family
        self.sock = self.context.wrap_socket(sock, server_hostname=host)
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        return self.welcome


def connect():
    env = os.environ
    if env["FTP_TLS"] == "plain":
        ftp = ftplib.FTP(encoding="utf-8")
    else:
        context = ssl.create_default_context(cafile=env["FTP_CA"])
        kind = ImplicitTLS if env["FTP_TLS"] == "implicit" else ftplib.FTP_TLS
        ftp = kind(context=context, encoding="utf-8")
    ftp.connect(env["FTP_HOST"], int(env["FTP_PORT"]), 50)
    ftp.set_pasv(env["FTP_ACTIVE"] != "true")
    if env["FTP_TLS"] == "implicit":
        # login() of FTP_TLS would send AUTH.
        ftplib.FTP.login(ftp, env["FTP_USER"], env["FTP_PASSWORD"])
    else:
        ftp.login(env["FTP_USER"], env["FTP_PASSWORD"])
    if env["FTP_TLS"] != "plain":
        ftp.prot_p()
    return ftp


def upload(ftp, local, remote):
    with open(local, "rb") as file:
        ftp.storbinary("STOR " + remote, file)


def download(ftp, remote, local):
    with open(local, "wb") as file:
        ftp.retrbinary("RETR " + remote, file.write)


def listing(ftp, directory):
    names = [name for name, facts in ftp.mlsd(directory) if facts["type"] not in ("cdir", "pdir")]
    plain = [name.rsplit("/", 1)[-1] for name in ftp.nlst(directory)]
    if sorted(names) != sorted(plain):
        raise SystemExit(f"MLSD says {names}, NLST {plain}")
    for name in names:
        print(name)


def main(operation, *args):
    ftp = connect()
    {
        "upload": upload,
        "download": download,
        "list": listing,
        "rename": ftplib.FTP.rename,
        "remove": ftplib.FTP.delete,
        "mkdir": ftplib.FTP.mkd,
        "rmdir": ftplib.FTP.rmd,
    }[operation](ftp, *args)
    ftp.quit()


main(*sys.argv[1:])
