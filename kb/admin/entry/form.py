"""The form of an entry: its checks, and its phrasings as lines of text."""

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

MAX_PHRASINGS = 1000
RESTORING_FIELD = "_restoring"  # posted with an autosave that is only shown
RESTORED_MESSAGE = "这是您上次没有保存的内容，看一看再保存。"


class EntryForm(ConstraintCheckingForm):
    """An entry with its phrasings, and the `version` that the change is based on."""

    # Not in a fieldset: the template adds the hidden field.
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
        if "owner" in self.fields and self.instance.owner_id:  # also one who has left
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
        """Raise ValidationError that names each new line with personal data."""
        saved = set(self.initial.get("phrasings", "").split("\n"))
        errors = []
        for number, text in enumerate(texts, start=1):
            if text in saved:
                continue
            try:
                require_no_personal_data(text, f"第 {number} 行")
            except ValidationError as error:
                errors += error.messages
        if errors:
            raise ValidationError(errors)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if RESTORING_FIELD in self.data:  # it is only shown, and must not be saved
            self.add_error(None, RESTORED_MESSAGE)
        entry = self.instance
        if entry.pk and values.get("version") != entry.version:
            self._add_conflict_error(entry)
        if entry.pk and entry.status == Entry.Status.PUBLISHED:
            self._check_style(values)
        return values

    def _check_style(self, values: Mapping[str, Any]) -> None:
        """Add errors for changed texts that style rules do not allow to be live.

        A change of the audience checks all texts.
        """
        check_all = "audience" in self.changed_data
        question, answer = (
            (values.get(name) or "") if check_all or name in self.changed_data else ""
            for name in ("question", "answer")
        )
        is_public = values.get("audience") == Entry.Audience.PUBLIC
        saved = set(self._get_shown_phrasings())
        typed = values.get("phrasings") or {}
        changed = [text for text in typed.values() if check_all or text not in saved]
        for finding in style_rules.check_texts(
            style_rules.list_form_texts(question, answer, phrasings=changed),
            public=is_public,
            entry_id=self.instance.pk,
            strict=True,
        ):
            self.add_error(finding.text.field, str(finding))

    def _add_conflict_error(self, entry: Entry) -> None:
        """Refuse a stale version; kb.admin.entry.conflicts has merged both sides.

        The form goes on from the version that is saved now, so saving it once more
        overwrites.
        """
        url = reverse("admin:kb_entry_change", args=[entry.pk])
        link = '{} <a href="{}" target="_blank" rel="noopener">在新窗口看最新内容</a>'
        self.add_error(
            None, ValidationError(format_html(link, EDIT_CONFLICT_MESSAGE, url))
        )
        data = cast(QueryDict, self.data).copy()
        data[self.add_prefix("version")] = str(entry.version)
        self.data = data
