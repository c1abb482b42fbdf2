"""Who may not publish changes a copy: what is published stays until another approves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import SimpleTemplateResponse
from django.urls import reverse

from kb import entries, unsaved
from kb.admin.base import ModelAdmin
from kb.admin.lookup import is_id
from kb.entries import ProposedParts
from kb.models import Entry, Review, Right
from kb.models.remit import branches

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

if TYPE_CHECKING:
    Base = ModelAdmin
else:
    Base = object


class Proposing(Base):
    """The form of a published entry for a person who may not publish it.

    GET shows the entry with the pending change set in memory; nothing is written
    and no transaction is opened, so that reading never takes SQLite's write lock.
    POST runs forms, formsets, checks and conflicts as usual in one transaction that
    is undone in the end; what the entry would have said then waits for review. For
    that this class comes before all others that look at the entry.
    """

    def changeform_view(
        self,
        request: Any,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        entry = _published(object_id)
        if entry is None or not entries.must_propose(entry, by=request.user):
            waits = {"waits": entries.pending(entry) if entry else None}
            extra = {**(extra_context or {}), **waits}
            return super().changeform_view(request, object_id, form_url, extra)
        request.proposes = entry
        pending = entries.pending(entry)
        extra = {**(extra_context or {}), "proposes": True, "pending": pending}
        if request.method in SAFE_METHODS:
            request.pending = pending
            return super().changeform_view(request, object_id, form_url, extra)
        with entries.posted_as_proposed(pending):
            response = super().changeform_view(request, object_id, form_url, extra)
            if isinstance(response, SimpleTemplateResponse):
                response.render()
        said = getattr(request, "proposed", None)
        return response if said is None else self._proposed(request, entry, said)

    def get_object(
        self, request: Any, object_id: str, from_field: str | None = None
    ) -> Any:
        """Return the entry, for a GET with the pending change set in memory."""
        entry = super().get_object(request, object_id, from_field)
        if entry is not None and (review := getattr(request, "pending", None)):
            entry.proposed_parts = entries.apply_proposed(entry, review)
        return entry

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Out of one's remit an entry is only looked at."""
        by: Any = request.user
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or entries.may_write(obj, by=by))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        by: Any = request.user
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or entries.may_write(obj, by=by))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What the form alone knows is shown in other ways to who only looks."""
        found = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return found
        return [
            (name, {**how, "fields": [_looked_at(field) for field in how["fields"]]})
            for name, how in found
        ]

    @admin.display(description="相似问法")
    def said_as(self, entry: Entry) -> str:
        return "、".join(entry.phrasings.values_list("text", flat=True))

    def save_proposed(self, request: Any, form: Any) -> bool:
        """Read what a form has just saved, if it is only proposed."""
        if getattr(request, "proposes", None) is None:
            return False
        request.proposed = entries.content(form.instance)
        request.proposed_note = form.cleaned_data.get("note", "")
        return True

    def _proposed(self, request: Any, entry: Entry, said: Any) -> HttpResponse:
        note = request.proposed_note
        try:
            review = entries.propose(entry, said, by=request.user, note=note)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect("admin:kb_entry_change", entry.pk)
        kept = unsaved.of(entry, by=request.user)  # dropped, and that undone, too
        unsaved.drop(by=request.user, ids=[row.pk for row in kept])
        told = f"「{entry}」的修改已提交审核。通过以前，已发布的内容不变。"
        messages.success(request, told)
        return redirect(f"{reverse('desk:reviews')}?review={review.pk}")


def waits_for_review() -> Exists:
    """Return whether a change of the entry of each row waits."""
    waiting = Review.waiting().filter(entry=OuterRef("pk"), content__isnull=False)
    return Exists(waiting)


def within(field: Any, user: Any) -> Any:
    """Where `user` is held to branches, an entry without a place would be nobody's."""
    if branches(user, Right.WRITE) is not None:
        field.required = True
    return field


def _looked_at(field: Any) -> Any:
    told = {"phrasings": "said_as", "note": "state"}
    return told.get(field, field) if isinstance(field, str) else field


def _published(object_id: str | None) -> Entry | None:
    if object_id is None or not is_id(object_id):
        return None
    rows = Entry.objects.filter(status=Entry.Status.PUBLISHED)
    return rows.filter(pk=object_id).first()


def proposed_parts(entry: Any) -> ProposedParts | None:
    """Return the rows of the pending change that a form of `entry` shows, if any."""
    parts: ProposedParts | None = getattr(entry, "proposed_parts", None)
    return parts


def is_proposed(request: HttpRequest) -> bool:
    return getattr(request, "proposes", None) is not None
