"""Mark terms in the original text, whatever spelling they match in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe

from kb.text.chinese.normalize import HYPHENATED_WORD_PATTERN, normalize_with_offsets


def find_term_matches(
    text: str, terms: Iterable[str], most: int | None = None
) -> list[tuple[int, int, str]]:
    """Return (start, end, term) of each match of normalized `terms` in `text`.

    At most `most` matches of a term. Latin words and numbers match whole words, or
    whole parts of one (15 in iPhone15). A hyphen inside does not count: wifi is in
    Wi-Fi.
    """
    spelling, at = normalize_with_offsets(text)
    whole = range(len(spelling))
    joined, places = _join_hyphenated_runs(spelling)
    matches: list[tuple[int, int, str]] = []
    for term in dict.fromkeys(filter(None, terms)):
        for letters, where in ((spelling, whole), (joined, places)):
            matches += (
                (
                    at[where[start]],
                    _find_original_end(at, where[start + len(term) - 1]),
                    term,
                )
                for start in islice(_find_term_starts(letters, term), most)
            )
    return sorted(set(matches))


def find_highlight_spans(text: str, terms: Iterable[str]) -> list[tuple[int, int]]:
    """Return (start, end) of the stretches of `text` to mark, in order.

    `terms` are normalized; stretches that touch are one.
    """
    return merge_spans((start, end) for start, end, _ in find_term_matches(text, terms))


def merge_spans(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return `stretches`, in order of their starts, with those that touch as one."""
    runs: list[tuple[int, int]] = []
    for start, end in stretches:
        if runs and start <= runs[-1][1]:
            runs[-1] = (runs[-1][0], max(end, runs[-1][1]))
        else:
            runs.append((start, end))
    return runs


def highlight_terms(text: str, terms: Iterable[str]) -> SafeString:
    """Return `text` escaped, with <mark> around what `terms` match."""
    return highlight_spans(text, find_highlight_spans(text, terms))


def highlight_spans(text: str, stretches: Iterable[tuple[int, int]]) -> SafeString:
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


def _find_term_starts(spelling: str, term: str) -> Iterator[int]:
    start = spelling.find(term)
    while start >= 0:
        end = start + len(term)
        before, after = spelling[max(start - 1, 0) : start], spelling[end : end + 1]
        if not (_is_same_word(before, term[0]) or _is_same_word(term[-1], after)):
            yield start
        start = spelling.find(term, start + 1)


def _is_same_word(one: str, other: str) -> bool:
    """Return whether two neighbours are letters of one Latin word or of one number."""
    if not (one.isascii() and other.isascii()):
        return False
    return (one.isalpha() and other.isalpha()) or (one.isdigit() and other.isdigit())


def _join_hyphenated_runs(spelling: str) -> tuple[str, list[int]]:
    """Return Latin runs with a hyphen, without it, and the place of each letter."""
    places: list[int] = []
    letters: list[str] = []
    for run in HYPHENATED_WORD_PATTERN.finditer(spelling):
        kept = [n for n in range(*run.span()) if spelling[n] not in "-_"]
        letters += [*(spelling[n] for n in kept), "\0"]  # never in a spelling
        places += [*kept, run.end() - 1]
    return "".join(letters), places


def _find_original_end(at: list[int], last: int) -> int:
    """Return where the character ends in the text that became letter `last`, too."""
    after = last + 1
    while at[after] == at[last]:
        after += 1
    return at[after]
