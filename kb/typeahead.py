"""What a reader may mean who has begun to type: kept by the index, ranked by use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from django.core.exceptions import ValidationError
from django.db import transaction

from kb.models import (
    Completion,
    Entry,
    Reader,
    Standing,
    plain,
    require_no_personal_data,
    shown_to,
)
from kb.text import beginnings
from kb.text.beginnings import LONGEST, MOST_TYPED, Key, Way

BATCH = 500  # entries whose rows are looked at together
LOOKS = (24, 96, 384, 1536)  # rows read, in turn, until enough are found
MANY = 5_000  # rows: more are not sorted but walked in their order
SHORT = 3  # characters: what is longer seldom begins so many
LAST = "\U0010ffff"  # stands after every key
SHOWN = (
    *("question", "slug", "audience", "status", "category_id"),
    *("valid_from", "valid_until"),
    *("version", "excerpt"),  # for `faces.wear`
)
Condition = tuple[str, list[str]]  # SQL and its values
Candidate = tuple[int, str, int, int]  # entry id, text, place, letters typed of it
Texts = tuple[bool, frozenset[str]]  # whether these are public


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`text` is what matched: the entry's question or one of its phrasings.

    `place` and `typed` count the letters of `text` before what was typed, and
    those that it stands for; none where the suggestion was not found so.
    """

    entry: Entry
    text: str
    place: int = 0
    typed: int = 0

    @property
    def marks(self) -> tuple[tuple[int, int], ...]:
        """Return (start, end) of the stretches of `text` that were typed."""
        start, end = beginnings.stretch(self.text, self.place, self.typed)
        return ((start, end),) if end else ()


def begun(words: str, *, user: Reader, limit: int = 8) -> list[Suggestion]:
    """Return what `user` may read and `words` begin, an entry once, best first.

    Texts that begin so stand before those where a word inside does; then what
    is used most, then the shorter text. `words` may be characters, pinyin,
    initials or a mixture, the last syllable half typed.
    """
    typed = beginnings.letters(words[: MOST_TYPED * 2])[:MOST_TYPED]
    found: dict[int, Suggestion] = {}
    if not typed:
        return []
    candidates = _candidates(typed, user)
    size = limit
    while len(found) < limit and (some := list(islice(candidates, size))):
        size *= 4  # where rows are old, many may be hidden
        readable = _readable([pk for pk, *_ in some], user)
        for pk, text, place, count in some:
            if pk in readable:
                found[pk] = Suggestion(readable[pk], text, place, count)
    return list(found.values())[:limit]


# From what was typed to rows -----------------------------------------------------


def _readable(ids: list[int], user: Reader) -> dict[int, Entry]:
    """Return {id: entry} of what is published to `user` now, whatever rows say."""
    entries = Entry.objects.filter(pk__in=ids).only(*SHOWN)
    return {entry.pk: entry for entry in entries if _shown(entry.standing, user)}


def _shown(standing: Standing, user: Reader) -> bool:
    return standing.is_published and standing.is_visible_to(user)


def _candidates(typed: str, user: Reader) -> Iterator[Candidate]:
    """Yield what `typed` begins, best first, each entry once; reads as it is asked."""
    staff = user.is_authenticated and user.reads_library
    seen: set[int] = set()
    part = _part(user)
    for inside in ("inside = 0", "inside = 1"):
        among = f"{inside}{part}" if staff else f"{inside} AND public{part}"
        for candidate in _matching(among, typed):
            if candidate[0] not in seen:
                seen.add(candidate[0])
                yield candidate


def _part(user: Reader) -> str:
    """Return the condition for what a site shows, so that the rest crowds nobody out."""
    if (shown := shown_to(user)) is None:
        return ""
    numbers = ", ".join(map(str, sorted(shown))) or "NULL"
    return PART.format(numbers)


def _matching(among: str, typed: str) -> Iterator[Candidate]:
    """Yield the rows that `typed` really begins, in their order."""
    likely, values = _likely(among, typed)
    first = 0
    for size in LOOKS:
        found = plain.rows(PAGE.format(likely), (*values, size, first))
        for entry, text, *key in found:
            if count := beginnings.matched(typed, beginnings.units(Key(*key))):
                yield entry, text, key[0], count
        if len(found) < size:
            return
        first += size


# The SQL is written out: asked through querysets, SQLite reads every row, once for
# a boolean column and once for conditions of which one must hold.
PAGE = """
    SELECT entry_id, text, place, letters, sound, initials, lengths
    FROM kb_completion WHERE id IN (
        SELECT id FROM ({}) AS likely ORDER BY uses DESC, length, id LIMIT %s OFFSET %s
    ) ORDER BY uses DESC, length, id
"""
PART = " AND entry_id IN (SELECT id FROM kb_entry WHERE category_id IN ({}))"
LIKELY = "SELECT id, uses, length FROM kb_completion WHERE {} AND {}"
BEGINS = "{0} >= %s AND {0} < %s"
FULL = "SELECT 1 FROM kb_completion WHERE {} AND {} LIMIT 1 OFFSET %s"


def _likely(among: str, typed: str) -> tuple[str, list[str]]:
    """Return SQL of rows among which are all that `typed` begins, and its values.

    Few are looked up and sorted. Where there are many, the best are soon met
    when all rows are walked in their order, and sorting is what would take long.
    """
    conditions = _conditions(typed)
    if len(typed) <= SHORT:
        begins, values = conditions[0]
        if plain.rows(FULL.format(among, begins), (*values, MANY)):
            # No index holds a column with nothing added: that of the order is used.
            column = begins.split()[0]
            walked = BEGINS.format(f"({column} || '')")
            return LIKELY.format(among, walked), values[:2]
    parts = (LIKELY.format(among, condition) for condition, _ in conditions)
    return " UNION ".join(parts), [v for _, values in conditions for v in values]


