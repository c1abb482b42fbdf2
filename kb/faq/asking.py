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

from kb import scripts, sites
from kb.inquiries import Asked
from kb.models import Module
from kb.models.inquiry import LONGEST_CONTACT, MOST_PICTURES, validate_contact, written
from kb.text import normalize

LONGEST = 2000  # characters of a question
SPARE = 2  # MB of a whole form, besides its pictures
SOON = 2  # seconds in which nobody writes a question
LATE = 24 * 3600  # seconds for which a form that stays open is good
AHEAD = 60  # seconds by which the clocks of two hosts may differ
_signer = Signer(salt="kb.faq.ask")


class Prose(forms.CharField):
    """Several lines, without what nobody can see."""

    def to_python(self, value: object) -> str:
        text = normalize.clean(str(value or "")[: LONGEST * 10])
        return text.strip()


class Line(forms.CharField):
    """One line, cut where the column ends."""

    def to_python(self, value: object) -> str:
        return normalize.line(str(value or "")[:2000])[: self.max_length].strip()


class AskForm(forms.Form):
    """A question and what helps to answer it; `website` is for robots alone."""

    text = Prose(
        max_length=LONGEST,
        error_messages={
            "required": lazy("请写下您的问题。"),
            "max_length": lazy(
                "问题最多 %(limit_value)d 字，现在有 %(show_value)d 字，请写短一些。"
            ),
        },
    )
    contact = Line(required=False, max_length=LONGEST_CONTACT)
    module = forms.ModelChoiceField(
        Module.objects.none(),
        required=False,
        error_messages={"invalid_choice": lazy("没有这个选项，请重新选择。")},
    )
    words = Line(required=False, max_length=200)
    page = Line(required=False, max_length=200)
    website = forms.CharField(required=False)
    stamp = forms.CharField(required=False)

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.fields["module"].queryset = offered()  # type: ignore[attr-defined]

    def clean_contact(self) -> str:
        contact = written(self.cleaned_data["contact"])
        if contact:
            validate_contact(contact)
        return contact

    def clean_website(self) -> str:
        if self.cleaned_data["website"]:
            raise ValidationError(_("“网址”一栏要留空，请清空后再提交。"))
        return ""

    def clean_stamp(self) -> str:
        """Return what tells this form from all others."""
        return judged(self.cleaned_data["stamp"])


def offered() -> Any:
    """Return the modules that customers may name."""
    return Module.objects.filter(offered=True)


def stamp() -> str:
    """Return what a form must bring back: made by us, at a moment, only once."""
    return _signer.sign(f"{secrets.token_hex(16)}-{int(time.time())}")


def judged(sent: str) -> str:
    """Return the key of a form; raises ValidationError where it cannot be a person's."""
    try:
        key, _separator, made_at = _signer.unsign(sent).partition("-")
        age = time.time() - int(made_at)
    except (BadSignature, ValueError):
        raise ValidationError(_("这一页已经失效，请再提交一次。")) from None
    if age > LATE:
        raise ValidationError(_("这一页打开得太久了，请再提交一次。"))
    if age < -AHEAD:  # our clock was set back meanwhile: nobody was too fast
        raise ValidationError(_("这一页已经失效，请再提交一次。"))
    if age < SOON:
        raise ValidationError(_("提交得太快了，请检查一下内容，再提交一次。"))
    return key


def uploads(request: HttpRequest) -> list[UploadedFile[Any]]:
    """Return the pictures that were chosen; browsers send an empty one for none."""
    chosen = request.FILES.getlist("pictures")[: MOST_PICTURES + 1]
    return [upload for upload in chosen if upload.name and upload.size]


def too_large(request: HttpRequest) -> bool:
    length = request.headers.get("Content-Length", "")
    largest = (MOST_PICTURES * settings.KB_PICTURE_MB + SPARE) * 1024 * 1024
    return length.isdecimal() and int(length[:12]) > largest


def asked(form: AskForm, request: HttpRequest) -> Asked:
    """Return what a valid form says, for the stage."""
    given = form.cleaned_data
    return Asked(
        form_key=given["stamp"],
        language=scripts.current(),
        origin=request.build_absolute_uri("/").rstrip("/"),
        site=sites.of(request),
        contact=given["contact"],
        module=given["module"],
        words=given["words"],
        page=given["page"],
    )
