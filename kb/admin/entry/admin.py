"""Entries: written through kb.library.entries, moved by buttons, never lost to a conflict."""

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
from kb.admin.entry.form import EntryForm, write_phrasings
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
        "status_label",
        "audience",
        "category",
        "question_count",
        "changed_at",
        "updated_by",
    ]
    list_filter = [
        "status",
        "audience",
        OwnEntriesFilter,
        CategoryBranchFilter,
        ValidityFilter,
    ]
    list_filter += [(name, UsedRelationFilter) for name in ("window", "module", "tags")]
    list_select_related = ["category", "updated_by"]
    search_fields = ["question", "keywords", "phrasings__text", "written__body"]
    date_hierarchy = "updated_at"
    actions = moves.build_actions()
    readonly_fields = [
        "said_as",
        "status_label",
        "question_count",
        "published_at",
        "created_note",
        "updated_note",
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
                    "status_label",
                    "question_count",
                    "published_at",
                    "created_note",
                    "updated_note",
                ]
            },
        ),
        ("来源", {"fields": ["source", "external_id"], "classes": ["collapse"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        mine = Question.objects.filter(entry=OuterRef("pk")).order_by()
        asked = mine.values("entry").annotate(n=Count("pk")).values("n")
        seen = Entry.objects.visible_to(request.user)
        # Searched: a word of somebody's own reply must not find its entry.
        shared = Q(replies__owner=None, replies__team=None)
        written = FilteredRelation("replies", condition=shared)
        counts = {"asked_": Coalesce(Subquery(asked), 0), "waits_": waits_for_review()}
        return seen.annotate(**counts, written=written)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out deletion in bulk: what was once published is retired."""
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

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
        search_letters = super().get_search_results
        found = search_entries(
            request,
            queryset,
            search_term,
            find_letters=lambda words: search_letters(request, queryset, words)[0],
            usual_order=self.get_ordering(request) or ["-updated_at", "-pk"],
        )
        return found, False

    def get_urls(self) -> list[Any]:
        return [
            *autosave.get_urls(self),
            *merging.get_urls(self),
            *assistant.get_urls(self),
            *super().get_urls(),
        ]

    # What may be done --------------------------------------------------------

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("kb.publish_entry")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Out of one's remit an entry is only looked at."""
        by: Any = request.user
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or entries.can_write_entry(obj, by=by))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a draft that was never published and no question belongs to may vanish."""
        allowed = super().has_delete_permission(request, obj)
        if obj is None or not allowed:
            return allowed
        by: Any = request.user
        if not entries.can_write_entry(obj, by=by):
            return False
        fresh = obj.status == Entry.Status.DRAFT and obj.published_at is None
        return fresh and not obj.questions.exists()

    # The form -----------------------------------------------------------------

    @method_decorator(csrf_protect)
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show the form of an entry, or save what was sent, step by step."""
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
            "unsaved": autosave.list_autosaved(request, state.entry, is_new=is_new),
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
        """Whoever writes a new entry answers for it, unless he says otherwise."""
        told = super().get_changeform_initial_data(request)
        return {"owner": request.user.pk, **told}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What the form alone knows is shown in other ways to who only looks."""
        found = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return found
        return [
            (
                name,
                {**how, "fields": [_get_view_only(field) for field in how["fields"]]},
            )
            for name, how in found
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        entry: Entry | None = context.get("original")
        by: Any = request.user
        context = {
            **context,
            **merging.build_merger_context(request, entry),
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
        write_phrasings(form.instance, form.cleaned_data["phrasings"])
        entries.refresh_revision_content(form.instance)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Lead to the versions: the admin's own log tells no more than that one saved."""
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
            return PublishRedirect(entry)  # when what was saved can be searched
        return moves.move_saved(request, entry)

    # Columns ------------------------------------------------------------------

    @admin.display(description="状态", ordering="status")
    def status_label(self, entry: Entry) -> SafeString:
        badge = '<span class="badge {}">{}</span>'
        shown = [(STATUS_CSS_CLASSES.get(entry.status, ""), entry.get_status_display())]
        if (
            entry.validity != Validity.IN_FORCE
            and entry.status == Entry.Status.PUBLISHED
        ):
            tone = "bad" if entry.validity == Validity.EXPIRED else "warn"
            shown.append((tone, entry.validity.label))
        if getattr(entry, "waits_", False):
            shown.append(("warn", "修改待审核"))
        return format_html_join(" ", badge, shown)

    @admin.display(description="问题", ordering="asked_")
    def question_count(self, entry: Any) -> str | SafeString:
        if not getattr(entry, "asked_", 0):
            return "0"
        where = reverse("admin:kb_question_changelist")
        link = '<a href="{}?entry__id__exact={}">{}</a>'
        return format_html(link, where, entry.pk, entry.asked_)

    @admin.display(description="相似问法")
    def said_as(self, entry: Entry) -> str:
        return "、".join(entry.phrasings.values_list("text", flat=True))

    @admin.display(description="更新时间", ordering="updated_at")
    def changed_at(self, entry: Entry) -> str:
        return format_local_time(entry.updated_at)

    @admin.display(description="创建")
    def created_note(self, entry: Entry) -> str:
        return _when_and_who(entry.created_at, entry.created_by)

    @admin.display(description="最后修改")
    def updated_note(self, entry: Entry) -> str:
        return _when_and_who(entry.updated_at, entry.updated_by)


def waits_for_review() -> Exists:
    """Return whether a change of the entry of each row waits."""
    waiting = Review.open_reviews().filter(entry=OuterRef("pk"), content__isnull=False)
    return Exists(waiting)


def build_review_context(state: FormState) -> dict[str, Any]:
    """Return what the form says of review: whether it proposes, and what waits."""
    if state.proposal:
        return {"proposes": True, "pending": state.pending}
    return {"waits": state.pending}


def require_category(field: Any, user: Any) -> Any:
    """Where `user` is held to branches, an entry without a place would be nobody's."""
    if get_permitted_category_ids(user, CategoryRight.WRITE) is not None:
        field.required = True
    return field


def _get_view_only(field: Any) -> Any:
    """Return the read-only field that shows what `field` of the form holds."""
    shown = {"phrasings": "said_as", "note": "state"}
    return shown.get(field, field) if isinstance(field, str) else field


def _when_and_who(moment: Any, user: Any) -> str:
    return f"{format_local_time(moment)} · {user or '系统'}" if moment else ""
