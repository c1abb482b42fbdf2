"""Turn what a person typed into entries that person may read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from django.db.models import Q

from kb import typeahead, vocabulary
from kb.engines import (
    Clause,
    Engine,
    EngineUnavailable,
    Field,
    Group,
    Hits,
    Query,
    get_engine,
)
from kb.index import category_label
from kb.models import Category, Entry, EntryQuerySet, Reader
from kb.text import beginnings, forms, normalize
from kb.text.lexicon import Lexicon
from kb.text.pinyin import heard
from kb.text.telling import HALF, LIGHT, SAME, Wanted, covered, meant, wanted
from kb.typeahead import Suggestion

LONGEST = 200  # characters of a query; the rest is cut off
MOST = 100  # results: nobody pages further, and the database checks each
MOST_ALIKE = 20  # entries that are looked at when some like a text are wanted
CUT = 0.2  # share of the best score below which a result is noise

# Texts as one, where an answer may make up for what the question does not say.
# Agents' words and short codes are for those who may read them.
_PUBLIC_TEXTS = (
    Field("question", 4.0, 0.6),
    Field("phrasings", 3.0, 0.3),
    Field("answer", 1.0, 0.5),
    Field("forms", 2.0, 0.5),
)
_STAFF_TEXTS = (
    *_PUBLIC_TEXTS,
    Field("keywords", 8.0, 0.0),
    Field("replies", 0.8, 0.5),
)
# The question for itself: to be asked about a word is more than to mention it.
_HEADING = Group((Field("question", 1.0, 0.9), Field("phrasings", 1.0, 0.3)), 1.2, 2.0)
PUBLIC = (Group(_PUBLIC_TEXTS, k1=3.0), _HEADING)
STAFF = (Group(_STAFF_TEXTS, k1=3.0), _HEADING)
PAIR = 0.5  # weight of a pair of characters beside a word
HEARD = 0.7  # weight of what only sounds like what was typed
MOSTLY = 0.5  # share that must sound or mean so where nothing is written as typed
TYPED = 0.7  # weight of pinyin, initials, a single character


@dataclass(frozen=True, slots=True)
class Hit:
    entry: Entry
    score: float


@dataclass(frozen=True, slots=True)
class Results:
    """`total` counts what this reader may see, up to MOST; `terms` are to be marked."""

    words: str
    hits: tuple[Hit, ...] = ()
    total: int = 0
    terms: tuple[str, ...] = ()
    degraded: bool = False


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
    lexicon = vocabulary.in_force()
    terms = wanted(words, lexicon)
    if not terms:
        return Results(words)
    readable = Entry.objects.published_to(user)
    try:
        query = Query(clauses(terms), groups(user), _live(user, category), MOST)
        scores, degraded = relevant(ask(get_engine(), words, query, lexicon)), False
    except EngineUnavailable:
        scores, degraded = _in_database(terms, _within(readable, category)), True
    # The engine proposes, the database decides: a stale hit can leak nothing.
    allowed = set(readable.filter(pk__in=scores).values_list("pk", flat=True))
    ranked = [pk for pk in scores if pk in allowed]
    page = _load(ranked[offset:][:limit], readable, scores)
    return Results(words, page, len(ranked), terms.marks(), degraded)


def suggest(
    words: str, *, user: Reader, limit: int = 8, fill: bool = True
) -> tuple[Suggestion, ...]:
    """Return what `words` begin; with `fill`, what a search for them adds.

    One character is no search: what begins with it is all there is.
    """
    words = tidy(words)
    found = typeahead.begun(words, user=user, limit=limit)
    if fill and len(found) < limit and len(beginnings.letters(words)) > 1:
        known = {suggestion.entry.pk for suggestion in found}
        more = (hit.entry for hit in search(words, user=user, limit=limit).hits)
        found += [Suggestion(e, e.question) for e in more if e.pk not in known]
    return tuple(found[:limit])


def nearest(
    text: str, *, user: Reader, limit: int = 5, exclude: Collection[int] = ()
) -> tuple[Hit, ...]:
    """Return the entries most like `text`; drafts too, for those who see them."""
    edits = user.is_authenticated and user.edits_library
    labels = (_audiences(user),) if edits else _live(user)
    return _like(text, Entry.objects.visible_to(user), user, labels, exclude)[:limit]


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
    text = tidy(text)
    lexicon = vocabulary.in_force()
    terms = wanted(text, lexicon)
    if not terms:
        return ()
    query = Query(clauses(terms), groups(user), labels, MOST_ALIKE + len(exclude))
    try:
        scores = relevant(ask(get_engine(), text, query, lexicon), exclude)
    except EngineUnavailable:
        return ()
    return _load(scores, readable, scores)


# From words to a query ---------------------------------------------------------


def tidy(words: str) -> str:
    """Return what was typed on one line, at most LONGEST characters of it."""
    return normalize.line(words[: LONGEST * 4])[:LONGEST]


def clauses(terms: Wanted) -> tuple[Clause, ...]:
    words = (Clause(word, weight) for word, weight in terms.words.items())
    pairs = (Clause(p, PAIR * weight, pair=True) for p, weight in terms.pairs.items())
    return (*words, *pairs)


def ask(engine: Engine, words: str, query: Query, lexicon: Lexicon) -> Hits:
    """Search for `query`, for what means the same, and by other forms.

    Other forms are for terms that are nowhere found: pinyin for a word in Latin
    letters, the sound for a pair of characters that nobody writes so (退宽 for
    退款), a single character for itself. Where nothing at all is written so, nor
    most of it in words that mean it, most must sound so: some pair always does.
    """
    same = clauses(meant(words, lexicon))
    counts = engine.holding(replace(query, clauses=(*query.clauses, *same)))
    asked = dict(zip((*query.clauses, *same), counts, strict=True))
    nowhere = [c for c in query.clauses if c.pair and not asked[c] and len(c.term) > 1]
    other = [Clause(heard(c.term), HEARD * c.weight) for c in nowhere]
    known = {c.term for c in query.clauses if asked[c]}
    unknown = any(
        run not in known for run in re.findall("[a-z]+", normalize.normalize(words))
    )
    if unknown or not known:
        other += [Clause(form, TYPED) for form in dict.fromkeys(forms.typed(words))]
    meaning = any(asked[c] for c in same if _tells(c))
    if not known and not (meaning and covered(words, lexicon) >= MOSTLY):
        return engine.search(replace(query, clauses=tuple(other), minimum=MOSTLY))
    held = (clause for clause, count in asked.items() if count)
    return engine.search(replace(query, clauses=(*held, *other)))


def _tells(same: Clause) -> bool:
    """Tell whether a clause of the same meaning does more than ask."""
    return same.weight > SAME * HALF * (PAIR if same.pair else 1)


def groups(user: Reader) -> tuple[Group, ...]:
    """Return the texts `user` may match on: hit or miss must tell nothing else."""
    return STAFF if user.is_authenticated and user.reads_library else PUBLIC


def relevant(hits: Hits, exclude: Collection[int] = ()) -> dict[int, float]:
    """Return {id: score} of the hits worth showing, best first."""
    pairs = zip(hits.ids, hits.scores, strict=True)
    scores = {id: score for id, score in pairs if id not in exclude}
    floor = CUT * max(scores.values(), default=0.0)
    return {id: score for id, score in scores.items() if score >= floor}


def _audiences(user: Reader) -> frozenset[str]:
    inside = user.is_authenticated and user.reads_library
    audiences = Entry.Audience.values if inside else [Entry.Audience.PUBLIC.value]
    return frozenset(f"audience={audience}" for audience in audiences)


def _live(user: Reader, category: Category | None = None) -> tuple[frozenset[str], ...]:
    """Return the labels of published documents that `user` may find."""
    groups = [_audiences(user), frozenset({f"status={Entry.Status.PUBLISHED.value}"})]
    if category:
        groups.append(frozenset({category_label(category.pk)}))
    return tuple(groups)


# From ids to entries -----------------------------------------------------------


def _load(
    ids: Iterable[int], readable: EntryQuerySet, scores: Mapping[int, float]
) -> tuple[Hit, ...]:
    ids = list(ids)
    entries = readable.select_related("category").in_bulk(ids)
    return tuple(Hit(entries[pk], scores[pk]) for pk in ids if pk in entries)


def _within(readable: EntryQuerySet, category: Category | None) -> EntryQuerySet:
    if category is None:
        return readable
    return readable.filter(category__in=category.descendants(include_self=True))


def _in_database(terms: Wanted, readable: EntryQuerySet) -> dict[int, float]:
    """Return {id: score} by the share of terms a question holds, without the engine."""
    telling = [t for t, weight in terms.words.items() if weight > LIGHT][:16]
    if not telling:
        return {}
    holds = Q()
    for term in telling:
        holds |= Q(question__icontains=term)
    rows = readable.filter(holds).values_list("pk", "question")[: MOST * 5]
    scores = {
        pk: sum(term in normalize.normalize(question) for term in telling)
        / len(telling)
        for pk, question in rows
    }
    best = sorted(scores, key=lambda pk: (-scores[pk], pk))[:MOST]
    return {pk: scores[pk] for pk in best}