def _conditions(typed: str) -> list[Condition]:
    """Return a condition for each way to read `typed`."""
    if not any(letter.isascii() and letter.isalpha() for letter in typed):
        return [_begins("letters", typed)]
    ways = beginnings.ways(typed)
    if typed.isascii():
        short = [_read_so(way) for way in ways if way.short]
        return [_begins("sound", typed), *short]
    # A foreign word in the middle, as in 查看SharePoint, has too many readings.
    return [_begins("letters", typed), *map(_read_so, ways)]


def _read_so(way: Way) -> Condition:
    """Return the condition for rows with these characters and initials."""
    condition, values = "", list[str]()
    for place, initials, units in way.runs():
        column = "initials" if initials else "letters"
        if not place:
            condition, values = _begins(column, units)
        else:
            condition += f" AND substr({column}, {place + 1}, {len(units)}) = %s"
            values.append(units)
    if len(way.spelt) > 1:
        condition += " AND sound LIKE %s"
        values.append(f"%{way.spelt}%")
    return condition, values


def _begins(column: str, start: str) -> Condition:
    start = start[:LONGEST]
    return BEGINS.format(column), [start, start + LAST]


# Rows, kept ----------------------------------------------------------------------


def keep(entry_ids: Iterable[int]) -> int:
    """Make the rows of these entries say what the entries do; return how many changed.

    Texts are read aloud anew only where one changed. Whoever calls this is the
    one writer of the index.
    """
    changed = 0
    for batch in _batches(sorted(set(entry_ids))):
        wanted, held = _wanted(batch), _held(batch)
        if differ := [pk for pk in batch if wanted.get(pk) != held.get(pk)]:
            _put(wanted, differ)
            changed += len(differ)
    return changed


def drift() -> set[int]:
    """Return the ids of entries whose rows do not say what the entries do."""
    live = Entry.objects.filter(status=Entry.Status.PUBLISHED)
    ids = set(live.values_list("pk", flat=True))
    ids |= set(Completion.objects.values_list("entry_id", flat=True).distinct())
    found: set[int] = set()
    for batch in _batches(sorted(ids)):
        wanted, held = _wanted(batch), _held(batch)
        found |= {pk for pk in batch if wanted.get(pk) != held.get(pk)}
    return found


def tally(uses: Mapping[int, int]) -> int:
    """Rank entries by `uses`, {entry id: how often}; return how many entries moved.

    The others count as never used. Meant for a nightly roll-up. Each batch is
    committed by itself, so that others may write between.
    """
    now = dict(Completion.objects.values_list("entry_id", "uses").distinct())
    moved: dict[int, list[int]] = {}
    for pk, before in now.items():
        if (count := max(uses.get(pk, 0), 0)) != before:
            moved.setdefault(count, []).append(pk)
    for count, pks in moved.items():
        for batch in _batches(pks):
            Completion.objects.filter(entry__in=batch).update(uses=count)
    return sum(map(len, moved.values()))


def _wanted(ids: list[int]) -> dict[int, Texts]:
    """Return the texts of those of `ids` that are published."""
    live = Entry.objects.filter(pk__in=ids, status=Entry.Status.PUBLISHED)
    texts = live.values_list("pk", "audience", "question", "phrasings__text")
    told: dict[int, set[str]] = {}
    public: dict[int, bool] = {}
    now = set(live.in_force().values_list("pk", flat=True))
    for pk, audience, *asked in texts:
        public[pk] = audience == Entry.Audience.PUBLIC and pk in now
        told.setdefault(pk, set()).update(filter(_may_be_shown, asked))
    return {pk: (public[pk], frozenset(told[pk])) for pk in told if told[pk]}


def _held(ids: list[int]) -> dict[int, Texts]:
    rows = Completion.objects.filter(entry__in=ids)
    told: dict[int, set[str]] = {}
    public: dict[int, bool] = {}
    for pk, public[pk], text in rows.values_list("entry_id", "public", "text"):
        told.setdefault(pk, set()).add(text)
    return {pk: (public[pk], frozenset(told[pk])) for pk in told}


def _may_be_shown(text: str | None) -> bool:
    """Tell whether `text` says something, and not who some customer is."""
    if not text or not beginnings.letters(text):
        return False
    try:
        require_no_personal_data(text)
    except ValidationError:  # kept before such words were refused
        return False
    return True


def _put(wanted: Mapping[int, Texts], ids: list[int]) -> None:
    """Replace the rows of `ids`, which keep their number of uses."""
    rows = Completion.objects.filter(entry__in=ids)
    uses = dict(rows.values_list("entry_id", "uses"))
    made = [row for pk in ids if pk in wanted for row in _made(pk, *wanted[pk])]
    with transaction.atomic():
        # Who deletes an entry meanwhile waits, or is seen here.
        entries = Entry.objects.select_for_update().filter(pk__in=ids)
        there = set(entries.order_by("pk").values_list("pk", flat=True))
        rows.delete()
        kept = [(*row, uses.get(row[0], 0)) for row in made if row[0] in there]
        plain.write(MADE, kept)


# For a row each: to make models of them takes three times as long as to write them.
MADE = """
    INSERT INTO kb_completion (entry_id, text, public, inside, length,
        place, letters, sound, initials, lengths, uses)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def _made(entry: int, public: bool, texts: Iterable[str]) -> Iterator[plain.Row]:
    """Yield the values of MADE but the last."""
    for text in sorted(texts):
        for key in beginnings.keys(text):
            inside = int(key.place > 0)
            yield entry, text, public, inside, len(text), *key


def _batches(ids: list[int]) -> Iterator[list[int]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
