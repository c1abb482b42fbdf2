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

from kb import faces, scripts, search, wording
from kb.admin.entry.state import get_proposed_parts
from kb.models import Entry
from kb.models.markdown import validate_complexity
from kb.text import blanks, markdown, normalize
from kb.text.reading import reading
from kb.wording import Finding

LONGEST_REPLY = 4000  # characters
MOST_REPLIES = 60
MOST_PHRASINGS = 1000
SHOWN = 60  # findings
NEAR = 5  # entries
ALIKE = 0.45  # of Hit.alike, from which an entry is worth a look
SCRIPTS = [(scripts.HANS, "简体"), (scripts.HANT, "繁體")]


class Typed(forms.Form):
    """Both faces as they are typed, saved or not."""

    entry = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    question = forms.CharField(label="标准问题", required=False, max_length=200)
    answer = forms.CharField(
        label="答案", required=False, max_length=markdown.LONGEST, strip=False
    )
    audience = forms.ChoiceField(choices=Entry.Audience.choices, required=False)
    phrasings = forms.CharField(
        label="相似问法", required=False, max_length=201 * MOST_PHRASINGS, strip=False
    )
    script = forms.ChoiceField(choices=SCRIPTS, required=False)

    def clean_answer(self) -> str:
        """Refuse what would take seconds to show."""
        answer = str(self.cleaned_data["answer"])
        validate_complexity(answer)
        return answer

    def reply_list(self) -> list[tuple[str, str, str]]:
        """Return (field, name, body) of the replies, no more and no longer than may be."""
        names = ("place", "label", "reply")
        lists = [self.data.getlist(name)[:MOST_REPLIES] for name in names]  # type: ignore[attr-defined]
        return [
            (
                normalize.line(place)[:40],
                normalize.line(label)[:20],
                normalize.unify_line_ends(body),
            )
            for place, label, body in zip(*lists, strict=False)
        ]

    def reason(self) -> str:
        return " ".join(
            f"{self.fields[name].label or name}：{' '.join(map(str, errors))}"
            for name, errors in self.errors.items()
        )


def get_urls(model_admin: Any) -> list[Any]:
    """Return the addresses that a script of the form asks while somebody types."""

    def protect(view: Any) -> Any:
        return model_admin.admin_site.admin_view(require_POST(view))

    return [
        path("preview/", protect(preview), name="kb_entry_preview"),
        path("look/", protect(look), name="kb_entry_look"),
    ]


def preview(request: HttpRequest) -> HttpResponse:
    """Answer with the page that customers would see, by the same renderer and CSS."""
    form = _form(request)
    if not form.is_valid():
        return HttpResponse(form.reason(), status=400, content_type="text/plain")
    given = form.cleaned_data
    entry = Entry(question=normalize.line(given["question"]) or "（还没有写标准问题）")
    entry.answer = normalize.clean(given["answer"]).strip()
    script = given["script"] or scripts.HANS
    customer = {"user": AnonymousUser(), "perms": {}}
    with translation.override(script):
        if script == scripts.HANT:
            face = faces.said(entry, own=_own_face(request, given["entry"]))
            entry.question, html = face.question, face.answer_html
        else:
            html = markdown.render(entry.answer)
        context = {"entry": entry, "shown": reading(html), **customer}
        return render(request, "admin/kb/entry/preview.html", context)


def look(request: HttpRequest) -> JsonResponse:
    """Answer with what to mend, the replies with their blanks, and what is alike."""
    form = _form(request)
    if not form.is_valid():
        return JsonResponse({"error": form.reason()}, status=400)
    given = form.cleaned_data
    replies = form.reply_list()
    found = wording.findings(
        wording.said_in(
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
            "findings": [told(one, places) for one in found[:SHOWN]],
            "more": max(0, len(found) - SHOWN),
            "errors": sum(one.is_error for one in found),
            "replies": [_drawn(place, body) for place, _, body in replies],
            "near": alike(request, given["question"], given["entry"]),
        }
    )


def of_kept(entry: Entry) -> list[Finding]:
    """Return what is to be mended in an entry as it is kept."""
    public = entry.audience == Entry.Audience.PUBLIC
    said: Iterable[wording.Text] = wording.texts(entry)
    if parts := get_proposed_parts(entry):
        replies = [(f"「{reply.label}」", reply.body) for reply in parts.replies]
        said = wording.said_in(entry.question, entry.answer, replies, parts.phrasings)
    return wording.findings(said, public=public, entry_id=entry.pk)[:SHOWN]


def told(one: Finding, places: Sequence[str] = ()) -> dict[str, Any]:
    """Return a finding as the page shows it; its field is the form's own."""
    field = one.text.field
    if field.startswith("replies-"):
        number = int(field.split("-")[1])
        field = places[number] if number < len(places) else field
    return {
        "field": field,
        "start": one.start,
        "end": one.end,
        "place": one.place,
        "words": one.words[:60],
        "kind": one.rule.kind,
        "reason": one.reason,
        "suggestion": one.suggestion,
        "error": one.is_error,
        # What a snippet says stands elsewhere than in the field.
        "here": not one.text.name.startswith("片段"),
    }


def alike(
    request: HttpRequest, question: str, entry_id: int | None
) -> list[dict[str, Any]]:
    """Return the entries that ask much the same, drafts too, the most alike first."""
    if not normalize.line(question):
        return []
    apart = [entry_id] if entry_id else []
    hits = search.nearest(question, user=request.user, limit=NEAR, exclude=apart)
    return [
        {
            "id": hit.entry.pk,
            "question": hit.entry.question,
            "url": reverse("admin:kb_entry_change", args=[hit.entry.pk]),
            "status": hit.entry.get_status_display(),
            "same": hit.alike >= search.SAME,
        }
        for hit in sorted(hits, key=lambda hit: -hit.alike)
        if hit.alike >= ALIKE
    ]


def _drawn(place: str, body: str) -> dict[str, Any]:
    """Return a reply cut into text and blanks."""
    cut = blanks.pieces(body[:LONGEST_REPLY])
    return {
        "field": place,
        "pieces": [[piece.text, piece.name] for piece in cut],
        "length": len(blanks.shown(body)),
    }


def _form(request: HttpRequest) -> Typed:
    user = request.user
    if not (user.has_perm("kb.add_entry") or user.has_perm("kb.change_entry")):
        raise PermissionDenied("您没有编辑条目的权限。")
    return Typed(request.POST)


def _own_face(request: HttpRequest, entry_id: int | None) -> Any:
    """Return what an editor wrote by hand in 繁體, if anything."""
    if not entry_id:
        return None
    seen = Entry.objects.visible_to(request.user).filter(pk=entry_id)
    entry = seen.select_related("face").first()
    return getattr(entry, "face", None)
