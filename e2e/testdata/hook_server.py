"""A service of accounts as an operator may write it, for e2e/hook_test.go.

python3 hook_server.py PORT PASSWORD LOG: every question is a line of JSON in LOG, with
its Authorization, and without its password.
"""
import http.server
import json
import sys
import threading

PORT, PASSWORD, LOG = int(sys.argv[1]), sys.argv[2], sys.argv[3]

ACCOUNTS = {
    "acme": {"user": "acme", "template": "grouped", "values": {"group": "emea"}},
    "globex": {"user": "globex", "template": "staff", "values": {"home": "/srv/globex"}},
    "plain": {"user": "plain"},
    "until": {"user": "until", "expires": "2999-12-31", "networks": ["127.0.0.0/8"]},
    "closed": {"user": "closed", "disabled": True},
    "past": {"user": "past", "expires": "2020-12-31"},
    "elsewhere": {"user": "elsewhere", "networks": ["192.0.2.0/24"]},
    "groupless": {"user": "groupless", "template": "grouped"},
    "up": {"user": "up", "template": "grouped", "values": {"group": ".."}},
    "untold": {"user": "untold", "template": "nowhere"},
    "other": {"user": "acme"},
    "further": {"user": "further", "admin": False},
}
lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):  # asked by the test alone, until the service is up
        self.answer(204)

    def do_POST(self):
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        right = question.pop("password") == PASSWORD
        with lock, open(LOG, "a", encoding="utf-8") as log:
            log.write(json.dumps({**question, "authorization": self.headers["Authorization"]}) + "\n")
        user = question["user"]
        if user == "hangs":
            threading.Event().wait()
        elif user == "broken":
            self.answer(500)
        elif user == "moved":
            self.answer(307, Location="/elsewhere")
        elif user == "babble":
            self.answer(200, b"welcome!")
        elif user not in ACCOUNTS:
            self.answer(404)
        elif not right:
            self.answer(403)
        else:
            self.answer(200, json.dumps(ACCOUNTS[user]).encode())

    def answer(self, code, body=b"", **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        if code != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


Server(("127.0.0.1", PORT), Handler).serve_forever()
