"""From rows to a plan, and from a plan to the database, whatever the rows hold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import (
    Callable,
    Collection,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, ClassVar

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db.models import Model

from kb.import_export import cells, row_marks
from kb.import_export.columns import ColumnLayout, KindColumns
from kb.import_export.import_plan import (
    WRITING_ACTIONS,
    PlannedRow,
    RefusalReason,
    RelatedEntry,
    RowAction,
    RowConcern,
    describe_column_error,
)
from kb.import_export.plan.sender_permissions import SenderPermissions
from kb.import_export.plan.taxonomy import MAX_NAME_CHARS, Taxonomy
from kb.import_export.row_changes import RowChange, read_json_values, to_json_values
from kb.import_export.table import TableRow
from kb.models import Entry, User
from kb.text.chinese import normalize

LOOKUP_BATCH_ROWS = 500  # rows that are looked up at a time
SKIP_DUPLICATE, ADD_DUPLICATE, MERGE_DUPLICATE = "skip", "new", "merge"
DUPLICATE_ACTIONS = (
    SKIP_DUPLICATE,
    ADD_DUPLICATE,
    MERGE_DUPLICATE,
)  # of a row that nearly repeats an entry
RowKey = tuple[str, ...]  # ("id", source, number), ("text", digest), or ("row", number)
StampsByKey = dict[
    RowKey, list[tuple[int, object]]
]  # (pk, stamp) of the rows with that key
ReportProgress = Callable[[str, int, int], None]  # what, done, of how many


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What holds for rows that do not say otherwise, and what their user may do."""

    source: str = ""
    status: str = Entry.Status.PUBLISHED
    audience: str = "auto"
    may_publish: bool = True
    by: User | None = None  # None: whoever runs commands may do anything
    # The source is the file's name, and nobody chose it. Rows that were imported
    # before files had a source are recognised then, too.
    is_source_default: bool = False
    # What was decided in the preview, by the number of the row in the file.
    replaced_rows: frozenset[int] = frozenset()
    duplicate_action: str = (
        SKIP_DUPLICATE  # what happens to near duplicates: one of CHOICES
    )
    row_duplicate_actions: Mapping[int, str] = field(default_factory=dict)
    # Whether rows may change what is published although new ones are no more than
    # drafts. None: they may when new entries are published, too.
    may_change_live: bool | None = None

    def get_duplicate_action(self, row: TableRow) -> str:
        return self.row_duplicate_actions.get(row.number) or self.duplicate_action

    @property
    def can_change_live(self) -> bool:
        if self.may_change_live is None:
            return self.status == Entry.Status.PUBLISHED
        return self.may_change_live


@dataclass(slots=True)
class ParsedRow:
    """What one row asks for; `said` holds the cells that say something."""

    row: TableRow
    values: dict[str, str]
    key: RowKey
    title: str
    reasons: list[RefusalReason] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    concern: RowConcern | None = None
    related_entry: RelatedEntry | None = None
    duplicate_action: str = ""  # of CHOICES, for a duplicate
    is_replacement: bool = False  # confirmed: the entry found makes room for the row
    new_external_id: tuple[str, str] | None = (
        None  # the source and number that it takes over
    )
    is_live: bool = False
    unpublished_reason: str = ""  # why the entry is not published, once a note says so

    @property
    def is_merge(self) -> bool:
        return self.duplicate_action == MERGE_DUPLICATE


