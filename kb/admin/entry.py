"""Entries: written through kb.entries, moved by buttons, never lost to a conflict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import (
    Count,
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
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from kb import entries
from kb.admin import moves
from kb.admin.base import Curation, short
from kb.admin.conflict import Conflicting
from kb.admin.entryform import EntryForm, ReplyForm, ReplyFormSet, write_phrasings
from kb.admin.filters import BranchFilter, UsedFilter, ValidityFilter
from kb.admin.finding import Found, MineFilter
from kb.admin.followups import FollowUpInline
from kb.admin.forewarning import Forewarned
from kb.admin.keeping import Keeping
from kb.admin.lookup import LookedUp
from kb.admin.merge import Merging
from kb.admin.proposing import Proposing, is_proposed, waits_for_review, within
from kb.admin.writing import Written
from kb.models import Entry, Question, Reply, Validity

if TYPE_CHECKING:
    ReplyBase = admin.StackedInline[Reply, Entry]
else:
    ReplyBase = admin.StackedInline

TONES = {"draft": "", "review": "warn", "published": "ok", "retired": "bad"}


class ReplyInline(LookedUp, ReplyBase):
    model = Reply
    form = ReplyForm
    formset = ReplyFormSet
    extra = 0
    fields = [("label", "tone", "channel", "segment", "order"), "body"]
    max_num = 30

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reply]:
        """What is one person's or one team's is not the editors' to read."""
        return super().get_queryset(request).filter(owner=None, team=None)

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Make no more forms than this, however many are claimed to be sent."""
        return super().get_formset(request, obj, absolute_max=60, **kwargs)


@admin.register(Entry)
class EntryAdmin(
    Proposing, Keeping, Merging, Conflicting, Written, Found, Forewarned, Curation
):
    form = EntryForm
    inlines = [ReplyInline, FollowUpInline]
    list_display = [
        "question",
        "state",
        "audience",
        "category",
        "asked",
        "changed",
        "updated_by",
    ]
    list_filter = ["status", "audience", MineFilter, BranchFilter, ValidityFilter]
    list_filter += [(name, UsedFilter) for name in ("window", "module", "tags")]
    list_select_related = ["category", "updated_by"]
    search_fields = ["question", "keywords", "phrasings__text", "written__body"]
    date_hierarchy = "updated_at"
    actions = moves.actions()
    readonly_fields = [
        "said_as",
        "state",
        "asked",
        "published_at",
        "created",
        "updated",
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
        ("现状", {"fields": ["state", "asked", "published_at", "created", "updated"]}),
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
        return within(field, request.user) if db_field.name == "category" else field

    # What may be done --------------------------------------------------------

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("kb.publish_entry")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a draft that was never published and no question belongs to may vanish."""
        allowed = super().has_delete_permission(request, obj)
        if obj is None or not allowed:
            return allowed
        fresh = obj.status == Entry.Status.DRAFT and obj.published_at is None
        return fresh and not obj.questions.exists()

    # Saving -------------------------------------------------------------------

    def save_model(
        self, request: HttpRequest, obj: Entry, form: Any, change: bool
    ) -> None:
        based_on = form.cleaned_data["version"] if change else None
        note = form.cleaned_data.get("note", "")
        by: Any = request.user
        proposed = is_proposed(request)
        entries.put(obj, by=by, based_on=based_on, note=note, proposed=proposed)

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        write_phrasings(form.instance, form.cleaned_data["phrasings"])
        if not self.save_proposed(request, form):
            entries.complete(form.instance)

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
            return self._moved(request, obj)
        return super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Entry) -> HttpResponse:
        if is_proposed(request):  # taken back, and waits: nothing to tell of it here
            return redirect("admin:kb_entry_change", obj.pk)
        if "_move" in request.POST:
            return self._moved(request, obj)
        return super().response_change(request, obj)

    def _moved(self, request: HttpRequest, entry: Entry) -> HttpResponse:
        """Move the entry that has just been saved, and show it again."""
        if request.POST.get("_move") == "publish":
            return self.hold(request, entry)  # until what was saved can be searched
        return self.carry_out(request, entry)

    def carry_out(self, request: HttpRequest, entry: Entry) -> HttpResponse:
        move = moves.named(request.POST.get("_move"))
        try:
            if move:
                move.stage(entry, by=request.user)
                messages.success(request, f"「{entry}」已保存并{move.label}。")
        except (ValidationError, PermissionDenied) as error:
            reason = (
                moves.told(entry, error)
                if isinstance(error, ValidationError)
                else error
            )
            messages.warning(
                request, f"内容已保存，但没有{move and move.label}：{reason}"
            )
        return redirect("admin:kb_entry_change", entry.pk)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        entry = context.get("original")
        possible = moves.possible(entry, request.user)  # type: ignore[arg-type]
        context = {**context, "moves": possible, "show_save_and_add_another": False}
        return super().render_change_form(request, context, *args, **kwargs)

    # Columns ------------------------------------------------------------------

    @admin.display(description="状态", ordering="status")
    def state(self, entry: Entry) -> SafeString:
        badge = '<span class="badge {}">{}</span>'
        shown = [(TONES.get(entry.status, ""), entry.get_status_display())]
        if entry.validity != Validity.NOW and entry.status == Entry.Status.PUBLISHED:
            tone = "bad" if entry.validity == Validity.OVER else "warn"
            shown.append((tone, entry.validity.label))
        if getattr(entry, "waits_", False):
            shown.append(("warn", "修改待审核"))
        return format_html_join(" ", badge, shown)

    @admin.display(description="问题", ordering="asked_")
    def asked(self, entry: Any) -> str | SafeString:
        if not getattr(entry, "asked_", 0):
            return "0"
        where = reverse("admin:kb_question_changelist")
        link = '<a href="{}?entry__id__exact={}">{}</a>'
        return format_html(link, where, entry.pk, entry.asked_)

    @admin.display(description="更新时间", ordering="updated_at")
    def changed(self, entry: Entry) -> str:
        return short(entry.updated_at)

    @admin.display(description="创建")
    def created(self, entry: Entry) -> str:
        return _when_and_who(entry.created_at, entry.created_by)

    @admin.display(description="最后修改")
    def updated(self, entry: Entry) -> str:
        return _when_and_who(entry.updated_at, entry.updated_by)


def _replaced(field: Any, told: dict[str, str]) -> Any:
    return told.get(field, field) if isinstance(field, str) else field


def _when_and_who(moment: Any, user: Any) -> str:
    return f"{short(moment)} · {user or '系统'}" if moment else ""
