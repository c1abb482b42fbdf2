"""The documents agree with the code: names, links, commands, settings, packages."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from kb.import_export import ROW_KINDS
from tests import test_architecture

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), *ROOT.glob(".github/**/*.md")])
MAX_README_LINES = 90
MAX_PICTURE_BYTES = 150_000
# A path of the project, written as code: `kb/search/ranking.py`, `docs/`.
PATH_PATTERN = re.compile(
    r"`((?:kb|config|templates|static|tests|bench|docs|\.github|\.ci)/[^`\s]*)`"
)
# A dotted name of Python; kb.sqlite3 is the file of the database.
MODULE_PATTERN = re.compile(r"`((?:kb|config)(?!\.sqlite3)(?:\.[A-Za-z_]\w*)+)`")
# What reads the environment runs in a process of its own: settings are read once.
RECORD_SETTINGS = """
import json
from config import environment

defaults = {}
get_value = environment.env.get_value

def record_value(var, *args, default=environment.env.NOTSET, **kwargs):
    defaults[var] = str(default)
    return get_value(var, *args, default=default, **kwargs)

environment.env.get_value = record_value
from config import settings
print(json.dumps([str(settings.DATA_DIR), defaults]))
"""


def read_page(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def read_tables(name: str, first_heading: str) -> list[list[str]]:
    """Return the cells of the rows of all tables that begin with `first_heading`."""
    rows: list[list[str]] = []
    is_wanted = False
    for line in read_page(name).splitlines():
        if not line.startswith("|"):
            is_wanted = False
            continue
        # A pipe inside of a cell is written \|.
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells[0] == first_heading:
            is_wanted = True
        elif is_wanted and not set(cells[0]) <= set(":- "):
            rows.append(cells)
    return rows


def list_code(cell: str) -> list[str]:
    """Return the texts between backticks in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def list_headings(path: Path) -> set[str]:
    """Return the anchors of a page, as GitHub makes them of its headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    }


# Links and names ------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if not path.exists() or (anchor and anchor not in list_headings(path)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_paths_in_a_page_exist(page: Path) -> None:
    """`*` matches any name, and <…> or … for a name that the reader chooses."""
    missing = [
        name
        for name in PATH_PATTERN.findall(page.read_text("utf-8"))
        if "<" not in name and "…" not in name and not list(ROOT.glob(name.rstrip("/")))
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_modules_and_their_names_in_a_page_exist(page: Path) -> None:
    missing = []
    for name in MODULE_PATTERN.findall(page.read_text("utf-8")):
        try:
            pkgutil.resolve_name(name)
        except (ImportError, AttributeError):
            missing.append(name)
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_commands_in_a_page_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    makefile = read_page("Makefile")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    commands = {path.stem for path in (ROOT / "kb/management/commands").glob("*.py")}
    assert {"run", "test"} <= targets
    assert {"kb_setup", "kb_import"} <= commands
    assert set(re.findall(r"\b(kb_[a-z]+)\b(?!\.)", text)) - commands == set()
    named = set(re.findall(r"(?:`|^)make ([a-z]+)", text, re.MULTILINE))
    assert named - targets == set()


def test_steps_of_contributing_name_what_their_files_hold() -> None:
    """A step that names files and identifiers is true: one of the files has each."""
    steps = re.findall(
        r"^\d+\. .+(?:\n {3}.+)*", read_page("CONTRIBUTING.md"), re.MULTILINE
    )
    checked, wrong = 0, []
    for step in steps:
        codes = list_code(step)
        files = [ROOT / code for code in codes if (ROOT / code).is_file()]
        texts = [path.read_text("utf-8") for path in files]
        for code in codes:
            name = code.rpartition(".")[2]
            if not texts or not re.fullmatch(r"_?[A-Z][A-Za-z_]+", name):
                continue
            checked += 1
            if not any(name in text for text in texts):
                wrong.append((step.splitlines()[0], code))
    assert checked >= 10
    assert wrong == []


# Glossary -------------------------------------------------------------------------


def test_glossary_names_modules_and_classes_that_exist() -> None:
    rows = read_tables("docs/glossary.md", "Term")
    assert len(rows) >= 60
    missing = []
    for term, _, classes, modules in rows:
        loaded = [importlib.import_module(name) for name in list_code(modules)]
        assert loaded, f"{term}: no module"
        for name in list_code(classes):
            # The module defines the class; it does not only import it.
            homes = [getattr(module, name, None) for module in loaded]
            if not any(
                home is not None and home.__module__ == module.__name__
                for home, module in zip(homes, loaded, strict=True)
            ):
                missing.append(f"{term}: {name}")
    assert missing == []


def test_glossary_has_each_term_once() -> None:
    terms = [row[0] for row in read_tables("docs/glossary.md", "Term")]
    assert len(terms) == len(set(terms))


# Settings -------------------------------------------------------------------------


def test_settings_page_has_every_variable_with_its_default(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(tmp_path),
        "SECRET_KEY": "a key for this test alone",
    }
    printed = subprocess.run(
        [sys.executable, "-c", RECORD_SETTINGS],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    data_dir, defaults = json.loads(printed)
    defaults["DATA_DIR"] = defaults["DATA_DIR"].removeprefix(f"{ROOT}/")
    rows = read_tables("docs/settings.md", "Variable")
    documented = {list_code(row[0])[0]: row[1] for row in rows}
    assert len(documented) == len(rows), "a variable has two rows"
    assert documented.keys() == defaults.keys()
    wrong = {
        name: default
        for name, default in defaults.items()
        if (default.replace(data_dir, "DATA_DIR") or "none")
        not in [documented[name], *list_code(documented[name])]
    }
    assert wrong == {}


# Import ---------------------------------------------------------------------------


def test_import_page_has_every_column_of_every_kind() -> None:
    documented: dict[str, dict[str, list[str]]] = {}
    kind = ""
    for line in read_page("docs/import.md").splitlines():
        if line.startswith("### "):
            kind = line.split()[1]
            documented[kind] = {}
        elif kind and line.startswith("| `"):
            column, others, _ = line.split(" | ", 2)
            documented[kind][list_code(column)[0]] = list_code(others)
    assert documented == {
        kind: {names[0]: names[1:] for names in rows.columns.headings_by_field.values()}
        for kind, rows in ROW_KINDS.items()
    }


# Layout ---------------------------------------------------------------------------


def test_package_map_equals_the_table_of_the_architecture_test() -> None:
    table = [
        line.split(maxsplit=1)
        for line in test_architecture.PACKAGES.strip().splitlines()
    ]
    rows = read_tables("docs/architecture.md", "Package")
    assert [[list_code(row[0])[0], row[1]] for row in rows] == table


# Pictures and length --------------------------------------------------------------


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_a_readme_fits_on_two_screens(name: str) -> None:
    assert len(read_page(name).splitlines()) <= MAX_README_LINES


def test_pictures_are_small_and_shown() -> None:
    pictures = sorted((DOCS / "images").iterdir())
    assert len(pictures) >= 4
    shown = "".join(page.read_text("utf-8") for page in PAGES)
    for path in pictures:
        assert path.stat().st_size <= MAX_PICTURE_BYTES, path.name
        assert f"images/{path.name})" in shown, path.name
        with Image.open(path) as picture:
            assert min(picture.size) >= 360, path.name
