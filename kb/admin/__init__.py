"""Curation: every model in Django's admin, every write through its stage."""

from __future__ import annotations

from kb.admin import (
    brand,
    category,
    deed,
    entry,
    face,
    golden,
    incident,
    inquiry,
    job,
    pictures,
    question,
    snippet,
    stale,
    team,
    usage,
    user,
    vocabulary,
    widget,
    window,
    wording,
)

__all__ = [
    "brand",
    "category",
    "deed",
    "entry",
    "face",
    "golden",
    "incident",
    "inquiry",
    "job",
    "pictures",
    "question",
    "snippet",
    "stale",
    "team",
    "usage",
    "user",
    "vocabulary",
    "widget",
    "window",
    "wording",
]
