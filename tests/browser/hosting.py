"""Pages of somebody else: another origin, as strict as its policy can be."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


@dataclass
class Host:
    """A server of one page; `policy` is its Content-Security-Policy."""

    origin: str = ""
    policy: str = ""
    body: str = ""


class _Answer(BaseHTTPRequestHandler):
    def __init__(self, host: Host, *args: Any) -> None:
        self.host = host
        super().__init__(*args)

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", self.host.policy)
        self.end_headers()
        self.wfile.write(self.host.body.encode())

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def hosted() -> Iterator[Host]:
    """Serve a host's page on a port of its own, which makes it another origin."""
    host = Host()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Answer, host))
    host.origin = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def violations(page: Page) -> list[str]:
    """Return what axe-core finds wrong with the page, shadow roots included."""
    page.evaluate(AXE)
    result = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary'][:200]}"
        for one in result["violations"]
        for node in one["nodes"]
    ]
