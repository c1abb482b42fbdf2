"""Autocomplete: completions of what a reader types, stored as rows, ranked by use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from django.core.exceptions import ValidationError
from django.db import transaction

from kb.models import (
    Completion,
    Entry,
    EntryVisibility,
    Reader,
    get_visible_category_ids,
    require_no_personal_data,
)
from kb.system.database import raw_sql
from kb.text.chinese import autocomplete_keys
from kb.text.chinese.autocomplete_keys import (
    MAX_KEY_UNITS,
    MAX_TYPED_CHARS,
    AutocompleteKey,
    TypedReading,
)

COMPLETION_BATCH_ENTRIES = 500  # entries whose rows are compared at a time
ROWS_PER_LOOK = (24, 96, 384, 1536)  # rows read, in turn, until enough match
MAX_SORTED_ROWS = 5_000  # rows: more are not sorted but read in index order
MAX_BROAD_PREFIX_CHARS = 3  # characters: longer prefixes seldom match so many rows
LAST_KEY_CHARACTER = "\U0010ffff"  # sorts after every key
SUGGESTION_COLUMNS = (
    *("question", "slug", "audience", "status", "category_id"),
    *("valid_from", "valid_until"),
    *("version", "excerpt"),  # for translations
)
SqlCondition = tuple[str, list[str]]  # SQL and its values
# entry id, text, position of the match in it, letters of it that were typed
CompletionCandidate = tuple[int, str, int, int]
EntryTexts = tuple[bool, frozenset[str]]  # whether they are public, the texts


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An entry with the text that matched: its question or one of its phrasings.

    `position` and `typed_count` count the letters of `text` before the match, and
    in it; 0 where the suggestion is a search result.
    """

    entry: Entry
    text: str
    position: int = 0
    typed_count: int = 0

    @property
    def highlight_spans(self) -> tuple[tuple[int, int], ...]:
        """Return (start, end) of the parts of `text` that were typed."""
        start, end = autocomplete_keys.locate_typed_span(
            self.text, self.position, self.typed_count
        )
        return ((start, end),) if end else ()


def find_completions(words: str, *, user: Reader, limit: int = 8) -> list[Suggestion]:
    """Return the completions of `words` that `user` may read, an entry once.

    Texts that begin with `words` are first, then those with a word inside that
    does; among these the most used, then the shorter text. `words` may be
    characters, pinyin, initials or a mixture, the last syllable half typed.
    """
    typed = autocomplete_keys.extract_letters(words[: MAX_TYPED_CHARS * 2])[
        :MAX_TYPED_CHARS
    ]
    suggestions: dict[int, Suggestion] = {}
    if not typed:
        return []
    candidates = _iterate_candidates(typed, user)
    size = limit
    while len(suggestions) < limit and (batch := list(islice(candidates, size))):
        size *= 4  # where rows are out of date, many may be hidden
        readable = _load_readable_entries([pk for pk, *_ in batch], user)
        for pk, text, position, count in batch:
            if pk in readable:
                suggestions[pk] = Suggestion(readable[pk], text, position, count)
    return list(suggestions.values())[:limit]


# From what was typed to rows -----------------------------------------------------


def _load_readable_entries(ids: list[int], user: Reader) -> dict[int, Entry]:
    """Return {id: entry} of what is published to `user` now, whatever rows say."""
    entries = Entry.objects.filter(pk__in=ids).only(*SUGGESTION_COLUMNS)
    return {
        entry.pk: entry for entry in entries if _is_readable(entry.visibility, user)
    }


def _is_readable(visibility: EntryVisibility, user: Reader) -> bool:
    return visibility.is_published and visibility.is_visible_to(user)


def _iterate_candidates(typed: str, user: Reader) -> Iterator[CompletionCandidate]:
    """Yield what `typed` completes to, best first, each entry once; reads lazily."""
    staff = user.is_authenticated and user.can_read_library
    seen: set[int] = set()
    part = _build_site_condition(user)
    for inside in ("inside = 0", "inside = 1"):
        among = f"{inside}{part}" if staff else f"{inside} AND public{part}"
        for candidate in _iterate_matching_rows(among, typed):
            if candidate[0] not in seen:
                seen.add(candidate[0])
                yield candidate


def _build_site_condition(user: Reader) -> str:
    """Return the SQL condition for entries that the site shows, "" for all."""
    if (shown := get_visible_category_ids(user)) is None:
        return ""
    numbers = ", ".join(map(str, sorted(shown))) or "NULL"
    return SITE_CONDITION_SQL.format(numbers)


