"""The form of a published entry for a person who may only propose changes of it.

Both GET and POST run without a transaction and write nothing: the form is made from
the pending change in memory, and the proposal is built from what the form and its
formsets have validated. `entries.propose_change` is the only step that writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin import helpers
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms.formsets import all_valid
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from kb.admin.entry import posted_rows
from kb.admin.entry.state import Proposal
from kb.library import entries
from kb.library.entries import EntrySnapshot
from kb.models import FollowUp, Reply, Review
from kb.text.chinese import normalize


@dataclass(frozen=True, slots=True)
class ProposalForms:
    """The form of an entry with its formsets and their inlines."""

    fieldsets: Any
    form: Any
    formsets: Sequence[Any]
    inlines: Sequence[Any]

    def get_formset(self, model: type[Reply] | type[FollowUp]) -> Any:
        """Return the formset of `model`, or None where the person may not see it."""
        return next((row for row in self.formsets if row.model is model), None)

    def is_valid(self) -> bool:
        """Validate everything, so that every error is shown at once."""
        is_form_valid = self.form.is_valid()
        return bool(all_valid(self.formsets) and is_form_valid)


def edit_proposal(
    model_admin: Any,
    request: HttpRequest,
    proposal: Proposal,
    form_url: str,
    context: dict[str, Any],
) -> HttpResponse:
    """Show the form; on POST submit what was typed for review, if it is valid."""
    require_access(model_admin, request, proposal)
    forms = build_forms(model_admin, request, proposal)
    if request.method == "POST" and forms.is_valid():
        review = submit_proposal(request, proposal, forms)
        if review is not None:
            return respond_proposed(request, review)
    return render_forms(model_admin, request, proposal, forms, form_url, context)


def require_access(model_admin: Any, request: HttpRequest, proposal: Proposal) -> None:
    """Raise PermissionDenied where the person may not post, or not see, the form."""
    allowed = model_admin.has_change_permission(request, proposal.entry)
    if request.method != "POST":
        allowed = allowed or model_admin.has_view_permission(request, proposal.entry)
    if not allowed:
        raise PermissionDenied


def build_forms(
    model_admin: Any, request: HttpRequest, proposal: Proposal
) -> ProposalForms:
    """Return the form and formsets of the proposal, bound to the data of a POST."""
    entry = proposal.entry
    fieldsets = model_admin.get_fieldsets(request, entry)
    form_class = model_admin.get_form(
        request, entry, change=True, fields=flatten_fieldsets(fieldsets)
    )
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    form = form_class(*posted, instance=entry)
    formsets, inlines = [], []
    for formset_class, inline in model_admin.get_formsets_with_inlines(request, entry):
        prefix = formset_class.get_default_prefix()
        options = model_admin.get_formset_kwargs(request, entry, inline, prefix)
        if posted:
            options["save_as_new"] = False
            if formset_class.model is Reply and not inline.has_change_permission(
                request, entry
            ):
                _add_view_only_rows(options["data"], prefix, proposal.content)
        formsets.append(formset_class(**options))
        inlines.append(inline)
    return ProposalForms(fieldsets, form, formsets, inlines)


def _add_view_only_rows(data: Any, prefix: str, content: EntrySnapshot) -> None:
    """Add the replies to the data that the page only showed.

    The page of a person who may add or delete replies but not change them posts no
    fields of those that it shows, which a formset would take for empty ones.
    """
    posted = posted_rows.read_rows(data, prefix)
    deleted = {row.get("id") for row in posted if row.get("DELETE")}
    rows = [posted_rows.build_reply_row(reply) for reply in content["replies"]]
    rows = [row | {"DELETE": "on"} if row["id"] in deleted else row for row in rows]
    posted_rows.write_rows(
        data, prefix, [*rows, *(row for row in posted if not row.get("id"))]
    )


def submit_proposal(
    request: HttpRequest, proposal: Proposal, forms: ProposalForms
) -> Review | None:
    """Submit the change for review; None, with an error in the form, where refused."""
    form, by = forms.form, request.user
    note = form.cleaned_data.get("note", "")
    shown_version = proposal.entry.version
    try:
        form.instance.full_clean()
        content = build_proposed_content(proposal, forms)
        return entries.propose_change(
            form.instance,
            content,
            by=by,  # type: ignore[arg-type]
            note=note,
            based_on=shown_version,
        )
    except ValidationError as error:
        form.add_error(None, ValidationError(error.messages))
        return None


def build_proposed_content(proposal: Proposal, forms: ProposalForms) -> EntrySnapshot:
    """Return the content of the entry with the change, from valid forms.

    What the forms do not show stays as in `proposal.content`.
    """
    entry, cleaned, before = (
        forms.form.instance,
        forms.form.cleaned_data,
        proposal.content,
    )
    entry.update_derived_columns()
    tags = before["tags"]
    if "tags" in cleaned:  # in the order of `proposal.content`
        tags = cleaned["tags"].order_by("name").values_list("name", flat=True)
    return entries.build_snapshot(
        entry,
        tags=tags,
        phrasings=_build_phrasings(before["phrasings"], cleaned, entry.question_key),
        replies=_build_replies(before["replies"], forms.get_formset(Reply)),
        follow_ups=_build_follow_ups(before, forms.get_formset(FollowUp)),
        translation=proposal.parts.translation,
    )


def _build_phrasings(
    before: Sequence[str], cleaned: dict[str, Any], question_key: str
) -> list[str]:
    """Return the phrasings: those that stay in their order, then the new ones."""
    if "phrasings" not in cleaned:
        return list(before)
    typed: dict[str, str] = dict(reversed(cleaned["phrasings"].items()))
    saved = {normalize.compute_spelling_key(text): text for text in before}
    remaining = [
        text if key == question_key else typed[key]
        for key, text in saved.items()
        if key in typed
    ]
    new = [typed[key] for key in typed if key not in saved and key != question_key]
    return [*remaining, *new]


def _build_replies(before: Sequence[Any], formset: Any) -> list[Any]:
    """Return the replies; one whose form was not changed stays exactly as it was."""
    if formset is None:
        return list(before)
    forms = formset.initial_forms
    unchanged = {form.instance.pk for form in forms if not form.has_changed()}
    shown = {row["id"]: row for row in before}
    return [
        shown[reply.pk]
        if reply.pk in unchanged and reply.pk in shown
        else entries.build_reply_snapshot(reply)
        for reply in _collect_rows(formset)
    ]


def _build_follow_ups(before: EntrySnapshot, formset: Any) -> list[int]:
    if formset is None:
        return list(before["follow_ups"])
    return [row.then_id for row in _collect_rows(formset)]


def _collect_rows(formset: Any) -> list[Any]:
    """Return the rows that a valid formset leaves, sorted by their order column."""
    deleted = {form.instance.pk for form in formset.deleted_forms}
    remaining = [row for row in formset.get_queryset() if row.pk not in deleted]
    added = [
        form.instance
        for form in formset.extra_forms
        if form.has_changed() and form not in formset.deleted_forms
    ]
    return sorted([*remaining, *added], key=lambda row: row.order)


def respond_proposed(request: HttpRequest, review: Review) -> HttpResponse:
    message = f"「{review.entry}」的修改已提交审核。通过以前，已发布的内容不变。"
    messages.success(request, message)
    return redirect(f"{reverse('desk:reviews')}?review={review.pk}")


def render_forms(
    model_admin: Any,
    request: HttpRequest,
    proposal: Proposal,
    forms: ProposalForms,
    form_url: str,
    context: dict[str, Any],
) -> HttpResponse:
    """Return the page of the form, as ModelAdmin.changeform_view builds it."""
    entry = proposal.entry
    can_change = model_admin.has_change_permission(request, entry)
    readonly = (
        model_admin.get_readonly_fields(request, entry)
        if can_change
        else flatten_fieldsets(forms.fieldsets)
    )
    prepopulated = (
        model_admin.get_prepopulated_fields(request, entry) if can_change else {}
    )
    admin_form = helpers.AdminForm(
        forms.form,
        list(forms.fieldsets),
        prepopulated,
        readonly,
        model_admin=model_admin,
    )
    inline_formsets = model_admin.get_inline_formsets(
        request, forms.formsets, forms.inlines, entry
    )
    media = model_admin.media + admin_form.media
    for inline_formset in inline_formsets:
        media += inline_formset.media
    name = model_admin.opts.verbose_name
    page = {
        **model_admin.admin_site.each_context(request),
        "title": f"修改 {name}" if can_change else f"查看 {name}",
        "subtitle": str(entry),
        "adminform": admin_form,
        "object_id": str(entry.pk),
        "original": entry,
        "is_popup": False,
        "to_field": None,
        "media": media,
        "inline_admin_formsets": inline_formsets,
        "errors": helpers.AdminErrorList(forms.form, forms.formsets),
        "preserved_filters": model_admin.get_preserved_filters(request),
        **context,
    }
    response: HttpResponse = model_admin.render_change_form(
        request, page, add=False, change=True, obj=entry, form_url=form_url
    )
    return response
