"""The preview and the checks that the form of an entry asks for; nothing is saved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import translation
from django.views.decorators.http import require_POST

from kb import search
from kb.admin.entry.state import get_proposed_parts
from kb.language import style_rules
from kb.language.style_rules import StyleFinding
from kb.models import Entry
from kb.models.validators import validate_markdown_complexity
from kb.publishing import locale_prefix, translations
from kb.text.chinese import normalize
from kb.text.markup import markdown
from kb.text.markup.answer_layout import split_answer
from kb.text.placeholders import blanks

MAX_REPLY_CHARS = 4000
MAX_REPLIES = 60
MAX_REPLY_FIELD_CHARS = 40
MAX_REPLY_LABEL_CHARS = 20
MAX_PHRASINGS = 1000
MAX_SHOWN_FINDINGS = 60
MAX_FINDING_EXCERPT_CHARS = 60
MAX_SIMILAR_ENTRIES = 5
MIN_SHOWN_SIMILARITY = 0.45  # of SearchHit.duplicate_score
SCRIPT_CHOICES = [
    (locale_prefix.LOCALE_SIMPLIFIED, "简体"),
    (locale_prefix.LOCALE_TRADITIONAL, "繁體"),
]


class TypedEntryForm(forms.Form):
    """The texts of an entry as they are typed, saved or not."""

    entry = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    question = forms.CharField(label="标准问题", required=False, max_length=200)
    answer = forms.CharField(
        label="答案",
        required=False,
        max_length=markdown.MAX_MARKDOWN_CHARS,
        strip=False,
    )
    audience = forms.ChoiceField(choices=Entry.Audience.choices, required=False)
    phrasings = forms.CharField(
        label="相似问法", required=False, max_length=201 * MAX_PHRASINGS, strip=False
    )
    script = forms.ChoiceField(choices=SCRIPT_CHOICES, required=False)

    def clean_answer(self) -> str:
        """Refuse Markdown that would take seconds to render."""
        answer = str(self.cleaned_data["answer"])
        validate_markdown_complexity(answer)
        return answer

    def list_replies(self) -> list[tuple[str, str, str]]:
        """Return (field, name, body) of the replies, cut to the limits."""
        names = ("place", "label", "reply")
        lists = [self.data.getlist(name)[:MAX_REPLIES] for name in names]  # type: ignore[attr-defined]
        return [
            (
                normalize.clean_single_line(field)[:MAX_REPLY_FIELD_CHARS],
                normalize.clean_single_line(label)[:MAX_REPLY_LABEL_CHARS],
                normalize.unify_line_ends(body),
            )
            for field, label, body in zip(*lists, strict=False)
        ]

    def describe_errors(self) -> str:
        return " ".join(
            f"{self.fields[name].label or name}：{' '.join(map(str, errors))}"
            for name, errors in self.errors.items()
        )


def get_urls(model_admin: Any) -> list[Any]:
    """Return the URL patterns that the script of the form posts to."""

    def protect(view: Any) -> Any:
        return model_admin.admin_site.admin_view(require_POST(view))

    return [
        path("preview/", protect(preview_view), name="kb_entry_preview"),
        path("look/", protect(check_view), name="kb_entry_look"),
    ]


def preview_view(request: HttpRequest) -> HttpResponse:
    """Return the page as customers would see it, with the same renderer and CSS."""
    form = _read_form(request)
    if not form.is_valid():
        return HttpResponse(
            form.describe_errors(), status=400, content_type="text/plain"
        )
    values = form.cleaned_data
    entry = Entry(
        question=normalize.clean_single_line(values["question"])
        or "（还没有写标准问题）"
    )
    entry.answer = normalize.clean_text(values["answer"]).strip()
    script = values["script"] or locale_prefix.LOCALE_SIMPLIFIED
    customer = {"user": AnonymousUser(), "perms": {}}
    with translation.override(script):
        if script == locale_prefix.LOCALE_TRADITIONAL:
            translated = translations.build_translation(
                entry, manual=_get_manual_translation(request, values["entry"])
            )
            entry.question, html = translated.question, translated.answer_html
        else:
            html = markdown.render_markdown(entry.answer)
        context = {"entry": entry, "answer": split_answer(html), **customer}
        return render(request, "admin/kb/entry/preview.html", context)


def check_view(request: HttpRequest) -> JsonResponse:
    """Return style findings, the replies split at blanks, and similar entries."""
    form = _read_form(request)
    if not form.is_valid():
        return JsonResponse({"error": form.describe_errors()}, status=400)
    values = form.cleaned_data
    replies = form.list_replies()
    findings = style_rules.check_texts(
        style_rules.list_form_texts(
            values["question"],
            normalize.unify_line_ends(values["answer"]),
            [(f"「{label}」", body) for _, label, body in replies],
            normalize.unify_line_ends(values["phrasings"]).split("\n")
            if values["phrasings"]
            else (),
        ),
        public=values["audience"] != Entry.Audience.INTERNAL,
        entry_id=values["entry"],
    )
    fields = [field for field, _, _ in replies]
    return JsonResponse(
        {
            "findings": [
                describe_finding(finding, fields)
                for finding in findings[:MAX_SHOWN_FINDINGS]
            ],
            "more": max(0, len(findings) - MAX_SHOWN_FINDINGS),
            "errors": sum(finding.is_error for finding in findings),
            "replies": [_split_reply(field, body) for field, _, body in replies],
            "near": list_similar_entries(request, values["question"], values["entry"]),
        }
    )


def list_saved_findings(entry: Entry) -> list[StyleFinding]:
    """Return the findings of an entry as it is saved, or as it is proposed."""
    is_public = entry.audience == Entry.Audience.PUBLIC
    texts: Iterable[style_rules.CheckedText] = style_rules.list_entry_texts(entry)
    if parts := get_proposed_parts(entry):
        replies = [(f"「{reply.label}」", reply.body) for reply in parts.replies]
        texts = style_rules.list_form_texts(
            entry.question, entry.answer, replies, parts.phrasings
        )
    return style_rules.check_texts(texts, public=is_public, entry_id=entry.pk)[
        :MAX_SHOWN_FINDINGS
    ]


def describe_finding(
    finding: StyleFinding, reply_fields: Sequence[str] = ()
) -> dict[str, Any]:
    """Return a finding as JSON for the page.

    `reply_fields` are the names of the form's fields of replies; the finding itself
    only has the number of the reply.
    """
    field = finding.text.field
    if field.startswith("replies-"):
        number = int(field.split("-")[1])
        field = reply_fields[number] if number < len(reply_fields) else field
    return {
        "field": field,
        "start": finding.start,
        "end": finding.end,
        "place": finding.location,
        "words": finding.excerpt[:MAX_FINDING_EXCERPT_CHARS],
        "kind": finding.rule.kind,
        "reason": finding.reason,
        "suggestion": finding.suggestion,
        "error": finding.is_error,
        # The text of an included snippet is not in the field itself.
        "here": not finding.text.name.startswith("片段"),
    }


def list_similar_entries(
    request: HttpRequest, question: str, entry_id: int | None
) -> list[dict[str, Any]]:
    """Return entries with a similar question, drafts too, the most similar first."""
    if not normalize.clean_single_line(question):
        return []
    excluded = [entry_id] if entry_id else []
    hits = search.find_similar_entries(
        question, user=request.user, limit=MAX_SIMILAR_ENTRIES, exclude=excluded
    )
    return [
        {
            "id": hit.entry.pk,
            "question": hit.entry.question,
            "url": reverse("admin:kb_entry_change", args=[hit.entry.pk]),
            "status": hit.entry.get_status_display(),
            "same": hit.duplicate_score >= search.DUPLICATE_THRESHOLD,
        }
        for hit in sorted(hits, key=lambda hit: -hit.duplicate_score)
        if hit.duplicate_score >= MIN_SHOWN_SIMILARITY
    ]


def _split_reply(field: str, body: str) -> dict[str, Any]:
    """Return a reply as pieces [text, name of the blank or ""], and its length."""
    pieces = blanks.split_body(body[:MAX_REPLY_CHARS])
    return {
        "field": field,
        "pieces": [[piece.text, piece.name] for piece in pieces],
        "length": len(blanks.render_unfilled(body)),
    }


def _read_form(request: HttpRequest) -> TypedEntryForm:
    user = request.user
    if not (user.has_perm("kb.add_entry") or user.has_perm("kb.change_entry")):
        raise PermissionDenied("您没有编辑条目的权限。")
    return TypedEntryForm(request.POST)


def _get_manual_translation(request: HttpRequest, entry_id: int | None) -> Any:
    """Return the 繁體 translation that an editor wrote by hand, if there is one."""
    if not entry_id:
        return None
    rows = Entry.objects.visible_to(request.user).filter(pk=entry_id)
    entry = rows.select_related("translation").first()
    return getattr(entry, "translation", None)