def _iterate_matching_rows(among: str, typed: str) -> Iterator[CompletionCandidate]:
    """Yield the rows that `typed` matches, in their order."""
    likely, values = _build_rows_sql(among, typed)
    first = 0
    for size in ROWS_PER_LOOK:
        rows = raw_sql.fetch_rows(
            COMPLETION_ROWS_SQL.format(likely), (*values, size, first)
        )
        for entry, text, *key in rows:
            if count := autocomplete_keys.count_matched_units(
                typed, autocomplete_keys.split_key_units(AutocompleteKey(*key))
            ):
                yield entry, text, key[0], count
        if len(rows) < size:
            return
        first += size


# The SQL is written out: through querysets SQLite reads every row, because of a
# boolean column and of conditions joined by OR.
COMPLETION_ROWS_SQL = """
    SELECT entry_id, text, place, letters, sound, initials, lengths
    FROM kb_completion WHERE id IN (
        SELECT id FROM ({}) AS likely ORDER BY uses DESC, length, id LIMIT %s OFFSET %s
    ) ORDER BY uses DESC, length, id
"""
SITE_CONDITION_SQL = (
    " AND entry_id IN (SELECT id FROM kb_entry WHERE category_id IN ({}))"
)
LIKELY_ROWS_SQL = "SELECT id, uses, length FROM kb_completion WHERE {} AND {}"
PREFIX_CONDITION_SQL = "{0} >= %s AND {0} < %s"
HAS_MORE_ROWS_SQL = "SELECT 1 FROM kb_completion WHERE {} AND {} LIMIT 1 OFFSET %s"


def _build_rows_sql(among: str, typed: str) -> tuple[str, list[str]]:
    """Return SQL, and its values, of rows among which are all that `typed` matches.

    Few rows are looked up and sorted. Of many, the best are soon met when rows are
    read in their order, and sorting would take long.
    """
    conditions = _build_conditions(typed)
    if len(typed) <= MAX_BROAD_PREFIX_CHARS:
        begins, values = conditions[0]
        if raw_sql.fetch_rows(
            HAS_MORE_ROWS_SQL.format(among, begins), (*values, MAX_SORTED_ROWS)
        ):
            # With "|| ''" no index on the column is used, but that of the order.
            column = begins.split()[0]
            walked = PREFIX_CONDITION_SQL.format(f"({column} || '')")
            return LIKELY_ROWS_SQL.format(among, walked), values[:2]
    parts = (LIKELY_ROWS_SQL.format(among, condition) for condition, _ in conditions)
    return " UNION ".join(parts), [v for _, values in conditions for v in values]


def _build_conditions(typed: str) -> list[SqlCondition]:
    """Return a condition for each reading of `typed`."""
    if not any(letter.isascii() and letter.isalpha() for letter in typed):
        return [_build_prefix_condition("letters", typed)]
    ways = autocomplete_keys.list_typed_readings(typed)
    if typed.isascii():
        short = [_build_reading_condition(way) for way in ways if way.has_bare_initial]
        return [_build_prefix_condition("sound", typed), *short]
    # A foreign word in the middle, as in 查看SharePoint, has too many readings.
    return [
        _build_prefix_condition("letters", typed),
        *map(_build_reading_condition, ways),
    ]


def _build_reading_condition(way: TypedReading) -> SqlCondition:
    """Return the condition for rows with these characters and initials."""
    condition, values = "", list[str]()
    for place, initials, units in way.iterate_runs():
        column = "initials" if initials else "letters"
        if not place:
            condition, values = _build_prefix_condition(column, units)
        else:
            condition += f" AND substr({column}, {place + 1}, {len(units)}) = %s"
            values.append(units)
    if len(way.longest_syllable) > 1:
        condition += " AND sound LIKE %s"
        values.append(f"%{way.longest_syllable}%")
    return condition, values


def _build_prefix_condition(column: str, start: str) -> SqlCondition:
    start = start[:MAX_KEY_UNITS]
    return PREFIX_CONDITION_SQL.format(column), [start, start + LAST_KEY_CHARACTER]


# Updates of the rows ----------------------------------------------------------------------


def update_completions(entry_ids: Iterable[int]) -> int:
    """Bring the rows of these entries up to date; return how many entries changed.

    Pinyin is worked out again only where a text changed. The caller must be the
    one writer of the index.
    """
    changed = 0
    for batch in _split_into_batches(sorted(set(entry_ids))):
        expected, stored = _list_expected_texts(batch), _list_stored_texts(batch)
        if outdated := [pk for pk in batch if expected.get(pk) != stored.get(pk)]:
            _replace_rows(expected, outdated)
            changed += len(outdated)
    return changed


