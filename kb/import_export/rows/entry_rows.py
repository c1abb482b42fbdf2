"""A row that is an entry: a standard question, its answer and its replies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from kb.accounts import audit_log
from kb.import_export import cells
from kb.import_export.columns import ColumnLayout, KindColumns
from kb.import_export.import_plan import RelatedEntry, RowConcern
from kb.import_export.multi_value_cells import (
    CATEGORY_PATH_SEPARATORS,
    PHRASING_SEPARATORS,
    TAG_SEPARATORS,
    split_cell,
)
from kb.import_export.plan.external_ids import ExternalIdAssigner
from kb.import_export.plan.near_duplicates import DuplicateIndex, NearDuplicate
from kb.import_export.plan.planner import (
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
    resolve_source,
    split_row_keys,
)
from kb.import_export.plan.row_matching import RowMatcher
from kb.import_export.row_changes import (
    EXTERNAL_ID_COLUMNS,
    RowChange,
    describe_version_change,
    read_json_values,
)
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
}  # of a duplicate
MAX_PHRASINGS_PER_ROW, MAX_TAGS_PER_ROW = 200, 30  # of one entry


class _IdsByName:
    """Rows by a name that is theirs alone, read when the first is asked for."""

    def __init__(self, rows: QuerySet[Any], name: str) -> None:
        self._queryset, self._name_column = rows, name
        self._ids: dict[str, int] | None = None

    def find_id(self, said: str) -> int | None:
        if self._ids is None:
            pairs = self._queryset.values_list(self._name_column, "pk")
            self._ids = {normalize.normalize_text(name): pk for name, pk in pairs}
        return self._ids.get(normalize.normalize_text(said))


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
        self.matcher = RowMatcher(self, self, key="question_key", by_text=True)
        self.external_ids = ExternalIdAssigner(self.matcher)
        self.drafts_by_entry: dict[
            int, EntryDraft
        ] = {}  # changes of entries, by their ids
        self.replaced_entries: list[Entry] = []  # that make room for another question

    # Which entry a row means -------------------------------------------------

    def match_rows(self, asked: Sequence[ParsedRow], progress: ReportProgress) -> None:
        """Match rows and entries, then look for near duplicates of those that are new."""
        new = self.matcher.match_rows(asked)
        claimed = frozenset(self.matcher.claimed_rows)
        duplicates = DuplicateIndex() if new else None
        for done, wish in enumerate(new, 1):
            assert duplicates is not None  # noqa: S101 - for the type
            near = duplicates.find_duplicate(wish.values[self.text_field], claimed)
            if near is not None:
                self._record_duplicate(wish, near)
            if done % LOOKUP_BATCH_ROWS == 0 or done == len(new):
                progress("查重", done, len(new))

    def _record_duplicate(self, wish: ParsedRow, near: NearDuplicate) -> None:
        wish.concern = RowConcern.DUPLICATE
        wish.related_entry = RelatedEntry(
            near.pk, near.question, near.status, near.similarity
        )
        wish.duplicate_action = self.options.get_duplicate_action(wish.row)
        self.evidence.append((wish.row.number, near.pk, near.version))
        likeness = "相同" if near.similarity >= 1 else f"相似 {near.similarity:.0%}"
        wish.notes.append(
            f"和库里 #{near.pk}「{cells.shorten_for_message(near.question)}」{likeness}，"
            f"{DUPLICATE_OUTCOMES[wish.duplicate_action]}"
        )
        if wish.is_merge:
            wish.key, wish.new_external_id = ("pk", str(near.pk)), None

    def get_row_wordings(self, wish: ParsedRow) -> list[str]:
        return split_cell(PHRASING_SEPARATORS, wish.values.get("similar", ""))

    def load_wordings(self, pks: Collection[int]) -> Mapping[int, list[str]]:
        found: defaultdict[int, list[str]] = defaultdict(list)
        phrasings = Phrasing.objects.filter(entry__in=pks)
        for pk, text in phrasings.values_list("entry_id", "text"):
            found[pk].append(text)
        return found

    def finish_planning(self) -> None:
        self.external_ids.settle_assignments()
        released = [("pk", str(pk)) for pk in self.external_ids.released_rows]
        self.planned_stamps.update(self.find_stamps(released))

    def find_stamps(self, keys: Collection[RowKey]) -> StampsByKey:
        rows = Entry.objects.order_by("pk")
        numbers, digests = split_row_keys(keys)
        seen: StampsByKey = {}
        numbered = rows.exclude(external_id="").filter(
            source__in={key[1] for key in numbers},
            external_id__in=[key[2] for key in numbers],
        )
        for pk, version, origin, number in numbered.values_list(
            "pk", "version", "source", "external_id"
        ):
            if (key := ("id", origin, number)) in numbers:
                seen[key] = [(pk, version)]
        for pk, version in rows.filter(pk__in=list_marked_ids(keys)).values_list(
            "pk", "version"
        ):
            seen["pk", str(pk)] = [(pk, version)]
        same = rows.filter(external_id="", question_key__in=digests)
        for pk, version, digest in same.values_list("pk", "version", "question_key"):
            seen.setdefault(("text", digest), []).append((pk, version))
        return seen

    def load_rows(self, pks: Collection[int]) -> Mapping[int, Entry]:
        parts = (prefetch_shared_replies(), "phrasings", "tags", "category", "module")
        return Entry.objects.prefetch_related(*parts).in_bulk(pks)

    def plan_row(self, wish: ParsedRow, found: Sequence[Entry]) -> Sequence[str]:
        if len(found) > 1:
            ids = "、".join(f"#{entry.pk}" for entry in found)
            self.refuse_row(
                wish, self.text_field, f"库里有几条相同的问题（{ids}），请用编号区分"
            )
            return []
        if wish.is_merge:
            return self._merge_into_entry(wish, found[0])
        if wish.concern is RowConcern.REPLACED:
            return self._replace_entry(wish, found[0])
        entry = found[0] if found else self._make_entry(wish)
        draft, changed = self._build_draft(wish, entry, is_new=not found)
        if not wish.reasons and (changed or not found):
            self._add_draft(wish, draft, is_new=not found)
        return changed

    def _build_draft(
        self, wish: ParsedRow, entry: Entry, *, is_new: bool
    ) -> tuple[EntryDraft, list[str]]:
        """Return the entry with what the row says in it, and what that changes."""
        if is_new and wish.concern is None:
            self.repeated_questions.note_repeated_question(wish)
        before = None if is_new else (entry.status, entry.audience)
        was = None if is_new else (entry.status, entry.category_id)
        changed = self.set_changed_values(entry, self._collect_values(wish, new=is_new))
        draft = EntryDraft(
            entry, is_rewritten=not {"question", "answer"}.isdisjoint(changed)
        )
        self.validate_row(wish, entry, UNCHECKED_ENTRY_COLUMNS)
        changed += self._add_replies(wish, draft) + self._add_phrasings(wish, draft)
        if wish.new_external_id and not is_new:
            source, number = wish.new_external_id
            changed += self.set_changed_values(
                entry, {"source": source, "external_id": number}
            )
        changed = entry_drafts.hold_back_unpublishable(
            self, wish, draft, before, changed, self.rule_library
        )
        entry_drafts.check_status_change(self, wish, draft, before)
        changed += self._plan_placement(wish, draft, was, changed)
        if changed or is_new:
            entry_drafts.require_live_confirmation(self, wish, draft, before)
            entry_drafts.note_text_findings(wish, draft, self.rule_library)
        return draft, changed

    def _add_draft(self, wish: ParsedRow, draft: EntryDraft, *, is_new: bool) -> None:
        """Keep what is to be written."""
        (self.new_rows if is_new else self.changed_rows).append(draft)
        if not is_new:
            self.drafts_by_entry[draft.entry.pk] = draft
        if wish.new_external_id:
            self.external_ids.assignments.append((draft.entry, wish))
            if not is_new:
                self.external_ids.vacating_ids.add(draft.entry.pk)

    def _replace_entry(self, wish: ParsedRow, old: Entry) -> Sequence[str]:
        """Let a new entry take the number of `old`, which is retired.

        Nothing of `old` comes along: its keywords, replies, links, votes and what
        people searched for belong to the other question. Its address and its history
        stay with it.
        """
        if wish.row.number not in self.options.replaced_rows:
            told = f"编号 {wish.new_external_id[1] if wish.new_external_id else ''} 现在是「{old}」，要逐行确认"
            self.refuse_row(wish, self.text_field, f"{RowConcern.REPLACED}：{told}")
            return []
        draft, _ = self._build_draft(wish, self._make_entry(wish), is_new=True)
        retired = EntryDraft(old)
        was = (old.status, old.category_id)
        before = (old.status, old.audience)
        self.set_changed_values(old, {"status": Status.RETIRED, "external_id": ""})
        if old.status != before[0]:
            entry_drafts.check_status_change(self, wish, retired, before)
        if refusal := self.sender_permissions.find_refusal(
            (old.status, old.category_id), was
        ):
            self.refuse_row(wish, *refusal)
        if wish.reasons:
            return []
        wish.is_replacement = True
        wish.notes.append(
            f"原来的「{cells.shorten_for_message(old.question)}」#{old.pk} 下线"
        )
        self._add_draft(wish, draft, is_new=True)
        self.changed_rows.append(retired)
        self.replaced_entries.append(old)
        self.external_ids.vacating_ids.add(old.pk)
        return []

    def _merge_into_entry(self, wish: ParsedRow, entry: Entry) -> Sequence[str]:
        """Add the row's question and phrasings to an entry; its answer is not used."""
        kept = self.drafts_by_entry.get(entry.pk)
        draft = EntryDraft(kept.entry if kept else entry)
        before = (entry.status, entry.audience)
        known = kept.phrasings if kept else []
        question = [wish.values[self.text_field]]
        self._add_texts(wish, draft, question, said_in=self.text_field, also=known)
        similar = split_cell(PHRASING_SEPARATORS, wish.values.get("similar", ""))
        self._add_texts(wish, draft, similar, said_in="similar", also=known)
        if not draft.phrasings:
            return []
        entry_drafts.hold_back_unpublishable(
            self, wish, draft, before, ["similar"], self.rule_library
        )
        where = (entry.status, entry.category_id)
        if refusal := self.sender_permissions.find_refusal(where, where):
            self.refuse_row(wish, *refusal)
        # Whoever chose to merge has seen that the entry is live: nothing more to ask.
        wish.is_live = before[0] == Status.PUBLISHED
        entry_drafts.note_text_findings(wish, draft, self.rule_library)
        if wish.reasons:
            return []
        wish.notes.append("答案不用，只加问法")
        if kept:
            kept.phrasings += draft.phrasings
        else:
            self._add_draft(wish, draft, is_new=False)
        return ["similar"]

    def prepare_rows(self, progress: ReportProgress) -> None:
        """Render what the rows say: by far the most of the time goes here."""
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
            entry.category = entry.category  # which has an id now
        entries.store_entries(
            [draft.entry for draft in self.new_rows],
            [draft.entry for draft in self.changed_rows],
            replies=[reply for draft in drafts for reply in draft.replies],
            phrasings=[phrasing for draft in drafts for phrasing in draft.phrasings],
            tags=[(draft.entry, tag) for draft in drafts for tag in draft.tags],
            by=by,
        )
        for entry in self.replaced_entries:
            told = f"「{entry}」#{entry.pk}，导入时换成了另一个问题"
            audit_log.record_event(AuditEvent.Action.RETIRED, told, by=by)
        sync.mark_stale([draft.entry.pk for draft in drafts])

    def iter_row_changes(self) -> Iterator[RowChange]:
        """Yield what changed before what is new: the last is taken back first."""
        for held in self.external_ids.released_rows.values():
            source, number = held.external_id
            before = {"source": source, "external_id": number}
            yield held.pk, held.text, before, before | {"external_id": ""}
        for entry in (draft.entry for draft in self.changed_rows):
            pk, title, before_, after = describe_version_change(entry)
            old = self.old_values.get(id(entry), {})
            if before_ is not None and not EXTERNAL_ID_COLUMNS.isdisjoint(old):
                before_ |= {
                    name: old.get(name, getattr(entry, name))
                    for name in EXTERNAL_ID_COLUMNS
                }
                after |= read_json_values(entry, EXTERNAL_ID_COLUMNS)
            yield pk, title, before_, after
        for entry in (draft.entry for draft in self.new_rows):
            yield entry.pk, entry.question, None, {"version": entry.version}

    # What a row says ---------------------------------------------------------

    def _make_entry(self, wish: ParsedRow) -> Entry:
        number = normalize.clean_single_line(wish.values.get("external_id", ""))
        return Entry(source=resolve_source(self, wish.values), external_id=number)

    def _collect_values(self, wish: ParsedRow, *, new: bool) -> dict[str, Any]:
        """Return the columns for which the row, or the default, says something."""
        values: dict[str, Any] = {
            "question": normalize.clean_single_line(wish.values[self.text_field]),
            "answer": wish.values.get("answer"),
            "keywords": normalize.clean_single_line(wish.values.get("keywords", "")),
            "status": self.parse_choice(wish, "status", STATUSES_BY_NAME),
            "audience": self.parse_choice(wish, "audience", AUDIENCES_BY_NAME),
            "valid_from": self.parse_time(wish, "valid_from", future=True),
            "valid_until": self.parse_time(wish, "valid_until", future=True),
            "slug": wish.values.get("slug"),
            "window_id": self._find_named_id(wish, "window", self.window_ids),
            "owner_id": self._find_named_id(wish, "owner", self.owner_ids),
        }
        if day := self.parse_time(wish, "review_at", future=True):
            values["review_at"] = timezone.localtime(day).date()
        if new:
            values["status"] = values["status"] or self.options.status
            values["audience"] = values["audience"] or self._choose_default_audience(
                wish
            )
        return {name: value for name, value in values.items() if value}

    def _find_named_id(
        self, wish: ParsedRow, name: str, known: _IdsByName
    ) -> int | None:
        """Return the id of what a cell names: somebody or something that there is."""
        said = wish.values.get(name)
        found = known.find_id(said) if said else None
        if said and found is None:
            self.refuse_row(wish, name, "没有这个名称，请先在管理里添加")
        return found

    def _choose_default_audience(self, wish: ParsedRow) -> str:
        if "audience" in self.layout.positions:  # left blank: nobody said public
            return Audience.INTERNAL
        if self.options.audience != "auto":
            return self.options.audience
        return Audience.PUBLIC if "answer" in wish.values else Audience.INTERNAL

    def _add_replies(self, wish: ParsedRow, draft: EntryDraft) -> list[str]:
        """Set the reply of each label that the row has; others stay."""
        held = list(draft.entry.replies.all()) if draft.entry.pk else []
        changed = []
        for name in [name for name in DEFAULT_REPLY_LABELS if name in wish.values]:
            label = (
                normalize.clean_single_line(wish.values.get(f"{name}_label", ""))
                or DEFAULT_REPLY_LABELS[name]
            )
            same = [reply for reply in held if reply.label == label]
            fresh = Reply(label=label, order=len(held) + len(draft.replies))
            reply = same[0] if same else fresh
            if cells.normalize_line_ends(reply.body) == wish.values[name]:
                continue
            reply.entry, reply.body = draft.entry, wish.values[name]
            self.validate_row(wish, reply, ("entry",), said_in=name)
            draft.replies.append(reply)
            changed.append(name)
        return changed

    def _add_phrasings(self, wish: ParsedRow, draft: EntryDraft) -> list[str]:
        """Add the phrasings that say something new; none is taken away."""
        texts = split_cell(PHRASING_SEPARATORS, wish.values.get("similar", ""))
        if len(texts) > MAX_PHRASINGS_PER_ROW:
            self.refuse_row(wish, "similar", f"最多 {MAX_PHRASINGS_PER_ROW} 个")
            return []
        return self._add_texts(wish, draft, texts, said_in="similar")

    def _add_texts(
        self,
        wish: ParsedRow,
        draft: EntryDraft,
        texts: Sequence[str],
        *,
        said_in: str,
        also: Sequence[Phrasing] = (),
    ) -> list[str]:
        """Add to `draft` what neither it nor its entry nor `also` says."""
        held = draft.entry.phrasings.all() if draft.entry.pk else ()
        known = {one.text_key for one in (*held, *draft.phrasings, *also)}
        known.add(normalize.compute_spelling_key(draft.entry.question))
        for text in texts:
            if (key := normalize.compute_spelling_key(text)) not in known:
                known.add(key)
                phrasing = Phrasing(entry=draft.entry, text=text, text_key=key)
                self.validate_row(
                    wish, phrasing, ("entry", "question"), said_in=said_in
                )
                draft.phrasings.append(phrasing)
        return ["similar"] if draft.phrasings else []

    def _plan_placement(
        self,
        wish: ParsedRow,
        draft: EntryDraft,
        was: entries.StatusAndCategory | None,
        changed: Sequence[str],
    ) -> list[str]:
        """Set category, module and tags; those we lack will be made."""
        path = split_cell(CATEGORY_PATH_SEPARATORS, wish.values.get("category", ""))
        path += split_cell(CATEGORY_PATH_SEPARATORS, wish.values.get("subcategory", ""))
        tags = split_cell(TAG_SEPARATORS, wish.values.get("tags", ""))
        module = normalize.clean_single_line(wish.values.get("module", ""))
        if len(path) > MAX_CATEGORY_LEVELS:
            self.refuse_row(wish, "category", f"分类最多 {MAX_CATEGORY_LEVELS} 级")
        if len(tags) > MAX_TAGS_PER_ROW:
            self.refuse_row(wish, "tags", f"最多 {MAX_TAGS_PER_ROW} 个")
        self.check_name_lengths(wish, category=path, tags=tags, module=[module])
        entry, there = draft.entry, self.taxonomy
        same = (
            was
            and not changed
            and there.has_placement(entry, tuple(path), tags, module)
        )
        if wish.reasons or same:
            return []
        place = (
            there.find_nearest_category_id(tuple(path)) if path else entry.category_id
        )
        if refusal := self.sender_permissions.find_refusal((entry.status, place), was):
            self.refuse_row(wish, *refusal)
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
        held = list(draft.entry.tags.all()) if draft.entry.pk else []
        for tag in map(self.taxonomy.get_or_make_tag, tags):
            if tag not in held + draft.tags:
                draft.tags.append(tag)
        return self.set_changed_values(draft.entry, values) + ["tags"] * bool(
            draft.tags
        )
