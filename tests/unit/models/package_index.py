"""A package index on 127.0.0.1 that serves wheels made by the tests, and can misbehave as real ones do."""

import hashlib
import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

from visavis.models.manifest import Manifest, Model, ModelFile, Part

VERSION = "1.0"


def make_wheel(package: str, members: dict[str, bytes]) -> tuple[str, bytes]:
    """Name and content of a wheel that pip accepts."""
    module = package.replace("-", "_")
    info = f"{module}-{VERSION}.dist-info"
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as wheel:
        for path, content in members.items():
            wheel.writestr(path, content)
        wheel.writestr(f"{info}/METADATA", metadata(package))
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return f"{module}-{VERSION}-py3-none-any.whl", archive.getvalue()


def metadata(package: str) -> str:
    return f"Metadata-Version: 2.1\nName: {package}\nVersion: {VERSION}\n"


def model_of(name: str, files: dict[str, list[tuple[str, str, bytes]]]) -> Model:
    """A model whose files consist of (package, member, content)."""
    return Model(
        name=name,
        serves="tests",
        licence="none",
        registry="pypi",
        files=tuple(
            ModelFile(
                name=file,
                size=sum(len(content) for _, _, content in parts),
                sha256=hashlib.sha256(b"".join(content for _, _, content in parts)).hexdigest(),
                parts=tuple(
                    Part(package=package, version=VERSION, wheel_bytes=len(content), member=member)
                    for package, member, content in parts
                ),
            )
            for file, parts in files.items()
        ),
    )


def manifest_of(*models: Model) -> Manifest:
    return Manifest(models=models)


@dataclass
class PackageIndex:
    """What is served, how badly, and what was asked for."""

    url: str = ""
    wheels: dict[str, bytes] = field(default_factory=dict)
    promised_sha256: dict[str, str] = field(default_factory=dict)
    """By wheel, where the index is to promise a wrong hash."""
    break_after: list[int] = field(default_factory=list)
    """Bytes after which the next downloads break off, one entry for each."""
    knows_ranges: bool = True
    only_for_pip: bool = False
    hold: threading.Event | None = None
    """Downloads stop half-way until it is set."""
    ranges: list[str | None] = field(default_factory=list)
    """`Range` header of every download."""
    sent_bytes: int = 0

    def add(self, package: str, members: dict[str, bytes]) -> str:
        """Offer a package; gives the name of its wheel."""
        name, content = make_wheel(package, members)
        self.wheels[name] = content
        return name


@contextmanager
def serve() -> Iterator[PackageIndex]:
    index = PackageIndex()

    class Handler(_Handler):
        served = index

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    index.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield index
    finally:
        if index.hold:
            index.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    served: PackageIndex
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = self.path.strip("/").split("/")
        if parts[0] == "simple" and len(parts) == 2:
            self._send_page(parts[1])
        elif parts[0] == "files" and parts[1].endswith(".metadata"):
            self._send(200, metadata(re.split(r"-\d", parts[1])[0].replace("_", "-")).encode())
        elif parts[0] == "files" and parts[1] in self.served.wheels:
            self._send_wheel(self.served.wheels[parts[1]])
        else:
            self._send(404, b"")

    def log_message(self, *_: object) -> None:
        pass

    def _send_page(self, package: str) -> None:
        links = []
        for name, content in self.served.wheels.items():
            if name.startswith(package.replace("-", "_") + "-"):
                digest = self.served.promised_sha256.get(name, hashlib.sha256(content).hexdigest())
                known = hashlib.sha256(metadata(package).encode()).hexdigest()
                links.append(
                    f'<a href="/files/{name}#sha256={digest}" data-dist-info-metadata="sha256={known}" '
                    f'data-core-metadata="sha256={known}">{name}</a>'
                )
        page = "<!DOCTYPE html><html><body>" + "".join(links) + "</body></html>"
        self._send(200 if links else 404, page.encode(), "text/html")

    def _send(self, status: int, content: bytes, kind: str = "application/octet-stream") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _send_wheel(self, content: bytes) -> None:
        served = self.served
        if served.only_for_pip and not self.headers["User-Agent"].startswith("pip/"):
            self._send(403, b"")
            return
        wanted = self.headers.get("Range")
        served.ranges.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and served.knows_ranges else 0
        if start >= len(content):
            self._send(416, b"")
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = min(len(content), start + served.break_after.pop(0)) if served.break_after else len(content)
        half = (start + end) // 2
        for first, last in ((start, half), (half, end)):
            self.wfile.write(content[first:last])
            self.wfile.flush()
            served.sent_bytes += last - first
            if served.hold:
                served.hold.wait(20)
        if end < len(content):
            self.close_connection = True
