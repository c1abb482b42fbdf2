"""Rows that belong to an entry: replies and phrasings. Each row names its entry."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Model

from kb.import_export import row_marks
from kb.import_export.columns import ColumnLayout, KindColumns
from kb.import_export.plan.question_similarity import (
    SAME_QUESTION_SIMILARITY,
    compute_question_similarity,
)
from kb.import_export.plan.row_kind import (
    ImportOptions,
    ParsedRow,
    RowKey,
    RowKind,
    StampsByKey,
)
from kb.import_export.row_changes import RowChange, describe_version_change
from kb.import_export.rows import entry_drafts
from kb.index import sync
from kb.language import style_rules
from kb.library import entries
from kb.models import Channel, CustomerSegment, Entry, Phrasing, Reply, User
from kb.text.chinese import normalize

# The columns that name an entry, the most certain first.
ENTRY_REFERENCE_COLUMNS = {
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
    """Finds entries by mark, by source and number, or by question; loaded once."""

    def __init__(self) -> None:
        self.ids_by_external_id: dict[tuple[str, str], int] = {}
        self.sources_by_number: defaultdict[str, list[str]] = defaultdict(list)
        self.questions_by_id: dict[int, str] = {}
        self.ids_by_question_key: defaultdict[str, list[int]] = defaultdict(list)
        self.entry_ids: set[int] = set()
        rows = Entry.objects.order_by("pk").values_list(
            "pk", "source", "external_id", "question_key", "question"
        )
        for pk, source, number, text_key, question in rows.iterator():
            self.entry_ids.add(pk)
            self.ids_by_question_key[text_key].append(pk)
            self.questions_by_id[pk] = question
            if number:
                self.ids_by_external_id[source, number] = pk
                self.sources_by_number[number].append(source)

    def resolve_reference(self, parsed: ParsedRow, default_source: str) -> None:
        """Set the entry that a row names, or the reason why none was found."""
        try:
            parsed.entry_id = self._find_entry_id(parsed.values, default_source)
        except ValueError as error:
            parsed.entry_error = str(error)

    def _find_entry_id(self, values: Mapping[str, str], default_source: str) -> int:
        """Return the id of the entry; raises ValueError with a message for the user."""
        pk = row_marks.read_row_mark("entries", values.get("entry_mark", ""))
        if pk is not None and pk in self.entry_ids:
            return pk
        if number := values.get("entry_id", ""):
            source = values.get("entry_source", default_source)
            return self._find_by_number(number, source, values.get("entry", ""))
        if not (text := values.get("entry")):
            raise ValueError("没有写是哪个条目")
        pks = self.ids_by_question_key.get(normalize.compute_spelling_key(text), [])
        if len(pks) == 1:
            return pks[0]
        if pks:
            ids = "、".join(f"#{pk}" for pk in pks)
            raise ValueError(f"有几条相同的问题（{ids}），请用编号区分")
        raise ValueError("没有这个条目")

    def _find_by_number(self, number: str, source: str, question: str) -> int:
        """Return the id of the entry with a number; raises ValueError as above.

        Without a source, the number must exist in one source only. Where the row has
        the question as well, the two must agree.
        """
        sources = self.sources_by_number.get(number, [])
        if source or sources == [""]:
            sources = [source] if source in sources else []
        text_key = normalize.compute_spelling_key(question) if question else ""
        pks = [self.ids_by_external_id[source, number] for source in sources]
        agreeing = [
            pk for pk in pks if question and pk in self.ids_by_question_key[text_key]
        ]
        if len(agreeing) == 1:
            return agreeing[0]
        if not pks:
            raise ValueError(f"没有来源「{source}」编号「{number}」的条目")
        if len(pks) > 1:
            names = "、".join(f"「{source}」" for source in sources)
            raise ValueError(f"几个来源都有编号「{number}」（{names}），请写条目来源")
        current = self.questions_by_id[pks[0]]
        if question:
            similarity = compute_question_similarity([question], [current])
            if similarity < SAME_QUESTION_SIMILARITY:
                raise ValueError(
                    f"编号「{number}」现在是「{current}」，不是「{question}」"
                )
        return pks[0]


class ChildRows(RowKind):
    """A kind whose rows belong to entries; each entry gets one new version."""

    has_versions = True

    def __init__(self, options: ImportOptions, layout: ColumnLayout) -> None:
        super().__init__(options, layout)
        self.entry_lookup = EntryLookup()
        self.touched_entries: list[Entry] = []  # entries that get a new version
        self.rule_library = style_rules.LibraryLookup()
        rows = Entry.objects.values_list("pk", "status", "category_id", "audience")
        self.status_and_category = {
            pk: (status, category_id) for pk, status, category_id, _ in rows
        }
        self.audiences_by_id = {pk: audience for pk, _, _, audience in rows}
        self.published_ids = {
            pk for pk, status, _, _ in rows if status == Entry.Status.PUBLISHED
        }
        self._key_counts: Counter[RowKey] = Counter()

    def analyse_row(self, parsed: ParsedRow) -> None:
        """Find the entry that the row names."""
        self.entry_lookup.resolve_reference(parsed, self.options.source)

    def require_entry_id(self, parsed: ParsedRow) -> int | None:
        """Return the id of the row's entry, or None after refusing a row without one."""
        if parsed.entry_id is None:
            names = [name for name in ENTRY_REFERENCE_COLUMNS if name in parsed.values]
            self.refuse_row(parsed, [*names, "entry"][0], parsed.entry_error)
        return parsed.entry_id

    def make_ordinal_key(self, key: RowKey) -> RowKey:
        """Return `key` with its ordinal in the file: 1 for the first row that has it."""
        self._key_counts[key] += 1
        return (*key, str(self._key_counts[key]))

    def check_texts(
        self, parsed: ParsedRow, name: str, entry_id: int, texts: Any
    ) -> None:
        """Note which style rules the texts break; refuse errors in a published entry.

        `texts` is what `style_rules.list_form_texts` returns. Text of a published entry
        is live at once, and the row is marked so.
        """
        audience = self.audiences_by_id[entry_id]
        is_live = entry_id in self.published_ids
        findings = style_rules.check_texts(
            texts,
            public=audience == Entry.Audience.PUBLIC,
            entry_id=entry_id,
            library=self.rule_library,
        )
        if is_live and findings and findings[0].is_error:
            self.refuse_row(parsed, name, str(findings[0]).rstrip("。"))
            return
        parsed.is_live = is_live
        parsed.notes += entry_drafts.describe_findings(findings)

    def require_permission(self, parsed: ParsedRow, entry_id: int) -> None:
        """Refuse a row for an entry that the sender of the file may not change."""
        place = self.status_and_category[entry_id]
        if refusal := self.sender_permissions.find_refusal(place, place):
            self.refuse_row(parsed, "entry", refusal[1])

    def lock_touched_entries(self) -> list[Entry]:
        """Return the entries of all rows to write, locked until the transaction ends."""
        pks = {row.entry_id for row in (*self.new_rows, *self.changed_rows)}
        rows = Entry.objects.select_for_update().order_by("pk")
        self.touched_entries = list(rows.filter(pk__in=pks))
        return self.touched_entries

    def iter_row_changes(self) -> Iterator[RowChange]:
        return map(describe_version_change, self.touched_entries)


