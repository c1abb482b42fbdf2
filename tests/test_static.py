"""Scripts and stylesheets: their own unit tests, and what may stand in one place only."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "static"
BUNDLE = STATIC / "widget" / "widget.js"
OLDEST_NODE = (20, 19)
COMMENT = re.compile(r"/\*.*?\*/|(?<!:)//[^\n]*", re.S)
MARKUP = re.compile(
    r"\.(?:inner|outer)HTML\s*=|insertAdjacentHTML|document\.write|createContextualFragment"
)
RAW_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(")


def node() -> str:
    """Return the path of Node.js; skip the test where it is not installed or too old."""
    path = shutil.which("node")
    if path is None:
        pytest.skip("Node.js is not installed")
    said = subprocess.run(
        [path, "--version"], check=False, capture_output=True, text=True
    )
    major, minor = said.stdout.strip().removeprefix("v").split(".")[:2]
    if (int(major), int(minor)) < OLDEST_NODE:
        pytest.skip(f"Node.js {said.stdout.strip()} is too old")
    return path


def scripts() -> list[Path]:
    return [path for path in STATIC.rglob("*.js") if path != BUNDLE]


def code_of(path: Path) -> str:
    """Return the text of a script or stylesheet without its comments."""
    return COMMENT.sub("", path.read_text("utf-8"))


def test_unit_tests_of_scripts_pass() -> None:
    files = sorted(str(path) for path in (ROOT / "tests/static").glob("*.test.js"))
    assert len(files) > 5
    done = subprocess.run(
        [node(), "--test", *files],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


def test_requests_are_sent_by_one_module() -> None:
    senders = {
        path.relative_to(STATIC).as_posix()
        for path in scripts()
        if re.search(r"(?<![\w.])fetch\(|XMLHttpRequest", code_of(path))
    }
    assert senders == {"shared/http.js"}


def test_text_becomes_markup_in_one_module() -> None:
    sinks = {
        path.relative_to(STATIC).as_posix()
        for path in scripts()
        if MARKUP.search(code_of(path))
    }
    assert sinks == {"shared/html.js"}


def test_colours_stand_in_the_tokens_alone() -> None:
    strays = {
        path.relative_to(STATIC).as_posix()
        for path in STATIC.rglob("*.css")
        if RAW_COLOUR.search(code_of(path))
    }
    assert strays == {"base/tokens.css"}


def test_npm_packages_are_pinned_and_no_registry_is_named() -> None:
    asked = json.loads((ROOT / "package.json").read_text("utf-8"))
    for version in asked["devDependencies"].values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert "dependencies" not in asked  # the site needs nothing of npm
    locked = json.loads((ROOT / "package-lock.json").read_text("utf-8"))
    assert locked["packages"][""]["devDependencies"] == asked["devDependencies"]
    for name, package in locked["packages"].items():
        assert "resolved" not in package, name


def test_no_module_imports_itself_in_a_circle() -> None:
    """collectstatic puts the hash of each module into those that import it."""
    imports = {path: imported(path) for path in scripts()}
    for path, modules in imports.items():
        above = {path}
        waiting = list(modules)
        while waiting:
            module = waiting.pop()
            assert module != path, path
            assert module.is_file(), f"{path} imports {module}"
            if module not in above:
                above.add(module)
                waiting += imports.get(module, [])


def imported(path: Path) -> list[Path]:
    names = re.findall(r'(?:from|import) ?\(?"(\.[^"]+)"', code_of(path))
    return [(path.parent / name).resolve() for name in names]
