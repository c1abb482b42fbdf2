"""EntryAdmin: the list of entries, and the form that saves through kb.library.entries."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import (
    Count,
    Exists,
    FilteredRelation,
    ForeignKey,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_protect

from kb.admin.base_admin import BaseAdmin, format_local_time
from kb.admin.entry import assistant, autosave, merging, moves
from kb.admin.entry.conflicts import merge_conflict
from kb.admin.entry.form import EntryForm
from kb.admin.entry.formsets import FollowUpInline, ReplyInline
from kb.admin.entry.list_search import OwnEntriesFilter, search_entries
from kb.admin.entry.proposals import edit_proposal
from kb.admin.entry.search_warning import PublishRedirect, publish_saved
from kb.admin.entry.state import FormState, load_state
from kb.admin.list_filters import (
    CategoryBranchFilter,
    UsedRelationFilter,
    ValidityFilter,
)
from kb.library import entries
from kb.models import CategoryRight, Entry, Question, Review, Validity
from kb.models.category_permission import get_permitted_category_ids

STATUS_CSS_CLASSES = {
    "draft": "",
    "review": "warn",
    "published": "ok",
    "retired": "bad",
}


@admin.register(Entry)
class EntryAdmin(BaseAdmin):
    """The list of entries, and the form whose steps `changeform_view` names."""

    form = EntryForm
    inlines = [ReplyInline, FollowUpInline]
    list_display = [
        "question",
        "status_badges",
        "audience",
        "category",
        "question_count_link",
        "update_time",
        "updated_by",
    ]
    list_filter = [
        "status",
        "audience",
        OwnEntriesFilter,
        CategoryBranchFilter,
        ValidityFilter,
        ("window", UsedRelationFilter),
        ("module", UsedRelationFilter),
        ("tags", UsedRelationFilter),
    ]
    list_select_related = ["category", "updated_by"]
    search_fields = ["question", "keywords", "phrasings__text", "shared_replies__body"]
    date_hierarchy = "updated_at"
    actions = moves.build_actions()
    readonly_fields = [
        "phrasing_list",
        "status_badges",
        "question_count_link",
        "published_at",
        "creation_summary",
        "update_summary",
        "source",
        "external_id",
    ]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "question",
                    "answer",
                    "audience",
                    "category",
                    "owner",
                    "note",
                ]
            },
        ),
        (
            "有效期",
            {"fields": ["window", ("valid_from", "valid_until"), "review_at"]},
        ),
        ("怎么找到它", {"fields": ["phrasings", "keywords", "tags", "module", "slug"]}),
        (
            "现状",
            {
                "fields": [
                    "status_badges",
                    "question_count_link",
                    "published_at",
                    "creation_summary",
                    "update_summary",
                ]
            },
        ),
        ("来源", {"fields": ["source", "external_id"], "classes": ["collapse"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return visible entries with their number of questions and pending changes."""
        questions = Question.objects.filter(entry=OuterRef("pk")).order_by()
        numbers = questions.values("entry").annotate(n=Count("pk")).values("n")
        # The search box must not find an entry by a private reply.
        is_shared = Q(replies__owner=None, replies__team=None)
        return Entry.objects.visible_to(request.user).annotate(
            question_total=Coalesce(Subquery(numbers), 0),
            has_pending_change=build_pending_change_test(),
            shared_replies=FilteredRelation("replies", condition=is_shared),
        )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out deletion in bulk: an entry that was published is retired instead."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "category":
            return require_category(field, request.user)
        return field

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search with the engine first, and with Django's own search after it."""
        search_columns = super().get_search_results
        results = search_entries(
            request,
            queryset,
            search_term,
            search_columns=lambda words: search_columns(request, queryset, words)[0],
            default_order=self.get_ordering(request) or ["-updated_at", "-pk"],
        )
        return results, False

    def get_urls(self) -> list[Any]:
        return [
            *autosave.get_urls(self),
            *merging.get_urls(self),
            *assistant.get_urls(self),
            *super().get_urls(),
        ]

    # Permissions --------------------------------------------------------------

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("kb.publish_entry")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An entry of a category that the person may not write is read-only."""
        by: Any = request.user
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or entries.can_write_entry(obj, by=by))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a draft may be deleted that was never published and has no questions."""
        allowed = super().has_delete_permission(request, obj)
        if obj is None or not allowed:
            return allowed
        by: Any = request.user
        if not entries.can_write_entry(obj, by=by):
            return False
        is_new = obj.status == Entry.Status.DRAFT and obj.published_at is None
        return is_new and not obj.questions.exists()

    # The form -----------------------------------------------------------------

    @method_decorator(csrf_protect)
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show the form of an entry, or save it, in steps.

        1. Load the entry and its pending change. 2. Restore an autosaved form, if that
        was asked for. 3. Merge with what was saved since the form was shown. 4. Show or
        save the entry itself, or a proposal where the person may only propose. 5.
        Publish after the save. 6. Delete what was autosaved.
        """
        state = load_state(self, request, object_id)
        restored = autosave.find_autosaved(request, state.entry)
        if restored:
            request.POST = autosave.build_restored_data(restored)  # type: ignore[assignment]
        elif autosave.is_restoring(request):
            return autosave.respond_missing(request)
        if merged := merge_conflict(self, request, state):
            request.POST = merged.data  # type: ignore[assignment]
        is_new = object_id is None
        context = {
            **(extra_context or {}),
            **build_review_context(state),
            "restored": restored,
            "autosaves": autosave.list_autosaved(request, state.entry, is_new=is_new),
            "conflict": merged.conflict if merged else None,
        }
        if state.proposal:
            response = edit_proposal(self, request, state.proposal, form_url, context)
        else:
            response = super().changeform_view(request, object_id, form_url, context)
        response = publish_saved(request, response)
        autosave.drop_saved(request, response, state.entry)
        return response

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The author owns a new entry unless another owner is chosen."""
        initial = super().get_changeform_initial_data(request)
        return {"owner": request.user.pk, **initial}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Replace form-only fields by read-only ones where nothing may be changed."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [
            (
                name,
                {**options, "fields": [*map(_get_view_only, options["fields"])]},
            )
            for name, options in fieldsets
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        entry: Entry | None = context.get("original")
        by: Any = request.user
        context = {
            **context,
            **merging.build_merge_context(request, entry),
            "moves": moves.list_possible_moves(entry, by),
            "findings": assistant.list_saved_findings(entry) if entry else [],
            "show_save_and_add_another": False,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    # Saving -------------------------------------------------------------------

    def save_model(
        self, request: HttpRequest, obj: Entry, form: Any, change: bool
    ) -> None:
        autosave.require_seen(request)
        based_on = form.cleaned_data["version"] if change else None
        note = form.cleaned_data.get("note", "")
        by: Any = request.user
        entries.save_entry(obj, by=by, based_on=based_on, note=note)

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        entries.replace_phrasings(form.instance, form.cleaned_data["phrasings"])
        entries.refresh_revision_content(form.instance)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Redirect to the versions, which show more than Django's own log."""
        entry = self.get_object(request, object_id)
        if entry is None:
            raise Http404
        return redirect("desk:history", entry.pk)

    def response_add(
        self, request: HttpRequest, obj: Entry, post_url_continue: str | None = None
    ) -> HttpResponse:
        if "_move" in request.POST:
            return self._move_saved_entry(request, obj)
        return super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Entry) -> HttpResponse:
        if "_move" in request.POST:
            return self._move_saved_entry(request, obj)
        return super().response_change(request, obj)

    def _move_saved_entry(self, request: HttpRequest, entry: Entry) -> HttpResponse:
        """Move the entry that has just been saved, and show it again."""
        if request.POST.get("_move") == "publish":
            return PublishRedirect(entry)  # `publish_saved` does it after the commit
        return moves.move_saved(request, entry)

    # Columns ------------------------------------------------------------------

    @admin.display(description="状态", ordering="status")
    def status_badges(self, entry: Entry) -> SafeString:
        html = '<span class="badge {}">{}</span>'
        badges = [
            (STATUS_CSS_CLASSES.get(entry.status, ""), entry.get_status_display())
        ]
        if (
            entry.validity != Validity.IN_FORCE
            and entry.status == Entry.Status.PUBLISHED
        ):
            css_class = "bad" if entry.validity == Validity.EXPIRED else "warn"
            badges.append((css_class, entry.validity.label))
        if getattr(entry, "has_pending_change", False):
            badges.append(("warn", "修改待审核"))
        return format_html_join(" ", html, badges)

    @admin.display(description="问题", ordering="question_total")
    def question_count_link(self, entry: Any) -> str | SafeString:
        if not getattr(entry, "question_total", 0):
            return "0"
        url = reverse("admin:kb_question_changelist")
        link = '<a href="{}?entry__id__exact={}">{}</a>'
        return format_html(link, url, entry.pk, entry.question_total)

    @admin.display(description="相似问法")
    def phrasing_list(self, entry: Entry) -> str:
        return "、".join(entry.phrasings.values_list("text", flat=True))

    @admin.display(description="更新时间", ordering="updated_at")
    def update_time(self, entry: Entry) -> str:
        return format_local_time(entry.updated_at)

    @admin.display(description="创建")
    def creation_summary(self, entry: Entry) -> str:
        return _format_time_and_user(entry.created_at, entry.created_by)

    @admin.display(description="最后修改")
    def update_summary(self, entry: Entry) -> str:
        return _format_time_and_user(entry.updated_at, entry.updated_by)


def build_pending_change_test() -> Exists:
    """Return the condition that a change of the entry waits for review."""
    pending = Review.open_reviews().filter(entry=OuterRef("pk"), content__isnull=False)
    return Exists(pending)


def build_review_context(state: FormState) -> dict[str, Any]:
    """Return whether the form makes a proposal, and the change that is pending."""
    return {"is_proposal": bool(state.proposal), "pending": state.pending}


def require_category(field: Any, user: Any) -> Any:
    """Require a category of people who may write only some categories.

    They could not open an entry without one again.
    """
    if get_permitted_category_ids(user, CategoryRight.WRITE) is not None:
        field.required = True
    return field


def _get_view_only(field: Any) -> Any:
    """Return the read-only field that replaces a field that only the form has."""
    replacements = {"phrasings": "phrasing_list", "note": "status_badges"}
    return replacements.get(field, field) if isinstance(field, str) else field


def _format_time_and_user(moment: Any, user: Any) -> str:
    return f"{format_local_time(moment)} · {user or '系统'}" if moment else ""
