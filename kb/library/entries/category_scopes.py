"""Which categories a row concerns, so that category permissions cover more than entries.

A tag, a snippet or a campaign period is shared by entries of several categories.
SCOPE_FINDERS has for each table a function that returns where a row takes effect; a
user who may not write in all these categories may not change the row.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

from kb.models import (
    Announcement,
    CampaignPeriod,
    Category,
    CategoryRight,
    CustomerSegment,
    Entry,
    Module,
    Picture,
    RelevanceTest,
    Reply,
    Site,
    Snippet,
    StyleRule,
    Tag,
    User,
    WidgetRule,
)
from kb.models.category_permission import (
    PERMISSION_FOR_RIGHT,
    get_permitted_category_ids,
)
from kb.text.placeholders import snippets

CategoryId = int | None  # None means without a category
WHOLE_LIBRARY_MESSAGE = (
    "这里的内容对所有分类有效，您负责的只是部分分类，请找不限分类的同事。"
)
PUBLISHED_USE_MESSAGE = "已发布的条目在用它，要由有发布权限的人修改。"


@dataclass(frozen=True, slots=True)
class CategoryScope:
    """The categories in which a change of a row needs the right to write or to publish.

    `published_use_categories` are those of published entries that show the row: they
    need the right to publish, too.
    """

    write_categories: frozenset[CategoryId] = frozenset()
    publish_categories: frozenset[CategoryId] = frozenset()
    published_use_categories: frozenset[CategoryId] = frozenset()

    def __or__(self, other: CategoryScope) -> CategoryScope:
        return CategoryScope(
            self.write_categories | other.write_categories,
            self.publish_categories | other.publish_categories,
            self.published_use_categories | other.published_use_categories,
        )


WHOLE_LIBRARY_SCOPE = CategoryScope(frozenset({None}), frozenset({None}))


def find_scope_of_entries(entries: QuerySet[Entry]) -> CategoryScope:
    """Return the categories of `entries`; retired ones have no readers."""
    not_retired = entries.exclude(status=Entry.Status.RETIRED).order_by()
    rows = set(not_retired.values_list("status", "category_id"))
    published = {
        category_id for status, category_id in rows if status == Entry.Status.PUBLISHED
    }
    return CategoryScope(
        write_categories=frozenset(category_id for _, category_id in rows),
        published_use_categories=frozenset(published),
    )


def _find_scope_of_category(row: Category) -> CategoryScope:
    """Return the category itself; for a new one its parent."""
    category_ids = {row.pk} if row.pk else {row.parent_id}
    return CategoryScope(frozenset(category_ids), frozenset(category_ids))


def _find_scope_of_tag(row: Tag) -> CategoryScope:
    return find_scope_of_entries(Entry.objects.filter(tags=row))


def _find_scope_of_module(row: Module) -> CategoryScope:
    """Return the categories where the module is used.

    Customers see the name of an offered module, so it concerns the whole library.
    """
    scope = find_scope_of_entries(Entry.objects.filter(module=row))
    return scope | WHOLE_LIBRARY_SCOPE if row.offered else scope


def _find_scope_of_campaign_period(row: CampaignPeriod) -> CategoryScope:
    return find_scope_of_entries(Entry.objects.filter(window=row))


def _find_scope_of_snippet(row: Snippet) -> CategoryScope:
    return find_scope_of_entries(
        Entry.objects.filter(pk__in=find_entries_including_snippet(row))
    )


def _find_scope_of_picture(row: Picture) -> CategoryScope:
    shows_picture = Q(answer__contains=row.name) | Q(
        translation__own_answer__contains=row.name
    )
    return find_scope_of_entries(Entry.objects.filter(shows_picture))


def _find_scope_of_announcement(row: Announcement) -> CategoryScope:
    return _build_category_scope(row.entry.category_id if row.entry else None)


def _find_scope_of_widget_rule(row: WidgetRule) -> CategoryScope:
    return _build_category_scope(row.category_id)


def _find_scope_of_relevance_test(row: RelevanceTest) -> CategoryScope:
    category_id = row.entry.category_id if row.entry else None
    return CategoryScope(write_categories=frozenset({category_id}))


def _build_category_scope(category_id: CategoryId) -> CategoryScope:
    return CategoryScope(frozenset({category_id}), frozenset({category_id}))


def _get_whole_library_scope(row: Model) -> CategoryScope:
    return WHOLE_LIBRARY_SCOPE


SCOPE_FINDERS: dict[type[Model], Callable[[Any], CategoryScope]] = {
    Category: _find_scope_of_category,
    RelevanceTest: _find_scope_of_relevance_test,
    Announcement: _find_scope_of_announcement,
    Module: _find_scope_of_module,
    Picture: _find_scope_of_picture,
    CustomerSegment: _get_whole_library_scope,
    Site: _get_whole_library_scope,
    Snippet: _find_scope_of_snippet,
    Tag: _find_scope_of_tag,
    WidgetRule: _find_scope_of_widget_rule,
    CampaignPeriod: _find_scope_of_campaign_period,
    StyleRule: _get_whole_library_scope,
}
# Every row of these concerns the whole library: restricted users cannot add any.
WHOLE_LIBRARY_MODELS = {
    model for model, scope in SCOPE_FINDERS.items() if scope is _get_whole_library_scope
}


def find_entries_including_snippet(snippet: Snippet) -> set[int]:
    """Return ids of entries with a shared reply that includes `snippet`, at any depth."""
    names = {
        snippet.name,
        *snippets.find_including_snippets(
            snippet.name, Snippet.objects.bodies_by_name()
        ),
    }
    replies = (
        Reply.objects.shared().filter(body__contains="{{").filter(body__contains=">")
    )
    return {
        entry_id
        for entry_id, body in replies.values_list("entry_id", "body")
        if entry_id and names & set(snippets.list_included_snippets(body))
    }


def is_restricted_to_categories(user: User) -> bool:
    """Return whether `user` may write or publish in some categories only."""
    return any(
        get_permitted_category_ids(user, right) is not None for right in CategoryRight
    )


def can_add_row(model: type[Model], *, by: User | None) -> bool:
    """Return whether `by` may add rows of `model` at all."""
    return (
        by is None
        or model not in WHOLE_LIBRARY_MODELS
        or not is_restricted_to_categories(by)
    )


def explain_scope_refusal(
    row: Model, *, by: User | None, is_deletion: bool = False
) -> str:
    """Return the reason why `by` may not save (or delete) `row`; "" where they may.

    Both the stored row and the row as it would be saved count.
    """
    if by is None or type(row) not in SCOPE_FINDERS:
        return ""
    can_publish = by.has_perm(PERMISSION_FOR_RIGHT[CategoryRight.PUBLISH])
    if can_publish and not is_restricted_to_categories(by):
        return ""
    scope = _find_scope(row, is_deletion=is_deletion)
    if scope.published_use_categories and not can_publish:
        return PUBLISHED_USE_MESSAGE
    published = scope.publish_categories | scope.published_use_categories
    for right, category_ids in (
        (CategoryRight.WRITE, scope.write_categories),
        (CategoryRight.PUBLISH, published),
    ):
        permitted = get_permitted_category_ids(by, right)
        missing = set() if permitted is None else category_ids - permitted
        if missing:
            return _build_refusal_message(right, missing)
    return ""


def require_category_scope(
    row: Model, *, by: User | None, is_deletion: bool = False
) -> None:
    """Raise ValidationError, code "remit", where `explain_scope_refusal` has a reason."""
    if reason := explain_scope_refusal(row, by=by, is_deletion=is_deletion):
        raise ValidationError(reason, code="remit")


def _find_scope(row: Model, *, is_deletion: bool) -> CategoryScope:
    """Return the scope of `row` and of its stored state.

    A category that is moved or deleted concerns its old and new parent, too.
    """
    find_scope = SCOPE_FINDERS[type(row)]
    scope = find_scope(row)
    stored = type(row)._default_manager.filter(pk=row.pk).first() if row.pk else None
    if stored is not None:
        scope |= find_scope(stored)
    if isinstance(row, Category) and row.pk:
        old_parent_id = stored.parent_id if isinstance(stored, Category) else None
        if is_deletion or old_parent_id != row.parent_id:
            parents = frozenset({old_parent_id, row.parent_id})
            scope |= CategoryScope(parents, parents)
    return scope


def _build_refusal_message(
    right: CategoryRight, category_ids: AbstractSet[CategoryId]
) -> str:
    categories = Category.objects.filter(pk__in=category_ids - {None}).order_by(
        "position", "pk"
    )
    names = "、".join(f"「{category}」" for category in categories[:3])
    if not names:
        return WHOLE_LIBRARY_MESSAGE
    return f"{names}分类不在您可以{right.label}的范围里。"
