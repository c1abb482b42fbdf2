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


MANAGERS = {"objects", "_default_manager", "_base_manager"}
# What a reader may see is decided by these methods of managers; `none` is empty.
READER_METHODS = {"visible_to", "published_to", "readable_by", "private_to", "none"}
QUERYSET_METHODS = set(
    "filter exclude get create first last count exists values values_list order_by"
    " annotate aggregate select_related prefetch_related delete update in_bulk distinct"
    " get_or_create update_or_create bulk_create latest earliest iterator".split()
)
# Files of the admin that still query tables themselves. Shrink, never grow.
FILES_WITH_QUERIES = set(
    """
admin/announcement.py
admin/autocomplete_lookup.py
admin/base_admin.py
admin/campaign_period.py
admin/category.py
admin/deleted_item.py
admin/entry/admin.py
admin/entry/autosave.py
admin/entry/conflicts.py
admin/entry/form.py
admin/entry/merging.py
admin/entry_translation.py
admin/group.py
admin/group_permissions.py
admin/imports/import_views.py
admin/list_filters.py
admin/module.py
admin/preview_panel.py
admin/question.py
admin/relevance_test.py
admin/snippet.py
admin/style_rule.py
admin/user.py
""".split()
)


def list_related_names() -> set[str]:
    """Return the names by which rows reach the rows that belong to them."""
    names = set()
    for path in (KB / "models").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            related = [k.value for k in node.keywords if k.arg == "related_name"]
            names |= {one.value for one in related if isinstance(one, ast.Constant)}
    return {name for name in names if isinstance(name, str) and name != "+"}


def list_queries(source: str, related: set[str], allowed: set[str]) -> list[str]:
    """Return the queries in Python code that no `allowed` method of a manager begins.

    A related manager counts too, but for `row.related.all()`, which reads what was
    prefetched by a function that chose by reader.
    """
    queries = []
    parents: dict[ast.AST, ast.AST] = {}
    for node in ast.walk(ast.parse(source)):
        parents |= dict.fromkeys(ast.iter_child_nodes(node), node)
        if not isinstance(node, ast.Attribute):
            continue
        parent = parents.get(node)
        method = parent.attr if isinstance(parent, ast.Attribute) else ""
        is_manager = node.attr in MANAGERS and method not in allowed
        is_related_manager = node.attr in related and method in QUERYSET_METHODS
        if is_manager or is_related_manager:
            queries.append(f"{node.lineno}: {ast.unparse(node)}.{method}")
    return queries


def test_readers_go_through_visible_to() -> None:
    """Doors ask stages for rows: a query in a door could forget who reads it."""
    related = list_related_names()
    assert {"replies", "phrasings", "attachments"} <= related
    queries_by_file = {}
    for package in ("web", "templatetags", "admin"):
        allowed = READER_METHODS if package == "admin" else set()
        paths = list((KB / package).rglob("*.py"))
        assert paths
        for path in paths:
            if queries := list_queries(path.read_text("utf-8"), related, allowed):
                queries_by_file[path.relative_to(KB).as_posix()] = queries
    for name in FILES_WITH_QUERIES:
        assert queries_by_file.pop(name, None), f"{name} has no query any more"
    assert queries_by_file == {}


def test_search_finds_entries_by_reader() -> None:
    """Searching picks entries by who may see them; candidates may be all searchable."""
    strays = []
    for path in (KB / "search").rglob("*.py"):
        queries = list_queries(
            path.read_text("utf-8"), set(), READER_METHODS | {"searchable"}
        )
        strays += [f"{path.name}:{query}" for query in queries if " Entry." in query]
    assert strays == []


def test_the_check_of_queries_finds_every_spelling() -> None:
    for source in (
        "Entry.objects.filter(pk=1)",
        "(Entry\n    .objects\n    .published_to(user))",
        "Entry._default_manager.all()",
        "type(entry).objects.get(pk=1)",
        "manager = Entry.objects",
        "entry.replies.filter(owner=None)",
    ):
        assert list_queries(source, {"replies"}, set()), source
    assert list_queries("entry.replies.all()", {"replies"}, set()) == []
    assert list_queries("Entry.objects.visible_to(user)", set(), READER_METHODS) == []


def test_no_door_prefetches_replies_of_all_owners() -> None:
    """A plain prefetch of "replies" would load private replies of other people."""
    packages = {"web", "admin", "search", "index", "import_export"}
    allowed = ("readable_by", "private_to", "shared", "none", "create")
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
