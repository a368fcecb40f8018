"""A server on localhost that serves files as well, and as badly, as real ones do."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Serving:
    """What is served, and what was asked for.

    Attributes:
        files: content by path.
        faults: what goes wrong with the next answers, one each: `cut`, `stall`, `long` (a length that never
            comes), `html`, `busy` (503), `whole` (ignores ranges), `changed` (another file of another length)
            and `shifted` (another part than was asked for).
        asked: (path, Range header) of every request.
        marks: headers that tell one file from another; None is an ETag.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: list[str] = []
        self.asked: list[tuple[str, str | None]] = []
        self.marks: dict[str, str] | None = None
        self.address = ""


@contextmanager
def serving() -> Iterator[Serving]:
    """Serve until the block ends."""
    state = Serving()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append((self.path, self.headers.get("Range")))
            fault = state.faults.pop(0) if state.faults else ""
            content = state.files.get(self.path)
            if fault == "busy" or content is None:
                self.send_error(503 if fault else 404)
                return
            if fault == "html":
                content = b"<html>please log in</html>"
            if fault == "changed":
                content = content + b"more"
            found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
            start = int(found[1]) if found and fault not in {"whole", "html"} else 0
            if start >= len(content) and start:
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Type", "text/html" if fault == "html" else "application/octet-stream")
            if start:
                first = start + 1 if fault == "shifted" else start
                self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            extra = 1000 if fault == "long" else 0
            self.send_header("Content-Length", str(len(content) - start + extra))
            for name, value in (state.marks if state.marks is not None else {"ETag": f'"{len(content)}"'}).items():
                self.send_header(name, value)
            self.end_headers()
            body = content[start:]
            self.wfile.write(body[: len(body) // 2] if fault in {"cut", "stall"} else body)
            self.wfile.flush()
            if fault == "stall":
                time.sleep(1.5)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
