"""Documents: an entry's texts as terms, and its labels, for the search engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
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
MAX_LEARNED_WORDINGS = 30  # searches, a side, after which an entry was picked
MIN_WORDINGS_SHARING_TERM = 2  # learned wordings that must share a term to index it
MAX_TERM_REPEATS = 3  # times that a shared term is indexed, however many share it
ANY_CHANNEL = "any"  # label of entries with something to send on every channel


class EntrySource(NamedTuple):
    """An entry's texts by field and its labels, fit to be sent to another process."""

    id: int
    texts: dict[str, list[str]]
    labels: list[str]


@dataclass(frozen=True, slots=True)
class DocumentAnalysis:
    """The terms of an entry's texts, in order, duplicates kept.

    `words` and `bigrams` map the name of a field to its terms; `forms` has the
    question and its phrasings as they sound, and character by character.
    """

    words: Mapping[str, tuple[str, ...]]
    bigrams: Mapping[str, tuple[str, ...]]
    forms: tuple[str, ...]

    def to_document(self, id: int, labels: Iterable[str] = ()) -> Document:
        """Return the document for an engine, without empty fields."""
        terms = {"forms": self.forms, **self.words}
        for name, bigrams in self.bigrams.items():
            if field := get_field_name(name, pair=True):
                terms[field] = bigrams
        return Document(id, frozenset(labels), {f: t for f, t in terms.items() if t})


def analyze_texts(texts: Mapping[str, Iterable[str]]) -> DocumentAnalysis:
    """Return the terms of an entry's texts by the names of their fields.

    This is the one place where the texts of entries become terms.
    """
    parts_by_name = {name: tuple(filter(None, parts)) for name, parts in texts.items()}
    words, bigrams = {}, {}
    for name, parts in parts_by_name.items():
        is_learned = name in LEARNED_FIELDS
        join = _select_common_terms if is_learned else _concatenate_terms
        words[name] = join(tokenizer.tokenize_text(part) for part in parts)
        if get_field_name(name, pair=True):
            bigrams[name] = join(tokenizer.extract_bigrams(part) for part in parts)
    wordings = (
        part
        for name in ("question", "phrasings")
        for part in parts_by_name.get(name, ())
    )
    forms = (alternate_forms.list_indexed_forms(wording) for wording in wordings)
    return DocumentAnalysis(words, bigrams, tuple(chain.from_iterable(forms)))


def make_document(
    id: int, texts: Mapping[str, Iterable[str]], labels: Iterable[str] = ()
) -> Document:
    """Return the document of an entry with `texts`, by the names of their fields."""
    return analyze_texts(texts).to_document(id, labels)


def build_document(source: EntrySource) -> Document:
    """Return the document of an entry, as `make_document`; runs in any process."""
    return make_document(source.id, source.texts, source.labels)


def load_sources(entries: EntryQuerySet) -> Iterator[EntrySource]:
    """Yield the sources of `entries`, read DOCUMENT_BATCH_ENTRIES at a time.

    Each batch is a query of its own: one that stays open for a whole rebuild would
    keep the database from removing old rows.
    """
    parents = dict(Category.objects.values_list("pk", "parent_id"))
    # Replies of one person or one team are not indexed: others would find the entry
    # by their words. They are few and searched in the database.
    related = (prefetch_shared_replies(), "phrasings", "evidence", "tags")
    ordered = entries.order_by("pk").prefetch_related(*related)
    batch = list(ordered[:DOCUMENT_BATCH_ENTRIES])
    while batch:
        yield from (_make_source(entry, parents) for entry in batch)
        batch = list(ordered.filter(pk__gt=batch[-1].pk)[:DOCUMENT_BATCH_ENTRIES])


def _make_source(entry: Entry, parents: Mapping[int, int | None]) -> EntrySource:
    # Outside of its validity dates an entry is for staff alone; index.sync marks it
    # again when that changes.
    audience = entry.audience if entry.is_in_force else Entry.Audience.INTERNAL
    labels = [make_status_label(entry.status), make_audience_label(audience)]
    labels += [make_tag_label(tag.pk) for tag in entry.tags.all()]
    channels = {reply.channel or ANY_CHANNEL for reply in entry.replies.all()}
    channels |= {ANY_CHANNEL} if entry.answer else set()
    labels += map(make_channel_label, sorted(channels))
    category_id = entry.category_id
    while category_id:  # the category tree has no loops
        labels.append(make_category_label(category_id))
        category_id = parents.get(category_id)
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


def _list_learned_words(entry: Entry, side: SearchSide) -> list[str]:
    """Return the searches after which `side` picked the entry, the strongest first."""
    words = [
        row.words for row in entry.evidence.all() if row.side == side and row.level
    ]
    return words[:MAX_LEARNED_WORDINGS]


def _concatenate_terms(texts: Iterable[list[str]]) -> tuple[str, ...]:
    return tuple(chain.from_iterable(texts))


def _select_common_terms(texts: Iterable[list[str]]) -> tuple[str, ...]:
    """Return the terms that several texts share, each as often as texts do.

    A single wording says nothing about others: its words would match every query
    that shares them. That cost 8 points of R@1 where nothing can be learned.
    """
    counts = Counter(chain.from_iterable(map(set, texts)))
    repeats = {
        term: min(count, MAX_TERM_REPEATS)
        for term, count in counts.items()
        if count >= MIN_WORDINGS_SHARING_TERM
    }
    return tuple(term for term, n in sorted(repeats.items()) for _ in range(n))


def make_status_label(status: str) -> str:
    return f"status={status}"


def make_audience_label(audience: str) -> str:
    return f"audience={audience}"


def make_category_label(pk: int) -> str:
    """Return the label of documents in the category or anywhere below it."""
    return f"category={pk}"


def make_tag_label(pk: int) -> str:
    return f"tag={pk}"


def make_channel_label(channel: str) -> str:
    """Return the label of documents with something to send on `channel`."""
    return f"channel={channel}"
