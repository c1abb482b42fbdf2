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
    Category,
    Entry,
    Golden,
    Incident,
    Module,
    Picture,
    Reply,
    Right,
    Segment,
    Site,
    Snippet,
    Tag,
    User,
    WidgetRule,
    Window,
    WordingRule,
)
from kb.models.remit import NEEDS, branches
from kb.text import snippets

Place = int | None  # a category; None is what stands in no category
EVERYWHERE = "这里的内容对所有分类有效，您负责的只是部分分类，请找不限分类的同事。"
UNPUBLISHED = "已发布的条目在用它，要由有发布权限的人修改。"


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a row takes effect: the right to write, or to publish, is needed there.

    `live` are the categories of published entries that show the row.
    """

    written: frozenset[Place] = frozenset()
    published: frozenset[Place] = frozenset()
    live: frozenset[Place] = frozenset()

    def __or__(self, other: Scope) -> Scope:
        return Scope(
            self.written | other.written,
            self.published | other.published,
            self.live | other.live,
        )


WHOLE_LIBRARY = Scope(frozenset({None}), frozenset({None}))


def of_entries(entries: QuerySet[Entry]) -> Scope:
    """Return the categories of `entries`; what is retired is shown to nobody."""
    shown = entries.exclude(status=Entry.Status.RETIRED).order_by()
    rows = set(shown.values_list("status", "category_id"))
    live = {place for status, place in rows if status == Entry.Status.PUBLISHED}
    return Scope(written=frozenset(place for _, place in rows), live=frozenset(live))


def _of_category(row: Category) -> Scope:
    """Return the category itself, and the one above where it is new, moved or leaves."""
    places = {row.pk} if row.pk else {row.parent_id}
    return Scope(frozenset(places), frozenset(places))


def _of_tag(row: Tag) -> Scope:
    return of_entries(Entry.objects.filter(tags=row))


def _of_module(row: Module) -> Scope:
    """Return where the module is used; customers read the name of an offered one."""
    used = of_entries(Entry.objects.filter(module=row))
    return used | WHOLE_LIBRARY if row.offered else used


def _of_window(row: Window) -> Scope:
    return of_entries(Entry.objects.filter(window=row))


def _of_snippet(row: Snippet) -> Scope:
    return of_entries(Entry.objects.filter(pk__in=entries_including(row)))


def _of_picture(row: Picture) -> Scope:
    shows = Q(answer__contains=row.name) | Q(face__own_answer__contains=row.name)
    return of_entries(Entry.objects.filter(shows))


def _of_incident(row: Incident) -> Scope:
    return _of_category_or_all(row.entry.category_id if row.entry else None)


def _of_widget_rule(row: WidgetRule) -> Scope:
    return _of_category_or_all(row.category_id)


def _of_golden(row: Golden) -> Scope:
    place = row.entry.category_id if row.entry else None
    return Scope(written=frozenset({place}))


def _of_category_or_all(place: Place) -> Scope:
    return Scope(frozenset({place}), frozenset({place}))


def _of_whole_library(row: Model) -> Scope:
    return WHOLE_LIBRARY


SCOPES: dict[type[Model], Callable[[Any], Scope]] = {
    Category: _of_category,
    Golden: _of_golden,
    Incident: _of_incident,
    Module: _of_module,
    Picture: _of_picture,
    Segment: _of_whole_library,
    Site: _of_whole_library,
    Snippet: _of_snippet,
    Tag: _of_tag,
    WidgetRule: _of_widget_rule,
    Window: _of_window,
    WordingRule: _of_whole_library,
}
# Of these every row concerns the whole library, so that the bound add none.
ONLY_WHOLE = {model for model, scope in SCOPES.items() if scope is _of_whole_library}


def entries_including(snippet: Snippet) -> set[int]:
    """Return the ids of entries with a shared reply that includes `snippet` at any depth."""
    names = {snippet.name, *snippets.users(snippet.name, Snippet.objects.bodies())}
    replies = (
        Reply.objects.shared().filter(body__contains="{{").filter(body__contains=">")
    )
    return {
        entry_id
        for entry_id, body in replies.values_list("entry_id", "body")
        if entry_id and names & set(snippets.names(body))
    }


def is_bound(user: User) -> bool:
    """Tell whether `user` is held to some branches of the tree."""
    return any(branches(user, right) is not None for right in Right)


def may_add(model: type[Model], *, by: User | None) -> bool:
    """Tell whether some new row of `model` could be within the remit of `by`."""
    return by is None or model not in ONLY_WHOLE or not is_bound(by)


def refusal(row: Model, *, by: User | None, deletes: bool = False) -> str:
    """Return why `by` may not save, or delete, `row` as it stands; "" where they may.

    What the row was in the database counts as well as what it would be.
    """
    if by is None or type(row) not in SCOPES:
        return ""
    publishes = by.has_perm(NEEDS[Right.PUBLISH])
    if publishes and not is_bound(by):
        return ""
    scope = _scope(row, deletes=deletes)
    if scope.live and not publishes:
        return UNPUBLISHED
    published = scope.published | scope.live
    for right, places in ((Right.WRITE, scope.written), (Right.PUBLISH, published)):
        held = branches(by, right)
        beyond = set() if held is None else places - held
        if beyond:
            return _reason(right, beyond)
    return ""


def require_scope(row: Model, *, by: User | None, deletes: bool = False) -> None:
    """Raise ValidationError, code "remit", where `refusal` has a reason."""
    if reason := refusal(row, by=by, deletes=deletes):
        raise ValidationError(reason, code="remit")


def _scope(row: Model, *, deletes: bool) -> Scope:
    scope_of = SCOPES[type(row)]
    scope = scope_of(row)
    before = type(row)._default_manager.filter(pk=row.pk).first() if row.pk else None
    if before is not None:
        scope |= scope_of(before)
    if isinstance(row, Category) and row.pk:
        old = before.parent_id if isinstance(before, Category) else None
        if deletes or old != row.parent_id:
            ends = frozenset({old, row.parent_id})
            scope |= Scope(ends, ends)
    return scope


def _reason(right: Right, places: AbstractSet[Place]) -> str:
    named = Category.objects.filter(pk__in=places - {None}).order_by("position", "pk")
    names = "、".join(f"「{one}」" for one in named[:3])
    if not names:
        return EVERYWHERE
    return f"{names}分类不在您可以{right.label}的范围里。"
