"""A page served to the browser of this machine, and of this person: it may save and release.

Everything lies below a secret path, so that no other page or user finds it; the server listens on
loopback alone, answers to no other name than its own, and changes nothing for another origin.
"""

import hashlib
import secrets
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from clearset.share import reviews
from clearset.store import layout
from clearset.store.errors import ClearsetError

HOST = "127.0.0.1"
TYPES = {".html": "text/html; charset=utf-8", ".png": "image/png"}
TYPES |= dict.fromkeys((".jpg", ".jpeg"), "image/jpeg")
LARGEST = 64 * 2**20  # bytes of a review file
FROM_STRANGERS = 2**16  # bytes that are read of what will be refused
PATIENCE = 60  # seconds for a request to arrive
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Site:
    """What is served: folders of pages and pictures, a review file, and what buttons run."""

    page: PurePosixPath  # the page, from the project's folder
    folders: tuple[PurePosixPath, ...]  # whose pages and pictures may be asked for
    review: Path
    release: Callable[[], str]  # what it printed; raises `ClearsetError`
    experiments: Callable[[], str]  # a table as CSV
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    turn: threading.Lock = field(default_factory=threading.Lock)


class Server(ThreadingHTTPServer):
    """A site on loopback, at `port` or a free one."""

    daemon_threads = True

    def __init__(self, site: Site, port: int = 0) -> None:
        super().__init__((HOST, port), Handler)
        self.site = site
        self.names = {f"{name}:{self.server_port}" for name in (HOST, "localhost")}

    @property
    def address(self) -> str:
        """The page's address, for one person alone."""
        return f"http://{HOST}:{self.server_port}/{self.site.token}/{self.site.page}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong, unless it is that a browser left in the middle."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE

    def do_GET(self) -> None:
        """Answer with a page, a picture, the rulings or the experiments."""
        path = self._path()
        site = self.server.site
        if path is None:
            self._answer(HTTPStatus.NOT_FOUND, "no such page")
        elif path == PurePosixPath("api/rulings"):
            content = _content(site.review)
            self._answer(HTTPStatus.OK, content, "text/csv; charset=utf-8", tag=_tag(content))
        elif path == PurePosixPath("api/experiments"):
            self._act(site.experiments)
        else:
            self._file(path)

    def do_PUT(self) -> None:
        """Save rulings, if they are well formed and the file is the one that the page has read."""
        path, body = self._path(), self._body()
        if path != PurePosixPath("api/rulings") or not self._own() or body is None:
            self._answer(HTTPStatus.FORBIDDEN, "not from this page")
            return
        site = self.server.site
        with site.turn:
            if self.headers.get("If-Match") != _tag(_content(site.review)):
                self._answer(
                    HTTPStatus.PRECONDITION_FAILED,
                    f"{site.review} was changed by another program meanwhile: load this page anew",
                )
                return
            try:
                save(body, site.review)
            except (ClearsetError, OSError) as error:
                self._answer(HTTPStatus.BAD_REQUEST, str(error))
                return
            self._answer(HTTPStatus.OK, "saved", tag=_tag(body))

    def do_POST(self) -> None:
        """Release."""
        path = self._path()
        if path != PurePosixPath("api/release") or not self._own() or self._body() is None:
            self._answer(HTTPStatus.FORBIDDEN, "not from this page")
            return
        with self.server.site.turn:
            self._act(self.server.site.release)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: paths hold the token."""

    def _path(self) -> PurePosixPath | None:
        """Return what is asked for, below the secret path; nothing for a stranger."""
        if self.headers.get("Host") not in self.server.names:
            return None
        path, _, _ = self.path.partition("?")
        token, _, rest = path.removeprefix("/").partition("/")
        if not secrets.compare_digest(token.encode(), self.server.site.token.encode()):
            return None
        parts = unquote(rest, errors="surrogateescape").split("/")
        unsafe = any(part in ("", ".", "..") or "\0" in part or "\\" in part for part in parts)
        return None if unsafe else PurePosixPath(*parts)

    def _own(self) -> bool:
        """Whether a request that changes something comes from the page itself."""
        origins = {f"http://{name}" for name in self.server.names}
        return self.headers.get("Origin") in origins

    def _body(self) -> bytes | None:
        """Return what was sent; nothing of what is too long, or has not arrived whole."""
        length = self.headers.get("Content-Length") or "0"
        most = LARGEST if self._own() and self._path() else FROM_STRANGERS
        chunked = "Transfer-Encoding" in self.headers
        if chunked or not length.isdecimal() or int(length) > most:
            self.close_connection = True
            return None
        body = self.rfile.read(int(length))
        return body if len(body) == int(length) else None

    def _act(self, action: Callable[[], str]) -> None:
        try:
            self._answer(HTTPStatus.OK, action())
        except ClearsetError as error:
            self._answer(HTTPStatus.CONFLICT, str(error))

    def _file(self, path: PurePosixPath) -> None:
        kind = TYPES.get(path.suffix.lower())
        inside = any(path.is_relative_to(folder) for folder in self.server.site.folders)
        try:
            there = kind and inside and Path(path).is_file()
            content = Path(path).read_bytes() if there else None
        except OSError:  # not there, or no path on this system
            content = None
        if kind is None or content is None:
            self._answer(HTTPStatus.NOT_FOUND, "no such page")
        else:
            self._answer(HTTPStatus.OK, content, kind)

    def _answer(
        self,
        status: HTTPStatus,
        content: str | bytes,
        kind: str = "text/plain; charset=utf-8",
        tag: str = "",
    ) -> None:
        body = content.encode("utf-8", "replace") if isinstance(content, str) else content
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        if tag:
            self.send_header("ETag", tag)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def save(content: bytes, review: Path) -> None:
    """Write a review file, whole or not at all; raises `ClearsetError` for a malformed one."""
    with layout.replacing(review) as incomplete:
        incomplete.write_bytes(content)
        try:
            reviews.read(incomplete)
        except ClearsetError as error:
            raise ClearsetError(str(error).replace(str(incomplete), str(review))) from None


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()}"'
