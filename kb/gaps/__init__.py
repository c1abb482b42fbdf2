"""What people search for and do not find: gathered, remedied, proved, reopened."""

from __future__ import annotations

from kb.gaps.figures import Figures, of
from kb.gaps.gathering import gather, late, tidy
from kb.gaps.settling import (
    GONE,
    TOP,
    add_phrasing,
    add_synonym,
    decline,
    draft,
    prove,
    prove_all,
    reopen,
)

__all__ = [
    "GONE",
    "TOP",
    "Figures",
    "add_phrasing",
    "add_synonym",
    "decline",
    "draft",
    "gather",
    "late",
    "of",
    "prove",
    "prove_all",
    "reopen",
    "tidy",
]
