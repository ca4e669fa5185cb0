"""A reverse proxy on loopback that keeps every request and its answer, for clients that are programs of their own."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_PER_CONNECTION = ("connection", "transfer-encoding", "content-length", "date", "server")


@dataclass(frozen=True)
class Exchange:
    """A request and its answer. Bodies that are JSON are parsed, empty ones None, others text."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Of the request, names in small letters."""
    sent: Any
    status: int
    answered: Any

    def __str__(self) -> str:
        return f"{self.method} {self.path} {dict(self.query) or ''} -> {self.status}"


@dataclass
class Recorder:
    """Where the proxy listens, and what has passed."""

    url: str
    exchanges: list[Exchange] = field(default_factory=list)

    def take(self) -> list[Exchange]:
        """What has passed since this was asked last."""
        taken, self.exchanges[:] = self.exchanges[:], []
        return taken


@contextmanager
def recording(url: str) -> Iterator[Recorder]:
    """Listen while entered, and pass everything on to the server at `url`."""
    target = urlsplit(url).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            onward = HTTPConnection(target, timeout=60)
            onward.request(self.command, self.path, body, headers)
            answer = onward.getresponse()
            content = answer.read()
            onward.close()
            # Before the client has it: who waited for the client then finds it here.
            recorder.exchanges.append(_exchange(self, body, answer.status, content))
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _PER_CONNECTION:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    recorder = Recorder(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _exchange(request: BaseHTTPRequestHandler, body: bytes, status: int, content: bytes) -> Exchange:
    address = urlsplit(request.path)
    return Exchange(
        method=request.command,
        path=address.path,
        query=dict(parse_qsl(address.query, keep_blank_values=True)),
        headers={name.lower(): value for name, value in request.headers.items()},
        sent=_read(body),
        status=status,
        answered=_read(content),
    )


def _read(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
