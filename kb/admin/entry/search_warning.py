"""Saving and publishing in one click: a warning in between, if it would harm search."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse

from kb.admin.entry.moves import move_saved
from kb.models import Entry
from kb.quality import relevance_tests


class PublishRedirect(HttpResponseRedirect):
    """The answer to a save after which the entry is to be published.

    It carries the entry out of the transaction of the save: the golden queries can
    be tried with the draft only when that has ended.
    """

    def __init__(self, entry: Entry) -> None:
        super().__init__(reverse("admin:kb_entry_change", args=[entry.pk]))
        self.entry = entry


def publish_saved(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Publish the entry that was saved for it, or warn of harm to the search first."""
    if not isinstance(response, PublishRedirect):
        return response
    entry = response.entry
    if relevance_tests.has_forecast_regression(entry):
        messages.warning(request, f"「{entry}」已保存，还没有发布。")
        return redirect("desk:golden-warning", entry.pk)
    return move_saved(request, entry)
