"""Stands between an owner and a predictor, and keeps what the owner gets and sends, for the test of the byte tables.

    python3 book/tap.py http://127.0.0.1:8481 FOLDER [--listen 127.0.0.1:0]

Writes `parameters`, `parameters.signature` and every envelope of a request as `N.envelope`.
"""

import http.client
import http.server
import pathlib
import re
import sys
import urllib.parse

UPSTREAM = urllib.parse.urlsplit(sys.argv[1])
FOLDER = pathlib.Path(sys.argv[2])
PASSED = {"content-type", "authorization", "inference-header-content-length", "halflight-parameters-signature", "retry-after"}


class Tap(http.server.BaseHTTPRequestHandler):
    """Answers as the predictor does."""

    def do_GET(self):
        self.pass_on()

    def do_POST(self):
        self.pass_on()

    def pass_on(self):
        sent = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() in PASSED}
        connection = http.client.HTTPConnection(UPSTREAM.hostname, UPSTREAM.port)
        connection.request(self.command, self.path, sent, {**headers, "Host": UPSTREAM.netloc})
        answer = connection.getresponse()
        body = answer.read()
        self.keep(sent, body, answer)
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() in PASSED:
                self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def keep(self, sent, body, answer):
        if self.path.endswith("/parameters"):
            (FOLDER / "parameters").write_bytes(body)
            (FOLDER / "parameters.signature").write_text(answer.getheader("halflight-parameters-signature") or "")
        # Elements of the input stand in the body after their length in four bytes.
        for found in re.finditer(rb"HLEV", sent):
            length = int.from_bytes(sent[found.start() - 4 : found.start()], "little")
            if found.start() + length <= len(sent):
                number = len(list(FOLDER.glob("*.envelope")))
                (FOLDER / f"{number}.envelope").write_bytes(sent[found.start() : found.start() + length])

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tap)
print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
server.serve_forever()
