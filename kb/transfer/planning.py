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

from kb.models import Entry, User
from kb.text import normalize
from kb.transfer import cells, marks
from kb.transfer.allowing import Allowing
from kb.transfer.columns import Columns, Layout
from kb.transfer.places import LONGEST, Places
from kb.transfer.report import (
    WRITING,
    Action,
    Concern,
    Reason,
    RelatedEntry,
    Step,
    sentence,
)
from kb.transfer.table import Row
from kb.transfer.written import Written, plain, told

BATCH = 500  # rows that are looked up at a time
SKIP, NEW, MERGE = "skip", "new", "merge"
CHOICES = (SKIP, NEW, MERGE)  # of a row that nearly repeats an entry
Key = tuple[str, ...]  # ("id", source, number), ("text", digest), or ("row", number)
Seen = dict[Key, list[tuple[int, object]]]  # (pk, stamp) of the rows with that key
Progress = Callable[[str, int, int], None]  # what, done, of how many


@dataclass(frozen=True, slots=True)
class Options:
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
    duplicates: str = SKIP  # what happens to near duplicates: one of CHOICES
    row_choices: Mapping[int, str] = field(default_factory=dict)
    # Whether rows may change what is published although new ones are no more than
    # drafts. None: they may when new entries are published, too.
    may_change_live: bool | None = None

    def choice_for(self, row: Row) -> str:
        return self.row_choices.get(row.number) or self.duplicates

    @property
    def changes_live(self) -> bool:
        if self.may_change_live is None:
            return self.status == Entry.Status.PUBLISHED
        return self.may_change_live


@dataclass(slots=True)
class Wish:
    """What one row asks for; `said` holds the cells that say something."""

    row: Row
    said: dict[str, str]
    key: Key
    title: str
    reasons: list[Reason] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    concern: Concern | None = None
    related: RelatedEntry | None = None
    choice: str = ""  # of CHOICES, for a duplicate
    replaces: bool = False  # confirmed: the entry found makes room for the row
    number: tuple[str, str] | None = None  # the source and number that it takes over
    is_live: bool = False
    finding: str = ""  # why the entry is not published, once a note says so

    @property
    def merges(self) -> bool:
        return self.choice == MERGE


