"""Search engines behind one port (`base.Engine`); settings.KB_ENGINE names the one in use.

The default engine, `whoosh.WhooshEngine`, uses Whoosh for three things: its segments (which
there are, and which of their documents are deleted), its table of contents (a numbered file
a commit, so that a commit is atomic) and its clean-up of files that no table names. Its
codec interface lets Whoosh's own readers and tools open an index. Write locks, the folder of
generations and the stamps are ours.

The rest is ours too: `pack_file` and `pack_builder` store a segment as plain NumPy arrays in
one mapped file, `codec` shows such a file to Whoosh, `field_norms`, `impact_tables`,
`query_impacts` and `scoring` compute BM25F on the arrays without Whoosh's matchers. Terms
come from `kb.text`: no analyzer of Whoosh cuts a text.

`memory.MemoryEngine` is the reference: the same contract in plain Python, for tests.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils.module_loading import import_string

from kb.index.engines.base import (
    INDEX_FIELDS,
    LEARNED_FIELDS,
    Clause,
    Document,
    Engine,
    EngineBusyError,
    EngineHits,
    EngineUnavailableError,
    FieldGroup,
    IndexChanges,
    Query,
    RebuildRunningError,
    WeightedField,
    get_field_name,
)

__all__ = [
    "INDEX_FIELDS",
    "LEARNED_FIELDS",
    "Clause",
    "Document",
    "Engine",
    "EngineBusyError",
    "EngineHits",
    "EngineUnavailableError",
    "FieldGroup",
    "IndexChanges",
    "Query",
    "RebuildRunningError",
    "WeightedField",
    "get_engine",
    "get_field_name",
    "make_engine",
    "set_stamp_check",
]
_stamp_checks: list[Callable[[str], bool]] = []


def set_stamp_check(is_known: Callable[[str], bool]) -> None:
    """Have the engine of this process refuse an index whose stamp `is_known` rejects."""
    _stamp_checks[:] = [is_known]
    get_engine.cache_clear()


def make_engine(configuration: dict[str, Any]) -> Engine:
    """Return a new engine; `configuration` has BACKEND and options, as in CACHES."""
    options = dict(configuration)
    engine_class: type[Engine] = import_string(options.pop("BACKEND"))
    return engine_class(**{name.lower(): value for name, value in options.items()})


@cache
def get_engine() -> Engine:
    """Return the engine of this process that settings.KB_ENGINE configures."""
    engine = make_engine(settings.KB_ENGINE)
    for is_known in _stamp_checks:
        engine.is_known_stamp = is_known
    return engine


@receiver(setting_changed)
def _reset_engine(*, setting: str, **kwargs: Any) -> None:
    if setting == "KB_ENGINE":
        get_engine.cache_clear()
