"""What a form for a question must bring: it is ours, and a person took some time."""

from __future__ import annotations

import secrets
import time
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from kb.models import Module
from kb.models.inquiry import (
    MAX_CONTACT_CHARS,
    MAX_INQUIRY_PICTURES,
    normalize_contact,
    validate_contact,
)
from kb.publishing import locale_prefix, sites
from kb.questions.inquiries import SubmittedInquiry
from kb.text.chinese import normalize

MAX_QUESTION_CHARS = 2000  # characters of a question
FORM_OVERHEAD_MB = 2  # MB of a whole form, besides its pictures
MIN_FORM_SECONDS = 2  # seconds in which nobody writes a question
MAX_FORM_SECONDS = 24 * 3600  # seconds for which a form that stays open is good
CLOCK_TOLERANCE_SECONDS = 60  # seconds by which the clocks of two hosts may differ
_stamp_signer = Signer(salt="kb.web.faq.ask_page")


class MultiLineField(forms.CharField):
    """Several lines, without what nobody can see."""

    def to_python(self, value: object) -> str:
        text = normalize.clean_text(str(value or "")[: MAX_QUESTION_CHARS * 10])
        return text.strip()


class SingleLineField(forms.CharField):
    """One line, cut where the column ends."""

    def to_python(self, value: object) -> str:
        return normalize.clean_single_line(str(value or "")[:2000])[
            : self.max_length
        ].strip()


class AskForm(forms.Form):
    """A question and what helps to answer it; `website` is for robots alone."""

    text = MultiLineField(
        max_length=MAX_QUESTION_CHARS,
        error_messages={
            "required": lazy("请写下您的问题。"),
            "max_length": lazy(
                "问题最多 %(limit_value)d 字，现在有 %(show_value)d 字，请写短一些。"
            ),
        },
    )
    contact = SingleLineField(required=False, max_length=MAX_CONTACT_CHARS)
    module = forms.ModelChoiceField(
        Module.objects.none(),
        required=False,
        error_messages={"invalid_choice": lazy("没有这个选项，请重新选择。")},
    )
    words = SingleLineField(required=False, max_length=200)
    page = SingleLineField(required=False, max_length=200)
    website = forms.CharField(required=False)
    stamp = forms.CharField(required=False)

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.fields["module"].queryset = list_offered_modules()  # type: ignore[attr-defined]

    def clean_contact(self) -> str:
        contact = normalize_contact(self.cleaned_data["contact"])
        if contact:
            validate_contact(contact)
        return contact

    def clean_website(self) -> str:
        if self.cleaned_data["website"]:
            raise ValidationError(_("“网址”一栏要留空，请清空后再提交。"))
        return ""

    def clean_stamp(self) -> str:
        """Return what tells this form from all others."""
        return check_form_stamp(self.cleaned_data["stamp"])


def list_offered_modules() -> Any:
    """Return the modules that customers may name."""
    return Module.objects.filter(offered=True)


def make_form_stamp() -> str:
    """Return what a form must bring back: made by us, at a moment, only once."""
    return _stamp_signer.sign(f"{secrets.token_hex(16)}-{int(time.time())}")


def check_form_stamp(sent: str) -> str:
    """Return the key of a form; raises ValidationError where it cannot be a person's."""
    try:
        key, _separator, made_at = _stamp_signer.unsign(sent).partition("-")
        age = time.time() - int(made_at)
    except (BadSignature, ValueError):
        raise ValidationError(_("这一页已经失效，请再提交一次。")) from None
    if age > MAX_FORM_SECONDS:
        raise ValidationError(_("这一页打开得太久了，请再提交一次。"))
    if (
        age < -CLOCK_TOLERANCE_SECONDS
    ):  # our clock was set back meanwhile: nobody was too fast
        raise ValidationError(_("这一页已经失效，请再提交一次。"))
    if age < MIN_FORM_SECONDS:
        raise ValidationError(_("提交得太快了，请检查一下内容，再提交一次。"))
    return key


def list_uploaded_pictures(request: HttpRequest) -> list[UploadedFile[Any]]:
    """Return the pictures that were chosen; browsers send an empty one for none."""
    chosen = request.FILES.getlist("pictures")[: MAX_INQUIRY_PICTURES + 1]
    return [upload for upload in chosen if upload.name and upload.size]


def is_form_too_large(request: HttpRequest) -> bool:
    length = request.headers.get("Content-Length", "")
    largest = (
        (MAX_INQUIRY_PICTURES * settings.KB_PICTURE_MB + FORM_OVERHEAD_MB) * 1024 * 1024
    )
    return length.isdecimal() and int(length[:12]) > largest


def make_inquiry_details(form: AskForm, request: HttpRequest) -> SubmittedInquiry:
    """Return what a valid form says, for the stage."""
    given = form.cleaned_data
    return SubmittedInquiry(
        form_key=given["stamp"],
        language=locale_prefix.get_page_locale(),
        origin=request.build_absolute_uri("/").rstrip("/"),
        site=sites.get_request_site(request),
        contact=given["contact"],
        module=given["module"],
        words=given["words"],
        page=given["page"],
    )
