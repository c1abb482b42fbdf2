"""“怎么切分，能匹配到什么”: what a search would find if a vocabulary row were saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse

from kb import search
from kb.admin.autocomplete_lookup import is_valid_id
from kb.admin.base_admin import ModelAdmin
from kb.language.vocabulary.preview import VocabularyRow, build_preview_lexicon
from kb.models import DictionaryWord, Entry, StopWord, SynonymSet
from kb.search import explanation

if TYPE_CHECKING:
    PreviewAdminBase = ModelAdmin
else:
    PreviewAdminBase = object
MODELS_BY_KIND: dict[str, type[SynonymSet | DictionaryWord | StopWord]] = {
    "synonymset": SynonymSet,
    "dictionaryword": DictionaryWord,
    "stopword": StopWord,
}


class VocabularyPreviewForm(forms.Form):
    """A sentence, and the row as it is in the form; without a row only the sentence."""

    q = forms.CharField(required=False, max_length=search.MAX_QUERY_CHARS)
    kind = forms.ChoiceField(choices=[(k, k) for k in MODELS_BY_KIND], required=False)
    row = forms.CharField(required=False)
    members = forms.CharField(required=False, max_length=2000)
    two_way = forms.BooleanField(required=False)
    text = forms.CharField(required=False, max_length=200)

    def build_changed_row(self) -> VocabularyRow | None:
        """Return the row as it would be saved, or None where nothing is typed."""
        values = self.cleaned_data
        model = MODELS_BY_KIND.get(values["kind"])
        if model is None or not (values["members"] or values["text"]):
            return None
        number = values["row"] if is_valid_id(values["row"]) else 0
        row: Any = model.objects.filter(pk=number).first() or model()
        if model is SynonymSet:
            row.members, row.two_way = values["members"], values["two_way"]
        else:
            row.text = values["text"]
        return row  # type: ignore[no-any-return]


class PreviewPanelMixin(PreviewAdminBase):
    """Adds a panel below the form that shows the effect of the row, and its page."""

    change_form_template = "admin/kb/preview/change_form.html"
    change_list_template = "admin/kb/preview/change_list.html"
    panel_template = "admin/kb/vocabulary/_panel.html"
    input_label = "客户会说的话"
    panel_hint = "写一句客户会说的话，看它怎么切分、哪些同义词起作用、先找到哪几条：现在，和保存以后。"
    watched_fields = "members two_way text"  # fields of the form that are sent along
    panel_title = "怎么切分，能匹配到什么"

    def get_urls(self) -> list[Any]:
        name = f"kb_{self.opts.model_name}_try"
        view = self.admin_site.admin_view(self.show_preview_view)
        return [path("try/", view, name=name), *super().get_urls()]

    def show_preview_view(self, request: HttpRequest) -> HttpResponse:
        """Return the page by itself; to a POST of the script, the panel alone."""
        if not self.has_view_permission(request):
            raise PermissionDenied("您没有查看词汇的权限。")
        query = request.POST if request.method == "POST" else request.GET
        context = self.build_panel_context(request, query)
        if request.method == "POST":
            return TemplateResponse(request, self.panel_template, context)
        context |= {
            **self.admin_site.each_context(request),
            "title": self.panel_title,
            "list_url": reverse(f"admin:kb_{self.opts.model_name}_changelist"),
            "opts": self.opts,
            "model_admin": self,
        }
        return TemplateResponse(request, "admin/kb/preview/page.html", context)

    def build_panel_context(
        self, request: HttpRequest, query: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return what the panel shows for a sentence and the form around it."""
        return build_vocabulary_preview(request, VocabularyPreviewForm(query))


def build_vocabulary_preview(
    request: HttpRequest, form: VocabularyPreviewForm
) -> dict[str, Any]:
    """Return what a sentence finds "now", and "then" with the row of the form."""
    if not form.is_valid():
        return {"refused": ["这句话太长，或填的内容不对。"], "q": ""}
    words = form.cleaned_data["q"].strip()
    context: dict[str, Any] = {"q": words}
    if not words:
        return context
    user: Any = request.user
    context["now"] = explanation.explain_search(words, user=user)
    row = form.build_changed_row()
    if row is None:
        return context
    try:
        lexicon = build_preview_lexicon(row)
    except ValidationError as error:
        return context | {"refused": error.messages}
    then = explanation.explain_search(words, user=user, lexicon=lexicon)
    moves = _compare_ranks(context["now"].entries, then.entries)
    is_word = isinstance(row, DictionaryWord)
    return context | {"then": then, "moves": moves, "is_word": is_word}


def _compare_ranks(
    now: Sequence[Entry], then: Sequence[Entry]
) -> list[tuple[Entry, str]]:
    """Return the entries of `then`, each with how its rank differs from `now`."""
    ranks = {entry.pk: rank for rank, entry in enumerate(now, 1)}
    rows = []
    for rank, entry in enumerate(then, 1):
        before = ranks.get(entry.pk)
        change = "新" if before is None else "" if before == rank else f"原第 {before}"
        rows.append((entry, change))
    return rows