class RowKind(ABC):
    """What a row of one kind means. Each instance plans and writes one file."""

    name: ClassVar[str]  # what it is called by commands and marks

    columns: ClassVar[KindColumns]
    model: ClassVar[type[Model]]
    text_field: ClassVar[str]  # the field that a row is known by when it has no number
    has_versions: ClassVar[bool] = (
        False  # whether what it writes are versions of entries
    )
    compared_columns: ClassVar[
        tuple[str, ...]
    ] = ()  # columns that tell whether a row changed

    def __init__(self, options: ImportOptions, layout: ColumnLayout) -> None:
        self.options, self.layout, self.taxonomy = options, layout, Taxonomy()
        self.sender_permissions = SenderPermissions(options.by)
        self.planned_stamps: StampsByKey = {}  # what the rows that will be written were based on
        self.old_values: dict[
            int, dict[str, Any]
        ] = {}  # columns before, by the row's id()
        self.new_rows: list[Any] = []
        self.changed_rows: list[Any] = []
        self._existing_ids: set[int] | None = (
            None  # ids, read when a mark asks for them
        )
        self.evidence: list[object] = []  # see Plan.evidence

    def match_rows(self, asked: Sequence[ParsedRow], progress: ReportProgress) -> None:  # noqa: B027
        """Look at all rows together, before each is met: which entry each means.

        Nothing to do for a kind whose rows are known by their own text.
        """

    def finish_planning(self) -> None:  # noqa: B027
        """Settle what can be known only once every row was met: nothing by default."""

    @abstractmethod
    def find_stamps(self, keys: Collection[RowKey]) -> StampsByKey:
        """Return what has each of `keys`; a stamp is equal until somebody saves."""

    @abstractmethod
    def load_rows(self, pks: Collection[int]) -> Mapping[int, Model]:
        """Return these rows with all that `meet` compares."""

    @abstractmethod
    def plan_row(self, wish: ParsedRow, found: Sequence[Any]) -> Sequence[str]:
        """Return which fields change, and keep what is to be written.

        Adds to the wish's reasons when the row must be refused.
        """

    @abstractmethod
    def prepare_rows(self, progress: ReportProgress) -> None:
        """Do the expensive part of writing, before the transaction."""

    @abstractmethod
    def store_rows(self, by: User | None) -> None:
        """Write everything, in the caller's transaction."""

    def make_row_key(self, row: TableRow, said: Mapping[str, str]) -> RowKey:
        """Return what a row is known by: its mark, its number, or else its text."""
        sent = said.get("mark", "")
        if marked := self.find_marked_key(said):
            return marked
        if number := normalize.clean_single_line(said.get("external_id", "")):
            return ("id", resolve_source(self, said), number)
        if text := said.get(self.text_field):
            return ("text", normalize.compute_spelling_key(text), *filter(None, [sent]))
        return ("row", str(row.number))

    def find_marked_key(self, said: Mapping[str, str]) -> RowKey | None:
        """Return what a mark of this library names, if that is still there."""
        pk = row_marks.read_row_mark(self.name, said.get("mark", ""))
        if pk is None:
            return None
        if self._existing_ids is None:
            rows = self.model._default_manager.order_by()
            self._existing_ids = set(rows.values_list("pk", flat=True))
        return ("pk", str(pk)) if pk in self._existing_ids else None

    def get_column_title(self, name: str) -> str:
        """Return what the file calls a field, or else what we call it."""
        if name not in self.columns.headings_by_field:
            name = name.removesuffix("_id")  # the column of a relation
        ours = self.columns.headings_by_field.get(name, ["整行"])[0]
        return self.layout.titles.get(name, ours)

    def refuse_row(self, wish: ParsedRow, name: str, text: str) -> None:
        value = cells.shorten_for_message(wish.values.get(name, ""), 20)
        wish.reasons.append(RefusalReason(self.get_column_title(name), text, value))

    def set_changed_values(self, row: Model, values: Mapping[str, Any]) -> list[str]:
        """Set the columns of `row` that differ; return which."""
        changed = []
        for name, value in values.items():
            now = getattr(row, name)
            if (
                cells.normalize_line_ends(now) if isinstance(now, str) else now
            ) != value:
                self.remember_old_value(row, name)
                setattr(row, name, value)
                changed.append(name)
        return changed

    def remember_old_value(self, row: Model, name: str) -> None:
        """Keep what a column holds, so that it can be brought back."""
        column = row._meta.get_field(name).attname  # type: ignore[union-attr]
        self.old_values.setdefault(id(row), {}).setdefault(column, getattr(row, column))

    def iter_row_changes(self) -> Iterator[RowChange]:
        """Yield what was done to each row of the database, once it is stored.

        What is new comes last: it is taken back first.
        """
        for row in self.changed_rows:
            before = self.old_values.get(id(row), {})
            yield (
                row.pk,
                str(row),
                to_json_values(before),
                read_json_values(row, before),
            )
        for row in self.new_rows:
            yield row.pk, str(row), None, read_json_values(row, self.compared_columns)

    def parse_choice(self, wish: ParsedRow, name: str, known: Mapping[str, str]) -> str:
        """Return what a cell stands for, or "" and a reason: nothing is guessed."""
        if not (said := wish.values.get(name)):
            return ""
        value = known.get("".join(normalize.normalize_text(said).split()), "")
        if not value:
            shown = "、".join(dict.fromkeys(known))
            self.refuse_row(wish, name, f"不认识这个值，可以写：{shown}")
        return value

    def parse_time(
        self, wish: ParsedRow, name: str, *, future: bool = False
    ) -> datetime | None:
        """Return the time that a cell names, or None and a reason."""
        if not (said := wish.values.get(name)):
            return None
        try:
            return cells.parse_time_cell(said, future=future)
        except ValueError as error:
            self.refuse_row(wish, name, str(error))
            return None

    def check_name_lengths(self, wish: ParsedRow, **names: Sequence[str]) -> None:
        """Refuse names of categories, tags or modules that are too long."""
        for name, given in names.items():
            if any(len(one) > MAX_NAME_CHARS[name] for one in given):
                self.refuse_row(wish, name, f"名称最长 {MAX_NAME_CHARS[name]} 个字")

    def validate_row(
        self, wish: ParsedRow, row: Model, apart: Collection[str], said_in: str = ""
    ) -> None:
        """Refuse the row of the file where `row` does not hold, except for `apart`.

        Complaints name the field `said_in`, or else the column itself. No relation
        and nothing unique is looked up.
        """
        for validate in (row.clean, partial(row.clean_fields, exclude=apart)):
            try:
                validate()
            except ValidationError as error:
                for name, errors in error.update_error_dict({}).items():
                    told = "；".join(describe_column_error(name, one) for one in errors)
                    self.refuse_row(wish, said_in or name, told)


