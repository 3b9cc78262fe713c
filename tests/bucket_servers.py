"""A server of buckets in a process of its own, behind a proxy that injects faults."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

from spiral.results import bucket_server
from tests.patience import until

HOST = "127.0.0.1"
SECRET = "wJalrXUtnFEMI-a-secret-of-this-test"


class Server:
    """LocalBucket, which keeps objects as files; it can be killed and restarted."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as free:
            free.bind((HOST, 0))
            self.port = free.getsockname()[1]
        (folder / "bucket").mkdir(parents=True)
        self.start()

    def start(self):
        """Start the process, and wait until it answers."""
        port = str(self.port)
        with (self.folder.parent / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "localbucket", self.folder, "--port", port],
                stdout=log,
                stderr=log,
            )
        until(self.answers, "the server of the bucket")

    def answers(self):
        with socket.socket() as line:
            return line.connect_ex((HOST, self.port)) == 0

    def kill(self):
        """End the process as the loss of its machine would."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Proxy(ThreadingHTTPServer):
    """Passes requests on, remembers them, and does to some what ``fault`` says."""

    daemon_threads = True

    def __init__(self, server, port=0):
        super().__init__((HOST, port), Handler)
        self.server, self.port = server, self.server_address[1]
        self.asked, self.fault = [], lambda request: None
        self.answered = lambda: None
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """Say nothing of lines that a test or a client has cut."""

    def stop(self):
        self.shutdown()
        self.server_close()

    def counts(self, method, part):
        """Return how often each object whose name contains a part was asked for."""
        with self.lock:
            asked = [one for one in self.asked if one.method == method]
        return Counter(one.path for one in asked if part in one.path)


class Handler(BaseHTTPRequestHandler):
    """Passes one request on."""

    protocol_version = "HTTP/1.1"

    def pass_on(self):
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(length)
        request = SimpleNamespace(method=self.command, path=self.path, data=data)
        with self.server.lock:
            self.server.asked.append(request)
        status = self.server.fault(request)
        if status is not None:
            self.answer(status, {}, b"")
            return
        line = http.client.HTTPConnection(HOST, self.server.server.port)
        try:
            line.request(self.command, self.path, data, dict(self.headers))
            found = line.getresponse()
            self.answer(found.status, dict(found.getheaders()), found.read())
        finally:
            line.close()

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = pass_on  # noqa: N815

    def answer(self, status, headers, body):
        self.send_response(status)
        if self.command != "HEAD":
            headers["Content-Length"] = str(len(body))
        for name in {*headers} - {"Server", "Date", "Connection", "Transfer-Encoding"}:
            self.send_header(name, headers[name])
        self.end_headers()
        self.wfile.write(body)
        if self.command == "PUT":
            self.server.answered()

    def log_message(self, *_):
        """Say nothing."""


def point_at(patch, port):
    """Have this process and its children use the server at a port."""
    patch.setenv("AWS_ENDPOINT_URL", f"http://{HOST}:{port}")
    patch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    patch.setenv("AWS_REGION", "us-east-1")
    bucket_server.connected.cache_clear()
