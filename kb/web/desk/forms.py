"""What the desk is asked for and told; hostile values count as not given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from tree_queries.forms import TreeNodeChoiceField

from kb.library import entries
from kb.models import (
    Category,
    Channel,
    Entry,
    Module,
    Question,
    QuestionQuerySet,
    Reply,
    require_no_personal_data,
)
from kb.text.chinese import normalize
from kb.text.markup import markdown
from kb.text.privacy import personal_data

MAX_LINE_CHARS = 200  # characters of a query, a phrasing or a reason
MAX_ID = 2**63 - 1


class SingleLineField(forms.CharField):
    """One line, without what nobody can see, cut where the column ends."""

    def to_python(self, value: object) -> str:
        return normalize.clean_single_line(str(value or ""))[:MAX_LINE_CHARS].strip()


class MultiLineField(forms.CharField):
    """Several lines, without what nobody can see."""

    widget = forms.Textarea

    def to_python(self, value: object) -> str:
        return normalize.clean_text(str(value or "")).strip()


def parse_sent_time(sent: str) -> datetime | None:
    """Return a moment that a page brought back, or None where it is none."""
    try:
        moment = parse_datetime(sent)
    except (ValueError, OverflowError):
        return None
    return moment if moment and timezone.is_aware(moment) else None


def _make_id_field() -> forms.IntegerField:
    return forms.IntegerField(required=False, min_value=1, max_value=MAX_ID)


# What the inbox shows ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InboxQuery:
    """An address of the inbox, understood."""

    channel: str = ""
    module: Module | None = None
    question: int | None = None
    after: int | None = None
    words: str = ""
    phrasing: str | None = None  # None keeps the question's own words

    @property
    def filter_query(self) -> str:
        """The filter alone as a query string, whatever question is open."""
        given = {"channel": self.channel, "module": self.module and self.module.pk}
        return urlencode({name: value for name, value in given.items() if value})

    def filter_questions(self, questions: QuestionQuerySet) -> QuestionQuerySet:
        if self.channel:
            questions = questions.filter(channel=self.channel)
        return questions.filter(module=self.module) if self.module else questions


class InboxQueryForm(forms.Form):
    channel = forms.ChoiceField(choices=Channel.choices, required=False)
    module = _make_id_field()
    question = _make_id_field()
    after = _make_id_field()
    q = SingleLineField(required=False)
    phrasing = SingleLineField(required=False)


def parse_inbox_query(query: QueryDict) -> InboxQuery:
    """Understand `query`; what cannot be understood is left out."""
    form = InboxQueryForm(query)
    form.is_valid()
    given = form.cleaned_data
    return InboxQuery(
        channel=given.get("channel", ""),
        module=Module.objects.filter(pk=given.get("module") or 0).first(),
        question=given.get("question"),
        after=given.get("after"),
        words=given.get("q", ""),
        phrasing=given.get("phrasing") if "phrasing" in query else None,
    )


# What becomes of a question ----------------------------------------------------


class MergeForm(forms.Form):
    """Which entry answers the question, and the wording to keep."""

    entry = forms.IntegerField(min_value=1, max_value=MAX_ID)
    phrasing = SingleLineField(required=False)


class NewEntryForm(forms.Form):
    """A new entry, filled in from the question and its answer."""

    question = SingleLineField(label="标准问题")
    phrasing = SingleLineField(
        label="相似问法",
        required=False,
        help_text="客户的问法，会出现在搜索联想里，不能有单号、姓名等个人信息；不要就清空。",
    )
    answer = MultiLineField(
        label="FAQ 答案",
        required=False,
        max_length=markdown.MAX_MARKDOWN_CHARS,
        help_text="用 Markdown 写，顾客看得到。先写一句话答案，再写步骤。",
    )
    reply = MultiLineField(
        label="话术",
        required=False,
        max_length=4000,
        help_text="纯文本。要客服填的地方写成 {{订单号}}。",
    )
    label = SingleLineField(label="话术名称", required=False)
    category = TreeNodeChoiceField(
        Category.objects.all(),
        label="分类",
        required=False,
        empty_label="未分类",
        label_from_instance=lambda node: "　" * node.tree_depth + node.name,
    )
    audience = forms.ChoiceField(
        label="可见范围", choices=Entry.Audience.choices, widget=forms.RadioSelect
    )

    @classmethod
    def make_prefilled(
        cls, question: Question, data: QueryDict | None = None, *, live: bool = False
    ) -> NewEntryForm:
        """Return the form as the question fills it in, or as it was sent.

        What tells who the customer is is masked first. `live` says that the entry
        is to be published at once.
        """
        words = entries.suggest_phrasing(question.text)
        answer = personal_data.mask_personal_data(question.answer)
        initial = {
            "question": words,
            "phrasing": words,
            "answer": answer,
            "reply": answer[:4000],
            "label": "标准",
            "audience": Entry.Audience.INTERNAL,
        }
        form = cls(data, initial=initial, prefix="new", use_required_attribute=False)
        form.is_live = live
        return form

    is_live = False

    def clean_question(self) -> str:
        return self._without_personal_data("question")

    def clean_phrasing(self) -> str:
        return self._without_personal_data("phrasing")

    def _without_personal_data(self, name: str) -> str:
        text: str = self.cleaned_data[name]
        label = str(self.fields[name].label)
        entries.require_no_masked_data(text, label)
        require_no_personal_data(text, label)
        return text

    def clean(self) -> dict[str, Any]:
        """Refuse to publish an answer in which something is still masked."""
        given = super().clean() or {}
        for name in ("answer", "reply") if self.is_live else ():
            if personal_data.PERSONAL_DATA_MASK in self.initial[name]:
                try:
                    entries.require_no_masked_data(
                        given.get(name, ""), str(self.fields[name].label)
                    )
                except ValidationError as error:
                    self.add_error(name, error)
        return given

    def get_columns(self) -> dict[str, Any]:
        """Return what entries.draft takes."""
        given = self.cleaned_data
        reply = Reply(body=given["reply"], label=given["label"][:20] or "标准")
        return {
            "question": given["question"],
            "answer": given["answer"],
            "category": given["category"],
            "audience": given["audience"],
            "replies": [reply] if reply.body else [],
            "phrasings": [given["phrasing"]] if given["phrasing"] else [],
        }

    def add_stage_error(self, error: ValidationError) -> None:
        """Show what a stage refused, at the field where there is one."""
        places = {"body": "reply", "label": "label", "text": "phrasing"}
        found: Mapping[str, Any] = getattr(error, "error_dict", {"": error.error_list})
        for name, errors in found.items():
            field = places.get(name, name)
            self.add_error(field if field in self.fields else None, errors)


class DeclineForm(forms.Form):
    """Why the library learns nothing from a question."""

    REASON_NAMES = ("个别订单问题", "重复", "无关", "涉及隐私", "其他")

    reason = forms.ChoiceField(
        label="原因",
        choices=[(reason, reason) for reason in REASON_NAMES],
        widget=forms.RadioSelect,
        error_messages={"required": "请选一个原因。"},
    )
    note = SingleLineField(label="补充说明", required=False)

    def clean_note(self) -> str:
        note: str = self.cleaned_data["note"]
        if self.cleaned_data.get("reason") == "其他" and not note:
            raise ValidationError("选「其他」时请写明原因。")
        return note

    def get_written_reason(self) -> str:
        """Return the reason as it is kept: the choice and what was added."""
        reason, note = self.cleaned_data["reason"], self.cleaned_data["note"]
        if reason == "其他":
            return str(note)
        return (f"{reason}：{note}" if note else reason)[:MAX_LINE_CHARS]
