"""Drive Firefox and WebKitGTK by what Debian installs, without another dependency.

Firefox answers Marionette's commands on a socket; WebKitGTK brings a WebDriver that speaks
HTTP. Both press real keys: what they do counts as a user's own act.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

KEYS = {
    "Backspace": "\ue003",
    "Tab": "\ue004",
    "Enter": "\ue007",
    "Shift": "\ue008",
    "Control": "\ue009",
    "Alt": "\ue00a",
    "Escape": "\ue00c",
    "ArrowDown": "\ue015",
}
MINI_BROWSER = next(
    Path("/usr").glob("lib/*/webkit2gtk-4.*/MiniBrowser"), Path("/nonexistent")
)
START_SECONDS = 60
WAIT_SECONDS = 15
FIREFOX_PREFERENCES = {
    "app.update.auto": False,
    "app.normandy.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "",
    "startup.homepage_welcome_url": "about:blank",
}


class DriverError(Exception):
    """The browser refused a command."""


class Engine:
    """A browser with one window; subclasses know how to send a command."""

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send a command of the WebDriver standard; return its value."""
        raise NotImplementedError

    def open(self, address: str) -> None:
        self.send("POST", "url", {"url": address})

    def back(self) -> None:
        self.send("POST", "back", {})

    def add_cookie(self, name: str, value: str) -> None:
        self.send("POST", "cookie", {"cookie": {"name": name, "value": value}})

    def run(self, script: str, *args: Any) -> Any:
        """Run the body of a function in the page; return what it returns."""
        return self.send("POST", "execute/sync", {"script": script, "args": args})

    def wait_for(self, expression: str) -> Any:
        """Return the value of a JavaScript expression once it is true."""
        end = time.monotonic() + WAIT_SECONDS
        while not (value := self.run(f"return {expression}")):
            assert time.monotonic() < end, f"never true: {expression}"
            time.sleep(0.05)
        return value

    def press_on(self, expression: str, key: str = "Enter") -> None:
        """Focus the element that a JavaScript expression returns, and press `key`.

        No click: it would miss what moves while the page changes.
        """
        self.wait_for(expression)
        self.run(f"({expression}).focus()")
        self.press(key)

    def press(self, *strokes: str) -> None:
        """Press keys one after another at once: "Enter", "Control+v", "a"."""
        actions: list[dict[str, str]] = []
        for stroke in strokes:
            keys = [KEYS.get(key, key) for key in stroke.split("+")]
            actions += [{"type": "keyDown", "value": key} for key in keys]
            actions += [{"type": "keyUp", "value": key} for key in reversed(keys)]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        self.send("POST", "actions", {"actions": [source]})

    def paste(self, text: str) -> None:
        """Paste `text` over the text of the search box, with real keys."""
        self.run(
            """const area = document.createElement("textarea");
            area.id = "source";
            area.value = arguments[0];
            document.body.append(area);
            area.select();""",
            text,
        )
        self.press("Control+c")
        self.run("source.remove(); q.focus()")
        self.press("Control+a", "Control+v")

    def clipboard(self) -> str:
        """Return what a real paste puts into a field; the focus goes back."""
        self.run(
            """window.before = document.activeElement;
            const area = document.createElement("textarea");
            area.id = "target";
            document.body.append(area);
            area.focus();"""
        )
        self.press("Control+v")
        text = self.run(
            "const text = target.value; target.remove(); before.focus(); return text"
        )
        return str(text)


