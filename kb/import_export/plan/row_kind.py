"""The kinds of rows: what a row holds once it is analysed, and what a kind implements."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Model

from kb.import_export import cells, row_marks
from kb.import_export.columns import ColumnLayout, KindColumns
from kb.import_export.plan.sender_permissions import SenderPermissions
from kb.import_export.plan.taxonomy import MAX_NAME_CHARS, Taxonomy
from kb.import_export.row_changes import RowChange, read_json_values, to_json_values
from kb.import_export.row_outcome import (
    RefusalReason,
    RelatedEntry,
    RowConcern,
    describe_column_error,
)
from kb.import_export.table import TableRow
from kb.models import Entry, User
from kb.text.chinese import normalize

LOOKUP_BATCH_ROWS = 500  # rows that one query looks up
# What happens to a row that nearly repeats an entry of the library.
SKIP_DUPLICATE, ADD_DUPLICATE, MERGE_DUPLICATE = "skip", "new", "merge"
DUPLICATE_ACTIONS = (SKIP_DUPLICATE, ADD_DUPLICATE, MERGE_DUPLICATE)
# What identifies a row: ("pk", id), ("id", source, external id), ("text", text key),
# ("row", number) for one that is always new, or a key that only its kind knows.
RowKey = tuple[str, ...]
# {key: [(pk, stamp)]} of the database rows with that key. The stamp of a row is equal
# to an earlier one until the row is saved.
StampsByKey = dict[RowKey, list[tuple[int, object]]]
ReportProgress = Callable[[str, int, int], None]  # step, rows done, rows in all


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Defaults for rows that give no value, and what the sender of the file decided."""

    source: str = ""
    status: str = Entry.Status.PUBLISHED
    audience: str = "auto"
    may_publish: bool = True
    by: User | None = None  # None: a command, which may do anything
    # The source is the file's name by default. Then rows imported without a source
    # are recognised, too.
    is_source_default: bool = False
    # Decisions made in the preview, by the number of the row in the file.
    replaced_rows: frozenset[int] = frozenset()
    duplicate_action: str = SKIP_DUPLICATE  # one of DUPLICATE_ACTIONS
    row_duplicate_actions: Mapping[int, str] = field(default_factory=dict)
    # Whether rows may change published entries although new ones become drafts.
    # None: only when new entries are published, too.
    may_change_live: bool | None = None

    def get_duplicate_action(self, row_number: int) -> str:
        return self.row_duplicate_actions.get(row_number) or self.duplicate_action

    @property
    def can_change_live(self) -> bool:
        if self.may_change_live is None:
            return self.status == Entry.Status.PUBLISHED
        return self.may_change_live


@dataclass(slots=True)
class ParsedRow:
    """One row of a file, analysed once; the steps after parsing read only this.

    `values` has the clean text of the cells that are not blank, `lists` the values of
    the fields that hold several. The fields below `title` are what planning finds.
    """

    row: TableRow
    values: dict[str, str]
    lists: dict[str, list[str]]
    source: str  # the row's own, or the default
    external_id: str
    text_key: str  # the spelling key of the text that identifies the row, or ""
    key: RowKey = ()
    title: str = ""
    entry_id: int | None = None  # of the entry that a row of a child table names
    entry_error: str = ""  # why no entry was found
    reasons: list[RefusalReason] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    concern: RowConcern | None = None
    related_entry: RelatedEntry | None = None
    duplicate_action: str = ""  # one of DUPLICATE_ACTIONS, for a duplicate
    is_replacement: bool = False  # confirmed: the row takes the place of an entry
    new_external_id: tuple[str, str] | None = None  # (source, number) that it takes
    is_live: bool = False
    unpublished_reason: str = ""  # why the entry is not published; a note says so

    @property
    def is_merge(self) -> bool:
        return self.duplicate_action == MERGE_DUPLICATE


