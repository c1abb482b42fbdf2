"""Forms and query strings of the desk; a value that is not valid counts as missing."""

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

from kb.library import entries, taxonomy
from kb.models import (
    Channel,
    Entry,
    Module,
    Question,
    Reply,
    require_no_personal_data,
)
from kb.questions import queues
from kb.text.chinese import normalize
from kb.text.markup import markdown
from kb.text.privacy import personal_data

MAX_LINE_CHARS = 200  # of a query, a phrasing or a reason
MAX_ID = 2**63 - 1
MAX_ID_DIGITS = 18  # every such number fits into a 64-bit column
MAX_REPLY_CHARS = 4000
MAX_REPLY_LABEL_CHARS = 20
DEFAULT_REPLY_LABEL = "标准"


class SingleLineField(forms.CharField):
    """One line without invisible characters, cut to MAX_LINE_CHARS."""

    def to_python(self, value: object) -> str:
        return normalize.clean_single_line(str(value or ""))[:MAX_LINE_CHARS].strip()


class MultiLineField(forms.CharField):
    """Several lines without invisible characters."""

    widget = forms.Textarea

    def to_python(self, value: object) -> str:
        return normalize.clean_text(str(value or "")).strip()


def parse_id(text: str) -> int:
    """Return a decimal number of at most 18 digits, or 0, which is no row's id."""
    is_id = text.isascii() and text.isdecimal() and len(text) <= MAX_ID_DIGITS
    return int(text) if is_id else 0


def parse_sent_time(text: str) -> datetime | None:
    """Return the aware time that a page sent back in ISO 8601, or None."""
    try:
        moment = parse_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment and timezone.is_aware(moment) else None


def get_error_code(error: ValidationError) -> str:
    """Return the code of a single error, or "" for an error with several."""
    return str(getattr(error, "code", "") or "")


def make_id_field() -> forms.IntegerField:
    return forms.IntegerField(required=False, min_value=1, max_value=MAX_ID)


# Query string of the inbox ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InboxQuery:
    """The parsed query string of the inbox."""

    channel: str = ""
    module: Module | None = None
    question: int | None = None
    after: int | None = None
    words: str = ""
    phrasing: str | None = None  # None: the question's own words

    @property
    def filter_query(self) -> str:
        """The filter alone as a query string, without the question that is open."""
        values = {"channel": self.channel, "module": self.module and self.module.pk}
        return urlencode({name: value for name, value in values.items() if value})


class InboxQueryForm(forms.Form):
    channel = forms.ChoiceField(choices=Channel.choices, required=False)
    module = make_id_field()
    question = make_id_field()
    after = make_id_field()
    q = SingleLineField(required=False)
    phrasing = SingleLineField(required=False)


def parse_inbox_query(query: QueryDict) -> InboxQuery:
    """Return the parsed `query`; values that are not valid are left out."""
    form = InboxQueryForm(query)
    form.is_valid()
    values = form.cleaned_data
    module_id = values.get("module")
    return InboxQuery(
        channel=values.get("channel", ""),
        module=queues.find_module(module_id) if module_id else None,
        question=values.get("question"),
        after=values.get("after"),
        words=values.get("q", ""),
        phrasing=values.get("phrasing") if "phrasing" in query else None,
    )


# Decisions on a question --------------------------------------------------------


class MergeForm(forms.Form):
    """The entry that answers the question, and the phrasing to add to it."""

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
        max_length=MAX_REPLY_CHARS,
        help_text="纯文本。要客服填的地方写成 {{订单号}}。",
    )
    label = SingleLineField(label="话术名称", required=False)
    category = TreeNodeChoiceField(
        taxonomy.list_categories(),
        label="分类",
        required=False,
        empty_label="未分类",
        label_from_instance=lambda node: "　" * node.tree_depth + node.name,
    )
    audience = forms.ChoiceField(
        label="可见范围", choices=Entry.Audience.choices, widget=forms.RadioSelect
    )

    is_live = False  # the entry is to be published at once

    @classmethod
    def make_prefilled(
        cls, question: Question, data: QueryDict | None = None, *, is_live: bool = False
    ) -> NewEntryForm:
        """Return the form filled in from the question, bound to `data` if it is sent.

        Personal data is masked in the initial values.
        """
        words = entries.suggest_phrasing(question.text)
        answer = personal_data.mask_personal_data(question.answer)
        initial = {
            "question": words,
            "phrasing": words,
            "answer": answer,
            "reply": answer[:MAX_REPLY_CHARS],
            "label": DEFAULT_REPLY_LABEL,
            "audience": Entry.Audience.INTERNAL,
        }
        form = cls(data, initial=initial, prefix="new", use_required_attribute=False)
        form.is_live = is_live
        return form

    def clean_question(self) -> str:
        return self._require_no_personal_data("question")

    def clean_phrasing(self) -> str:
        return self._require_no_personal_data("phrasing")

    def _require_no_personal_data(self, name: str) -> str:
        text: str = self.cleaned_data[name]
        label = str(self.fields[name].label)
        entries.require_no_masked_data(text, label)
        require_no_personal_data(text, label)
        return text

    def clean(self) -> dict[str, Any]:
        """Refuse to publish an answer in which something is still masked."""
        values = super().clean() or {}
        for name in ("answer", "reply") if self.is_live else ():
            if personal_data.PERSONAL_DATA_MASK in self.initial[name]:
                label = str(self.fields[name].label)
                try:
                    entries.require_no_masked_data(values.get(name, ""), label)
                except ValidationError as error:
                    self.add_error(name, error)
        return values

    def get_columns(self) -> dict[str, Any]:
        """Return the keyword arguments of `entries.create_draft`."""
        values = self.cleaned_data
        label = values["label"][:MAX_REPLY_LABEL_CHARS] or DEFAULT_REPLY_LABEL
        reply = Reply(body=values["reply"], label=label)
        return {
            "question": values["question"],
            "answer": values["answer"],
            "category": values["category"],
            "audience": values["audience"],
            "replies": [reply] if reply.body else [],
            "phrasings": [values["phrasing"]] if values["phrasing"] else [],
        }

    def add_stage_error(self, error: ValidationError) -> None:
        """Show the error of a stage at its field, or above the form."""
        fields_by_column = {"body": "reply", "label": "label", "text": "phrasing"}
        errors_by_column: Mapping[str, Any] = getattr(
            error, "error_dict", {"": error.error_list}
        )
        for column, errors in errors_by_column.items():
            field = fields_by_column.get(column, column)
            self.add_error(field if field in self.fields else None, errors)


class DeclineForm(forms.Form):
    """Why a question does not go into the library."""

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
        """Return the reason to store: the choice with the note, at most MAX_LINE_CHARS."""
        reason, note = self.cleaned_data["reason"], self.cleaned_data["note"]
        if reason == "其他":
            return str(note)
        return (f"{reason}：{note}" if note else reason)[:MAX_LINE_CHARS]
