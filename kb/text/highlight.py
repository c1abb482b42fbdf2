"""Mark found terms in the original text, whatever spelling they were found in."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe

from kb.text.normalize import aligned


def spans(text: str, terms: Iterable[str]) -> list[tuple[int, int]]:
    """Return (start, end) of the stretches of `text` to mark, in order.

    `terms` are normalized; stretches that touch are one.
    """
    spelling, at = aligned(text)
    hit = [False] * len(text)
    for term in set(terms):
        start = spelling.find(term) if term else -1
        while start >= 0:
            end = start + len(term)
            hit[at[start] : at[end]] = [True] * (at[end] - at[start])
            start = spelling.find(term, start + 1)
    return _runs(hit)


def mark(text: str, terms: Iterable[str]) -> SafeString:
    """Return `text` escaped, with <mark> around what `terms` match."""
    return wrap(text, spans(text, terms))


def wrap(text: str, stretches: Iterable[tuple[int, int]]) -> SafeString:
    """Return `text` escaped, with <mark> around `stretches` (start, end), in order."""
    pieces: list[str] = []
    end = 0
    for start, stop in stretches:
        pieces += [
            escape(text[end:start]),
            format_html("<mark>{}</mark>", text[start:stop]),
        ]
        end = stop
    pieces.append(conditional_escape(text[end:]))
    return mark_safe("".join(pieces))  # noqa: S308  (every piece is escaped)


def _runs(hit: list[bool]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    start = -1
    for place, marked in enumerate([*hit, False]):
        if marked and start < 0:
            start = place
        elif not marked and start >= 0:
            runs.append((start, place))
            start = -1
    return runs
