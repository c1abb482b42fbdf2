"""Rows that hang on an entry, replies and phrasings: the entry is named, never guessed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Model

from kb.import_export import row_marks
from kb.import_export.columns import ColumnLayout, KindColumns
from kb.import_export.plan.planner import (
    ImportOptions,
    ParsedRow,
    ReportProgress,
    RowKey,
    RowKind,
    StampsByKey,
)
from kb.import_export.plan.question_similarity import (
    SAME_QUESTION_SIMILARITY,
    compute_question_similarity,
)
from kb.import_export.row_changes import RowChange, describe_version_change
from kb.import_export.rows import entry_drafts
from kb.import_export.table import TableRow
from kb.index import sync
from kb.language import style_rules
from kb.library import entries
from kb.models import Channel, CustomerSegment, Entry, Phrasing, Reply, User
from kb.text.chinese import normalize

ENTRY_REFERENCE_COLUMNS = {  # the columns that name an entry, the surest first
    "entry_mark": ["条目库内号", "entry_mark"],
    "entry_source": ["条目来源", "entry_source"],
    "entry_id": ["条目编号", "entry_id"],
    "entry": ["条目", "标准问题", "应该找到", "entry"],
}
CHANNELS_BY_NAME = {
    normalize.normalize_text(name): channel.value
    for channel in Channel
    for name in (str(channel.label), channel.value)
}
TONES_BY_NAME = {
    normalize.normalize_text(name): tone.value
    for tone in Reply.Tone
    for name in (str(tone.label), tone.value)
}


REPLY_STAMP_COLUMNS = ("body", "label", "tone", "channel", "segment_id", "order")


class EntryLookup:
    """The entries of the library by what a file may call them."""

    def __init__(self) -> None:
        self.ids_by_external_id: dict[tuple[str, str], int] = {}
        self.sources_by_number: defaultdict[str, list[str]] = defaultdict(
            list
        )  # of a number
        self.questions_by_id: dict[int, str] = {}
        self.ids_by_question_key: defaultdict[str, list[int]] = defaultdict(list)
        self.entry_ids: set[int] = set()
        rows = Entry.objects.order_by("pk").values_list(
            "pk", "source", "external_id", "question_key", "question"
        )
        for pk, source, number, digest, question in rows.iterator():
            self.entry_ids.add(pk)
            self.ids_by_question_key[digest].append(pk)
            self.questions_by_id[pk] = question
            if number:
                self.ids_by_external_id[source, number] = pk
                self.sources_by_number[number].append(source)

    def find_entry_id(self, said: Mapping[str, str], default: str = "") -> int:
        """Return the id of the entry that a row names; raises ValueError with why not."""
        pk = row_marks.read_row_mark("entries", said.get("entry_mark", ""))
        if pk is not None and pk in self.entry_ids:
            return pk
        if number := normalize.clean_single_line(said.get("entry_id", "")):
            source = (
                normalize.clean_single_line(said.get("entry_source", "")) or default
            )
            return self._find_by_number(number, source, said.get("entry", ""))
        if not (text := said.get("entry")):
            raise ValueError("没有写是哪个条目")
        found = self.ids_by_question_key.get(normalize.compute_spelling_key(text), [])
        if len(found) == 1:
            return found[0]
        if found:
            ids = "、".join(f"#{pk}" for pk in found)
            raise ValueError(f"有几条相同的问题（{ids}），请用编号区分")
        raise ValueError("没有这个条目")

    def _find_by_number(self, number: str, source: str, question: str) -> int:
        """Return the id of the entry with a number; raises ValueError with why not.

        Where the row names no source, the number must be that of one source only.
        Where it names the question as well, the two must agree.
        """
        sources = self.sources_by_number.get(number, [])
        if source or sources == [""]:
            sources = [source] if source in sources else []
        same = (
            self.ids_by_question_key.get(normalize.compute_spelling_key(question), [])
            if question
            else []
        )
        pks = [self.ids_by_external_id[source, number] for source in sources]
        agreeing = [pk for pk in pks if pk in same]
        if len(agreeing) == 1:
            return agreeing[0]
        if not pks:
            raise ValueError(f"没有来源「{source}」编号「{number}」的条目")
        if len(pks) > 1:
            names = "、".join(f"「{source}」" for source in sources)
            raise ValueError(f"几个来源都有编号「{number}」（{names}），请写条目来源")
        now = self.questions_by_id[pks[0]]
        if (
            question
            and compute_question_similarity([question], [now])
            < SAME_QUESTION_SIMILARITY
        ):
            raise ValueError(f"编号「{number}」现在是「{now}」，不是「{question}」")
        return pks[0]


class ChildRows(RowKind):
    """A kind whose rows belong to entries; those get a new version, once each."""

    has_versions = True

    def __init__(self, options: ImportOptions, layout: ColumnLayout) -> None:
        super().__init__(options, layout)
        self.entry_lookup = EntryLookup()
        self.touched_entries: list[Entry] = []  # that were written to
        self.rule_library = style_rules.LibraryLookup()
        rows = Entry.objects.values_list("pk", "status", "category_id", "audience")
        self.status_and_category = {
            pk: (status, place) for pk, status, place, _ in rows
        }
        self.audiences_by_id = {pk: audience for pk, _, _, audience in rows}
        self.published_ids = {
            pk for pk, status, _, _ in rows if status == Entry.Status.PUBLISHED
        }
        self._key_counts: Counter[RowKey] = Counter()

    def find_owner_id(self, said: Mapping[str, str]) -> int | None:
        """Return the id of the entry, None where the row names none."""
        try:
            return self.entry_lookup.find_entry_id(said, self.options.source)
        except ValueError:
            return None

    def require_owner_id(self, wish: ParsedRow) -> int | None:
        try:
            return self.entry_lookup.find_entry_id(wish.values, self.options.source)
        except ValueError as error:
            said = next(
                (name for name in ENTRY_REFERENCE_COLUMNS if name in wish.values),
                "entry",
            )
            self.refuse_row(wish, said, str(error))
            return None

    def make_ordinal_key(self, key: RowKey) -> RowKey:
        """Return `key` with how often it stood in the file before."""
        self._key_counts[key] += 1
        return (*key, str(self._key_counts[key]))

    def check_texts(self, wish: ParsedRow, name: str, entry_id: int, said: Any) -> None:
        """Name what the words break; what is live must not get what cannot be published.

        Words for a live entry are live at once, and the row says so.
        """
        audience = self.audiences_by_id[entry_id]
        is_live = entry_id in self.published_ids
        found = style_rules.check_texts(
            said,
            public=audience == Entry.Audience.PUBLIC,
            entry_id=entry_id,
            library=self.rule_library,
        )
        if is_live and found and found[0].is_error:
            self.refuse_row(wish, name, str(found[0]).rstrip("。"))
            return
        wish.is_live = is_live
        wish.notes += entry_drafts.describe_findings(found)

    def require_permission(self, wish: ParsedRow, entry_id: int) -> None:
        """Refuse words for an entry that their sender may not change."""
        now = self.status_and_category[entry_id]
        if refusal := self.sender_permissions.find_refusal(now, now):
            self.refuse_row(wish, "entry", refusal[1])

    def prepare_rows(self, progress: ReportProgress) -> None:
        """Nothing here takes time."""

    def lock_touched_entries(self) -> list[Entry]:
        """Return the entries of all that is written, ours until the end."""
        pks = {row.entry_id for row in (*self.new_rows, *self.changed_rows)}
        rows = Entry.objects.select_for_update().order_by("pk")
        self.touched_entries = list(rows.filter(pk__in=pks))
        return self.touched_entries

    def iter_row_changes(self) -> Iterator[RowChange]:
        return map(describe_version_change, self.touched_entries)


class ReplyRows(ChildRows):
    columns = KindColumns(
        {
            "mark": ["库内号", "mark"],
            "body": ["话术", "内容", "话术内容", "reply", "body"],
            "label": ["名称", "话术名称", "label"],
            "tone": ["语气", "tone"],
            "channel": ["渠道", "channel"],
            "segment": ["客户类型", "segment"],
            "order": ["次序", "order"],
            **ENTRY_REFERENCE_COLUMNS,
        },
        required_groups=[["body"], ["entry_mark", "entry_id", "entry"]],
    )
    name, model, text_field = "replies", Reply, "body"

    def __init__(self, options: ImportOptions, layout: ColumnLayout) -> None:
        super().__init__(options, layout)
        self.segments_by_name = {
            normalize.normalize_text(s.name): s for s in CustomerSegment.objects.all()
        }

    def make_row_key(self, row: TableRow, said: Mapping[str, str]) -> RowKey:
        if marked := self.find_marked_key(said):
            return marked
        owner = self.find_owner_id(said)
        if owner is None:
            return ("row", str(row.number))
        label = normalize.clean_single_line(said.get("label", "")) or "标准"
        return self.make_ordinal_key(("reply", str(owner), label))

    def find_stamps(self, keys: Collection[RowKey]) -> StampsByKey:
        owners = {int(key[1]) for key in keys if key[0] == "reply"}
        marked = {int(key[1]) for key in keys if key[0] == "pk"}
        shared = Reply.objects.shared().order_by("pk")
        seen: StampsByKey = {}
        for reply in shared.filter(pk__in=marked):
            seen["pk", str(reply.pk)] = [(reply.pk, _make_reply_stamp(reply))]
        counted: Counter[RowKey] = Counter()
        for reply in shared.filter(entry__in=owners):
            key = ("reply", str(reply.entry_id), reply.label)
            counted[key] += 1
            seen[*key, str(counted[key])] = [(reply.pk, _make_reply_stamp(reply))]
        return {key: seen[key] for key in keys if key in seen}

    def load_rows(self, pks: Collection[int]) -> Mapping[int, Model]:
        return Reply.objects.shared().in_bulk(pks)

    def plan_row(self, wish: ParsedRow, found: Sequence[Reply]) -> Sequence[str]:
        owner = found[0].entry_id if found else self.require_owner_id(wish)
        if owner is None:
            return []
        reply = found[0] if found else Reply(entry_id=owner)
        changed = self.set_changed_values(reply, self._collect_values(wish))
        self.validate_row(wish, reply, ("entry", "owner", "team", "author", "segment"))
        if changed or not found:
            self.require_permission(wish, owner)
            said = [(f"「{reply.label}」", reply.body)]
            self.check_texts(
                wish, "body", owner, style_rules.list_form_texts("", "", said)
            )
        if not wish.reasons and (changed or not found):
            (self.changed_rows if found else self.new_rows).append(reply)
        return changed

    def _collect_values(self, wish: ParsedRow) -> dict[str, Any]:
        values: dict[str, Any] = {
            "body": wish.values["body"],
            "label": normalize.clean_single_line(wish.values.get("label", "")),
            "tone": self.parse_choice(wish, "tone", TONES_BY_NAME),
            "channel": self.parse_choice(wish, "channel", CHANNELS_BY_NAME),
            "order": self._parse_order(wish),
        }
        if name := wish.values.get("segment"):
            segment = self.segments_by_name.get(normalize.normalize_text(name))
            if segment is None:
                self.refuse_row(wish, "segment", "没有这个客户类型，请先在管理里添加")
            values["segment_id"] = segment and segment.pk
        return {name: v for name, v in values.items() if v not in {"", None}}

    def _parse_order(self, wish: ParsedRow) -> int | None:
        if not (said := wish.values.get("order")):
            return None
        if said.isascii() and said.isdecimal() and len(said) <= 4:  # noqa: PLR2004
            return int(said)
        self.refuse_row(wish, "order", "次序要写成 0 到 9999 的数字")
        return None

    def store_rows(self, by: User | None) -> None:
        replies = [*self.new_rows, *self.changed_rows]
        touched = self.lock_touched_entries()
        entries.store_entries([], touched, replies=replies, by=by)
        sync.mark_stale([entry.pk for entry in touched])


class PhrasingRows(ChildRows):
    columns = KindColumns(
        {"text": ["相似问法", "问法", "phrasing", "text"], **ENTRY_REFERENCE_COLUMNS},
        required_groups=[["text"], ["entry_mark", "entry_id", "entry"]],
    )
    name, model, text_field = "phrasings", Phrasing, "text"

    def make_row_key(self, row: TableRow, said: Mapping[str, str]) -> RowKey:
        owner = self.find_owner_id(said)
        if owner is None or "text" not in said:
            return ("row", str(row.number))
        return ("phrasing", str(owner), normalize.compute_spelling_key(said["text"]))

    def find_stamps(self, keys: Collection[RowKey]) -> StampsByKey:
        owners = {int(key[1]) for key in keys if key[0] == "phrasing"}
        rows = Phrasing.objects.filter(entry__in=owners)
        seen: StampsByKey = {
            ("phrasing", str(entry), digest): [(pk, text)]
            for pk, entry, digest, text in rows.values_list(
                "pk", "entry_id", "text_key", "text"
            )
        }
        return {key: seen[key] for key in keys if key in seen}

    def load_rows(self, pks: Collection[int]) -> Mapping[int, Model]:
        return Phrasing.objects.in_bulk(pks)

    def plan_row(self, wish: ParsedRow, found: Sequence[Phrasing]) -> Sequence[str]:
        owner = self.require_owner_id(wish)
        if owner is None or found:  # words that it has stay as they are written
            return []
        text = normalize.clean_single_line(wish.values["text"])
        phrasing = Phrasing(
            entry_id=owner, text=text, text_key=normalize.compute_spelling_key(text)
        )
        self.validate_row(wish, phrasing, ("entry", "question"))
        self.require_permission(wish, owner)
        if not wish.reasons:
            self.check_texts(
                wish, "text", owner, style_rules.list_form_texts("", "", (), [text])
            )
        if not wish.reasons:
            self.new_rows.append(phrasing)
        return []

    def store_rows(self, by: User | None) -> None:
        touched = self.lock_touched_entries()
        entries.store_entries([], touched, phrasings=self.new_rows, by=by)
        sync.mark_stale([entry.pk for entry in touched])


def _make_reply_stamp(reply: Reply) -> tuple[object, ...]:
    return tuple(getattr(reply, name) for name in REPLY_STAMP_COLUMNS)
