"""分类: categories as a tree, in an order that editors set."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from kb.admin.base_admin import MAX_LIST_SEARCH_CHARS
from kb.admin.gated_admin import GatedAdmin
from kb.models import Category, CategoryRight, Entry
from kb.models.category_permission import get_permitted_category_ids
from kb.publishing import category_tree
from kb.text.chinese import normalize


def build_entry_count(column: str) -> Coalesce:
    """Return how many entries point to a row by `column`, as a subquery.

    It counts entries of every status: the list shows what a deletion would touch.
    """
    entries = Entry.objects.filter(**{column: OuterRef("pk")}).order_by()
    numbers = entries.values(column).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(numbers), 0)


def format_indented_name(node: Category) -> str:
    return "　" * int(node.tree_depth) + node.name


def add_ancestor_names(nodes: Any) -> Any:
    """Return categories with `tree_names`, their ancestors' names, in tree order."""
    return nodes.with_tree_fields().tree_fields(tree_names="name")


MOVE_STEPS = {"up": -1, "down": 1}
# The rights that a person needs in a branch to choose it for a row of these tables.
RIGHTS_TO_CHOOSE_CATEGORY = {
    Entry: (CategoryRight.WRITE,),
    Category: tuple(CategoryRight),
}


class CategoryTreeChangeList(ChangeList):
    """Rows in tree order, which no column gives."""

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        return ["tree_ordering"]


@admin.register(Category)
class CategoryAdmin(GatedAdmin):
    list_display = ["tree_name", "entry_count_link", "move_buttons"]
    list_per_page = 500
    sortable_by = ()
    search_fields = ["name"]
    fields = ["name", "parent", "own_hant", "review_every"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CategoryTreeChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        tree = add_ancestor_names(Category.objects.all())
        counted: QuerySet[Any] = tree.annotate(
            entry_total=build_entry_count("category")
        )
        return counted

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find categories by their name or by that of an ancestor."""
        words = normalize.normalize_text(
            normalize.clean_single_line(search_term)[:MAX_LIST_SEARCH_CHARS]
        )
        if not words:
            return queryset, False
        tree = add_ancestor_names(Category.objects.all())
        ids = [
            node.pk
            for node in tree
            if words in normalize.normalize_text(self.get_choice_label(node))
        ]
        return queryset.filter(pk__in=ids), False

    def filter_choices(self, rows: Any, field: Any, request: HttpRequest) -> Any:
        """Return the tree; for an entry or a category only permitted branches."""
        tree = add_ancestor_names(rows)
        user: Any = request.user
        for right in RIGHTS_TO_CHOOSE_CATEGORY.get(field.model, ()):
            permitted = get_permitted_category_ids(user, right)
            tree = tree if permitted is None else tree.filter(pk__in=permitted)
        return tree

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Let a category keep its parent, even where the person may not choose it."""
        form = super().get_form(request, obj, change, **kwargs)
        if obj is not None and obj.parent_id and "parent" in form.base_fields:
            field = form.base_fields["parent"]
            ids = {*field.queryset.values_list("pk", flat=True), obj.parent_id}
            field.queryset = add_ancestor_names(Category.objects.filter(pk__in=ids))
        return form

    def get_choice_label(self, row: Category) -> str:
        return " › ".join(row.tree_names)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.move_category_view))
        move = path("<int:pk>/move/<slug:way>/", view, name="kb_category_move")
        return [move, *super().get_urls()]

    @admin.display(description="分类")
    def tree_name(self, node: Category) -> SafeString:
        depth = node.tree_depth
        return format_html('<span class="tree depth-{}">{}</span>', depth, node)

    @admin.display(description="条目")
    def entry_count_link(self, node: Any) -> SafeString:
        url = reverse("admin:kb_entry_changelist")
        link = '<a href="{}?category={}">{}</a>'
        return format_html(link, url, node.pk, node.entry_total)

    @admin.display(description="次序")
    def move_buttons(self, node: Category) -> SafeString:
        """Return two buttons of the list's own form, which need no script."""
        up, down = (
            reverse("admin:kb_category_move", args=[node.pk, way]) for way in MOVE_STEPS
        )
        button = (
            '<button class="move" formaction="{}" title="上移" aria-label="上移「{}」">↑</button> '
            '<button class="move" formaction="{}" title="下移" aria-label="下移「{}」">↓</button>'
        )
        return format_html(button, up, node, down, node)

    def move_category_view(
        self, request: HttpRequest, pk: int, way: str
    ) -> HttpResponse:
        """Swap a category with the sibling before or after it ("up" or "down")."""
        node = Category.objects.filter(pk=pk).first()
        if node is None or way not in MOVE_STEPS:
            raise Http404
        if not self.has_change_permission(request, node):
            raise PermissionDenied
        by: Any = request.user
        permitted = [get_permitted_category_ids(by, right) for right in CategoryRight]
        if any(ids is not None and node.parent_id not in ids for ids in permitted):
            raise PermissionDenied("这一级分类的次序不归您负责的范围管。")
        category_tree.swap_with_sibling(node, by=MOVE_STEPS[way])
        return redirect("admin:kb_category_changelist")
