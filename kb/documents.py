"""What the engine is told of an entry: the one place where prose becomes terms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from kb.engines import LEARNED, Document, field_name
from kb.models import Category, Entry, EntryQuerySet, Side, replies_shared
from kb.text import forms, segment

BATCH = 500  # entries read from the database at a time
MOST_LEARNED = 30  # wordings of an entry that evidence speaks for, a side
FEWEST = 2  # wordings that must share a term before it counts
ANY_CHANNEL = "any"  # of what can be sent anywhere
MOST_OFTEN = 3  # times that a shared term counts, however many share it


class Source(NamedTuple):
    """An entry as prose, fit to be sent to another process."""

    id: int
    texts: dict[str, list[str]]
    labels: list[str]


def describe(
    id: int, texts: Mapping[str, Iterable[str]], labels: Iterable[str] = ()
) -> Document:
    """Return the document of an entry with `texts`, the name of a field to prose.

    This is the one place where prose becomes terms. The question and its
    phrasings are also held in other forms: as they sound, and by character.
    """
    terms: dict[str, tuple[str, ...]] = {}
    texts = {name: tuple(parts) for name, parts in texts.items()}
    for field, parts in texts.items():
        kept = [part for part in parts if part]
        joined = _common if field in LEARNED else _all
        terms[field] = joined(segment.words(part) for part in kept)
        if pairs := field_name(field, pair=True):
            terms[pairs] = joined(segment.pairs(part) for part in kept)
    asked = (*texts.get("question", ()), *texts.get("phrasings", ()))
    terms["forms"] = tuple(form for text in asked for form in forms.of(text))
    return Document(id, frozenset(labels), {k: v for k, v in terms.items() if v})


def sources(entries: EntryQuerySet) -> Iterator[Source]:
    """Yield what documents are made of, reading BATCH entries at a time.

    Each batch is a query of its own: one that stays open for a whole rebuild
    would keep the database from tidying up behind the writers.
    """
    parents = dict(Category.objects.values_list("pk", "parent_id"))
    # What is one person's or one team's is never told: others would find it by
    # its words. These few are looked through in the database.
    parts = (replies_shared(), "phrasings", "evidence", "tags")
    full = entries.order_by("pk").prefetch_related(*parts)
    batch = list(full[:BATCH])
    while batch:
        yield from (_source(entry, parents) for entry in batch)
        batch = list(full.filter(pk__gt=batch[-1].pk)[:BATCH])


def _source(entry: Entry, parents: Mapping[int, int | None]) -> Source:
    # What is out of force is for colleagues alone; index.sync looks again in time.
    audience = entry.audience if entry.in_force else Entry.Audience.INTERNAL
    labels = [f"status={entry.status}", f"audience={audience}"]
    labels += [tag_label(tag.pk) for tag in entry.tags.all()]
    channels = {reply.channel or ANY_CHANNEL for reply in entry.replies.all()}
    channels |= {ANY_CHANNEL} if entry.answer else set()
    labels += map(channel_label, sorted(channels))
    category = entry.category_id
    while category:  # the tree refuses loops
        labels.append(category_label(category))
        category = parents.get(category)
    texts = {
        "keywords": [entry.keywords],
        "question": [entry.question],
        "phrasings": [phrasing.text for phrasing in entry.phrasings.all()],
        "replies": [reply.text for reply in entry.replies.all()],
        "answer": [entry.answer],
        "picked": _learned(entry, Side.PUBLIC),
        "picked_staff": _learned(entry, Side.STAFF),
    }
    return Source(entry.pk, texts, labels)


def document(source: Source) -> Document:
    return describe(source.id, source.texts, source.labels)


def _learned(entry: Entry, side: Side) -> list[str]:
    """Return the words of evidence that count, the strongest first."""
    rows = [e.words for e in entry.evidence.all() if e.side == side and e.level]
    return rows[:MOST_LEARNED]


def _all(texts: Iterable[list[str]]) -> tuple[str, ...]:
    return tuple(chain.from_iterable(texts))


def _common(texts: Iterable[list[str]]) -> tuple[str, ...]:
    """Return the terms that several texts share, as often as there are, within reason.

    One wording teaches nothing about others: its words would pull in whatever
    shares them. That cost 8 points of R@1 where nothing can be learned.
    """
    counts = Counter(chain.from_iterable(map(set, texts)))
    often = {t: min(n, MOST_OFTEN) for t, n in counts.items() if n >= FEWEST}
    return tuple(t for t, n in sorted(often.items()) for _ in range(n))


def category_label(pk: int) -> str:
    """Return the label of documents in the category or anywhere below it."""
    return f"category={pk}"


def tag_label(pk: int) -> str:
    return f"tag={pk}"


def channel_label(channel: str) -> str:
    """Return the label of documents with something to send on `channel`."""
    return f"channel={channel}"