class RowKind(ABC):
    """What rows of one kind mean. An instance plans and writes one file."""

    name: ClassVar[str]  # in commands, addresses and row marks
    columns: ClassVar[KindColumns]
    model: ClassVar[type[Model]]
    text_field: ClassVar[str]  # the field that identifies a row without a number
    has_versions: ClassVar[bool] = False  # whether it writes versions of entries
    compared_columns: ClassVar[tuple[str, ...]] = ()  # they tell whether a row changed

    def __init__(self, options: ImportOptions, layout: ColumnLayout) -> None:
        self.options, self.layout, self.taxonomy = options, layout, Taxonomy()
        self.sender_permissions = SenderPermissions(options.by)
        # The stamps that the rows to be written are based on.
        self.planned_stamps: StampsByKey = {}
        # {id() of the database row: {column: its value before}}
        self.old_values: dict[int, dict[str, Any]] = {}
        self.new_rows: list[Any] = []
        self.changed_rows: list[Any] = []
        self.evidence: list[object] = []  # see ImportPlan.evidence
        self._existing_ids: set[int] | None = None  # loaded for the first row mark

    def analyse_row(self, parsed: ParsedRow) -> None:  # noqa: B027
        """Add to a parsed row what only this kind knows; nothing by default."""

    def match_rows(self, rows: Sequence[ParsedRow], progress: ReportProgress) -> None:  # noqa: B027
        """Find which database row each row means, looking at all rows together.

        Nothing by default: a row is identified by its key alone.
        """

    def finish_planning(self) -> None:  # noqa: B027
        """Settle what is known only once every row is planned; nothing by default."""

    @abstractmethod
    def find_stamps(self, keys: Collection[RowKey]) -> StampsByKey:
        """Return the ids and stamps of the database rows that have these keys."""

    @abstractmethod
    def load_rows(self, pks: Collection[int]) -> Mapping[int, Model]:
        """Return {pk: row} with all that `plan_row` compares."""

    @abstractmethod
    def plan_row(self, parsed: ParsedRow, existing: Sequence[Any]) -> Sequence[str]:
        """Return which fields of the `existing` row change; keep what is to be written.

        Adds to `parsed.reasons` when the row must be refused.
        """

    def prepare_rows(self, progress: ReportProgress) -> None:  # noqa: B027
        """Do the slow part of writing, before the transaction; nothing by default."""

    @abstractmethod
    def store_rows(self, by: User | None) -> None:
        """Write the planned rows, in the caller's transaction."""

    def make_row_key(self, parsed: ParsedRow) -> RowKey:
        """Return what identifies a row: its mark, its number, or else its text."""
        if marked := self.find_marked_key(parsed):
            return marked
        if parsed.external_id:
            return ("id", parsed.source, parsed.external_id)
        if parsed.text_key:
            mark = parsed.values.get("mark", "")
            return ("text", parsed.text_key, *filter(None, [mark]))
        return ("row", str(parsed.row.number))

    def find_marked_key(self, parsed: ParsedRow) -> RowKey | None:
        """Return the key of the row that a mark of this library names, if it exists."""
        pk = row_marks.read_row_mark(self.name, parsed.values.get("mark", ""))
        if pk is None:
            return None
        if self._existing_ids is None:
            rows = self.model._default_manager.order_by()
            self._existing_ids = set(rows.values_list("pk", flat=True))
        return ("pk", str(pk)) if pk in self._existing_ids else None

    def get_column_title(self, name: str) -> str:
        """Return the heading of a field in the file, or else its first heading."""
        if name not in self.columns.headings_by_field:
            name = name.removesuffix("_id")  # the column of a relation
        heading = self.columns.headings_by_field.get(name, ["整行"])[0]
        return self.layout.titles.get(name, heading)

    def refuse_row(self, parsed: ParsedRow, name: str, text: str) -> None:
        """Add `text` to the reasons of a row, at the field `name`."""
        value = cells.shorten_for_message(parsed.values.get(name, ""), 20)
        parsed.reasons.append(RefusalReason(self.get_column_title(name), text, value))

    def set_changed_values(self, row: Model, values: Mapping[str, Any]) -> list[str]:
        """Set the columns of a database row that differ; return which."""
        changed = []
        for name, value in values.items():
            current = getattr(row, name)
            if isinstance(current, str):
                current = cells.normalize_line_ends(current)
            if current != value:
                self.remember_old_value(row, name)
                setattr(row, name, value)
                changed.append(name)
        return changed

    def remember_old_value(self, row: Model, name: str) -> None:
        """Keep the value of a column before the import, for undoing it."""
        column = row._meta.get_field(name).attname  # type: ignore[union-attr]
        self.old_values.setdefault(id(row), {}).setdefault(column, getattr(row, column))

    @classmethod
    def save_row(cls, row: Any, *, by: User | None) -> None:
        """Save a checked database row of this kind."""
        row.save()

    @classmethod
    def delete_row(cls, row: Any, *, by: User | None) -> None:
        """Delete a row that an import created."""
        row.delete()

    def iter_row_changes(self) -> Iterator[RowChange]:
        """Yield what was done to each database row, after `store_rows`.

        New rows come last: they are undone first.
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

    def parse_choice(
        self, parsed: ParsedRow, name: str, values_by_label: Mapping[str, str]
    ) -> str:
        """Return the value that a cell names, or "" after refusing an unknown label."""
        if not (text := parsed.values.get(name)):
            return ""
        label = "".join(normalize.normalize_text(text).split())
        value = values_by_label.get(label, "")
        if not value:
            shown = "、".join(values_by_label)
            self.refuse_row(parsed, name, f"不认识这个值，可以写：{shown}")
        return value

    def parse_count(
        self, parsed: ParsedRow, name: str, text: str, *, max_digits: int = 4
    ) -> int | None:
        """Return the whole number in a cell, or None, after refusing anything else.

        `text` is the reason to show.
        """
        if not (digits := parsed.values.get(name)):
            return None
        if digits.isascii() and digits.isdecimal() and len(digits) <= max_digits:
            return int(digits)
        self.refuse_row(parsed, name, text)
        return None

    def parse_time(
        self, parsed: ParsedRow, name: str, *, future: bool = False
    ) -> datetime | None:
        """Return the time in a cell, or None after refusing what is no time."""
        if not (text := parsed.values.get(name)):
            return None
        try:
            return cells.parse_time_cell(text, future=future)
        except ValueError as error:
            self.refuse_row(parsed, name, str(error))
            return None

    def check_name_lengths(self, parsed: ParsedRow, **names: Sequence[str]) -> None:
        """Refuse names of categories, tags or modules that are too long."""
        for name, texts in names.items():
            if any(len(text) > MAX_NAME_CHARS[name] for text in texts):
                self.refuse_row(parsed, name, f"名称最长 {MAX_NAME_CHARS[name]} 个字")

    def validate_row(
        self, parsed: ParsedRow, row: Model, exclude: Collection[str], column: str = ""
    ) -> None:
        """Refuse the row of the file where the database row is not valid.

        Columns in `exclude` are not checked. Reasons name the field `column`, or else
        the column with the error. Neither relations nor uniqueness are looked up.
        """
        for validate in (row.clean, partial(row.clean_fields, exclude=exclude)):
            try:
                validate()
            except ValidationError as error:
                for name, errors in error.update_error_dict({}).items():
                    message = "；".join(
                        describe_column_error(name, error) for error in errors
                    )
                    self.refuse_row(parsed, column or name, message)


def split_row_keys(keys: Collection[RowKey]) -> tuple[set[RowKey], list[str]]:
    """Return the keys with an external id, and the text keys of the others."""
    numbered = {key for key in keys if key[0] == "id"}
    return numbered, [key[1] for key in keys if key[0] == "text"]


def list_marked_ids(keys: Collection[RowKey]) -> list[int]:
    """Return the database ids of the keys that have one."""
    return [int(key[1]) for key in keys if key[0] == "pk"]
