"""The form of an entry is one class of named steps; no order of mixins matters."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

from django.contrib.admin import ModelAdmin

from kb.admin import entry
from kb.admin.entry import EntryAdmin

PACKAGE = Path(str(entry.__file__)).parent


def test_one_class_alone_handles_the_request_of_the_form() -> None:
    views = [one for one in EntryAdmin.__mro__ if "changeform_view" in vars(one)]
    assert views == [EntryAdmin, ModelAdmin]


def test_no_mixins_override_each_other() -> None:
    """Two mixins that define the same name would depend on their order."""
    mixins = [one for one in EntryAdmin.__mro__ if one.__name__.endswith("Mixin")]
    names = [name for one in mixins for name in vars(one) if not name.startswith("__")]
    assert mixins
    assert len(names) == len(set(names))
    house = [one for one in EntryAdmin.__mro__ if one.__module__.startswith("kb.")]
    assert {one.__name__ for one in house if one not in mixins} == {
        "EntryAdmin",
        "Curation",
    }


def test_steps_hang_nothing_on_the_request() -> None:
    """The data of the form is what Django reads; everything else is handed on."""
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                target = ast.unparse(node)
                assert not target.startswith("request.") or target == "request.POST"


def test_the_form_names_its_steps() -> None:
    source = inspect.getsource(EntryAdmin.changeform_view)
    steps = (
        "load_state(",
        "find_autosaved(",
        "merge_conflict(",
        "edit_proposal(",
        "publish_saved(",
        "drop_saved(",
    )
    places = [source.index(step) for step in steps]
    assert places == sorted(places)
