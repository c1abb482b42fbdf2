"""The 繁體 name of a row: derived from its name, unless an editor writes it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from kb.text.chinese import traditional


def build_traditional_name_field() -> Any:
    """Return the column of a 繁體 name that an editor wrote."""
    return models.CharField(
        "繁體名称", max_length=50, blank=True, help_text="留空就自动转换。"
    )


def convert_saved_name(name: str, kwargs: dict[str, Any]) -> str:
    """Return `name` converted to 繁體, for the column `hant`.

    `kwargs` are those of `save`: "hant" is added to their update_fields, if any.
    """
    if (fields := kwargs.get("update_fields")) is not None:
        kwargs["update_fields"] = {*fields, "hant"}
    return traditional.make_traditional_converter(settings.KB_HANT)(name)
