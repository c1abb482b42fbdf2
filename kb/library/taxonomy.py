"""Categories, tags, modules and customer segments: what entries are sorted by."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from kb.models import Category, CustomerSegment, Entry, Module, Reader, Tag


def find_category(pk: int | None) -> Category | None:
    """Return the category `pk`, also one that is empty for the reader."""
    category: Category | None = Category.objects.filter(pk=pk).first()
    return category


def find_tag(pk: int | None) -> Tag | None:
    return Tag.objects.filter(pk=pk or 0).first()


def find_used_tag(pk: int, *, user: Reader) -> Tag | None:
    """Return the tag `pk` if a published entry that `user` may read has it."""
    entries = Entry.objects.published_to(user).with_list_columns().order_by()
    return Tag.objects.filter(pk=pk, entries__in=entries).distinct().first()


def list_used_tags(user: Reader) -> list[Tag]:
    """Return the tags of the published entries that `user` may read."""
    entries = Entry.objects.published_to(user).order_by()
    return list(Tag.objects.filter(entries__in=entries).distinct())


def list_entry_tags(entry_id: int) -> list[Tag]:
    return list(Tag.objects.filter(entries=entry_id))


def load_tags_by_entry(entry_ids: Sequence[int]) -> dict[int, list[Tag]]:
    """Return the tags of each entry by name; the same tag is the same object."""
    links = Entry.tags.through.objects.filter(entry__in=entry_ids)
    rows = list(links.select_related("tag").order_by("tag__name"))
    tags = {row.tag_id: row.tag for row in rows}
    tags_by_entry: dict[int, list[Tag]] = {pk: [] for pk in entry_ids}
    for row in rows:
        tags_by_entry[row.entry_id].append(tags[row.tag_id])
    return tags_by_entry


def list_nonempty_categories(user: Reader) -> list[Category]:
    """Return the tree in order, without branches that are empty for `user`."""
    entries = Entry.objects.published_to(user).order_by()
    used = set(entries.values_list("category_id", flat=True).distinct())
    tree = list(Category.objects.with_tree_fields())
    shown = {pk for node in tree if node.pk in used for pk in node.tree_path}
    return [node for node in tree if node.pk in shown]


def query_customer_segments() -> QuerySet[CustomerSegment]:
    return CustomerSegment.objects.all()


def query_modules() -> QuerySet[Module]:
    return Module.objects.all()


def query_offered_modules() -> QuerySet[Module]:
    """Return the modules that customers may choose when they ask a question."""
    return Module.objects.filter(offered=True)


def list_categories() -> QuerySet[Category]:
    categories: QuerySet[Category] = Category.objects.all()
    return categories
