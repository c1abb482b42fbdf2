"""What changed between two texts: words that went and words that came, in order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

_TOKEN = re.compile(r"[A-Za-z0-9]+|\s+|.", re.DOTALL)
LONGEST = 4000  # tokens that are compared; of the rest, only that it differs
LITTLE = 2  # letters: what stayed is not worth an island between changes
AROUND = 16  # letters shown on each side of a change


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of text: `kind` is same, gone, new or cut (left out, unchanged)."""

    kind: str
    text: str


def parts(old: str, new: str) -> list[Part]:
    """Return the stretches of both texts: without what is new they are `old`."""
    before, after = (_TOKEN.findall(text)[:LONGEST] for text in (old, new))
    return _joined(_without_islands(_opened(before, after)))


def short(old: str, new: str, around: int = AROUND) -> list[Part]:
    """Return the changes with a little of what stands around them."""
    found = whole(old, new)
    shown: list[Part] = []
    for place, part in enumerate(found):
        first, last = place == 0, place == len(found) - 1
        shown += _cut(part, first, last, around) if part.kind == "same" else [part]
    return shown


def whole(old: str, new: str) -> list[Part]:
    """Return `parts`, of texts of any length: lines first, then words of changed ones.

    A change of more than LONGEST tokens is told as one that went and one that came.
    """
    found: list[Part] = []
    lines = _joined(_opened(*(t.splitlines(keepends=True) for t in (old, new))))
    for part in lines:
        pair = found and found[-1].kind == "gone" and part.kind == "new"
        if (
            not pair
            or max(len(_TOKEN.findall(one.text)) for one in (found[-1], part)) > LONGEST
        ):
            found.append(part)
        else:
            found += parts(found.pop().text, part.text)
    return _joined(found)


def _opened(before: Sequence[str], after: Sequence[str]) -> list[Part]:
    """Return what stayed, went and came, as the longest common sequence says."""
    found: list[Part] = []
    for code in LCSseq.opcodes(before, after):
        gone = "".join(before[code.src_start : code.src_end])
        came = "".join(after[code.dest_start : code.dest_end])
        if code.tag == "equal":
            found.append(Part("same", came))
        else:
            found += [Part("gone", gone)] * bool(gone)
            found += [Part("new", came)] * bool(came)
    return found


def _cut(part: Part, first: bool, last: bool, around: int) -> list[Part]:
    head = "" if first else part.text[:around]
    tail = "" if last else part.text[len(head) :][-around:]
    if len(part.text) <= len(head) + len(tail) + 1:
        return [part]
    kept = [Part("same", head)] * bool(head) + [Part("cut", "…")]
    return kept + [Part("same", tail)] * bool(tail)


def _without_islands(found: list[Part]) -> list[Part]:
    """Take what hardly stayed between two changes as changed, too."""
    plain: list[Part] = []
    for place, part in enumerate(found):
        inside = 0 < place < len(found) - 1
        if part.kind == "same" and inside and len(part.text) < LITTLE:
            plain += [Part("gone", part.text), Part("new", part.text)]
        else:
            plain.append(part)
    return plain


def _joined(found: list[Part]) -> list[Part]:
    """Put what went before what came, in one piece each, between what stayed."""
    made: list[Part] = []
    gone = came = ""
    for part in [*found, Part("same", "")]:
        if part.kind == "gone":
            gone += part.text
        elif part.kind == "new":
            came += part.text
        else:
            made += [Part("gone", gone)] * bool(gone) + [Part("new", came)] * bool(came)
            joins = bool(made) and made[-1].kind == "same"
            same = (made.pop().text if joins else "") + part.text
            made += [Part("same", same)] * bool(same)
            gone = came = ""
    return made