class ReplyRows(ChildRows):
    """Shared replies. Without a mark, a row is identified by its entry, its label, and
    how many rows of the file have the same entry and label before it.
    """

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
        single_line=("label",),
    )
    name, model, text_field = "replies", Reply, "body"

    def __init__(self, options: ImportOptions, layout: ColumnLayout) -> None:
        super().__init__(options, layout)
        self.segments_by_name = {
            normalize.normalize_text(segment.name): segment
            for segment in CustomerSegment.objects.all()
        }

    def make_row_key(self, parsed: ParsedRow) -> RowKey:
        if marked := self.find_marked_key(parsed):
            return marked
        if parsed.entry_id is None:
            return ("row", str(parsed.row.number))
        label = parsed.values.get("label", "标准")
        return self.make_ordinal_key(("reply", str(parsed.entry_id), label))

    def find_stamps(self, keys: Collection[RowKey]) -> StampsByKey:
        entry_ids = {int(key[1]) for key in keys if key[0] == "reply"}
        marked_ids = {int(key[1]) for key in keys if key[0] == "pk"}
        shared = Reply.objects.shared().order_by("pk")
        stamps: StampsByKey = {}
        for reply in shared.filter(pk__in=marked_ids):
            stamps["pk", str(reply.pk)] = [(reply.pk, _make_reply_stamp(reply))]
        counts: Counter[RowKey] = Counter()
        for reply in shared.filter(entry__in=entry_ids):
            key = ("reply", str(reply.entry_id), reply.label)
            counts[key] += 1
            stamps[*key, str(counts[key])] = [(reply.pk, _make_reply_stamp(reply))]
        return {key: stamps[key] for key in keys if key in stamps}

    def load_rows(self, pks: Collection[int]) -> Mapping[int, Model]:
        return Reply.objects.shared().in_bulk(pks)

    def plan_row(self, parsed: ParsedRow, existing: Sequence[Reply]) -> Sequence[str]:
        entry_id = existing[0].entry_id if existing else self.require_entry_id(parsed)
        if entry_id is None:
            return []
        reply = existing[0] if existing else Reply(entry_id=entry_id)
        changed = self.set_changed_values(reply, self._collect_values(parsed))
        self.validate_row(
            parsed, reply, ("entry", "owner", "team", "author", "segment")
        )
        if not (changed or not existing):
            return changed
        self.require_permission(parsed, entry_id)
        texts = style_rules.list_form_texts(
            "", "", [(f"「{reply.label}」", reply.body)]
        )
        self.check_texts(parsed, "body", entry_id, texts)
        if not parsed.reasons:
            (self.changed_rows if existing else self.new_rows).append(reply)
        return changed

    def _collect_values(self, parsed: ParsedRow) -> dict[str, Any]:
        values: dict[str, Any] = {
            "body": parsed.values["body"],
            "label": parsed.values.get("label", ""),
            "tone": self.parse_choice(parsed, "tone", TONES_BY_NAME),
            "channel": self.parse_choice(parsed, "channel", CHANNELS_BY_NAME),
            "order": self.parse_count(parsed, "order", "次序要写成 0 到 9999 的数字"),
        }
        if name := parsed.values.get("segment"):
            segment = self.segments_by_name.get(normalize.normalize_text(name))
            if segment is None:
                self.refuse_row(parsed, "segment", "没有这个客户类型，请先在管理里添加")
            values["segment_id"] = segment and segment.pk
        return {key: value for key, value in values.items() if value not in {"", None}}

    def store_rows(self, by: User | None) -> None:
        replies = [*self.new_rows, *self.changed_rows]
        touched = self.lock_touched_entries()
        entries.store_entries([], touched, replies=replies, by=by)
        sync.mark_stale([entry.pk for entry in touched])


