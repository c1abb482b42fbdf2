"""The form for a question, with the checks that keep robots out.

A signed stamp proves that the form is from this site and was open for a plausible
time; a hidden field must stay empty. Nothing is stored in a cookie.
"""

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

from kb.library import taxonomy
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

MAX_QUESTION_CHARS = 2000
FORM_OVERHEAD_MB = 2  # of a request, besides its pictures
MIN_FORM_SECONDS = 2  # a form that is sent sooner was not filled in by a person
MAX_FORM_SECONDS = 24 * 3600  # a form that was open for longer is refused
CLOCK_TOLERANCE_SECONDS = 60  # by which the clocks of two hosts may differ
MAX_RAW_LINE_CHARS = 2000  # of a line, before it is cleaned and cut
_stamp_signer = Signer(salt="kb.web.faq.ask_page")


class MultiLineField(forms.CharField):
    """Text of several lines, without invisible characters."""

    def to_python(self, value: object) -> str:
        text = normalize.clean_text(str(value or "")[: MAX_QUESTION_CHARS * 10])
        return text.strip()


class SingleLineField(forms.CharField):
    """One line of text, cut at `max_length` instead of refused."""

    def to_python(self, value: object) -> str:
        line = normalize.clean_single_line(str(value or "")[:MAX_RAW_LINE_CHARS])
        return line[: self.max_length].strip()


class AskForm(forms.Form):
    """A question and what helps to answer it.

    `words` and `page` say which search and page the form was opened from. `website`
    is hidden: only robots fill it in.
    """

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
    module: forms.ModelChoiceField[Module] = forms.ModelChoiceField(
        queryset=None,
        required=False,
        error_messages={"invalid_choice": lazy("没有这个选项，请重新选择。")},
    )
    words = SingleLineField(required=False, max_length=200)
    page = SingleLineField(required=False, max_length=200)
    website = forms.CharField(required=False)
    stamp = forms.CharField(required=False)

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.fields["module"].queryset = taxonomy.query_offered_modules()  # type: ignore[attr-defined]

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
        """Return the key of the form, by which a repeated post is recognised."""
        return check_form_stamp(self.cleaned_data["stamp"])


def make_form_stamp() -> str:
    """Return a signed value that a form must send back: a random key and the time."""
    return _stamp_signer.sign(f"{secrets.token_hex(16)}-{int(time.time())}")


def check_form_stamp(stamp: str) -> str:
    """Return the key in `stamp`.

    Raises ValidationError where it is not ours, too old, or too young for a person
    to have filled in the form.
    """
    try:
        key, _separator, created_at = _stamp_signer.unsign(stamp).partition("-")
        age = time.time() - int(created_at)
    except (BadSignature, ValueError):
        raise ValidationError(_("这一页已经失效，请再提交一次。")) from None
    if age > MAX_FORM_SECONDS:
        raise ValidationError(_("这一页打开得太久了，请再提交一次。"))
    # The server's clock was set back meanwhile: the form was not sent too fast.
    if age < -CLOCK_TOLERANCE_SECONDS:
        raise ValidationError(_("这一页已经失效，请再提交一次。"))
    if age < MIN_FORM_SECONDS:
        raise ValidationError(_("提交得太快了，请检查一下内容，再提交一次。"))
    return key


def list_uploaded_pictures(request: HttpRequest) -> list[UploadedFile[Any]]:
    """Return the uploaded pictures, at most one more than is allowed.

    Browsers send one empty upload where no picture was chosen; it is left out.
    """
    uploads = request.FILES.getlist("pictures")[: MAX_INQUIRY_PICTURES + 1]
    return [upload for upload in uploads if upload.name and upload.size]


def is_form_too_large(request: HttpRequest) -> bool:
    """Return whether the announced size is above the limit, before the body is read."""
    length = request.headers.get("Content-Length", "")
    max_mb = MAX_INQUIRY_PICTURES * settings.KB_PICTURE_MB + FORM_OVERHEAD_MB
    return length.isdecimal() and int(length[:12]) > max_mb * 1024 * 1024


def make_inquiry_details(form: AskForm, request: HttpRequest) -> SubmittedInquiry:
    """Return what came with the question in a valid form, for `submit_inquiry`."""
    values = form.cleaned_data
    return SubmittedInquiry(
        form_key=values["stamp"],
        language=locale_prefix.get_page_locale(),
        origin=request.build_absolute_uri("/").rstrip("/"),
        site=sites.get_request_site(request),
        contact=values["contact"],
        module=values["module"],
        words=values["words"],
        page=values["page"],
    )
