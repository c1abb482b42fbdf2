"""The tree of categories: what one reader may browse, and the order of siblings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from django.db import transaction
from django.db.models import Count

from kb.models import Category, Entry, Reader
from kb.publishing import edition, locale_prefix, translations


@dataclass(frozen=True, slots=True)
class ReadableCategory:
    """A category, with the number of its readable entries, subcategories included."""

    category: Category
    entry_count: int
    children: tuple[ReadableCategory, ...] = ()
    # Computed here and not in a template, because a home page shows sixty of them.
    name: str = ""
    url: str = ""

    @property
    def child_names(self) -> tuple[str, ...]:
        return tuple(child.category.name for child in self.children)


class ReadableCategoryTree:
    """All readable categories, in two queries: of the tree and of the entry counts.

    `outline` is that of the content edition. With it, a process reads the tree only
    once for each outline; without it, each time.
    """

    def __init__(self, user: Reader, outline: object = None) -> None:
        self._user, self._outline = user, outline

    @cached_property
    def top_nodes(self) -> list[ReadableCategory]:
        """The readable categories of the first level."""
        return self.list_nodes(None)

    def list_nodes(self, parent: int | None) -> list[ReadableCategory]:
        """Return the readable children of `parent`, with theirs; None: the first level."""
        return [
            self._build_node(
                category,
                tuple(map(self._build_node, self._list_nonempty_children(category.pk))),
            )
            for category in self._list_nonempty_children(parent)
        ]

    def _build_node(
        self, category: Category, children: tuple[ReadableCategory, ...] = ()
    ) -> ReadableCategory:
        count, url = self.entry_counts[category.pk], category.get_absolute_url()
        return ReadableCategory(category, count, children, category.name, url)

    def get_path(self, pk: int | None) -> list[Category]:
        """Return the categories from the first level down to `pk`, the last; [] for None."""
        return list(self._walk_up(pk))[::-1]

    def find_category(self, pk: int) -> Category | None:
        """Return the category; None if it has no entry that the reader may read."""
        return self._categories_by_id[pk] if self.entry_counts[pk] else None

    def list_subtree_ids(self, pk: int) -> list[int]:
        """Return `pk` and all categories below it."""
        ids = [pk]
        for parent in ids:  # the list grows during the loop
            ids += [c.pk for c in self._children_by_parent[parent]]
        return ids

    @cached_property
    def entry_counts(self) -> Counter[int]:
        """{category id: number of readable entries, subcategories included}."""
        counts: Counter[int] = Counter()
        published = Entry.objects.published_to(self._user).order_by()
        by_category = published.filter(category__isnull=False).values_list("category")
        for pk, count in by_category.annotate(Count("pk")):
            for category in self._walk_up(pk):
                counts[category.pk] += count
        return counts

    @cached_property
    def _categories_by_id(self) -> dict[int, Category]:
        return {c.pk: c for c in _load_categories(self._outline)}

    @cached_property
    def _children_by_parent(self) -> defaultdict[int | None, list[Category]]:
        children: defaultdict[int | None, list[Category]] = defaultdict(list)
        for category in self._categories_by_id.values():
            children[category.parent_id].append(category)
        return children

    def _list_nonempty_children(self, parent: int | None) -> list[Category]:
        return [c for c in self._children_by_parent[parent] if self.entry_counts[c.pk]]

    def _walk_up(self, pk: int | None) -> Iterator[Category]:
        while pk is not None and (category := self._categories_by_id.get(pk)):
            yield category
            pk = category.parent_id


# {locale: (outline, categories)}, for reading only.
_cached_trees: dict[str, tuple[object, list[Category]]] = {}


def _load_categories(outline: object) -> list[Category]:
    """Return all categories by position, named in the script of the page.

    From memory, if they were read for this outline.
    """
    locale = locale_prefix.get_page_locale()
    cached_outline, categories = _cached_trees.get(locale, (None, []))
    if outline is None or outline != cached_outline:
        categories = list(Category.objects.order_by("position", "pk"))
        translations.translate_names(*categories)
        _cached_trees[locale] = (outline, categories)
    return categories


@transaction.atomic
def swap_with_sibling(node: Category, *, by: int) -> None:
    """Swap `node` with the sibling before (-1) or after (+1) it, if there is one."""
    level = Category.objects.filter(parent=node.parent_id)
    siblings = list(level.order_by("position", "pk").select_for_update())
    index = siblings.index(node)
    other = index + by
    if not 0 <= other < len(siblings):
        return
    siblings[index], siblings[other] = siblings[other], siblings[index]
    for number, sibling in enumerate(siblings, start=1):
        sibling.position = number * 10
    Category.objects.bulk_update(siblings, ["position"])
    edition.increment_edition()  # bulk_update sends no signal that would do it
