"""Turn what a person typed into entries that person may read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from kb import typeahead, vocabulary
from kb.documents import category_label
from kb.engines import EngineUnavailable, Group, get_engine
from kb.feedback import Learned, side_of
from kb.models import Category, Entry, EntryQuerySet, Reader, shown_to
from kb.search.asking import LONGEST, PUBLIC, STAFF, Scope, ask, clauses, tidy
from kb.search.ranking import Faces, Found, rank
from kb.text import beginnings, normalize, pinyin, segment
from kb.text.likeness import Wording, ways
from kb.text.telling import LIGHT, Wanted, meant, wanted
from kb.text.telling import SAME as SAID
from kb.typeahead import Suggestion

__all__ = [
    "LONGEST",
    "PUBLIC",
    "STAFF",
    "Faces",
    "Hit",
    "Results",
    "Scope",
    "Suggestion",
    "ask",
    "clauses",
    "duplicates",
    "nearest",
    "rank",
    "related",
    "search",
    "suggest",
    "sure",
    "tidy",
    "warm",
]
MOST = 100  # results: nobody pages further, and the database checks each
MOST_ALIKE = 20  # entries that are looked at when some like a text are wanted
SURE = 0.5  # score below which nothing was found, only something near
NEAR = 5  # entries offered where nothing was found
SAME = 0.8  # score above which two texts ask for the same


@dataclass(frozen=True, slots=True)
class Hit:
    """`score`, from 0 to 1, says how surely `entry` is what was asked for."""

    entry: Entry
    score: float


@dataclass(frozen=True, slots=True)
class Results:
    """`total` counts what this reader may see, up to MOST; `terms` are to be marked.

    Where no hit is sure enough there are none, and the best are in `near`. Where
    nobody writes what was typed, `meant` is what the best entry writes instead.
    """

    words: str
    hits: tuple[Hit, ...] = ()
    total: int = 0
    terms: tuple[str, ...] = ()
    degraded: bool = False
    near: tuple[Hit, ...] = ()
    meant: str = ""


def search(
    words: str,
    *,
    user: Reader,
    category: Category | None = None,
    offset: int = 0,
    limit: int = 20,
) -> Results:
    """Return the published entries that `user` may read and `words` ask for.

    When the engine is unavailable, questions are matched in the database and
    the results say that they are degraded.
    """
    words = tidy(words)
    if not (terms := wanted(words, vocabulary.in_force())):
        return Results(words)
    readable = _within(Entry.objects.published_to(user), category)
    learned = Learned(words, side_of(user))
    try:
        scope = Scope(_groups(user), _live(user, category))
        found = _find(words, scope, readable, MOST, learned=learned)
        degraded = False
    except EngineUnavailable:
        found, degraded = _in_database(terms, readable, learned), True
    results = Results(words, degraded=degraded, **_told(words, found))
    if not degraded and not sure(found):
        return replace(results, near=_load(found[:NEAR], readable))
    hits = _load(found[offset:][:limit], readable)
    return replace(results, hits=hits, total=len(found))


def _told(words: str, found: Sequence[Found]) -> dict[str, Any]:
    """Return what was meant, and what to mark: what was typed, and said otherwise."""
    lexicon = vocabulary.held()
    mended = found[0].mended if found else ""
    terms = wanted(words, lexicon).marks() + wanted(mended, lexicon).marks()
    return {"meant": mended, "terms": terms + meant(words, lexicon).marks(SAID)}


def sure(found: Sequence[Found]) -> bool:
    """Tell whether what was asked for is among the best of `found`."""
    return max((one.score for one in found[:NEAR]), default=0.0) >= SURE


def warm() -> None:
    """Search once for what needs every dictionary, so that no reader waits for it.

    A server does it before it forks, so that its processes share what was loaded.
    """
    segment.warm()
    pinyin.warm()
    search("網路斷線 wifi 退宽 tuihuo", user=AnonymousUser())


def suggest(
    words: str, *, user: Reader, limit: int = 8, fill: bool = True
) -> tuple[Suggestion, ...]:
    """Return what `words` begin; with `fill`, what is found where they begin nothing.

    A search takes ten times as long, and who is still typing has not said it all.
    """
    words = tidy(words)
    found = typeahead.begun(words, user=user, limit=limit)
    if fill and not found and len(beginnings.letters(words)) > 1:
        hits = search(words, user=user, limit=limit).hits
        found = [Suggestion(hit.entry, hit.entry.question) for hit in hits]
    return tuple(found[:limit])


# One machinery, three questions -------------------------------------------------


def nearest(
    text: str, *, user: Reader, limit: int = 5, exclude: Collection[int] = ()
) -> tuple[Hit, ...]:
    """Return the entries most like `text`; drafts too, for those who see them."""
    edits = user.is_authenticated and user.edits_library
    labels = (_audiences(user),) if edits else _live(user)
    return _like(text, Entry.objects.visible_to(user), user, labels, exclude)[:limit]


def duplicates(
    text: str, *, user: Reader, exclude: Collection[int] = ()
) -> tuple[Hit, ...]:
    """Return the entries that ask for the same as `text`, as far as words can tell."""
    hits = nearest(text, user=user, limit=MOST_ALIKE, exclude=exclude)
    return tuple(hit for hit in hits if hit.score >= SAME)


def related(entry: Entry, *, user: Reader, limit: int = 5) -> tuple[Entry, ...]:
    """Return published entries about the same matter as `entry`."""
    readable = Entry.objects.published_to(user)
    hits = _like(entry.question, readable, user, _live(user), [entry.pk])
    return tuple(hit.entry for hit in hits[:limit])


def _like(
    text: str,
    readable: EntryQuerySet,
    user: Reader,
    labels: tuple[frozenset[str], ...],
    exclude: Collection[int],
) -> tuple[Hit, ...]:
    """Return entries like `text` among `labels`: others must not even be counted."""
    scope, most = Scope(_groups(user), labels), MOST_ALIKE + len(exclude)
    try:
        vocabulary.in_force()
        found = _find(tidy(text), scope, readable, most, exclude=exclude)
        return _load(found, readable)
    except EngineUnavailable:
        return ()


def _find(
    words: str,
    scope: Scope,
    readable: EntryQuerySet,
    limit: int,
    *,
    exclude: Collection[int] = (),
    learned: Learned | None = None,
) -> list[Found]:
    """Return what `words` ask for in `scope`, of the readable, best first."""
    engine = get_engine()
    asked = ask(engine, words, scope, vocabulary.held(), limit)
    if asked is None:
        return []

    def faces(ids: Sequence[int]) -> Mapping[int, Sequence[Wording]]:
        return _faces(ids, readable, learned, staff=scope.groups is STAFF)

    def allowed(ids: Sequence[int]) -> set[int]:
        return set(readable.filter(pk__in=ids).values_list("pk", flat=True))

    lift = learned.raised if learned else dict
    return rank(engine, asked, faces, exclude=exclude, lift=lift, allowed=allowed)


# What a reader may find -----------------------------------------------------------


def _groups(user: Reader) -> tuple[Group, ...]:
    """Return the texts `user` may match on: hit or miss must tell nothing else."""
    return STAFF if user.is_authenticated and user.reads_library else PUBLIC


def _audiences(user: Reader) -> frozenset[str]:
    inside = user.is_authenticated and user.reads_library
    audiences = Entry.Audience.values if inside else [Entry.Audience.PUBLIC.value]
    return frozenset(f"audience={audience}" for audience in audiences)


def _live(user: Reader, category: Category | None = None) -> tuple[frozenset[str], ...]:
    """Return the labels of published documents that `user` may find."""
    groups = [_audiences(user), frozenset({f"status={Entry.Status.PUBLISHED.value}"})]
    for places in ([category.pk] if category else None, shown_to(user)):
        if places is not None:
            groups.append(frozenset(map(category_label, places)))
    return tuple(groups)


# From ids to entries -----------------------------------------------------------


def _faces(
    ids: Sequence[int],
    readable: EntryQuerySet,
    learned: Learned | None,
    *,
    staff: bool,
) -> dict[int, tuple[Wording, ...]]:
    """Return the wordings of the readable of `ids`; agents know short codes, too,
    and either side what led its own people there.

    The engine proposes, the database decides: a stale hit can leak nothing.
    """
    rows = readable.filter(pk__in=ids).values_list(
        "pk", "question", "keywords", "phrasings__text"
    )
    wordings: dict[int, list[str]] = {}
    for pk, question, keywords, phrasing in rows.order_by("pk", "phrasings"):
        codes = keywords.split() if staff else ()
        said = wordings.setdefault(pk, [question, *codes])
        if phrasing:
            said.append(phrasing)
    if learned is not None:
        for pk in wordings:
            wordings[pk] += learned.wordings(pk)
    return {pk: ways(*texts) for pk, texts in wordings.items()}


def _load(found: Iterable[Found], readable: EntryQuerySet) -> tuple[Hit, ...]:
    scores = {one.id: one.score for one in found}
    entries = readable.select_related("category").in_bulk(scores)
    return tuple(Hit(entries[pk], scores[pk]) for pk in scores if pk in entries)


def _within(readable: EntryQuerySet, category: Category | None) -> EntryQuerySet:
    if category is None:
        return readable
    return readable.filter(category__in=category.descendants(include_self=True))


def _in_database(
    terms: Wanted, readable: EntryQuerySet, learned: Learned
) -> list[Found]:
    """Return entries by the share of terms a question holds, without the engine."""
    telling = [t for t, weight in terms.words.items() if weight > LIGHT][:16]
    if not telling:
        return []
    holds = Q()
    for term in telling:
        holds |= Q(question__icontains=term)
    rows = readable.filter(holds).values_list("pk", "question")[: MOST * 5]
    scores = {
        pk: sum(term in normalize.normalize(question) for term in telling)
        / len(telling)
        for pk, question in rows
    }
    scores = learned.raised(scores)
    best = sorted(scores, key=lambda pk: (-scores[pk], pk))[:MOST]
    allowed = set(readable.filter(pk__in=best).values_list("pk", flat=True))
    return [Found(pk, min(scores[pk], 1.0)) for pk in best if pk in allowed]
