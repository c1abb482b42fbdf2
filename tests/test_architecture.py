"""The layout: which packages there are, and which of them may import which."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KB = ROOT / "kb"

# A package imports from itself and from packages above it in this table.
PACKAGES = """
text           pure functions of text, images and colours; no Django
system         what knows no domain: database backends, files, throttling, outages
models         tables, constraints, querysets that say who may see what
accounts       roles, passwords, sessions, audit log, preferences
publishing     what public pages share: edition, translations, sites, categories
language       what editors teach: vocabulary and style rules
library        entries, replies, pictures, autosave, the gate of all text
index          documents, the copy in the search engine, autocomplete
usage          searches, picks, copies, votes and the evidence they make
questions      intake, triage, answers, inquiries, feedback, practice
search         from a query to results that a reader may see
import_export  files in and out, the demo library
quality        relevance tests, search gaps, merging, work that waits
operations     scheduled jobs, installation, privacy, trash, checks
web            the doors: faq, console, desk, api
admin          Django's admin, where editors curate
templatetags   filters and tags of the templates
management     commands
apps           the app: connects receivers and checks
"""
RANKS = {line.split()[0]: rank for rank, line in enumerate(PACKAGES.split("\n")[1:-1])}
LEAVES = {"web", "admin", "templatetags", "management"}  # none imports another
DOORS = {"faq", "console", "desk", "api"}
REQUIRED = set(
    "kb config templates static tests bench docs manage.py README.md README.zh-CN.md"
    " requirements.txt requirements.in requirements-dev.in requirements-dev.txt"
    " requirements-bench.in requirements-bench.txt Makefile pyproject.toml package.json"
    " package-lock.json biome.json CHANGELOG.md LICENSE .ci .gitignore .github"
    " .editorconfig .npmrc .stylelintrc.json".split()
)
ALLOWED = set("extension Dockerfile compose.yaml CONTRIBUTING.md SECURITY.md".split())
MADE = set(
    ".git .venv data node_modules .mypy_cache .pytest_cache .ruff_cache"
    " .hypothesis".split()
)


def list_sources() -> list[Path]:
    return [path for path in KB.rglob("*.py") if "migrations" not in path.parts]


def get_package(path: Path) -> str:
    return path.relative_to(KB).parts[0].removesuffix(".py")


def list_imports(path: Path) -> set[str]:
    """Return the dotted names below kb that the file at `path` imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.removeprefix("kb.") for name in names if name.startswith("kb.")}


def test_top_level_holds_what_such_projects_hold() -> None:
    present = {path.name for path in ROOT.iterdir()} - MADE
    assert REQUIRED - present == set()
    assert present - REQUIRED - ALLOWED == set()


def test_every_package_has_a_place_in_the_table() -> None:
    packages = {get_package(path) for path in list_sources()} - {"__init__"}
    assert packages == RANKS.keys()


def test_packages_import_only_from_above() -> None:
    wrong = []
    for path in list_sources():
        package = get_package(path)
        for name in list_imports(path):
            target = name.split(".")[0]
            if target == package or target not in RANKS:
                continue
            if RANKS[target] >= RANKS[package] or {target, package} <= LEAVES:
                wrong.append(f"{path.relative_to(ROOT)} imports kb.{name}")
    assert wrong == []


def test_no_door_imports_another() -> None:
    wrong = []
    for path in (KB / "web").rglob("*.py"):
        door = path.relative_to(KB / "web").parts[0]
        for name in list_imports(path):
            parts = name.split(".")
            if door in DOORS and parts[0] == "web" and parts[1] != door:
                wrong.append(f"{path.relative_to(ROOT)} imports kb.{name}")
    assert wrong == []


def test_whoosh_is_imported_in_its_engine_alone() -> None:
    users = {
        path.relative_to(KB).as_posix()
        for path in list_sources()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").split(".")[0] == "whoosh"
    }
    assert users == {"index/engines/whoosh.py", "index/engines/codec.py"}


def test_text_and_engines_import_neither_django_nor_models() -> None:
    for folder in ("text", "index/engines"):
        for path in (KB / folder).rglob("*.py"):
            packages = {name.split(".")[0] for name in list_imports(path)}
            assert packages <= {"text", "index"}, path


def test_readers_go_through_visible_to() -> None:
    """Outside of the stages entries are picked only by what a reader may see."""
    allowed = ("visible_to", "published_to", "none", "searchable")
    strays = []
    for path in list_sources():
        door = path.relative_to(KB).parts[1] if get_package(path) == "web" else ""
        if not (door in {"faq", "console", "api"} or get_package(path) == "search"):
            continue
        for line in path.read_text("utf-8").splitlines():
            after = line.split("Entry.objects.", 1)[1:]
            if after and not after[0].startswith(allowed):
                strays.append(f"{path.name}: {line.strip()}")
    assert strays == []


def test_readers_get_replies_by_what_they_may_read() -> None:
    """No door prefetches or picks replies but by whose they are."""
    allowed = ("readable_by", "private_to", "shared", "none", "create")
    packages = {"web", "admin", "search", "index", "import_export"}
    strays = []
    for path in list_sources():
        if get_package(path) not in packages:
            continue
        for line in path.read_text("utf-8").splitlines():
            after = line.split("Reply.objects.", 1)[1:]
            if after and not after[0].startswith(allowed):
                strays.append(f"{path.name}: {line.strip()}")
            if "prefetch" in line and '"replies' in line:
                strays.append(f"{path.name}: {line.strip()}")
    assert strays == []


def test_every_module_has_a_docstring() -> None:
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in list_sources()
        if path.stat().st_size
        and not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []
