"""Turn what a person typed into entries that person may read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.contrib.auth.models import AnonymousUser

from kb import typeahead, vocabulary
from kb.documents import category_label
from kb.engines import EngineUnavailable, Group, get_engine
from kb.feedback import Learned, side_of
from kb.models import Category, Entry, Reader, shown_to
from kb.search.asking import LONGEST, ask, clauses, tidy
from kb.search.narrowing import Narrowed
from kb.search.ranking import DEPTH, NEAR, Answers, Faces, Found, rank, sure
from kb.search.rows import MOST, Hit, Reading, faces, in_database
from kb.search.scope import PUBLIC, STAFF, Scope
from kb.text import beginnings, pinyin, segment
from kb.text.telling import SAME as SAID
from kb.text.telling import meant, wanted
from kb.typeahead import Suggestion

__all__ = [
    "LONGEST",
    "MOST",
    "PUBLIC",
    "STAFF",
    "Answers",
    "Faces",
    "Hit",
    "Narrowed",
    "Results",
    "Scope",
    "Suggestion",
    "ask",
    "clauses",
    "duplicates",
    "foreseen",
    "listed",
    "nearest",
    "rank",
    "related",
    "search",
    "suggest",
    "sure",
    "tidy",
    "warm",
]
MOST_ALIKE = 20  # entries that are looked at when some like a text are wanted
SAME = 0.75  # of Hit.alike, from which two texts ask for the same


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
    within: Narrowed | None = None,
    offset: int = 0,
    limit: int = 20,
) -> Results:
    """Return the published entries that `user` may read and `words` ask for.

    When the engine is unavailable, questions are matched in the database and
    the results say so.
    """
    words = tidy(words)
    if not (terms := wanted(words, vocabulary.in_force())):
        return Results(words)
    reading = Reading(user, within=within or Narrowed(category))
    learned, degraded = Learned(words, side_of(user)), False
    try:
        scope = Scope(_groups(user), (*_live(user), *reading.within.labels))
        found = _find(words, scope, reading, MOST, learned=learned)
    except EngineUnavailable:
        found, degraded = in_database(terms, reading.entries, learned), True
    results = Results(words, degraded=degraded, **_told(words, found))
    if not degraded and not sure(found):
        return replace(results, near=reading.load(found[:NEAR]))
    hits = reading.load(found[offset:][:limit])
    return replace(results, hits=hits, total=len(found))


def foreseen(
    words: str, *, user: Reader, entry: Entry, limit: int = 20
) -> tuple[Hit, ...]:
    """Return what `user` would find if `entry` were published as it is now.

    `search`, with one draft among what is live. Raises EngineUnavailable.
    """
    words = tidy(words)
    if not wanted(words, vocabulary.in_force()):
        return ()
    drafts = Entry.objects.searchable().exclude(status=Entry.Status.PUBLISHED)
    apart = list(drafts.exclude(pk=entry.pk).values_list("pk", flat=True))
    found = _find(
        words,
        Scope(_groups(user), (_audiences(user),)),
        reading := Reading(user, as_live=entry.pk),
        MOST + len(apart),
        exclude=apart,
        learned=Learned(words, side_of(user)),
    )
    return reading.load(found[:limit]) if sure(found) else ()


def _told(words: str, found: Sequence[Found]) -> dict[str, Any]:
    """Return what was meant, and what to mark: what was typed, and said otherwise."""
    lexicon = vocabulary.held()
    mended = found[0].mended if found else ""
    terms = wanted(words, lexicon).marks() + wanted(mended, lexicon).marks()
    return {"meant": mended, "terms": terms + meant(words, lexicon).marks(SAID)}


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
    return _like(text, Reading(user, drafts=True), labels, exclude)[:limit]


def listed(words: str, *, user: Reader) -> list[int]:
    """Return the ids of what `words` ask for, drafts too for who sees them, best first.

    None while the engine is down: who asks looks in the database as well.
    """
    if not wanted(words := tidy(words), vocabulary.in_force()):
        return []
    edits = user.is_authenticated and user.edits_library
    scope = Scope(_groups(user), (_audiences(user),) if edits else _live(user))
    try:
        found = _find(words, scope, Reading(user, drafts=edits), MOST)
        return [one.id for one in found]
    except EngineUnavailable:
        return []


def duplicates(
    text: str, *, user: Reader, exclude: Collection[int] = ()
) -> tuple[Hit, ...]:
    """Return the entries that ask for the same as `text`, as far as words can tell."""
    hits = nearest(text, user=user, limit=MOST_ALIKE, exclude=exclude)
    same = (hit for hit in hits if hit.alike >= SAME)
    return tuple(sorted(same, key=lambda hit: -hit.alike))


def related(entry: Entry, *, user: Reader, limit: int = 5) -> tuple[Entry, ...]:
    """Return published entries about the same matter as `entry`."""
    hits = _like(entry.question, Reading(user), _live(user), [entry.pk])
    return tuple(hit.entry for hit in hits[:limit])


def _like(
    text: str,
    reading: Reading,
    labels: tuple[frozenset[str], ...],
    exclude: Collection[int],
) -> tuple[Hit, ...]:
    """Return entries like `text` among `labels`: others must not even be counted."""
    scope = Scope(_groups(reading.user), labels)
    most = MOST_ALIKE + len(exclude)
    try:
        vocabulary.in_force()
        found = _find(tidy(text), scope, reading, most, exclude=exclude)
        return reading.load(found)
    except EngineUnavailable:
        return ()


def _find(
    words: str,
    scope: Scope,
    reading: Reading,
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

    staff = scope.groups is STAFF
    seen = partial(faces, reading=reading, learned=learned, staff=staff)
    if learned is None:  # likeness is all that is wanted
        return rank(engine, asked, seen, exclude=exclude)
    lift = partial(learned.raised, deep=DEPTH)
    read = partial(reading.answers, staff=staff)
    return rank(engine, asked, seen, exclude=exclude, lift=lift, answers=read)


# What a reader may find -----------------------------------------------------------


def _groups(user: Reader) -> tuple[Group, ...]:
    """Return the texts `user` may match on: hit or miss must tell nothing else."""
    return STAFF if user.is_authenticated and user.reads_library else PUBLIC


def _audiences(user: Reader) -> frozenset[str]:
    inside = user.is_authenticated and user.reads_library
    audiences = Entry.Audience.values if inside else [Entry.Audience.PUBLIC.value]
    return frozenset(f"audience={audience}" for audience in audiences)


def _live(user: Reader) -> tuple[frozenset[str], ...]:
    """Return the labels of published documents that `user` may find."""
    live = (_audiences(user), frozenset({f"status={Entry.Status.PUBLISHED.value}"}))
    shown = shown_to(user)
    return live if shown is None else (*live, frozenset(map(category_label, shown)))
