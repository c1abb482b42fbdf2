"""Save and publish in one click, with a warning where a relevance test would fail."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse

from kb.admin.entry.moves import move_saved
from kb.models import Entry
from kb.quality import relevance_tests


class PublishRedirect(HttpResponseRedirect):
    """The response to a save after which the entry is to be published.

    It carries the entry out of the transaction of the save: relevance tests can be
    forecast with the draft only after the commit.
    """

    def __init__(self, entry: Entry) -> None:
        super().__init__(reverse("admin:kb_entry_change", args=[entry.pk]))
        self.entry = entry


def publish_saved(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Publish the saved entry, or redirect to the warning about relevance tests."""
    if not isinstance(response, PublishRedirect):
        return response
    entry = response.entry
    if relevance_tests.has_forecast_regression(entry):
        messages.warning(request, f"「{entry}」已保存，还没有发布。")
        return redirect("desk:publish-warning", entry.pk)
    return move_saved(request, entry)
