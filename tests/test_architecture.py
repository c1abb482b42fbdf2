"""Data flows right; imports point left. This file is the map and its guard."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
KB = ROOT / "kb"

# A module may import from kb only what stands in a row above its own.
ROWS = [
    {"text", "engines", "colour", "imaging", "client_address", "files", "database"},
    {"models", "throttling", "write_queue"},
    {"scripts", "content", "reads", "outages"},
    {"faces"},
    {"audit", "shelves", "sites", "pictures", "incidents", "remarks", "practice"},
    {"accounts", "agents", "unsaved", "wording"},
    {"questions"},
    {"answers"},
    {"triage"},
    {"entries"},
    {"text_gate"},
    {"inquiries", "reminding"},
    {"vocabulary", "typeahead"},
    {"replies"},
    {"documents"},
    {"index"},
    {"feedback"},
    {"search"},
    {"neighbours", "golden", "merging", "trash"},
    {"gaps"},
    {"privacy"},
    {"waiting"},
    {"transfer"},
    {"demo", "installation", "jobs"},
    {"checks"},
    {"faq", "console", "desk", "api", "admin", "management", "templatetags"},
    {"urls", "apps"},
]
RANK = {name: rank for rank, row in enumerate(ROWS) for name in row}
DOORS = {"faq", "console", "desk", "api", "admin"}
REQUIRED = set(
    "kb config templates static tests manage.py requirements.txt README.md README.zh-CN.md"
    " Makefile pyproject.toml .ci .gitignore LICENSE .editorconfig requirements.in"
    " requirements-dev.in requirements-dev.txt requirements-bench.in"
    " requirements-bench.txt .github bench package.json package-lock.json .npmrc biome.json"
    " .stylelintrc.json".split()
)
# What such projects hold besides.
ALLOWED = set(
    "docs extension Dockerfile compose.yaml CHANGELOG.md CONTRIBUTING.md"
    " SECURITY.md".split()
)
MADE = set(
    ".git .venv data node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis".split()
)


def sources() -> list[Path]:
    return [p for p in KB.rglob("*.py") if "migrations" not in p.parts]


def module_of(path: Path) -> str:
    return path.relative_to(KB).parts[0].removesuffix(".py")


def kb_imports(path: Path) -> set[str]:
    """Return the first-level kb modules that the file at `path` imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {
                a.name.split(".")[1] for a in node.names if a.name.startswith("kb.")
            }
        elif isinstance(node, ast.ImportFrom) and node.module == "kb":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kb."):
            found.add((node.module or "").split(".")[1])
    return found


def test_the_top_level_holds_what_it_must_and_nothing_strange() -> None:
    found = {path.name for path in ROOT.iterdir()} - MADE
    assert REQUIRED - found == set()
    assert found - REQUIRED - ALLOWED == set()


def test_every_module_has_a_place() -> None:
    modules = {module_of(path) for path in sources()} - {"__init__"}
    assert modules - RANK.keys() == set()


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(KB)))
def test_imports_point_left(path: Path) -> None:
    name = module_of(path)
    right = {
        target
        for target in kb_imports(path) - {name}
        if name != "__init__" and RANK[target] >= RANK[name]
    }
    # A door's own filters stand in templatetags; no door imports another door.
    assert right == set()


def test_no_door_imports_another() -> None:
    for path in sources():
        if (name := module_of(path)) in DOORS:
            assert kb_imports(path) & DOORS <= {name}, path


def test_whoosh_is_imported_in_its_engine_alone() -> None:
    users = {
        path.relative_to(KB).as_posix()
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").split(".")[0] == "whoosh"
    }
    assert users == {"engines/whoosh.py", "engines/codec.py"}


def test_text_and_engines_know_no_models() -> None:
    for package in ("text", "engines"):
        for path in (KB / package).rglob("*.py"):
            assert kb_imports(path) <= {"text", "engines"}, path


def test_readers_go_through_visible_to() -> None:
    """Outside of the stages nobody picks entries but by what a reader may see."""
    allowed = ("visible_to", "published_to", "none", "searchable")
    strays = []
    for path in sources():
        if module_of(path) not in {"faq", "console", "api", "search", "shelves"}:
            continue
        for line in path.read_text("utf-8").splitlines():
            after = line.split("Entry.objects.", 1)[1:]
            if after and not after[0].startswith(allowed):
                strays.append(f"{path.name}: {line.strip()}")
    assert strays == []


def test_readers_get_replies_by_what_they_may_read() -> None:
    """No door prefetches or picks replies but by whose they are."""
    allowed = ("readable_by", "kept_by", "shared", "none")
    strays = []
    for path in sources():
        if module_of(path) not in {*DOORS, "search", "documents", "transfer"}:
            continue
        for line in path.read_text("utf-8").splitlines():
            after = line.split("Reply.objects.", 1)[1:]
            if after and not after[0].startswith(allowed):
                strays.append(f"{path.name}: {line.strip()}")
            if "prefetch" in line and '"replies' in line:
                strays.append(f"{path.name}: {line.strip()}")
    assert strays == []


def test_every_module_says_its_rule() -> None:
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in sources()
        if path.stat().st_size
        and not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []
