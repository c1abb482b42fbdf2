"""A row that is a question: what a customer asked, and what an agent answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.utils import timezone

from kb import answers, questions
from kb.models import Channel, Question, User
from kb.text import normalize
from kb.transfer.columns import Columns, Layout
from kb.transfer.matching import Matcher
from kb.transfer.numbering import Numbering
from kb.transfer.planning import (
    Key,
    Kind,
    Options,
    Progress,
    Seen,
    Wish,
    ids,
    source,
    split,
)
from kb.transfer.report import Concern
from kb.transfer.table import Row

CHANNELS = {
    normalize.normalize(name): channel.value
    for channel in Channel
    for name in (str(channel.label), channel.value)
}
COMPARED = ("text", "answer", "channel", "segment", "module_id", "status", "asked_at")
APART = (
    "module",
    "entry",
    "settled_by",
    "answered_by",
    "text_key",
)  # not checked with a query


class Questions(Kind):
    columns = Columns(
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
        required=[["text"]],
    )
    name, model, text = "questions", Question, "text"
    stamped = COMPARED

    def __init__(self, options: Options, layout: Layout) -> None:
        super().__init__(options, layout)
        # Many customers ask the same: here a question is not known by its text.
        self.matcher = Matcher(self, self, key="text_key", by_text=False)
        self.numbering = Numbering(self.matcher)

    def resolve(self, asked: Sequence[Wish], progress: Progress) -> None:
        self.matcher.resolve(asked)

    def wordings_of_row(self, wish: Wish) -> list[str]:
        return []

    def wordings_of(self, pks: Collection[int]) -> Mapping[int, list[str]]:
        return {}

    def finish(self) -> None:
        self.numbering.settle()

    def key(self, row: Row, said: Mapping[str, str]) -> Key:
        """A row without a number is known by its text, as that is stored: masked."""
        text = questions.mask_question_text(said.get("text", ""))
        return super().key(row, {**said, "text": text})

    def find(self, keys: Collection[Key]) -> Seen:
        names = ("pk", "source", "external_id", "text_key", *COMPARED)
        rows = Question.objects.order_by("pk").values_list(*names)
        numbers, digests = split(keys)
        seen: Seen = {}
        numbered = rows.exclude(external_id="").filter(
            source__in={key[1] for key in numbers},
            external_id__in=[key[2] for key in numbers],
        )
        for pk, origin, number, _, *stamp in numbered:
            if (key := ("id", origin, number)) in numbers:
                seen[key] = [(pk, tuple(stamp))]
        for pk, _, _, _, *stamp in rows.filter(pk__in=ids(keys)):
            seen["pk", str(pk)] = [(pk, tuple(stamp))]
        for pk, _, _, digest, *stamp in rows.filter(
            external_id="", text_key__in=digests
        ):
            # Customers ask the same again and again: the first stands for all.
            seen.setdefault(("text", digest), [(pk, tuple(stamp))])
        return seen

    def load(self, pks: Collection[int]) -> Mapping[int, Question]:
        return Question.objects.in_bulk(pks)

    def meet(self, wish: Wish, found: Sequence[Question]) -> Sequence[str]:
        if wish.concern is Concern.REPLACED and found:
            return self._replace(wish, found[0])
        question = found[0] if found else self._blank(wish)
        changed = self.take(question, self._values(wish))
        self.check(wish, question, APART)
        name = normalize.line(wish.said.get("module", ""))
        self.check_names(wish, module=[name])
        if wish.reasons:
            return []
        if name:
            changed += self.take(question, {"module": self.places.module(name)})
        question.text_key = normalize.key(question.text)
        if question.status == Question.Status.OPEN:
            self.remember(question, "status")
            question.status = questions.answered_or_open(question)
        if found and wish.number:
            source, number = wish.number
            changed += self.take(question, {"source": source, "external_id": number})
            self.numbering.taking.append((question, wish))
            self.numbering.vacating.add(question.pk)
        if not found:
            self.new.append(question)
        elif changed:
            self.changed.append(question)
        return changed

    def _replace(self, wish: Wish, old: Question) -> Sequence[str]:
        """Let a new question take the number of `old`, which stays without one."""
        if wish.row.number not in self.options.replaced_rows:
            number = wish.number[1] if wish.number else ""
            told = f"编号 {number} 现在是「{old}」，要逐行确认"
            self.refuse(wish, self.text, f"{Concern.REPLACED}：{told}")
            return []
        self.meet(wish, [])
        if wish.reasons:
            return []
        wish.replaces = True
        wish.notes.append(f"原来的「{old}」#{old.pk} 留下，不再有编号")
        self.take(old, {"external_id": ""})
        self.changed.append(old)
        self.numbering.taking.append((self.new[-1], wish))
        self.numbering.vacating.add(old.pk)
        return []

    def prepare(self, progress: Progress) -> None:
        """Questions have nothing that takes time."""

    def store(self, by: User | None) -> None:
        """Write the rows; who imports an answer to an open question has given it."""
        self.places.store(by)
        now = timezone.now()
        for question in self.changed:
            if self._gets_answered(question):
                for name in ("answered_by", "answered_at"):
                    self.remember(question, name)
                question.answered_by, question.answered_at = by, now
        self.numbering.vacate()
        questions.store(self.new, self.changed)
        answers.add_missing_versions(self.changed, by=by)

    def _gets_answered(self, question: Question) -> bool:
        was_open = self.old.get(id(question), {}).get("status") == Question.Status.OPEN
        return was_open and bool(question.answer)

    def _blank(self, wish: Wish) -> Question:
        number = normalize.line(wish.said.get("external_id", ""))
        return Question(source=source(self, wish.said), external_id=number)

    def _values(self, wish: Wish) -> dict[str, Any]:
        """Return the columns for which the row says something."""
        values: dict[str, Any] = {
            "text": questions.mask_question_text(wish.said["text"]),
            "answer": wish.said.get("answer"),
            "segment": normalize.line(wish.said.get("segment", "")),
            "channel": self.choice(wish, "channel", CHANNELS),
            "asked_at": self.moment(wish, "asked_at"),
        }
        return {name: value for name, value in values.items() if value}
