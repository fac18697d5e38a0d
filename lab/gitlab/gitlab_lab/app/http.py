"""A small threaded HTTP server: one function answers every request of a service."""

import http.client
import json
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler

from gitlab_lab.app.signals import on_term

MAINTENANCE = "GitLab Maintenance: system is in maintenance mode"


class Request:
    """What a service needs to know of one request."""

    def __init__(self, handler):
        self.method = handler.command
        self.target = handler.path
        self.path, _, self.query = handler.path.partition("?")
        self.headers = handler.headers
        self.body = _body(handler)

    def json(self):
        try:
            return json.loads(self.body or b"{}")
        except ValueError:
            return {}


def _body(handler):
    if "chunked" in handler.headers.get("Transfer-Encoding", ""):
        parts = []
        while True:
            size = int(handler.rfile.readline().split(b";")[0] or b"0", 16)
            parts.append(handler.rfile.read(size))
            handler.rfile.readline()
            if not size:
                return b"".join(parts)
    return handler.rfile.read(int(handler.headers.get("Content-Length") or 0))


class Answer:
    def __init__(self, status, body=b"", kind="text/plain", headers=()):
        self.status = status
        self.body = body.encode() if isinstance(body, str) else body
        self.headers = [("Content-Type", kind), *headers]


def as_json(status, value):
    return Answer(status, json.dumps(value, default=str), "application/json")


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    request_queue_size = 128
    daemon_threads = False


def serve(service, address, answer):
    """Serves until TERM, then ends after the requests in flight."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 60
        server_version, sys_version = "GitLab", ""

        def handle_request(self):
            try:
                result = answer(Request(self))
            except Exception as error:  # noqa: BLE001, a request must not end the service
                print(f"{self.command} {self.path}: {type(error).__name__}: {error}", flush=True)
                result = Answer(500, "500 Internal Server Error\n")
            self.send_response(result.status)
            for name, value in result.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(result.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(result.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = handle_request

        def log_message(self, *_):
            """No access log: probes would fill the disk of a long-running lab."""

    server = _Server(address, Handler)

    on_term(service, lambda: threading.Thread(target=server.shutdown, daemon=True).start())
    print(f"listening on {address[0]}:{address[1]}", flush=True)
    server.serve_forever(poll_interval=0.3)
    server.server_close()
    sys.exit(0)


def call(address, method, target, body=None, headers=None, timeout=30):
    """One request to another service; raises OSError when there is none."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    try:
        connection.request(method, target, body=body, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read(), response.headers
    except http.client.HTTPException as error:
        raise OSError(f"{address}: {error!r}") from error
    finally:
        connection.close()


def call_json(address, method, target, value, timeout=30):
    status, body, _ = call(address, method, target, json.dumps(value).encode(), {"Content-Type": "application/json"}, timeout)
    return status, json.loads(body or b"{}")


