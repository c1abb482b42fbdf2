"""What the page of an entry asks while somebody writes: nothing here is kept."""

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

MAX_REPLY_CHARS = 4000  # characters
MAX_REPLIES = 60
MAX_PHRASINGS = 1000
MAX_SHOWN_FINDINGS = 60  # findings
MAX_SIMILAR_ENTRIES = 5  # entries
MIN_SHOWN_SIMILARITY = 0.45  # of Hit.alike, from which an entry is worth a look
SCRIPT_CHOICES = [
    (locale_prefix.LOCALE_SIMPLIFIED, "简体"),
    (locale_prefix.LOCALE_TRADITIONAL, "繁體"),
]


class TypedEntryForm(forms.Form):
    """Both faces as they are typed, saved or not."""

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
        """Refuse what would take seconds to show."""
        answer = str(self.cleaned_data["answer"])
        validate_markdown_complexity(answer)
        return answer

    def reply_list(self) -> list[tuple[str, str, str]]:
        """Return (field, name, body) of the replies, no more and no longer than may be."""
        names = ("place", "label", "reply")
        lists = [self.data.getlist(name)[:MAX_REPLIES] for name in names]  # type: ignore[attr-defined]
        return [
            (
                normalize.clean_single_line(place)[:40],
                normalize.clean_single_line(label)[:20],
                normalize.unify_line_ends(body),
            )
            for place, label, body in zip(*lists, strict=False)
        ]

    def describe_errors(self) -> str:
        return " ".join(
            f"{self.fields[name].label or name}：{' '.join(map(str, errors))}"
            for name, errors in self.errors.items()
        )


def get_urls(model_admin: Any) -> list[Any]:
    """Return the addresses that a script of the form asks while somebody types."""

    def protect(view: Any) -> Any:
        return model_admin.admin_site.admin_view(require_POST(view))

    return [
        path("preview/", protect(preview_view), name="kb_entry_preview"),
        path("look/", protect(check_view), name="kb_entry_look"),
    ]


def preview_view(request: HttpRequest) -> HttpResponse:
    """Answer with the page that customers would see, by the same renderer and CSS."""
    form = _read_form(request)
    if not form.is_valid():
        return HttpResponse(
            form.describe_errors(), status=400, content_type="text/plain"
        )
    given = form.cleaned_data
    entry = Entry(
        question=normalize.clean_single_line(given["question"])
        or "（还没有写标准问题）"
    )
    entry.answer = normalize.clean_text(given["answer"]).strip()
    script = given["script"] or locale_prefix.LOCALE_SIMPLIFIED
    customer = {"user": AnonymousUser(), "perms": {}}
    with translation.override(script):
        if script == locale_prefix.LOCALE_TRADITIONAL:
            face = translations.build_translation(
                entry, manual=_get_manual_translation(request, given["entry"])
            )
            entry.question, html = face.question, face.answer_html
        else:
            html = markdown.render_markdown(entry.answer)
        context = {"entry": entry, "shown": split_answer(html), **customer}
        return render(request, "admin/kb/entry/preview.html", context)


def check_view(request: HttpRequest) -> JsonResponse:
    """Answer with what to mend, the replies with their blanks, and what is alike."""
    form = _read_form(request)
    if not form.is_valid():
        return JsonResponse({"error": form.describe_errors()}, status=400)
    given = form.cleaned_data
    replies = form.reply_list()
    found = style_rules.check_texts(
        style_rules.list_form_texts(
            given["question"],
            normalize.unify_line_ends(given["answer"]),
            [(f"「{label}」", body) for _, label, body in replies],
            normalize.unify_line_ends(given["phrasings"]).split("\n")
            if given["phrasings"]
            else (),
        ),
        public=given["audience"] != Entry.Audience.INTERNAL,
        entry_id=given["entry"],
    )
    places = [place for place, _, _ in replies]
    return JsonResponse(
        {
            "findings": [
                describe_finding(one, places) for one in found[:MAX_SHOWN_FINDINGS]
            ],
            "more": max(0, len(found) - MAX_SHOWN_FINDINGS),
            "errors": sum(one.is_error for one in found),
            "replies": [_split_reply(place, body) for place, _, body in replies],
            "near": list_similar_entries(request, given["question"], given["entry"]),
        }
    )


def list_saved_findings(entry: Entry) -> list[StyleFinding]:
    """Return what is to be mended in an entry as it is kept."""
    public = entry.audience == Entry.Audience.PUBLIC
    said: Iterable[style_rules.CheckedText] = style_rules.list_entry_texts(entry)
    if parts := get_proposed_parts(entry):
        replies = [(f"「{reply.label}」", reply.body) for reply in parts.replies]
        said = style_rules.list_form_texts(
            entry.question, entry.answer, replies, parts.phrasings
        )
    return style_rules.check_texts(said, public=public, entry_id=entry.pk)[
        :MAX_SHOWN_FINDINGS
    ]


def describe_finding(one: StyleFinding, places: Sequence[str] = ()) -> dict[str, Any]:
    """Return a finding as the page shows it; its field is the form's own."""
    field = one.text.field
    if field.startswith("replies-"):
        number = int(field.split("-")[1])
        field = places[number] if number < len(places) else field
    return {
        "field": field,
        "start": one.start,
        "end": one.end,
        "place": one.location,
        "words": one.excerpt[:60],
        "kind": one.rule.kind,
        "reason": one.reason,
        "suggestion": one.suggestion,
        "error": one.is_error,
        # What a snippet says stands elsewhere than in the field.
        "here": not one.text.name.startswith("片段"),
    }


def list_similar_entries(
    request: HttpRequest, question: str, entry_id: int | None
) -> list[dict[str, Any]]:
    """Return the entries that ask much the same, drafts too, the most alike first."""
    if not normalize.clean_single_line(question):
        return []
    apart = [entry_id] if entry_id else []
    hits = search.find_similar_entries(
        question, user=request.user, limit=MAX_SIMILAR_ENTRIES, exclude=apart
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


def _split_reply(place: str, body: str) -> dict[str, Any]:
    """Return a reply cut into text and blanks."""
    cut = blanks.split_body(body[:MAX_REPLY_CHARS])
    return {
        "field": place,
        "pieces": [[piece.text, piece.name] for piece in cut],
        "length": len(blanks.render_unfilled(body)),
    }


def _read_form(request: HttpRequest) -> TypedEntryForm:
    user = request.user
    if not (user.has_perm("kb.add_entry") or user.has_perm("kb.change_entry")):
        raise PermissionDenied("您没有编辑条目的权限。")
    return TypedEntryForm(request.POST)


def _get_manual_translation(request: HttpRequest, entry_id: int | None) -> Any:
    """Return what an editor wrote by hand in 繁體, if anything."""
    if not entry_id:
        return None
    seen = Entry.objects.visible_to(request.user).filter(pk=entry_id)
    entry = seen.select_related("translation").first()
    return getattr(entry, "translation", None)
