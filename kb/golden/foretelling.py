"""What publishing an entry would do to the golden queries, before it is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kb import index, vocabulary
from kb.engines import EngineUnavailable
from kb.golden.standing import Place, foreseen, place
from kb.models import Entry, Golden
from kb.text.normalize import normalize
from kb.text.telling import LIGHT, wanted

SHARE = 0.5  # of what a query tells that must stand in an entry to be touched by it
MOST = 60  # queries that are tried: half a second in a library of hundreds


@dataclass(frozen=True, slots=True)
class Foretold:
    """A golden query, where its entry stands, and where it would stand."""

    golden: Golden
    before: int
    after: Place

    @property
    def harmed(self) -> bool:
        """Whether it holds now and would not after."""
        return self.golden.passes_at(self.before) and self.fails

    @property
    def fails(self) -> bool:
        return not self.golden.passes_at(self.after.rank)


def foretell(entry: Entry) -> list[Foretold]:
    """Return the golden queries that would fail with `entry` published, harm first.

    Tried is what expects the entry, and what asks for words that it holds: other
    queries cannot be moved by it. Nothing is told while the engine is down.
    """
    index.sync_small()  # what was saved a moment ago is tried as it is now
    try:
        told = [_foretold(golden, entry) for golden in _touched(entry)]
    except EngineUnavailable:
        return []
    return sorted((one for one in told if one.fails), key=lambda one: not one.harmed)


def harms(entry: Entry) -> bool:
    """Tell whether a golden query that holds now would fail with `entry` live."""
    return any(one.harmed for one in foretell(entry))


def _foretold(golden: Golden, entry: Entry) -> Foretold:
    words, side, expected = golden.words, golden.side, golden.entry_id
    before = place(words, side=side, entry=expected).rank
    after = foreseen(words, side=side, entry=expected, draft=entry)
    return Foretold(golden, before, after)


def _touched(entry: Entry) -> list[Golden]:
    text = normalize(" ".join(_texts(entry)))
    shares = {
        golden: 2.0 if golden.entry_id == entry.pk else _share(golden.words, text)
        for golden in Golden.objects.select_related("entry")
    }
    near = [golden for golden, share in shares.items() if share >= SHARE]
    return sorted(near, key=lambda golden: (-shares[golden], golden.pk))[:MOST]


def _texts(entry: Entry) -> Iterator[str]:
    yield from (entry.question, entry.keywords, entry.answer_text)
    yield from entry.phrasings.values_list("text", flat=True)
    yield from entry.replies.shared().values_list("text", flat=True)


def _share(words: str, text: str) -> float:
    """Return the share of what `words` tell that stands in a normalized text."""
    told = wanted(words, vocabulary.in_force()).words
    weights = {term: weight for term, weight in told.items() if weight > LIGHT}
    held = sum(weight for term, weight in weights.items() if term in text)
    return held / (sum(weights.values()) or 1.0)