class PhrasingRows(ChildRows):
    """Phrasings, identified by their entry and text; existing ones are not changed."""

    columns = KindColumns(
        {"text": ["相似问法", "问法", "phrasing", "text"], **ENTRY_REFERENCE_COLUMNS},
        required_groups=[["text"], ["entry_mark", "entry_id", "entry"]],
        single_line=("text",),
    )
    name, model, text_field = "phrasings", Phrasing, "text"

    def make_row_key(self, parsed: ParsedRow) -> RowKey:
        if parsed.entry_id is None or not parsed.text_key:
            return ("row", str(parsed.row.number))
        return ("phrasing", str(parsed.entry_id), parsed.text_key)

    def find_stamps(self, keys: Collection[RowKey]) -> StampsByKey:
        entry_ids = {int(key[1]) for key in keys if key[0] == "phrasing"}
        rows = Phrasing.objects.filter(entry__in=entry_ids)
        stamps: StampsByKey = {
            ("phrasing", str(entry_id), text_key): [(pk, text)]
            for pk, entry_id, text_key, text in rows.values_list(
                "pk", "entry_id", "text_key", "text"
            )
        }
        return {key: stamps[key] for key in keys if key in stamps}

    def load_rows(self, pks: Collection[int]) -> Mapping[int, Model]:
        return Phrasing.objects.in_bulk(pks)

    def plan_row(
        self, parsed: ParsedRow, existing: Sequence[Phrasing]
    ) -> Sequence[str]:
        entry_id = self.require_entry_id(parsed)
        if entry_id is None or existing:
            return []
        text = parsed.values["text"]
        phrasing = Phrasing(entry_id=entry_id, text=text, text_key=parsed.text_key)
        self.validate_row(parsed, phrasing, ("entry", "question"))
        self.require_permission(parsed, entry_id)
        if not parsed.reasons:
            texts = style_rules.list_form_texts("", "", (), [text])
            self.check_texts(parsed, "text", entry_id, texts)
        if not parsed.reasons:
            self.new_rows.append(phrasing)
        return []

    def store_rows(self, by: User | None) -> None:
        touched = self.lock_touched_entries()
        entries.store_entries([], touched, phrasings=self.new_rows, by=by)
        sync.mark_stale([entry.pk for entry in touched])


def _make_reply_stamp(reply: Reply) -> tuple[object, ...]:
    return tuple(getattr(reply, name) for name in REPLY_STAMP_COLUMNS)
