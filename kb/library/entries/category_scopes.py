"""Which categories a row concerns, so that the remit holds beyond entries themselves.

A tag, a snippet or a time window is shared by entries of several categories, and
a category decides who may change what stands in it. Each table of SCOPES says
where a row takes effect; who may not write there may not change the row.
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

CategoryId = int | None  # a category; None is what stands in no category
WHOLE_LIBRARY_MESSAGE = (
    "这里的内容对所有分类有效，您负责的只是部分分类，请找不限分类的同事。"
)
PUBLISHED_USE_MESSAGE = "已发布的条目在用它，要由有发布权限的人修改。"


@dataclass(frozen=True, slots=True)
class CategoryScope:
    """Where a row takes effect: the right to write, or to publish, is needed there.

    `live` are the categories of published entries that show the row.
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
    """Return the categories of `entries`; what is retired is shown to nobody."""
    shown = entries.exclude(status=Entry.Status.RETIRED).order_by()
    rows = set(shown.values_list("status", "category_id"))
    live = {place for status, place in rows if status == Entry.Status.PUBLISHED}
    return CategoryScope(
        write_categories=frozenset(place for _, place in rows),
        published_use_categories=frozenset(live),
    )


def _find_scope_of_category(row: Category) -> CategoryScope:
    """Return the category itself, and the one above where it is new, moved or leaves."""
    places = {row.pk} if row.pk else {row.parent_id}
    return CategoryScope(frozenset(places), frozenset(places))


def _find_scope_of_tag(row: Tag) -> CategoryScope:
    return find_scope_of_entries(Entry.objects.filter(tags=row))


def _find_scope_of_module(row: Module) -> CategoryScope:
    """Return where the module is used; customers read the name of an offered one."""
    used = find_scope_of_entries(Entry.objects.filter(module=row))
    return used | WHOLE_LIBRARY_SCOPE if row.offered else used


def _find_scope_of_campaign_period(row: CampaignPeriod) -> CategoryScope:
    return find_scope_of_entries(Entry.objects.filter(window=row))


def _find_scope_of_snippet(row: Snippet) -> CategoryScope:
    return find_scope_of_entries(
        Entry.objects.filter(pk__in=find_entries_including_snippet(row))
    )


def _find_scope_of_picture(row: Picture) -> CategoryScope:
    shows = Q(answer__contains=row.name) | Q(translation__own_answer__contains=row.name)
    return find_scope_of_entries(Entry.objects.filter(shows))


def _find_scope_of_announcement(row: Announcement) -> CategoryScope:
    return _build_category_scope(row.entry.category_id if row.entry else None)


def _find_scope_of_widget_rule(row: WidgetRule) -> CategoryScope:
    return _build_category_scope(row.category_id)


def _find_scope_of_relevance_test(row: RelevanceTest) -> CategoryScope:
    place = row.entry.category_id if row.entry else None
    return CategoryScope(write_categories=frozenset({place}))


def _build_category_scope(place: CategoryId) -> CategoryScope:
    return CategoryScope(frozenset({place}), frozenset({place}))


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
# Of these every row concerns the whole library, so that the bound add none.
WHOLE_LIBRARY_MODELS = {
    model for model, scope in SCOPE_FINDERS.items() if scope is _get_whole_library_scope
}


def find_entries_including_snippet(snippet: Snippet) -> set[int]:
    """Return the ids of entries with a shared reply that includes `snippet` at any depth."""
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
    """Tell whether `user` is held to some branches of the tree."""
    return any(
        get_permitted_category_ids(user, right) is not None for right in CategoryRight
    )


def can_add_row(model: type[Model], *, by: User | None) -> bool:
    """Tell whether some new row of `model` could be within the remit of `by`."""
    return (
        by is None
        or model not in WHOLE_LIBRARY_MODELS
        or not is_restricted_to_categories(by)
    )


def explain_scope_refusal(row: Model, *, by: User | None, deletes: bool = False) -> str:
    """Return why `by` may not save, or delete, `row` as it stands; "" where they may.

    What the row was in the database counts as well as what it would be.
    """
    if by is None or type(row) not in SCOPE_FINDERS:
        return ""
    publishes = by.has_perm(PERMISSION_FOR_RIGHT[CategoryRight.PUBLISH])
    if publishes and not is_restricted_to_categories(by):
        return ""
    scope = _find_scope(row, deletes=deletes)
    if scope.published_use_categories and not publishes:
        return PUBLISHED_USE_MESSAGE
    published = scope.publish_categories | scope.published_use_categories
    for right, places in (
        (CategoryRight.WRITE, scope.write_categories),
        (CategoryRight.PUBLISH, published),
    ):
        held = get_permitted_category_ids(by, right)
        beyond = set() if held is None else places - held
        if beyond:
            return _build_refusal_message(right, beyond)
    return ""


def require_category_scope(
    row: Model, *, by: User | None, deletes: bool = False
) -> None:
    """Raise ValidationError, code "remit", where `refusal` has a reason."""
    if reason := explain_scope_refusal(row, by=by, deletes=deletes):
        raise ValidationError(reason, code="remit")


def _find_scope(row: Model, *, deletes: bool) -> CategoryScope:
    scope_of = SCOPE_FINDERS[type(row)]
    scope = scope_of(row)
    before = type(row)._default_manager.filter(pk=row.pk).first() if row.pk else None
    if before is not None:
        scope |= scope_of(before)
    if isinstance(row, Category) and row.pk:
        old = before.parent_id if isinstance(before, Category) else None
        if deletes or old != row.parent_id:
            ends = frozenset({old, row.parent_id})
            scope |= CategoryScope(ends, ends)
    return scope


def _build_refusal_message(
    right: CategoryRight, places: AbstractSet[CategoryId]
) -> str:
    named = Category.objects.filter(pk__in=places - {None}).order_by("position", "pk")
    names = "、".join(f"「{one}」" for one in named[:3])
    if not names:
        return WHOLE_LIBRARY_MESSAGE
    return f"{names}分类不在您可以{right.label}的范围里。"
