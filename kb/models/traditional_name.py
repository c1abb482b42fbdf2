"""The 繁體 name of a row: derived from its name, unless an editor writes it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from kb.text.chinese import traditional


def build_traditional_name_field() -> Any:
    """Return the column of what an editor calls it in 繁體."""
    told = "留空就自动转换。"
    return models.CharField("繁體名称", max_length=50, blank=True, help_text=told)


def convert_saved_name(name: str, kwargs: dict[str, Any]) -> str:
    """Return `name` in 繁體, and have it saved along."""
    if (fields := kwargs.get("update_fields")) is not None:
        kwargs["update_fields"] = {*fields, "hant"}
    return traditional.make_traditional_converter(settings.KB_HANT)(name)
