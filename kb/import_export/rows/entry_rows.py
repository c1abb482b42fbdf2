"""Rows that are entries: a standard question, its answer and its replies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from kb.accounts import audit_log
from kb.import_export import cells
from kb.import_export.cells import (
    CATEGORY_PATH_SEPARATORS,
    PHRASING_SEPARATORS,
    TAG_SEPARATORS,
)
from kb.import_export.columns import ColumnLayout, KindColumns
from kb.import_export.plan.external_ids import ExternalIdAssigner
from kb.import_export.plan.near_duplicates import DuplicateIndex, NearDuplicate
from kb.import_export.plan.row_kind import (
    ADD_DUPLICATE,
    LOOKUP_BATCH_ROWS,
    MERGE_DUPLICATE,
    SKIP_DUPLICATE,
    ImportOptions,
    ParsedRow,
    ReportProgress,
    RowKey,
    RowKind,
    StampsByKey,
    list_marked_ids,
    split_row_keys,
)
from kb.import_export.plan.row_matching import RowMatcher
from kb.import_export.row_changes import (
    EXTERNAL_ID_COLUMNS,
    RowChange,
    describe_version_change,
    read_json_values,
)
from kb.import_export.row_outcome import RelatedEntry, RowConcern
from kb.import_export.rows import entry_drafts
from kb.import_export.rows.entry_drafts import EntryDraft
from kb.index import sync
from kb.language import style_rules
from kb.library import entries
from kb.models import (
    AuditEvent,
    CampaignPeriod,
    Entry,
    Phrasing,
    Reply,
    User,
    prefetch_shared_replies,
)
from kb.models.category import MAX_CATEGORY_LEVELS
from kb.text.chinese import normalize

Status, Audience = Entry.Status, Entry.Audience
STATUSES_BY_NAME = {
    "草稿": Status.DRAFT,
    "待审核": Status.REVIEW,
    "已发布": Status.PUBLISHED,
    "已下线": Status.RETIRED,
    "审核中": Status.REVIEW,
    "发布": Status.PUBLISHED,
    "下线": Status.RETIRED,
} | {status.value: status for status in Status}
AUDIENCES_BY_NAME = {
    "公开": Audience.PUBLIC,
    "内部": Audience.INTERNAL,
    "仅内部": Audience.INTERNAL,
} | {audience.value: audience for audience in Audience}
DEFAULT_REPLY_LABELS = {"reply": "标准", "reply2": "简短", "reply3": "其他"}
UNCHECKED_ENTRY_COLUMNS = (
    "category",
    "module",
    "created_by",
    "updated_by",
    "question_key",
)
DUPLICATE_OUTCOMES = {
    SKIP_DUPLICATE: "没有导入",
    ADD_DUPLICATE: "会另建一条",
    MERGE_DUPLICATE: "会并入它",
}
MAX_PHRASINGS_PER_ROW, MAX_TAGS_PER_ROW = 200, 30


class _IdsByName:
    """The ids of rows by a unique name, loaded on first use."""

    def __init__(self, rows: QuerySet[Any], name_column: str) -> None:
        self._queryset, self._name_column = rows, name_column
        self._ids: dict[str, int] | None = None

    def find_id(self, name: str) -> int | None:
        if self._ids is None:
            pairs = self._queryset.values_list(self._name_column, "pk")
            self._ids = {normalize.normalize_text(key): pk for key, pk in pairs}
        return self._ids.get(normalize.normalize_text(name))


class EntryRows(RowKind):
    columns = KindColumns(
        {
            "mark": ["库内号", "mark"],
            "question": ["标准问题", "问题", "标题", "question", "title"],
            "answer": ["答案", "FAQ答案", "回答", "answer"],
            "external_id": ["编号", "外部编号", "id", "external_id"],
            "source": ["来源", "source"],
            "category": ["分类", "category"],
            "subcategory": ["子分类", "subcategory"],
            "tags": ["标签", "tags"],
            "reply": ["话术", "话术1", "reply", "reply1"],
            "reply2": ["话术2", "reply2"],
            "reply3": ["话术3", "reply3"],
            "similar": ["相似问法", "相似问题", "similar"],
            "keywords": ["短码", "关键词", "短码和关键词", "keywords"],
            "module": ["产品模块", "模块", "module"],
            "reply_label": ["话术名称", "话术1名称", "reply_label"],
            "reply2_label": ["话术2名称", "reply2_label"],
            "reply3_label": ["话术3名称", "reply3_label"],
            "valid_from": ["开始时间", "生效时间", "valid_from"],
            "valid_until": ["结束时间", "失效时间", "valid_until"],
            "slug": ["网址后缀", "slug"],
            "window": ["档期", "window"],
            "owner": ["负责人", "owner"],
            "review_at": ["复核日期", "review_at"],
            "audience": ["可见范围", "可见性", "公开范围", "audience", "visibility"],
            "status": ["状态", "status"],
        },
        required_groups=[["question"], ["answer", "reply", "reply2", "reply3"]],
        single_line=(
            "question",
            "keywords",
            "module",
            "reply_label",
            "reply2_label",
            "reply3_label",
        ),
        separators={
            "category": CATEGORY_PATH_SEPARATORS,
            "subcategory": CATEGORY_PATH_SEPARATORS,
            "tags": TAG_SEPARATORS,
            "similar": PHRASING_SEPARATORS,
        },
    )
    name, model, text_field = "entries", Entry, "question"
    has_versions = True

    def __init__(self, options: ImportOptions, layout: ColumnLayout) -> None:
        super().__init__(options, layout)
        self.new_rows: list[EntryDraft]
        self.changed_rows: list[EntryDraft]
        self.rule_library, self.repeated_questions = (
            style_rules.LibraryLookup(),
            entry_drafts.RepeatedQuestions(),
        )
        self.owner_ids = _IdsByName(User.objects.filter(is_active=True), "username")
        self.window_ids = _IdsByName(CampaignPeriod.objects.all(), "name")
        self.matcher = RowMatcher(
            self, self, text_key_column="question_key", by_text=True
        )
        self.external_ids = ExternalIdAssigner(self.matcher)
        # Drafts of existing entries, by the id of the entry.
        self.drafts_by_entry: dict[int, EntryDraft] = {}
        # Entries whose number goes to another question.
        self.replaced_entries: list[Entry] = []

    # Which entry a row means -------------------------------------------------

    def match_rows(self, rows: Sequence[ParsedRow], progress: ReportProgress) -> None:
        """Match rows with entries, then look for near duplicates of the new rows."""
        new = self.matcher.match_rows(rows)
        claimed = frozenset(self.matcher.claimed_rows)
        duplicates = DuplicateIndex() if new else None
        for done, parsed in enumerate(new, 1):
            assert duplicates is not None  # noqa: S101 - for the type
            near = duplicates.find_duplicate(parsed.values[self.text_field], claimed)
            if near is not None:
                self._record_duplicate(parsed, near)
            if done % LOOKUP_BATCH_ROWS == 0 or done == len(new):
                progress("查重", done, len(new))

    def _record_duplicate(self, parsed: ParsedRow, near: NearDuplicate) -> None:
        parsed.concern = RowConcern.DUPLICATE
        parsed.related_entry = RelatedEntry(
            near.pk, near.question, near.status, near.similarity
        )
        parsed.duplicate_action = self.options.get_duplicate_action(parsed.row.number)
        self.evidence.append((parsed.row.number, near.pk, near.version))
        comparison = "相同" if near.similarity >= 1 else f"相似 {near.similarity:.0%}"
        parsed.notes.append(
            f"和库里 #{near.pk}「{cells.shorten_for_message(near.question)}」{comparison}，"
            f"{DUPLICATE_OUTCOMES[parsed.duplicate_action]}"
        )
        if parsed.is_merge:
            parsed.key, parsed.new_external_id = ("pk", str(near.pk)), None

    def get_row_wordings(self, parsed: ParsedRow) -> list[str]:
        return parsed.lists["similar"]

    def load_wordings(self, pks: Collection[int]) -> Mapping[int, list[str]]:
        texts_by_entry: defaultdict[int, list[str]] = defaultdict(list)
        phrasings = Phrasing.objects.filter(entry__in=pks)
        for pk, text in phrasings.values_list("entry_id", "text"):
            texts_by_entry[pk].append(text)
        return texts_by_entry

    def finish_planning(self) -> None:
        self.external_ids.settle_assignments()
        released = [("pk", str(pk)) for pk in self.external_ids.released_rows]
        self.planned_stamps.update(self.find_stamps(released))

    def find_stamps(self, keys: Collection[RowKey]) -> StampsByKey:
        rows = Entry.objects.order_by("pk")
        numbers, text_keys = split_row_keys(keys)
        stamps: StampsByKey = {}
        numbered = rows.exclude(external_id="").filter(
            source__in={key[1] for key in numbers},
            external_id__in=[key[2] for key in numbers],
        )
        for pk, version, source, number in numbered.values_list(
            "pk", "version", "source", "external_id"
        ):
            if (key := ("id", source, number)) in numbers:
                stamps[key] = [(pk, version)]
        for pk, version in rows.filter(pk__in=list_marked_ids(keys)).values_list(
            "pk", "version"
        ):
            stamps["pk", str(pk)] = [(pk, version)]
        unnumbered = rows.filter(external_id="", question_key__in=text_keys)
        for pk, version, text_key in unnumbered.values_list(
            "pk", "version", "question_key"
        ):
            stamps.setdefault(("text", text_key), []).append((pk, version))
        return stamps

    def load_rows(self, pks: Collection[int]) -> Mapping[int, Entry]:
        parts = (prefetch_shared_replies(), "phrasings", "tags", "category", "module")
        return Entry.objects.prefetch_related(*parts).in_bulk(pks)

    def plan_row(self, parsed: ParsedRow, existing: Sequence[Entry]) -> Sequence[str]:
        if len(existing) > 1:
            ids = "、".join(f"#{entry.pk}" for entry in existing)
            self.refuse_row(
                parsed, self.text_field, f"库里有几条相同的问题（{ids}），请用编号区分"
            )
            return []
        if parsed.is_merge:
            return self._merge_into_entry(parsed, existing[0])
        if parsed.concern is RowConcern.REPLACED:
            return self._replace_entry(parsed, existing[0])
        entry = existing[0] if existing else self._make_entry(parsed)
        draft, changed = self._build_draft(parsed, entry, is_new=not existing)
        if not parsed.reasons and (changed or not existing):
            self._add_draft(parsed, draft, is_new=not existing)
        return changed

    def _build_draft(
        self, parsed: ParsedRow, entry: Entry, *, is_new: bool
    ) -> tuple[EntryDraft, list[str]]:
        """Return a draft of the entry with the values of the row, and what they change."""
        if is_new and parsed.concern is None:
            self.repeated_questions.note_repeated_question(parsed)
        before = None if is_new else (entry.status, entry.audience)
        old_place = None if is_new else (entry.status, entry.category_id)
        changed = self.set_changed_values(
            entry, self._collect_values(parsed, is_new=is_new)
        )
        draft = EntryDraft(
            entry, is_rewritten=not {"question", "answer"}.isdisjoint(changed)
        )
        self.validate_row(parsed, entry, UNCHECKED_ENTRY_COLUMNS)
        changed += self._add_replies(parsed, draft) + self._add_phrasings(parsed, draft)
        if parsed.new_external_id and not is_new:
            source, number = parsed.new_external_id
            changed += self.set_changed_values(
                entry, {"source": source, "external_id": number}
            )
        changed = entry_drafts.hold_back_unpublishable(
            self, parsed, draft, before, changed, self.rule_library
        )
        entry_drafts.check_status_change(self, parsed, draft, before)
        changed += self._plan_placement(parsed, draft, old_place, changed)
        if changed or is_new:
            entry_drafts.require_live_confirmation(self, parsed, draft, before)
            entry_drafts.note_text_findings(parsed, draft, self.rule_library)
        return draft, changed

    def _add_draft(self, parsed: ParsedRow, draft: EntryDraft, *, is_new: bool) -> None:
        """Keep a draft that is to be written."""
        (self.new_rows if is_new else self.changed_rows).append(draft)
        if not is_new:
            self.drafts_by_entry[draft.entry.pk] = draft
        if parsed.new_external_id:
            self.external_ids.assignments.append((draft.entry, parsed))
            if not is_new:
                self.external_ids.vacating_ids.add(draft.entry.pk)

    def _replace_entry(self, parsed: ParsedRow, old: Entry) -> Sequence[str]:
        """Plan a new entry with the number of `old`, which is retired.

        Nothing is taken from `old`: its keywords, replies, links, votes and searches
        belong to its own question, and so do its address and its history.
        """
        if parsed.row.number not in self.options.replaced_rows:
            number = parsed.new_external_id[1] if parsed.new_external_id else ""
            text = f"编号 {number} 现在是「{old}」，要逐行确认"
            self.refuse_row(parsed, self.text_field, f"{RowConcern.REPLACED}：{text}")
            return []
        draft, _ = self._build_draft(parsed, self._make_entry(parsed), is_new=True)
        retired = EntryDraft(old)
        old_place = (old.status, old.category_id)
        before = (old.status, old.audience)
        self.set_changed_values(old, {"status": Status.RETIRED, "external_id": ""})
        if old.status != before[0]:
            entry_drafts.check_status_change(self, parsed, retired, before)
        if refusal := self.sender_permissions.find_refusal(
            (old.status, old.category_id), old_place
        ):
            self.refuse_row(parsed, *refusal)
        if parsed.reasons:
            return []
        parsed.is_replacement = True
        parsed.notes.append(
            f"原来的「{cells.shorten_for_message(old.question)}」#{old.pk} 下线"
        )
        self._add_draft(parsed, draft, is_new=True)
        self.changed_rows.append(retired)
        self.replaced_entries.append(old)
        self.external_ids.vacating_ids.add(old.pk)
        return []

    def _merge_into_entry(self, parsed: ParsedRow, entry: Entry) -> Sequence[str]:
        """Add the row's question and phrasings to an entry; its answer is not used."""
        earlier = self.drafts_by_entry.get(entry.pk)
        draft = EntryDraft(earlier.entry if earlier else entry)
        before = (entry.status, entry.audience)
        known = earlier.phrasings if earlier else []
        question = [parsed.values[self.text_field]]
        self._add_texts(parsed, draft, question, column=self.text_field, also=known)
        similar = parsed.lists["similar"]
        self._add_texts(parsed, draft, similar, column="similar", also=known)
        if not draft.phrasings:
            return []
        entry_drafts.hold_back_unpublishable(
            self, parsed, draft, before, ["similar"], self.rule_library
        )
        place = (entry.status, entry.category_id)
        if refusal := self.sender_permissions.find_refusal(place, place):
            self.refuse_row(parsed, *refusal)
        # The preview showed that the entry is live: the choice to merge confirms it.
        parsed.is_live = before[0] == Status.PUBLISHED
        entry_drafts.note_text_findings(parsed, draft, self.rule_library)
        if parsed.reasons:
            return []
        parsed.notes.append("答案不用，只加问法")
        if earlier:
            earlier.phrasings += draft.phrasings
        else:
            self._add_draft(parsed, draft, is_new=False)
        return ["similar"]

    def prepare_rows(self, progress: ReportProgress) -> None:
        """Render questions and answers, which takes most of the time of an import."""
        drafts = [
            draft for draft in self.new_rows + self.changed_rows if draft.is_rewritten
        ]
        for done, draft in enumerate(drafts, 1):
            draft.entry.update_derived_columns()
            if done % LOOKUP_BATCH_ROWS == 0 or done == len(drafts):
                progress("排版", done, len(drafts))

    def store_rows(self, by: User | None) -> None:
        self.taxonomy.save_new_names(by)
        self.external_ids.free_external_ids()
        drafts = self.new_rows + self.changed_rows
        for entry in (draft.entry for draft in drafts):
            entry.category = entry.category  # sets category_id: a new one has an id now
        entries.store_entries(
            [draft.entry for draft in self.new_rows],
            [draft.entry for draft in self.changed_rows],
            replies=[reply for draft in drafts for reply in draft.replies],
            phrasings=[phrasing for draft in drafts for phrasing in draft.phrasings],
            tags=[(draft.entry, tag) for draft in drafts for tag in draft.tags],
            by=by,
        )
        for entry in self.replaced_entries:
            summary = f"「{entry}」#{entry.pk}，导入时换成了另一个问题"
            audit_log.record_event(AuditEvent.Action.RETIRED, summary, by=by)
        sync.mark_stale([draft.entry.pk for draft in drafts])

    def iter_row_changes(self) -> Iterator[RowChange]:
        """Yield changed entries before new ones: the last are undone first."""
        for row in self.external_ids.released_rows.values():
            source, number = row.external_id
            columns = {"source": source, "external_id": number}
            yield row.pk, row.text, columns, columns | {"external_id": ""}
        for entry in (draft.entry for draft in self.changed_rows):
            pk, title, before, after = describe_version_change(entry)
            old = self.old_values.get(id(entry), {})
            if before is not None and not EXTERNAL_ID_COLUMNS.isdisjoint(old):
                before |= {
                    name: old.get(name, getattr(entry, name))
                    for name in EXTERNAL_ID_COLUMNS
                }
                after |= read_json_values(entry, EXTERNAL_ID_COLUMNS)
            yield pk, title, before, after
        for entry in (draft.entry for draft in self.new_rows):
            yield entry.pk, entry.question, None, {"version": entry.version}

    # The values of a row ---------------------------------------------------------

    def _make_entry(self, parsed: ParsedRow) -> Entry:
        return Entry(source=parsed.source, external_id=parsed.external_id)

    def _collect_values(self, parsed: ParsedRow, *, is_new: bool) -> dict[str, Any]:
        """Return the columns for which the row, or a default, has a value."""
        values: dict[str, Any] = {
            "question": parsed.values[self.text_field],
            "answer": parsed.values.get("answer"),
            "keywords": parsed.values.get("keywords"),
            "status": self.parse_choice(parsed, "status", STATUSES_BY_NAME),
            "audience": self.parse_choice(parsed, "audience", AUDIENCES_BY_NAME),
            "valid_from": self.parse_time(parsed, "valid_from", future=True),
            "valid_until": self.parse_time(parsed, "valid_until", future=True),
            "slug": parsed.values.get("slug"),
            "window_id": self._find_named_id(parsed, "window", self.window_ids),
            "owner_id": self._find_named_id(parsed, "owner", self.owner_ids),
        }
        if day := self.parse_time(parsed, "review_at", future=True):
            values["review_at"] = timezone.localtime(day).date()
        if is_new:
            values["status"] = values["status"] or self.options.status
            values["audience"] = values["audience"] or self._choose_default_audience(
                parsed
            )
        return {name: value for name, value in values.items() if value}

    def _find_named_id(
        self, parsed: ParsedRow, name: str, ids: _IdsByName
    ) -> int | None:
        """Return the id of what a cell names, after refusing a name that is unknown."""
        text = parsed.values.get(name)
        pk = ids.find_id(text) if text else None
        if text and pk is None:
            self.refuse_row(parsed, name, "没有这个名称，请先在管理里添加")
        return pk

    def _choose_default_audience(self, parsed: ParsedRow) -> str:
        if "audience" in self.layout.positions:  # a blank cell is not public
            return Audience.INTERNAL
        if self.options.audience != "auto":
            return self.options.audience
        return Audience.PUBLIC if "answer" in parsed.values else Audience.INTERNAL

    def _add_replies(self, parsed: ParsedRow, draft: EntryDraft) -> list[str]:
        """Set the replies with the labels that the row has; others stay."""
        replies = list(draft.entry.replies.all()) if draft.entry.pk else []
        changed = []
        for name in [name for name in DEFAULT_REPLY_LABELS if name in parsed.values]:
            default = DEFAULT_REPLY_LABELS[name]
            label = parsed.values.get(f"{name}_label", default)
            same = [reply for reply in replies if reply.label == label]
            order = len(replies) + len(draft.replies)
            reply = same[0] if same else Reply(label=label, order=order)
            if cells.normalize_line_ends(reply.body) == parsed.values[name]:
                continue
            reply.entry, reply.body = draft.entry, parsed.values[name]
            self.validate_row(parsed, reply, ("entry",), column=name)
            draft.replies.append(reply)
            changed.append(name)
        return changed

    def _add_phrasings(self, parsed: ParsedRow, draft: EntryDraft) -> list[str]:
        """Add the phrasings that are new; none is removed."""
        texts = parsed.lists["similar"]
        if len(texts) > MAX_PHRASINGS_PER_ROW:
            self.refuse_row(parsed, "similar", f"最多 {MAX_PHRASINGS_PER_ROW} 个")
            return []
        return self._add_texts(parsed, draft, texts, column="similar")

    def _add_texts(
        self,
        parsed: ParsedRow,
        draft: EntryDraft,
        texts: Sequence[str],
        *,
        column: str,
        also: Sequence[Phrasing] = (),
    ) -> list[str]:
        """Add to `draft` the phrasings that neither it nor its entry nor `also` has."""
        stored = draft.entry.phrasings.all() if draft.entry.pk else ()
        known = {phrasing.text_key for phrasing in (*stored, *draft.phrasings, *also)}
        known.add(normalize.compute_spelling_key(draft.entry.question))
        for text in texts:
            if (key := normalize.compute_spelling_key(text)) not in known:
                known.add(key)
                phrasing = Phrasing(entry=draft.entry, text=text, text_key=key)
                self.validate_row(
                    parsed, phrasing, ("entry", "question"), column=column
                )
                draft.phrasings.append(phrasing)
        return ["similar"] if draft.phrasings else []

    def _plan_placement(
        self,
        parsed: ParsedRow,
        draft: EntryDraft,
        old_place: entries.StatusAndCategory | None,
        changed: Sequence[str],
    ) -> list[str]:
        """Set category, module and tags; those that do not exist will be created."""
        path = parsed.lists["category"] + parsed.lists["subcategory"]
        tags = parsed.lists["tags"]
        module = parsed.values.get("module", "")
        if len(path) > MAX_CATEGORY_LEVELS:
            self.refuse_row(parsed, "category", f"分类最多 {MAX_CATEGORY_LEVELS} 级")
        if len(tags) > MAX_TAGS_PER_ROW:
            self.refuse_row(parsed, "tags", f"最多 {MAX_TAGS_PER_ROW} 个")
        self.check_name_lengths(parsed, category=path, tags=tags, module=[module])
        entry, taxonomy = draft.entry, self.taxonomy
        is_same = (
            old_place
            and not changed
            and taxonomy.has_placement(entry, tuple(path), tags, module)
        )
        if parsed.reasons or is_same:
            return []
        category_id = entry.category_id
        if path:
            category_id = taxonomy.find_nearest_category_id(tuple(path))
        if refusal := self.sender_permissions.find_refusal(
            (entry.status, category_id), old_place
        ):
            self.refuse_row(parsed, *refusal)
            return []
        return self._set_placement(draft, tuple(path), tags, module)

    def _set_placement(
        self, draft: EntryDraft, path: tuple[str, ...], tags: Sequence[str], module: str
    ) -> list[str]:
        values: dict[str, Any] = {}
        if path:
            values["category"] = self.taxonomy.get_or_make_category(path)
        if module:
            values["module"] = self.taxonomy.get_or_make_module(module)
        stored = list(draft.entry.tags.all()) if draft.entry.pk else []
        for tag in map(self.taxonomy.get_or_make_tag, tags):
            if tag not in stored + draft.tags:
                draft.tags.append(tag)
        changed = self.set_changed_values(draft.entry, values)
        return [*changed, "tags"] if draft.tags else changed
