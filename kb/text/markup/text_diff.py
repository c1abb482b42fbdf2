"""The difference of two texts: deleted and inserted words, in order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

_TOKEN_PATTERN = re.compile(r"[A-Za-z0-9]+|\s+|.", re.DOTALL)
MAX_DIFF_TOKENS = 4000  # tokens that are compared; of the rest, only that it differs
MIN_UNCHANGED_LETTERS = 2  # letters: what stayed is not worth an island between changes
CONTEXT_LETTERS = 16  # letters shown on each side of a change


@dataclass(frozen=True, slots=True)
class DiffPart:
    """A stretch of text: `kind` is same, gone, new or cut (left out, unchanged)."""

    kind: str
    text: str


def diff_tokens(old: str, new: str) -> list[DiffPart]:
    """Return the stretches of both texts: without what is new they are `old`."""
    before, after = (
        _TOKEN_PATTERN.findall(text)[:MAX_DIFF_TOKENS] for text in (old, new)
    )
    return _merge_parts(_absorb_islands(_diff_sequences(before, after)))


def diff_excerpts(old: str, new: str, around: int = CONTEXT_LETTERS) -> list[DiffPart]:
    """Return the changes with up to `around` letters of context on each side."""
    found = diff_texts(old, new)
    shown: list[DiffPart] = []
    for place, part in enumerate(found):
        first, last = place == 0, place == len(found) - 1
        shown += (
            _shorten_unchanged(part, first, last, around)
            if part.kind == "same"
            else [part]
        )
    return shown


def diff_texts(old: str, new: str) -> list[DiffPart]:
    """Return the parts of texts of any length: lines first, then words of changed ones.

    A change of more than MAX_DIFF_TOKENS tokens is one part gone and one new.
    """
    found: list[DiffPart] = []
    lines = _merge_parts(
        _diff_sequences(*(t.splitlines(keepends=True) for t in (old, new)))
    )
    for part in lines:
        pair = found and found[-1].kind == "gone" and part.kind == "new"
        if (
            not pair
            or max(len(_TOKEN_PATTERN.findall(one.text)) for one in (found[-1], part))
            > MAX_DIFF_TOKENS
        ):
            found.append(part)
        else:
            found += diff_tokens(found.pop().text, part.text)
    return _merge_parts(found)


def _diff_sequences(before: Sequence[str], after: Sequence[str]) -> list[DiffPart]:
    """Return what stayed, went and came, as the longest common sequence says."""
    found: list[DiffPart] = []
    for code in LCSseq.opcodes(before, after):
        gone = "".join(before[code.src_start : code.src_end])
        came = "".join(after[code.dest_start : code.dest_end])
        if code.tag == "equal":
            found.append(DiffPart("same", came))
        else:
            found += [DiffPart("gone", gone)] * bool(gone)
            found += [DiffPart("new", came)] * bool(came)
    return found


def _shorten_unchanged(
    part: DiffPart, first: bool, last: bool, around: int
) -> list[DiffPart]:
    head = "" if first else part.text[:around]
    tail = "" if last else part.text[len(head) :][-around:]
    if len(part.text) <= len(head) + len(tail) + 1:
        return [part]
    kept = [DiffPart("same", head)] * bool(head) + [DiffPart("cut", "…")]
    return kept + [DiffPart("same", tail)] * bool(tail)


def _absorb_islands(found: list[DiffPart]) -> list[DiffPart]:
    """Take what hardly stayed between two changes as changed, too."""
    plain: list[DiffPart] = []
    for place, part in enumerate(found):
        inside = 0 < place < len(found) - 1
        if part.kind == "same" and inside and len(part.text) < MIN_UNCHANGED_LETTERS:
            plain += [DiffPart("gone", part.text), DiffPart("new", part.text)]
        else:
            plain.append(part)
    return plain


def _merge_parts(found: list[DiffPart]) -> list[DiffPart]:
    """Put what went before what came, in one piece each, between what stayed."""
    made: list[DiffPart] = []
    gone = came = ""
    for part in [*found, DiffPart("same", "")]:
        if part.kind == "gone":
            gone += part.text
        elif part.kind == "new":
            came += part.text
        else:
            made += [DiffPart("gone", gone)] * bool(gone) + [
                DiffPart("new", came)
            ] * bool(came)
            joins = bool(made) and made[-1].kind == "same"
            same = (made.pop().text if joins else "") + part.text
            made += [DiffPart("same", same)] * bool(same)
            gone = came = ""
    return made
