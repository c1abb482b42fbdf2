"""Golden queries: what must be found, tried after every change that could move it."""

from __future__ import annotations

from kb.golden.foretelling import Foretold, foretell, harms
from kb.golden.running import due, last, moved, run, run_after, stamp
from kb.golden.standing import Place, foreseen, place, reader

__all__ = [
    "Foretold",
    "Place",
    "due",
    "foreseen",
    "foretell",
    "harms",
    "last",
    "moved",
    "place",
    "reader",
    "run",
    "run_after",
    "stamp",
]