def find_outdated_completions() -> set[int]:
    """Return the ids of entries whose rows differ from their texts."""
    live = Entry.objects.filter(status=Entry.Status.PUBLISHED)
    ids = set(live.values_list("pk", flat=True))
    ids |= set(Completion.objects.values_list("entry_id", flat=True).distinct())
    outdated: set[int] = set()
    for batch in _split_into_batches(sorted(ids)):
        expected, stored = _list_expected_texts(batch), _list_stored_texts(batch)
        outdated |= {pk for pk in batch if expected.get(pk) != stored.get(pk)}
    return outdated


def update_use_counts(uses: Mapping[int, int]) -> int:
    """Rank entries by `uses`, {entry id: count}; return how many entries changed.

    The others count as never used. Meant for a nightly roll-up. Each batch is
    committed by itself, so that others may write between.
    """
    now = dict(Completion.objects.values_list("entry_id", "uses").distinct())
    moved: dict[int, list[int]] = {}
    for pk, before in now.items():
        if (count := max(uses.get(pk, 0), 0)) != before:
            moved.setdefault(count, []).append(pk)
    for count, pks in moved.items():
        for batch in _split_into_batches(pks):
            Completion.objects.filter(entry__in=batch).update(uses=count)
    return sum(map(len, moved.values()))


def _list_expected_texts(ids: list[int]) -> dict[int, EntryTexts]:
    """Return the texts of those of `ids` that are published."""
    live = Entry.objects.filter(pk__in=ids, status=Entry.Status.PUBLISHED)
    rows = live.values_list("pk", "audience", "question", "phrasings__text")
    texts_by_id: dict[int, set[str]] = {}
    public: dict[int, bool] = {}
    in_force = set(live.in_force().values_list("pk", flat=True))
    for pk, audience, *wordings in rows:
        public[pk] = audience == Entry.Audience.PUBLIC and pk in in_force
        texts_by_id.setdefault(pk, set()).update(filter(_can_be_suggested, wordings))
    return {pk: (public[pk], frozenset(t)) for pk, t in texts_by_id.items() if t}


def _list_stored_texts(ids: list[int]) -> dict[int, EntryTexts]:
    rows = Completion.objects.filter(entry__in=ids)
    texts_by_id: dict[int, set[str]] = {}
    public: dict[int, bool] = {}
    for pk, public[pk], text in rows.values_list("entry_id", "public", "text"):
        texts_by_id.setdefault(pk, set()).add(text)
    return {pk: (public[pk], frozenset(t)) for pk, t in texts_by_id.items()}


def _can_be_suggested(text: str | None) -> bool:
    """Return whether `text` has letters and no personal data."""
    if not text or not autocomplete_keys.extract_letters(text):
        return False
    try:
        require_no_personal_data(text)
    except ValidationError:  # stored before personal data was refused
        return False
    return True


def _replace_rows(wanted: Mapping[int, EntryTexts], ids: list[int]) -> None:
    """Replace the rows of `ids` by `wanted`; entries keep their number of uses."""
    rows = Completion.objects.filter(entry__in=ids)
    uses = dict(rows.values_list("entry_id", "uses"))
    new_rows = [r for pk in ids if pk in wanted for r in _make_rows(pk, *wanted[pk])]
    with transaction.atomic():
        # A deletion of an entry meanwhile waits, or is seen here.
        entries = Entry.objects.select_for_update().filter(pk__in=ids)
        existing = set(entries.order_by("pk").values_list("pk", flat=True))
        rows.delete()
        values = [(*r, uses.get(r[0], 0)) for r in new_rows if r[0] in existing]
        raw_sql.execute_for_rows(INSERT_COMPLETION_SQL, values)


# One execution a row: making model instances takes three times as long as writing.
INSERT_COMPLETION_SQL = """
    INSERT INTO kb_completion (entry_id, text, public, inside, length,
        place, letters, sound, initials, lengths, uses)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def _make_rows(
    entry: int, public: bool, texts: Iterable[str]
) -> Iterator[raw_sql.SqlRow]:
    """Yield the values of INSERT_COMPLETION_SQL but the last, `uses`."""
    for text in sorted(texts):
        for key in autocomplete_keys.generate_autocomplete_keys(text):
            inside = int(key.place > 0)
            yield entry, text, public, inside, len(text), *key


def _split_into_batches(ids: list[int]) -> Iterator[list[int]]:
    return (
        ids[start : start + COMPLETION_BATCH_ENTRIES]
        for start in range(0, len(ids), COMPLETION_BATCH_ENTRIES)
    )
