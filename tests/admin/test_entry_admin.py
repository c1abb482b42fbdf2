"""The form of an entry is one class of named steps; the order of mixins does not matter."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

from django.contrib.admin import ModelAdmin

from kb.admin import entry
from kb.admin.entry import EntryAdmin

PACKAGE = Path(str(entry.__file__)).parent


def test_only_entry_admin_overrides_changeform_view() -> None:
    views = [base for base in EntryAdmin.__mro__ if "changeform_view" in vars(base)]
    assert views == [EntryAdmin, ModelAdmin]


def test_no_mixins_override_each_other() -> None:
    """Two mixins that define the same name would depend on their order."""
    mixins = [base for base in EntryAdmin.__mro__ if base.__name__.endswith("Mixin")]
    names = [
        name for base in mixins for name in vars(base) if not name.startswith("__")
    ]
    assert mixins
    assert len(names) == len(set(names))
    own_classes = [
        base for base in EntryAdmin.__mro__ if base.__module__.startswith("kb.")
    ]
    assert {base.__name__ for base in own_classes if base not in mixins} == {
        "EntryAdmin",
        "BaseAdmin",
    }


def test_steps_set_no_attributes_of_the_request() -> None:
    """The data of the form is what Django reads; everything else is handed on."""
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                target = ast.unparse(node)
                assert not target.startswith("request.") or target == "request.POST"


def test_changeform_view_calls_the_steps_in_order() -> None:
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