def parse_rows(
    kind: RowKind, rows: Sequence[TableRow], width: int
) -> Iterator[ParsedRow]:
    """Yield what each row asks for; the second with the same key is refused."""
    first: dict[RowKey, int] = {}
    for row in rows:
        wish = _parse_row(kind, row, width)
        number = first.setdefault(wish.key, row.number)
        if number != row.number:
            name = "external_id" if wish.key[0] == "id" else kind.text_field
            kind.refuse_row(wish, name, f"与第 {number} 行重复")
        yield wish


def plan_rows(
    kind: RowKind, asked: Iterator[ParsedRow], count: int, progress: ReportProgress
) -> list[PlannedRow]:
    """Return what happens to each row, having looked them up in batches.

    Rows that are merged into entries come last: other rows may change the same entry.
    """
    rows = list(asked)
    kind.match_rows(rows, progress)
    actions: dict[int, tuple[RowAction, Sequence[str]]] = {}
    waiting = iter(sorted(range(count), key=lambda at: rows[at].is_merge))
    while places := list(islice(waiting, LOOKUP_BATCH_ROWS)):
        batch = [rows[at] for at in places]
        sound = [wish for wish in batch if not wish.reasons]
        seen = _find_stamps(kind, [wish.key for wish in sound])
        known = kind.load_rows([pk for found in seen.values() for pk, _ in found])
        for at, wish in zip(places, batch, strict=True):
            found = seen.get(wish.key, [])
            if wish.concern is not RowConcern.DUPLICATE:  # which has told itself
                kind.evidence.append((wish.row.number, found))
            actions[at] = _decide_action(kind, wish, [known[pk] for pk, _ in found])
            if actions[at][0] in WRITING_ACTIONS:
                kind.planned_stamps[wish.key] = found
        progress("核对", len(actions), count)
    kind.finish_planning()
    return [_make_planned_row(kind, rows[at], *actions[at]) for at in range(count)]


