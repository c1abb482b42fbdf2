"""Categories as a tree, tags and modules: what entries are sorted by."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from kb import content
from kb.admin.base import LONGEST, tick
from kb.admin.gated import GatedAdmin
from kb.models import Category, Entry, Module, Question, Right, Tag
from kb.models.remit import branches
from kb.text import normalize


def counted(column: str) -> Coalesce:
    """Return how many entries point to a row by `column`, as one subquery."""
    mine = Entry.objects.filter(**{column: OuterRef("pk")}).order_by()
    numbers = mine.values(column).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(numbers), 0)


def indented(node: Category) -> str:
    return "　" * int(node.tree_depth) + node.name


def named(nodes: Any) -> Any:
    """Return categories that know the names above them, in the order of the tree."""
    return nodes.with_tree_fields().tree_fields(tree_names="name")


# In which branches a category may be chosen for a row of these tables.
RIGHTS_NEEDED = {Entry: (Right.WRITE,), Category: tuple(Right)}


class TreeOrder(ChangeList):
    """Children below their parent, which no column says."""

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        return ["tree_ordering"]


@admin.register(Category)
class CategoryAdmin(GatedAdmin):
    list_display = ["title", "entries", "move"]
    list_per_page = 500
    sortable_by = ()
    search_fields = ["name"]
    fields = ["name", "parent", "own_hant", "review_every"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return TreeOrder

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        tree = named(Category.objects.all())
        found: QuerySet[Any] = tree.annotate(held=counted("category"))
        return found

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find a branch by what it is called, and all that stands in it."""
        words = normalize.normalize(normalize.line(search_term)[:LONGEST])
        if not words:
            return queryset, False
        tree = named(Category.objects.all())
        found = [n.pk for n in tree if words in normalize.normalize(self.label(n))]
        return queryset.filter(pk__in=found), False

    def offered(self, rows: Any, field: Any, request: HttpRequest) -> Any:
        """Offer the tree; for an entry or a category what is in one's remit."""
        tree = named(rows)
        user: Any = request.user
        for right in RIGHTS_NEEDED.get(field.model, ()):
            held = branches(user, right)
            tree = tree if held is None else tree.filter(pk__in=held)
        return tree

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Let a category stay where it is, though that may be out of one's remit."""
        form = super().get_form(request, obj, change, **kwargs)
        if obj is not None and obj.parent_id and "parent" in form.base_fields:
            field = form.base_fields["parent"]
            offered = {*field.queryset.values_list("pk", flat=True), obj.parent_id}
            field.queryset = named(Category.objects.filter(pk__in=offered))
        return form

    def label(self, row: Category) -> str:
        return " › ".join(row.tree_names)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.move_view))
        way = path("<int:pk>/move/<slug:way>/", view, name="kb_category_move")
        return [way, *super().get_urls()]

    @admin.display(description="分类")
    def title(self, node: Category) -> SafeString:
        depth = node.tree_depth
        return format_html('<span class="tree depth-{}">{}</span>', depth, node)

    @admin.display(description="条目")
    def entries(self, node: Any) -> SafeString:
        where = reverse("admin:kb_entry_changelist")
        link = '<a href="{}?category={}">{}</a>'
        return format_html(link, where, node.pk, node.held)

    @admin.display(description="次序")
    def move(self, node: Category) -> SafeString:
        """Two buttons of the list's own form, so that no script is needed."""
        up, down = (reverse("admin:kb_category_move", args=[node.pk, w]) for w in WAYS)
        button = (
            '<button class="move" formaction="{}" title="上移" aria-label="上移「{}」">↑</button> '
            '<button class="move" formaction="{}" title="下移" aria-label="下移「{}」">↓</button>'
        )
        return format_html(button, up, node, down, node)

    def move_view(self, request: HttpRequest, pk: int, way: str) -> HttpResponse:
        node = Category.objects.filter(pk=pk).first()
        if node is None or way not in WAYS:
            raise Http404
        if not self.has_change_permission(request, node):
            raise PermissionDenied
        by: Any = request.user
        held = [branches(by, right) for right in Right]
        if any(places is not None and node.parent_id not in places for places in held):
            raise PermissionDenied("这一级分类的次序不归您负责的范围管。")
        shift(node, by=WAYS[way])
        return redirect("admin:kb_category_changelist")


WAYS = {"up": -1, "down": 1}


@transaction.atomic
def shift(node: Category, *, by: int) -> None:
    """Swap `node` with the sibling before (-1) or after (+1) it, if there is one."""
    level = Category.objects.filter(parent=node.parent_id)
    siblings = list(level.order_by("position", "pk").select_for_update())
    at = siblings.index(node)
    if not 0 <= at + by < len(siblings):
        return
    siblings[at], siblings[at + by] = siblings[at + by], siblings[at]
    for number, sibling in enumerate(siblings, start=1):
        sibling.position = number * 10
    Category.objects.bulk_update(siblings, ["position"])
    content.raise_edition()  # which no signal does for rows in bulk


@admin.register(Tag)
class TagAdmin(GatedAdmin):
    list_display = ["name", "used"]
    search_fields = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        found: QuerySet[Any] = rows.annotate(held=counted("tags"))
        return found

    @admin.display(description="条目", ordering="held")
    def used(self, tag: Any) -> SafeString:
        where = reverse("admin:kb_entry_changelist")
        return format_html(
            '<a href="{}?tags__id__exact={}">{}</a>', where, tag.pk, tag.held
        )


@admin.register(Module)
class ModuleAdmin(GatedAdmin):
    list_display = ["name", "owner", "is_offered", "used", "asked"]
    list_select_related = ["owner"]
    search_fields = ["name", "owner__name", "owner__username"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        mine = Question.objects.filter(module=OuterRef("pk")).order_by()
        asked = mine.values("module").annotate(n=Count("pk")).values("n")
        counts = {"held": counted("module"), "questions_": Coalesce(Subquery(asked), 0)}
        rows: QuerySet[Any] = super().get_queryset(request)
        found: QuerySet[Any] = rows.annotate(**counts)
        return found

    @admin.display(description="提问时可选", ordering="offered")
    def is_offered(self, module: Module) -> SafeString:
        return tick(module.offered)

    @admin.display(description="条目", ordering="held")
    def used(self, module: Any) -> int:
        return int(module.held)

    @admin.display(description="问题", ordering="questions_")
    def asked(self, module: Any) -> int:
        return int(module.questions_)
