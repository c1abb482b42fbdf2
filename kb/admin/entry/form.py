"""The form of an entry: a conflict shows both sides, and what was typed stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.urls import reverse
from django.utils.html import format_html

from kb.admin.base_admin import ConstraintCheckingForm
from kb.admin.entry.state import get_proposed_parts
from kb.language import style_rules
from kb.library.entries import EDIT_CONFLICT_MESSAGE
from kb.models import Entry, Phrasing, User, require_no_personal_data
from kb.text.chinese import normalize

MAX_PHRASINGS = 1000  # phrasings of one entry
RESTORING_FIELD = "_restoring"  # in what was kept, when it is only shown again
RESTORED_MESSAGE = "这是您上次没有保存的内容，看一看再保存。"


class EntryForm(ConstraintCheckingForm):
    # The version that the change is made on. Not named in any fieldset: the
    # template writes it, hidden, into the form.
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    phrasings = forms.CharField(
        label="相似问法",
        required=False,
        widget=forms.Textarea({"rows": 6, "class": "vLargeTextField"}),
        help_text="顾客的其他问法，一行一个。会帮助搜索，也会出现在搜索联想里。",
    )

    note = forms.CharField(
        label="修改说明",
        required=False,
        max_length=200,
        help_text="为什么改，给同事看，记在历史里。可以不写。",
        widget=forms.TextInput({"class": "vLargeTextField"}),
    )

    class Meta:
        model = Entry
        fields: list[str] = []  # the admin names them
        widgets = {
            "question": forms.TextInput({"class": "vLargeTextField"}),
            "answer": forms.Textarea({"rows": 14, "class": "vLargeTextField"}),
            "audience": forms.RadioSelect,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["version"] = self.instance.version
            if parts := get_proposed_parts(self.instance):
                self.initial["tags"] = parts.tags
            self.initial["phrasings"] = "\n".join(self._get_shown_phrasings())
        if "owner" in self.fields and self.instance.owner_id:  # he may have left
            field = cast("forms.ModelChoiceField[User]", self.fields["owner"])
            field.queryset |= User.objects.filter(pk=self.instance.owner_id)  # type: ignore[operator]

    def _get_shown_phrasings(self) -> Sequence[str]:
        if parts := get_proposed_parts(self.instance):
            return parts.phrasings
        return list(self.instance.phrasings.values_list("text", flat=True))

    def clean_phrasings(self) -> Mapping[str, str]:
        """Return {key: text} of the lines, the first of equal ones."""
        lines = self.cleaned_data["phrasings"].splitlines()
        texts = [text for line in lines if (text := normalize.clean_single_line(line))]
        longest = Phrasing._meta.get_field("text").max_length or 0
        if long := [text for text in texts if len(text) > longest]:
            raise ValidationError(f"每行最多 {longest} 字，这行太长：{long[0][:30]}…")
        if len(texts) > MAX_PHRASINGS:
            raise ValidationError(
                f"最多 {MAX_PHRASINGS} 个问法，这里有 {len(texts)} 个。"
            )
        self._refuse_personal_data(texts)
        return {normalize.compute_spelling_key(text): text for text in reversed(texts)}

    def _refuse_personal_data(self, texts: Sequence[str]) -> None:
        """Name each new line that tells who somebody is; what is old may stay."""
        held = set(self.initial.get("phrasings", "").split("\n"))
        errors = []
        for number, text in enumerate(texts, start=1):
            if text in held:
                continue
            try:
                require_no_personal_data(text, f"第 {number} 行")
            except ValidationError as error:
                errors += error.messages
        if errors:
            raise ValidationError(errors)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if RESTORING_FIELD in self.data:  # it is shown, and must never be saved by that
            self.add_error(None, RESTORED_MESSAGE)
        now = self.instance
        if now.pk and given.get("version") != now.version:
            self._come_back(now)
        if now.pk and now.status == Entry.Status.PUBLISHED:
            self._refuse_wording(given)
        return given

    def _refuse_wording(self, given: Mapping[str, Any]) -> None:
        """Say at each field why it may not go on line so; what is old may stay."""
        wider = "audience" in self.changed_data
        question, answer = (
            (given.get(name) or "") if wider or name in self.changed_data else ""
            for name in ("question", "answer")
        )
        public = given.get("audience") == Entry.Audience.PUBLIC
        kept = set(self._get_shown_phrasings())
        asked = given.get("phrasings") or {}
        fresh = [text for text in asked.values() if wider or text not in kept]
        for one in style_rules.check_texts(
            style_rules.list_form_texts(question, answer, phrasings=fresh),
            public=public,
            entry_id=self.instance.pk,
            strict=True,
        ):
            self.add_error(one.text.field, str(one))

    def _come_back(self, now: Entry) -> None:
        """Ask to look again; kb.admin.entry.conflicts has put both sides into the form.

        Saving again, now that it has been seen, is a decision: the form goes
        on from the version that is there.
        """
        where = reverse("admin:kb_entry_change", args=[now.pk])
        link = '{} <a href="{}" target="_blank" rel="noopener">在新窗口看最新内容</a>'
        self.add_error(
            None, ValidationError(format_html(link, EDIT_CONFLICT_MESSAGE, where))
        )
        sent = cast(QueryDict, self.data).copy()
        sent[self.add_prefix("version")] = str(now.version)
        self.data = sent


def write_phrasings(entry: Entry, wanted: Mapping[str, str]) -> None:
    """Make the phrasings of `entry` those of `wanted`, {key: text}.

    The ones that stay keep the question they came from.
    """
    kept = {phrasing.text_key: phrasing for phrasing in entry.phrasings.all()}
    gone = [phrasing.pk for key, phrasing in kept.items() if key not in wanted]
    entry.phrasings.filter(pk__in=gone).delete()
    for key, text in wanted.items():
        phrasing = kept.get(key) or Phrasing(entry=entry)
        if key == entry.question_key or phrasing.text == text:
            continue
        phrasing.text = text
        phrasing.full_clean(exclude=["text_key"])
        phrasing.save()
