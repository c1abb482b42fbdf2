"""What the engine is told of an entry: the one place where prose becomes terms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from kb.index.engines import LEARNED_FIELDS, Document, get_field_name
from kb.models import (
    Category,
    Entry,
    EntryQuerySet,
    SearchSide,
    prefetch_shared_replies,
)
from kb.text.chinese import alternate_forms, tokenizer

DOCUMENT_BATCH_ENTRIES = 500  # entries read from the database at a time
MAX_LEARNED_WORDINGS = 30  # wordings of an entry that evidence speaks for, a side
MIN_WORDINGS_SHARING_TERM = 2  # wordings that must share a term before it counts
ANY_CHANNEL = "any"  # of what can be sent anywhere
MAX_TERM_REPEATS = 3  # times that a shared term counts, however many share it


class EntrySource(NamedTuple):
    """An entry as prose, fit to be sent to another process."""

    id: int
    texts: dict[str, list[str]]
    labels: list[str]


def analyze_texts(
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
        joined = _select_common_terms if field in LEARNED_FIELDS else _concatenate_terms
        terms[field] = joined(tokenizer.tokenize_text(part) for part in kept)
        if pairs := get_field_name(field, pair=True):
            terms[pairs] = joined(tokenizer.extract_bigrams(part) for part in kept)
    asked = (*texts.get("question", ()), *texts.get("phrasings", ()))
    terms["forms"] = tuple(
        form for text in asked for form in alternate_forms.list_indexed_forms(text)
    )
    return Document(id, frozenset(labels), {k: v for k, v in terms.items() if v})


def load_sources(entries: EntryQuerySet) -> Iterator[EntrySource]:
    """Yield what documents are made of, reading BATCH entries at a time.

    Each batch is a query of its own: one that stays open for a whole rebuild
    would keep the database from tidying up behind the writers.
    """
    parents = dict(Category.objects.values_list("pk", "parent_id"))
    # What is one person's or one team's is never told: others would find it by
    # its words. These few are looked through in the database.
    parts = (prefetch_shared_replies(), "phrasings", "evidence", "tags")
    full = entries.order_by("pk").prefetch_related(*parts)
    batch = list(full[:DOCUMENT_BATCH_ENTRIES])
    while batch:
        yield from (_make_source(entry, parents) for entry in batch)
        batch = list(full.filter(pk__gt=batch[-1].pk)[:DOCUMENT_BATCH_ENTRIES])


def _make_source(entry: Entry, parents: Mapping[int, int | None]) -> EntrySource:
    # What is out of force is for colleagues alone; index.sync looks again in time.
    audience = entry.audience if entry.is_in_force else Entry.Audience.INTERNAL
    labels = [f"status={entry.status}", f"audience={audience}"]
    labels += [make_tag_label(tag.pk) for tag in entry.tags.all()]
    channels = {reply.channel or ANY_CHANNEL for reply in entry.replies.all()}
    channels |= {ANY_CHANNEL} if entry.answer else set()
    labels += map(make_channel_label, sorted(channels))
    category = entry.category_id
    while category:  # the tree refuses loops
        labels.append(make_category_label(category))
        category = parents.get(category)
    texts = {
        "keywords": [entry.keywords],
        "question": [entry.question],
        "phrasings": [phrasing.text for phrasing in entry.phrasings.all()],
        "replies": [reply.text for reply in entry.replies.all()],
        "answer": [entry.answer],
        "picked": _list_learned_words(entry, SearchSide.PUBLIC),
        "picked_staff": _list_learned_words(entry, SearchSide.STAFF),
    }
    return EntrySource(entry.pk, texts, labels)


def build_document(source: EntrySource) -> Document:
    return analyze_texts(source.id, source.texts, source.labels)


def _list_learned_words(entry: Entry, side: SearchSide) -> list[str]:
    """Return the words of evidence that count, the strongest first."""
    rows = [e.words for e in entry.evidence.all() if e.side == side and e.level]
    return rows[:MAX_LEARNED_WORDINGS]


def _concatenate_terms(texts: Iterable[list[str]]) -> tuple[str, ...]:
    return tuple(chain.from_iterable(texts))


def _select_common_terms(texts: Iterable[list[str]]) -> tuple[str, ...]:
    """Return the terms that several texts share, as often as there are, within reason.

    One wording teaches nothing about others: its words would pull in whatever
    shares them. That cost 8 points of R@1 where nothing can be learned.
    """
    counts = Counter(chain.from_iterable(map(set, texts)))
    often = {
        t: min(n, MAX_TERM_REPEATS)
        for t, n in counts.items()
        if n >= MIN_WORDINGS_SHARING_TERM
    }
    return tuple(t for t, n in sorted(often.items()) for _ in range(n))


def make_category_label(pk: int) -> str:
    """Return the label of documents in the category or anywhere below it."""
    return f"category={pk}"


def make_tag_label(pk: int) -> str:
    return f"tag={pk}"


def make_channel_label(channel: str) -> str:
    """Return the label of documents with something to send on `channel`."""
    return f"channel={channel}"
