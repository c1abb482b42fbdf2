"""A row that is a question: what a customer asked, and what an agent answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.utils import timezone

from kb.import_export.columns import ColumnLayout, KindColumns
from kb.import_export.import_plan import RowConcern
from kb.import_export.plan.external_ids import ExternalIdAssigner
from kb.import_export.plan.planner import (
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
from kb.import_export.table import TableRow
from kb.models import Channel, Question, User
from kb.questions import answers, intake
from kb.text.chinese import normalize

CHANNELS_BY_NAME = {
    normalize.normalize_text(name): channel.value
    for channel in Channel
    for name in (str(channel.label), channel.value)
}
COMPARED_QUESTION_COLUMNS = (
    "text",
    "answer",
    "channel",
    "segment",
    "module_id",
    "status",
    "asked_at",
)
UNCHECKED_QUESTION_COLUMNS = (
    "module",
    "entry",
    "settled_by",
    "answered_by",
    "text_key",
)  # not checked with a query


class QuestionRows(RowKind):
    columns = KindColumns(
        {
            "mark": ["库内号", "mark"],
            "text": ["问题", "客户问题", "question", "text"],
            "answer": ["回答", "客服回答", "答案", "answer"],
            "external_id": ["编号", "外部编号", "id", "external_id"],
            "source": ["来源", "source"],
            "channel": ["渠道", "channel"],
            "segment": ["客户类型", "segment"],
            "module": ["产品模块", "模块", "module"],
            "asked_at": ["提问时间", "时间", "asked_at"],
        },
        required_groups=[["text"]],
    )
    name, model, text_field = "questions", Question, "text"
    compared_columns = COMPARED_QUESTION_COLUMNS

    def __init__(self, options: ImportOptions, layout: ColumnLayout) -> None:
        super().__init__(options, layout)
        # Many customers ask the same: here a question is not known by its text.
        self.matcher = RowMatcher(self, self, key="text_key", by_text=False)
        self.external_ids = ExternalIdAssigner(self.matcher)

    def match_rows(self, asked: Sequence[ParsedRow], progress: ReportProgress) -> None:
        self.matcher.match_rows(asked)

    def get_row_wordings(self, wish: ParsedRow) -> list[str]:
        return []

    def load_wordings(self, pks: Collection[int]) -> Mapping[int, list[str]]:
        return {}

    def finish_planning(self) -> None:
        self.external_ids.settle_assignments()

    def make_row_key(self, row: TableRow, said: Mapping[str, str]) -> RowKey:
        """A row without a number is known by its text, as that is stored: masked."""
        text = intake.mask_question_text(said.get("text", ""))
        return super().make_row_key(row, {**said, "text": text})

    def find_stamps(self, keys: Collection[RowKey]) -> StampsByKey:
        names = ("pk", "source", "external_id", "text_key", *COMPARED_QUESTION_COLUMNS)
        rows = Question.objects.order_by("pk").values_list(*names)
        numbers, digests = split_row_keys(keys)
        seen: StampsByKey = {}
        numbered = rows.exclude(external_id="").filter(
            source__in={key[1] for key in numbers},
            external_id__in=[key[2] for key in numbers],
        )
        for pk, origin, number, _, *stamp in numbered:
            if (key := ("id", origin, number)) in numbers:
                seen[key] = [(pk, tuple(stamp))]
        for pk, _, _, _, *stamp in rows.filter(pk__in=list_marked_ids(keys)):
            seen["pk", str(pk)] = [(pk, tuple(stamp))]
        for pk, _, _, digest, *stamp in rows.filter(
            external_id="", text_key__in=digests
        ):
            # Customers ask the same again and again: the first stands for all.
            seen.setdefault(("text", digest), [(pk, tuple(stamp))])
        return seen

    def load_rows(self, pks: Collection[int]) -> Mapping[int, Question]:
        return Question.objects.in_bulk(pks)

    def plan_row(self, wish: ParsedRow, found: Sequence[Question]) -> Sequence[str]:
        if wish.concern is RowConcern.REPLACED and found:
            return self._replace_question(wish, found[0])
        question = found[0] if found else self._make_question(wish)
        changed = self.set_changed_values(question, self._collect_values(wish))
        self.validate_row(wish, question, UNCHECKED_QUESTION_COLUMNS)
        name = normalize.clean_single_line(wish.values.get("module", ""))
        self.check_name_lengths(wish, module=[name])
        if wish.reasons:
            return []
        if name:
            changed += self.set_changed_values(
                question, {"module": self.taxonomy.get_or_make_module(name)}
            )
        question.text_key = normalize.compute_spelling_key(question.text)
        if question.status == Question.Status.OPEN:
            self.remember_old_value(question, "status")
            question.status = intake.get_initial_status(question)
        if found and wish.new_external_id:
            source, number = wish.new_external_id
            changed += self.set_changed_values(
                question, {"source": source, "external_id": number}
            )
            self.external_ids.assignments.append((question, wish))
            self.external_ids.vacating_ids.add(question.pk)
        if not found:
            self.new_rows.append(question)
        elif changed:
            self.changed_rows.append(question)
        return changed

    def _replace_question(self, wish: ParsedRow, old: Question) -> Sequence[str]:
        """Let a new question take the number of `old`, which stays without one."""
        if wish.row.number not in self.options.replaced_rows:
            number = wish.new_external_id[1] if wish.new_external_id else ""
            told = f"编号 {number} 现在是「{old}」，要逐行确认"
            self.refuse_row(wish, self.text_field, f"{RowConcern.REPLACED}：{told}")
            return []
        self.plan_row(wish, [])
        if wish.reasons:
            return []
        wish.is_replacement = True
        wish.notes.append(f"原来的「{old}」#{old.pk} 留下，不再有编号")
        self.set_changed_values(old, {"external_id": ""})
        self.changed_rows.append(old)
        self.external_ids.assignments.append((self.new_rows[-1], wish))
        self.external_ids.vacating_ids.add(old.pk)
        return []

    def prepare_rows(self, progress: ReportProgress) -> None:
        """Questions have nothing that takes time."""

    def store_rows(self, by: User | None) -> None:
        """Write the rows; who imports an answer to an open question has given it."""
        self.taxonomy.save_new_names(by)
        now = timezone.now()
        for question in self.changed_rows:
            if self._is_newly_answered(question):
                for name in ("answered_by", "answered_at"):
                    self.remember_old_value(question, name)
                question.answered_by, question.answered_at = by, now
        self.external_ids.free_external_ids()
        intake.store_questions(self.new_rows, self.changed_rows)
        answers.add_missing_answer_versions(self.changed_rows, by=by)

    def _is_newly_answered(self, question: Question) -> bool:
        was_open = (
            self.old_values.get(id(question), {}).get("status") == Question.Status.OPEN
        )
        return was_open and bool(question.answer)

    def _make_question(self, wish: ParsedRow) -> Question:
        number = normalize.clean_single_line(wish.values.get("external_id", ""))
        return Question(source=resolve_source(self, wish.values), external_id=number)

    def _collect_values(self, wish: ParsedRow) -> dict[str, Any]:
        """Return the columns for which the row says something."""
        values: dict[str, Any] = {
            "text": intake.mask_question_text(wish.values["text"]),
            "answer": wish.values.get("answer"),
            "segment": normalize.clean_single_line(wish.values.get("segment", "")),
            "channel": self.parse_choice(wish, "channel", CHANNELS_BY_NAME),
            "asked_at": self.parse_time(wish, "asked_at"),
        }
        return {name: value for name, value in values.items() if value}
