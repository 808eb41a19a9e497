"""Takes what Alertmanager would send to Slack and PagerDuty, on a free port of loopback, and writes it into a folder, a file a message.

Usage: sink.py FOLDER     the first line that it prints is its address
"""

import http.server
import itertools
import pathlib
import sys


class Sink(http.server.BaseHTTPRequestHandler):
    folder = pathlib.Path()
    numbers = itertools.count(1)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        (self.folder / f"{self.path.strip('/')}-{next(self.numbers)}.json").write_bytes(body)
        # PagerDuty answers 202, Slack 200 and "ok".
        self.send_response(202 if "pagerduty" in self.path else 200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format, *arguments):
        """Quiet: the files say it all."""


def main():
    Sink.folder = pathlib.Path(sys.argv[1])
    server = http.server.HTTPServer(("127.0.0.1", 0), Sink)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
