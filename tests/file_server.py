"""A small HTTP server that answers like the Hugging Face hub and GitHub's servers of raw files, with their failures."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from scoring import download

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Site:
    """What is served, and what was asked.

    Attributes:
        files: content by path.
        refusals: path -> (status, value of X-Error-Code), given as long as `count` of it is not used up.
        cuts: path -> bytes after which the connection breaks, as often as the list is long.
        token: what a path below /datasets/gated/ wants in its header.
        requests: (method, path, header Range, header Authorization) of every request.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    refusals: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    cuts: dict[str, list[int]] = field(default_factory=dict)
    token: str = ""
    requests: list[tuple[str, str, str, str]] = field(default_factory=list)
    url: str = ""

    def asked(self, path: str, method: str = "GET") -> list[str]:
        """The Range headers of the requests for a path."""
        return [range_ for one, name, range_, _ in self.requests if (one, name) == (method, path)]


def send_clients_to(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the hub's client and the downloads from GitHub ask the site; skip where the client is not installed."""
    constants = pytest.importorskip("huggingface_hub.constants")
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, site.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "ENDPOINT", site.url)  # what HF_ENDPOINT sets
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(download, "GITHUB", f"{site.url}/raw")
    monkeypatch.setattr(download, "GITHUB_LFS", f"{site.url}/media")
    monkeypatch.setattr(download, "_TRIES", 2)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")


@contextmanager
def serving() -> Iterator[Site]:
    """A site on a free port of the loopback interface."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer()

        def do_GET(self) -> None:
            self.answer()

        def answer(self) -> None:
            headers = self.headers
            site.requests.append((self.command, self.path, headers.get("Range", ""), headers.get("Authorization", "")))
            if site.refusals.get(self.path):
                return self.refuse(*site.refusals[self.path].pop(0))
            if self.path.startswith("/datasets/gated/") and headers.get("Authorization") != f"Bearer {site.token}":
                return self.refuse(403 if headers.get("Authorization") else 401, "GatedRepo")
            if self.path not in site.files:
                return self.refuse(404, "EntryNotFound")
            content, start = site.files[self.path], int(headers.get("Range", "bytes=0-")[6:].split("-")[0])
            self.send_response(206 if "Range" in headers else 200)
            self.send_header("ETag", f'"{sha256(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", str(len(content) - start))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            if self.command == "GET":
                stop = len(content)
                if site.cuts.get(self.path):
                    stop = start + site.cuts[self.path].pop(0)
                self.wfile.write(content[start:stop])
            return None

        def refuse(self, status: int, code: str) -> None:
            self.send_response(status)
            if code:
                self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