def has_changed_since_plan(kind: RowKind) -> bool:
    """Tell whether somebody has changed what the plan was based on.

    From then on until the transaction ends nobody can: the rows are ours, and
    any other import waits.
    """
    imports = ContentType.objects.select_for_update()
    list(imports.filter(app_label="kb", model=kind.model._meta.model_name))
    keys = iter(kind.planned_stamps)
    while batch := list(islice(keys, LOOKUP_BATCH_ROWS)):
        pks = [pk for key in batch for pk, _ in kind.planned_stamps[key]]
        rows = kind.model._default_manager.select_for_update()
        list(rows.filter(pk__in=pks).order_by("pk").values_list("pk"))
        now = _find_stamps(kind, batch)
        if any(now.get(key, []) != kind.planned_stamps[key] for key in batch):
            return True
    return False


def _find_stamps(kind: RowKind, keys: Collection[RowKey]) -> StampsByKey:
    """Look texts up by what they say: the mark of another library tells rows apart."""
    plain = {key: key[:2] if key[0] == "text" else key for key in keys}
    seen = kind.find_stamps(list(dict.fromkeys(plain.values())))
    return {key: seen[same] for key, same in plain.items() if same in seen}


def _parse_row(kind: RowKind, row: TableRow, width: int) -> ParsedRow:
    values = kind.layout.read_values(row)
    said = {name: value for name, value in values.items() if value}
    wish = ParsedRow(
        row,
        said,
        kind.make_row_key(row, said),
        cells.shorten_for_message(said.get(kind.text_field, "")),
    )
    wish.reasons += kind.layout.find_flaws(row, width)
    if not wish.reasons and kind.text_field not in said:
        kind.refuse_row(wish, kind.text_field, "不能为空")
    if cells.is_scientific_number(said.get("external_id", "")):
        kind.refuse_row(
            wish, "external_id", "像是被 Excel 改成了科学计数法，请把这一列设为文本"
        )
    return wish


def split_row_keys(keys: Collection[RowKey]) -> tuple[set[RowKey], list[str]]:
    """Return the keys that are numbers of a source, and the digests of the others."""
    numbers = {key for key in keys if key[0] == "id"}
    return numbers, [key[1] for key in keys if key[0] == "text"]


def list_marked_ids(keys: Collection[RowKey]) -> list[int]:
    """Return the ids that marks of this library told."""
    return [int(key[1]) for key in keys if key[0] == "pk"]


def resolve_source(kind: RowKind, said: Mapping[str, str]) -> str:
    return normalize.clean_single_line(said.get("source", "")) or kind.options.source


def _decide_action(
    kind: RowKind, wish: ParsedRow, found: list[Model]
) -> tuple[RowAction, Sequence[str]]:
    """Return what becomes of a row, and which fields it changes."""
    if wish.duplicate_action == SKIP_DUPLICATE and not wish.reasons:
        return RowAction.SKIP, ()
    changed = [] if wish.reasons else kind.plan_row(wish, found)
    if wish.reasons:
        return RowAction.REFUSE, ()
    if wish.is_replacement:
        return RowAction.REPLACE, ()
    if not found:
        return RowAction.CREATE, ()
    if not changed:
        return RowAction.SAME, ()
    return (RowAction.MERGE if wish.is_merge else RowAction.CHANGE), changed


def _make_planned_row(
    kind: RowKind, wish: ParsedRow, action: RowAction, changed: Sequence[str]
) -> PlannedRow:
    is_written = action in WRITING_ACTIONS
    has_notes = action is not RowAction.SAME or wish.unpublished_reason
    return PlannedRow(
        wish.row,
        RowAction.REFUSE if wish.reasons else action,
        wish.title,
        [kind.get_column_title(name) for name in changed],
        reasons=wish.reasons,
        notes=wish.notes if has_notes and not wish.reasons else [],
        concern=wish.concern,
        related_entry=wish.related_entry,
        duplicate_action=wish.duplicate_action,
        is_live=wish.is_live and is_written and not wish.reasons,
    )