class WebKit(Engine):
    """WebKitGTK's MiniBrowser, by WebKitWebDriver over HTTP."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}/session"
        options = {"binary": str(MINI_BROWSER), "args": ["--automation"]}
        wanted = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        made = _until(lambda: self._call("POST", "", {"capabilities": wanted}))
        self.address += f"/{made['sessionId']}"

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._call(method, f"/{path}" if path else "", body)

    def _call(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=START_SECONDS) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            raise DriverError(error.read().decode()[:500]) from error


class Firefox(Engine):
    """Firefox without a window, by Marionette on a socket."""

    COMMANDS = {
        "url": "WebDriver:Navigate",
        "back": "WebDriver:Back",
        "cookie": "WebDriver:AddCookie",
        "execute/sync": "WebDriver:ExecuteScript",
        "actions": "WebDriver:PerformActions",
    }

    def __init__(self, port: int) -> None:
        self.number = 0
        address = ("127.0.0.1", port)
        self.socket = _until(lambda: socket.create_connection(address, START_SECONDS))
        self.stream = self.socket.makefile("rb")
        self._read()  # a greeting
        self.command("WebDriver:NewSession", {})

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return self.command(self.COMMANDS[path], body or {})

    def command(self, name: str, parameters: dict[str, Any]) -> Any:
        self.number += 1
        sent = json.dumps([0, self.number, name, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(sent), sent))
        _, _, error, result = self._read()
        if error:
            raise DriverError(f"{name}: {error['message'][:500]}")
        return result.get("value") if isinstance(result, dict) else result

    def _read(self) -> Any:
        digits = b""
        while (byte := self.stream.read(1)) != b":":
            if not byte:
                raise DriverError("Firefox has gone")
            digits += byte
        return json.loads(self.stream.read(int(digits)))


def missing(name: str) -> str:
    """Return why the engine `name` cannot be driven here, or nothing."""
    if name == "firefox":
        return "" if shutil.which("firefox-esr") else "firefox-esr is not installed"
    if not shutil.which("WebKitWebDriver") or not MINI_BROWSER.exists():
        return "webkit2gtk-driver is not installed"
    return "" if shutil.which("Xvfb") else "Xvfb is not installed"


@contextmanager
def started(name: str) -> Iterator[Engine]:
    """Start the engine `name` with a profile of its own, and end it afterwards."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        starts = _firefox if name == "firefox" else _webkit
        with starts(Path(folder)) as engine:
            yield engine


@contextmanager
def _firefox(folder: Path) -> Iterator[Engine]:
    port = _free_port()
    preferences = {**FIREFOX_PREFERENCES, "marionette.port": port}
    lines = (f'user_pref("{k}", {json.dumps(v)});\n' for k, v in preferences.items())
    (folder / "user.js").write_text("".join(lines))
    command = ["firefox-esr", "--marionette", "--headless", "--no-remote"]
    with _running([*command, "--profile", str(folder)], home=folder):
        engine = Firefox(port)
        yield engine
        with suppress(DriverError, OSError):
            engine.command("Marionette:Quit", {"flags": ["eForceQuit"]})
        engine.stream.close()
        engine.socket.close()


@contextmanager
def _webkit(folder: Path) -> Iterator[Engine]:
    with _display(folder) as display:
        port = _free_port()
        command = ["WebKitWebDriver", f"--port={port}"]
        with _running(command, home=folder, DISPLAY=display):
            engine = WebKit(port)
            yield engine
            with suppress(DriverError, OSError):
                engine.send("DELETE", "")


@contextmanager
def _display(folder: Path) -> Iterator[str]:
    """Start a virtual screen; yield its name."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x900x24"]
    with _running([*command, "-nolisten", "tcp"], home=folder, pass_fds=(write,)):
        os.close(write)
        with os.fdopen(read) as pipe:
            yield f":{pipe.readline().strip()}"


@contextmanager
def _running(
    command: list[str], *, home: Path, pass_fds: tuple[int, ...] = (), **more: str
) -> Iterator[None]:
    environment = {**os.environ, "HOME": str(home), "NO_AT_BRIDGE": "1", **more}
    # As root WebKit's own sandbox cannot be made; the pages are the tests' own.
    environment["WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS"] = "1"
    silent = subprocess.DEVNULL
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=silent,
        stderr=silent,
        pass_fds=pass_fds,
        start_new_session=True,
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _until(make: Any) -> Any:
    """Return what `make` returns once the browser listens."""
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            return make()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