class Kind(ABC):
    """What a row of one kind means. Each instance plans and writes one file."""

    name: ClassVar[str]  # what it is called by commands and marks

    columns: ClassVar[Columns]
    model: ClassVar[type[Model]]
    text: ClassVar[str]  # the field that a row is known by when it has no number
    versioned: ClassVar[bool] = False  # whether what it writes are versions of entries
    stamped: ClassVar[tuple[str, ...]] = ()  # columns that tell whether a row changed

    def __init__(self, options: Options, layout: Layout) -> None:
        self.options, self.layout, self.places = options, layout, Places()
        self.allowing = Allowing(options.by)
        self.seen: Seen = {}  # what the rows that will be written were based on
        self.old: dict[int, dict[str, Any]] = {}  # columns before, by the row's id()
        self.new: list[Any] = []
        self.changed: list[Any] = []
        self._there: set[int] | None = None  # ids, read when a mark asks for them
        self.evidence: list[object] = []  # see Plan.evidence

    def resolve(self, asked: Sequence[Wish], progress: Progress) -> None:  # noqa: B027
        """Look at all rows together, before each is met: which entry each means.

        Nothing to do for a kind whose rows are known by their own text.
        """

    def finish(self) -> None:  # noqa: B027
        """Settle what can be known only once every row was met: nothing by default."""

    @abstractmethod
    def find(self, keys: Collection[Key]) -> Seen:
        """Return what has each of `keys`; a stamp is equal until somebody saves."""

    @abstractmethod
    def load(self, pks: Collection[int]) -> Mapping[int, Model]:
        """Return these rows with all that `meet` compares."""

    @abstractmethod
    def meet(self, wish: Wish, found: Sequence[Any]) -> Sequence[str]:
        """Return which fields change, and keep what is to be written.

        Adds to the wish's reasons when the row must be refused.
        """

    @abstractmethod
    def prepare(self, progress: Progress) -> None:
        """Do the expensive part of writing, before the transaction."""

    @abstractmethod
    def store(self, by: User | None) -> None:
        """Write everything, in the caller's transaction."""

    def key(self, row: Row, said: Mapping[str, str]) -> Key:
        """Return what a row is known by: its mark, its number, or else its text."""
        sent = said.get("mark", "")
        if marked := self.marked(said):
            return marked
        if number := normalize.line(said.get("external_id", "")):
            return ("id", source(self, said), number)
        if text := said.get(self.text):
            return ("text", normalize.key(text), *filter(None, [sent]))
        return ("row", str(row.number))

    def marked(self, said: Mapping[str, str]) -> Key | None:
        """Return what a mark of this library names, if that is still there."""
        pk = marks.known(self.name, said.get("mark", ""))
        if pk is None:
            return None
        if self._there is None:
            rows = self.model._default_manager.order_by()
            self._there = set(rows.values_list("pk", flat=True))
        return ("pk", str(pk)) if pk in self._there else None

    def title(self, name: str) -> str:
        """Return what the file calls a field, or else what we call it."""
        if name not in self.columns.names:
            name = name.removesuffix("_id")  # the column of a relation
        ours = self.columns.names.get(name, ["整行"])[0]
        return self.layout.titles.get(name, ours)

    def refuse(self, wish: Wish, name: str, text: str) -> None:
        value = cells.brief(wish.said.get(name, ""), 20)
        wish.reasons.append(Reason(self.title(name), text, value))

    def take(self, row: Model, values: Mapping[str, Any]) -> list[str]:
        """Set the columns of `row` that differ; return which."""
        changed = []
        for name, value in values.items():
            now = getattr(row, name)
            if (cells.unify(now) if isinstance(now, str) else now) != value:
                self.remember(row, name)
                setattr(row, name, value)
                changed.append(name)
        return changed

    def remember(self, row: Model, name: str) -> None:
        """Keep what a column holds, so that it can be brought back."""
        column = row._meta.get_field(name).attname  # type: ignore[union-attr]
        self.old.setdefault(id(row), {}).setdefault(column, getattr(row, column))

    def written(self) -> Iterator[Written]:
        """Yield what was done to each row of the database, once it is stored.

        What is new comes last: it is taken back first.
        """
        for row in self.changed:
            before = self.old.get(id(row), {})
            yield row.pk, str(row), plain(before), told(row, before)
        for row in self.new:
            yield row.pk, str(row), None, told(row, self.stamped)

    def choice(self, wish: Wish, name: str, known: Mapping[str, str]) -> str:
        """Return what a cell stands for, or "" and a reason: nothing is guessed."""
        if not (said := wish.said.get(name)):
            return ""
        value = known.get("".join(normalize.normalize(said).split()), "")
        if not value:
            shown = "、".join(dict.fromkeys(known))
            self.refuse(wish, name, f"不认识这个值，可以写：{shown}")
        return value

    def moment(self, wish: Wish, name: str, *, future: bool = False) -> datetime | None:
        """Return the time that a cell names, or None and a reason."""
        if not (said := wish.said.get(name)):
            return None
        try:
            return cells.moment(said, future=future)
        except ValueError as error:
            self.refuse(wish, name, str(error))
            return None

    def check_names(self, wish: Wish, **names: Sequence[str]) -> None:
        """Refuse names of categories, tags or modules that are too long."""
        for name, given in names.items():
            if any(len(one) > LONGEST[name] for one in given):
                self.refuse(wish, name, f"名称最长 {LONGEST[name]} 个字")

    def check(
        self, wish: Wish, row: Model, apart: Collection[str], said_in: str = ""
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
                    told = "；".join(sentence(name, one) for one in errors)
                    self.refuse(wish, said_in or name, told)


def wishes(kind: Kind, rows: Sequence[Row], width: int) -> Iterator[Wish]:
    """Yield what each row asks for; the second with the same key is refused."""
    first: dict[Key, int] = {}
    for row in rows:
        wish = _wish(kind, row, width)
        number = first.setdefault(wish.key, row.number)
        if number != row.number:
            name = "external_id" if wish.key[0] == "id" else kind.text
            kind.refuse(wish, name, f"与第 {number} 行重复")
        yield wish


def steps(
    kind: Kind, asked: Iterator[Wish], count: int, progress: Progress
) -> list[Step]:
    """Return what happens to each row, having looked them up in batches.

    Rows that are merged into entries come last: other rows may change the same entry.
    """
    rows = list(asked)
    kind.resolve(rows, progress)
    actions: dict[int, tuple[Action, Sequence[str]]] = {}
    waiting = iter(sorted(range(count), key=lambda at: rows[at].merges))
    while places := list(islice(waiting, BATCH)):
        batch = [rows[at] for at in places]
        sound = [wish for wish in batch if not wish.reasons]
        seen = _find(kind, [wish.key for wish in sound])
        known = kind.load([pk for found in seen.values() for pk, _ in found])
        for at, wish in zip(places, batch, strict=True):
            found = seen.get(wish.key, [])
            if wish.concern is not Concern.DUPLICATE:  # which has told itself
                kind.evidence.append((wish.row.number, found))
            actions[at] = _meet(kind, wish, [known[pk] for pk, _ in found])
            if actions[at][0] in WRITING:
                kind.seen[wish.key] = found
        progress("核对", len(actions), count)
    kind.finish()
    return [_step(kind, rows[at], *actions[at]) for at in range(count)]


def moved(kind: Kind) -> bool:
    """Tell whether somebody has changed what the plan was based on.

    From then on until the transaction ends nobody can: the rows are ours, and
    any other import waits.
    """
    imports = ContentType.objects.select_for_update()
    list(imports.filter(app_label="kb", model=kind.model._meta.model_name))
    keys = iter(kind.seen)
    while batch := list(islice(keys, BATCH)):
        pks = [pk for key in batch for pk, _ in kind.seen[key]]
        rows = kind.model._default_manager.select_for_update()
        list(rows.filter(pk__in=pks).order_by("pk").values_list("pk"))
        now = _find(kind, batch)
        if any(now.get(key, []) != kind.seen[key] for key in batch):
            return True
    return False


def _find(kind: Kind, keys: Collection[Key]) -> Seen:
    """Look texts up by what they say: the mark of another library tells rows apart."""
    plain = {key: key[:2] if key[0] == "text" else key for key in keys}
    seen = kind.find(list(dict.fromkeys(plain.values())))
    return {key: seen[same] for key, same in plain.items() if same in seen}


def _wish(kind: Kind, row: Row, width: int) -> Wish:
    values = kind.layout.values(row)
    said = {name: value for name, value in values.items() if value}
    wish = Wish(row, said, kind.key(row, said), cells.brief(said.get(kind.text, "")))
    wish.reasons += kind.layout.flaws(row, width)
    if not wish.reasons and kind.text not in said:
        kind.refuse(wish, kind.text, "不能为空")
    if cells.is_scientific(said.get("external_id", "")):
        kind.refuse(
            wish, "external_id", "像是被 Excel 改成了科学计数法，请把这一列设为文本"
        )
    return wish


def split(keys: Collection[Key]) -> tuple[set[Key], list[str]]:
    """Return the keys that are numbers of a source, and the digests of the others."""
    numbers = {key for key in keys if key[0] == "id"}
    return numbers, [key[1] for key in keys if key[0] == "text"]


def ids(keys: Collection[Key]) -> list[int]:
    """Return the ids that marks of this library told."""
    return [int(key[1]) for key in keys if key[0] == "pk"]


def source(kind: Kind, said: Mapping[str, str]) -> str:
    return normalize.line(said.get("source", "")) or kind.options.source


def _meet(kind: Kind, wish: Wish, found: list[Model]) -> tuple[Action, Sequence[str]]:
    """Return what becomes of a row, and which fields it changes."""
    if wish.choice == SKIP and not wish.reasons:
        return Action.SKIP, ()
    changed = [] if wish.reasons else kind.meet(wish, found)
    if wish.reasons:
        return Action.REFUSE, ()
    if wish.replaces:
        return Action.REPLACE, ()
    if not found:
        return Action.CREATE, ()
    if not changed:
        return Action.SAME, ()
    return (Action.MERGE if wish.merges else Action.CHANGE), changed


def _step(kind: Kind, wish: Wish, action: Action, changed: Sequence[str]) -> Step:
    is_written = action in WRITING
    has_notes = action is not Action.SAME or wish.finding
    return Step(
        wish.row,
        Action.REFUSE if wish.reasons else action,
        wish.title,
        [kind.title(name) for name in changed],
        reasons=wish.reasons,
        notes=wish.notes if has_notes and not wish.reasons else [],
        concern=wish.concern,
        related=wish.related,
        choice=wish.choice,
        is_live=wish.is_live and is_written and not wish.reasons,
    )
