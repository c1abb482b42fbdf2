"""“怎么切分，能匹配到什么”: a sentence is tried on the vocabulary before it is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse

from kb import search
from kb.admin.base import ModelAdmin
from kb.admin.lookup import is_id
from kb.models import Entry, StopWord, SynonymSet, Word
from kb.search import trying
from kb.vocabulary.supposing import Row, instead

if TYPE_CHECKING:
    Base = ModelAdmin
else:
    Base = object
MODELS: dict[str, type[SynonymSet | Word | StopWord]] = {
    "synonymset": SynonymSet,
    "word": Word,
    "stopword": StopWord,
}


class Tried(forms.Form):
    """A sentence, and the row as it stands in the form; without one, as things are."""

    q = forms.CharField(required=False, max_length=search.LONGEST)
    kind = forms.ChoiceField(choices=[(k, k) for k in MODELS], required=False)
    row = forms.CharField(required=False)
    members = forms.CharField(required=False, max_length=2000)
    two_way = forms.BooleanField(required=False)
    text = forms.CharField(required=False, max_length=200)

    def changed(self) -> Row | None:
        """Return the row as it would be saved, or None where nothing is typed."""
        given = self.cleaned_data
        model = MODELS.get(given["kind"])
        if model is None or not (given["members"] or given["text"]):
            return None
        number = given["row"] if is_id(given["row"]) else 0
        row: Any = model.objects.filter(pk=number).first() or model()
        if model is SynonymSet:
            row.members, row.two_way = given["members"], given["two_way"]
        else:
            row.text = given["text"]
        return row  # type: ignore[no-any-return]


class Panelled(Base):
    """Forms of the vocabulary with the panel below, and its page."""

    change_form_template = "admin/kb/vocabulary/change_form.html"
    change_list_template = "admin/kb/vocabulary/change_list.html"
    panel = "admin/kb/vocabulary/_panel.html"
    asked = "客户会说的话"
    hint = "写一句客户会说的话，看它怎么切分、哪些同义词起作用、先找到哪几条：现在，和保存以后。"
    watched = "members two_way text"  # fields of the form that are sent along
    headline = "怎么切分，能匹配到什么"

    def get_urls(self) -> list[Any]:
        name = f"kb_{self.opts.model_name}_try"
        view = self.admin_site.admin_view(self.try_view)
        return [path("try/", view, name=name), *super().get_urls()]

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """The page by itself; asked by a script, the panel alone."""
        if not self.has_view_permission(request):
            raise PermissionDenied("您没有查看词汇的权限。")
        sent = request.POST if request.method == "POST" else request.GET
        context = self.tried(request, sent)
        if request.method == "POST":
            return TemplateResponse(request, self.panel, context)
        here = reverse(f"admin:kb_{self.opts.model_name}_changelist")
        context |= {
            **self.admin_site.each_context(request),
            "title": self.headline,
            "list": here,
            "opts": self.opts,
            "panelled": self,
        }
        return TemplateResponse(request, "admin/kb/vocabulary/trial.html", context)

    def tried(self, request: HttpRequest, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the panel shows of a sentence and of the form around it."""
        return tried(request, Tried(sent))


def tried(request: HttpRequest, form: Tried) -> dict[str, Any]:
    """Return what a sentence finds now, and what it would."""
    if not form.is_valid():
        return {"refused": ["这句话太长，或填的内容不对。"], "q": ""}
    words = form.cleaned_data["q"].strip()
    context: dict[str, Any] = {"q": words}
    if not words:
        return context
    user: Any = request.user
    context["now"] = trying.report(words, user=user)
    row = form.changed()
    if row is None:
        return context
    try:
        lexicon = instead(row)
    except ValidationError as error:
        return context | {"refused": error.messages}
    then = trying.report(words, user=user, lexicon=lexicon)
    moves = _moves(context["now"].entries, then.entries)
    word = isinstance(row, Word)
    return context | {"then": then, "moves": moves, "word": word}


def _moves(now: Sequence[Entry], then: Sequence[Entry]) -> list[tuple[Entry, str]]:
    """Return what is found then, and what became of its place."""
    places = {entry.pk: place for place, entry in enumerate(now, 1)}
    told = []
    for place, entry in enumerate(then, 1):
        before = places.get(entry.pk)
        moved = "新" if before is None else "" if before == place else f"原第 {before}"
        told.append((entry, moved))
    return told
