"""A server on loopback that plays one of the web: it keeps what it is asked and sent."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Headers = dict[str, str]
Reply = tuple[int, Any] | tuple[int, Any, Headers]  # status, content (bytes, or what JSON holds)


class Stand(ThreadingHTTPServer):
    """A server on loopback that keeps what it is sent, and the credentials it came with."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.asked: list[str] = []  # verbs and paths
        self.tokens: set[str] = set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def reply(self, verb: str, path: str, body: bytes) -> Reply:
        """Return status and content of an answer."""
        raise NotImplementedError


class Handler(BaseHTTPRequestHandler):
    """Hands every request to its server."""

    server: Stand
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        """Answer as the server says."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append(f"{self.command} {self.path}")
        self.server.tokens.add(str(self.headers.get("Authorization")))
        status, content, *more = self.server.reply(self.command, self.path, body)
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(text)), **dict(*more)}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any  # noqa: N815 - names of http.server

    def log_message(self, *_: Any) -> None:
        """Say nothing on the terminal of the tests."""
