"""Rows that are questions: what a customer asked, and what an agent answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.utils import timezone

from kb.import_export.columns import ColumnLayout, KindColumns
from kb.import_export.plan.external_ids import ExternalIdAssigner
from kb.import_export.plan.row_kind import (
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
from kb.import_export.row_outcome import RowConcern
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
# Relations are not looked up again, and the text key is computed.
UNCHECKED_QUESTION_COLUMNS = (
    "module",
    "entry",
    "settled_by",
    "answered_by",
    "text_key",
)


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
        single_line=("segment", "module"),
    )
    name, model, text_field = "questions", Question, "text"
    compared_columns = COMPARED_QUESTION_COLUMNS

    def __init__(self, options: ImportOptions, layout: ColumnLayout) -> None:
        super().__init__(options, layout)
        # Many customers ask the same, so its text does not identify a question.
        self.matcher = RowMatcher(self, self, text_key_column="text_key", by_text=False)
        self.external_ids = ExternalIdAssigner(self.matcher)

    def analyse_row(self, parsed: ParsedRow) -> None:
        """Mask personal data, as the stored text is masked."""
        if text := parsed.values.get("text"):
            parsed.values["text"] = intake.mask_question_text(text)

    def match_rows(self, rows: Sequence[ParsedRow], progress: ReportProgress) -> None:
        self.matcher.match_rows(rows)

    def get_row_wordings(self, parsed: ParsedRow) -> list[str]:
        return []

    def load_wordings(self, pks: Collection[int]) -> Mapping[int, list[str]]:
        return {}

    def finish_planning(self) -> None:
        self.external_ids.settle_assignments()

    def find_stamps(self, keys: Collection[RowKey]) -> StampsByKey:
        names = ("pk", "source", "external_id", "text_key", *COMPARED_QUESTION_COLUMNS)
        rows = Question.objects.order_by("pk").values_list(*names)
        numbers, text_keys = split_row_keys(keys)
        stamps: StampsByKey = {}
        numbered = rows.exclude(external_id="").filter(
            source__in={key[1] for key in numbers},
            external_id__in=[key[2] for key in numbers],
        )
        for pk, source, number, _, *stamp in numbered:
            if (key := ("id", source, number)) in numbers:
                stamps[key] = [(pk, tuple(stamp))]
        for pk, _, _, _, *stamp in rows.filter(pk__in=list_marked_ids(keys)):
            stamps["pk", str(pk)] = [(pk, tuple(stamp))]
        unnumbered = rows.filter(external_id="", text_key__in=text_keys)
        for pk, _, _, text_key, *stamp in unnumbered:
            # Of several questions with the same text, the row means the first.
            stamps.setdefault(("text", text_key), [(pk, tuple(stamp))])
        return stamps

    def load_rows(self, pks: Collection[int]) -> Mapping[int, Question]:
        return Question.objects.in_bulk(pks)

    def plan_row(
        self, parsed: ParsedRow, existing: Sequence[Question]
    ) -> Sequence[str]:
        if parsed.concern is RowConcern.REPLACED and existing:
            return self._replace_question(parsed, existing[0])
        question = existing[0] if existing else self._make_question(parsed)
        changed = self.set_changed_values(question, self._collect_values(parsed))
        self.validate_row(parsed, question, UNCHECKED_QUESTION_COLUMNS)
        name = parsed.values.get("module", "")
        self.check_name_lengths(parsed, module=[name])
        if parsed.reasons:
            return []
        if name:
            changed += self.set_changed_values(
                question, {"module": self.taxonomy.get_or_make_module(name)}
            )
        question.text_key = normalize.compute_spelling_key(question.text)
        if question.status == Question.Status.OPEN:
            self.remember_old_value(question, "status")
            question.status = intake.get_initial_status(question)
        if existing and parsed.new_external_id:
            source, number = parsed.new_external_id
            changed += self.set_changed_values(
                question, {"source": source, "external_id": number}
            )
            self.external_ids.assignments.append((question, parsed))
            self.external_ids.vacating_ids.add(question.pk)
        if not existing:
            self.new_rows.append(question)
        elif changed:
            self.changed_rows.append(question)
        return changed

    def _replace_question(self, parsed: ParsedRow, old: Question) -> Sequence[str]:
        """Plan a new question with the number of `old`, which loses it."""
        if parsed.row.number not in self.options.replaced_rows:
            number = parsed.new_external_id[1] if parsed.new_external_id else ""
            text = f"编号 {number} 现在是「{old}」，要逐行确认"
            self.refuse_row(parsed, self.text_field, f"{RowConcern.REPLACED}：{text}")
            return []
        self.plan_row(parsed, [])
        if parsed.reasons:
            return []
        parsed.is_replacement = True
        parsed.notes.append(f"原来的「{old}」#{old.pk} 留下，不再有编号")
        self.set_changed_values(old, {"external_id": ""})
        self.changed_rows.append(old)
        self.external_ids.assignments.append((self.new_rows[-1], parsed))
        self.external_ids.vacating_ids.add(old.pk)
        return []

    def store_rows(self, by: User | None) -> None:
        """Write the rows; an imported answer to an open question is answered by `by`."""
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

    def _make_question(self, parsed: ParsedRow) -> Question:
        return Question(source=parsed.source, external_id=parsed.external_id)

    def _collect_values(self, parsed: ParsedRow) -> dict[str, Any]:
        """Return the columns for which the row has a value."""
        values: dict[str, Any] = {
            "text": parsed.values["text"],
            "answer": parsed.values.get("answer"),
            "segment": parsed.values.get("segment"),
            "channel": self.parse_choice(parsed, "channel", CHANNELS_BY_NAME),
            "asked_at": self.parse_time(parsed, "asked_at"),
        }
        return {name: value for name, value in values.items() if value}
