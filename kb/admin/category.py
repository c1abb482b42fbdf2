"""Categories as a tree, tags and modules: what entries are sorted by."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, F, ForeignKey, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from tree_queries.forms import TreeNodeChoiceField

from kb.admin.base import Curation
from kb.models import Category, Entry, Module, Question, Tag, User


def counted(column: str) -> Coalesce:
    """Return how many entries point to a row by `column`, as one subquery."""
    mine = Entry.objects.filter(**{column: OuterRef("pk")}).order_by()
    numbers = mine.values(column).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(numbers), 0)


def indented(node: Category) -> str:
    return "　" * int(node.tree_depth) + node.name


def category_field(db_field: Any, **kwargs: Any) -> Any:
    """Return the form field of a foreign key to Category: the tree, indented."""
    return db_field.formfield(
        **{
            **kwargs,
            "form_class": TreeNodeChoiceField,
            "queryset": Category.objects.all(),
            "label_from_instance": indented,
        }
    )


class TreeOrder(ChangeList):
    """Children below their parent, which no column says."""

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        return ["tree_ordering"]


@admin.register(Category)
class CategoryAdmin(Curation):
    list_display = ["title", "entries", "move"]
    list_per_page = 500
    sortable_by = ()
    search_fields = ["name"]
    fields = ["name", "parent", "own_hant", "review_every"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return TreeOrder

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        tree = Category.objects.with_tree_fields()
        found: QuerySet[Any] = tree.annotate(held=counted("category"))
        return found

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        return category_field(db_field, **kwargs)

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


@admin.register(Tag)
class TagAdmin(Curation):
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
class ModuleAdmin(Curation):
    list_display = ["name", "owner", "offered", "used", "asked"]
    list_select_related = ["owner"]
    search_fields = ["name", "owner__name", "owner__username"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        mine = Question.objects.filter(module=OuterRef("pk")).order_by()
        asked = mine.values("module").annotate(n=Count("pk")).values("n")
        counts = {"held": counted("module"), "questions_": Coalesce(Subquery(asked), 0)}
        rows: QuerySet[Any] = super().get_queryset(request)
        found: QuerySet[Any] = rows.annotate(**counts)
        return found

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "owner":
            kwargs["queryset"] = User.objects.filter(is_active=True).order_by(
                F("name").asc(), "username"
            )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description="条目", ordering="held")
    def used(self, module: Any) -> int:
        return int(module.held)

    @admin.display(description="问题", ordering="questions_")
    def asked(self, module: Any) -> int:
        return int(module.questions_)
