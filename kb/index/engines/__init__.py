"""Search engines behind one narrow port; which one is a setting."""

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
    """Have this process's engine refuse an index with a stamp that is not known."""
    _stamp_checks[:] = [is_known]
    get_engine.cache_clear()


def make_engine(configuration: dict[str, Any]) -> Engine:
    """Return a new engine for a dict shaped as one of settings.CACHES."""
    options = dict(configuration)
    engine_class: type[Engine] = import_string(options.pop("BACKEND"))
    return engine_class(**{name.lower(): value for name, value in options.items()})


@cache
def get_engine() -> Engine:
    """Return this process's engine, as settings.KB_ENGINE names it."""
    engine = make_engine(settings.KB_ENGINE)
    for is_known in _stamp_checks:
        engine.is_known_stamp = is_known
    return engine


@receiver(setting_changed)
def _reset_engine(*, setting: str, **kwargs: Any) -> None:
    if setting == "KB_ENGINE":
        get_engine.cache_clear()
