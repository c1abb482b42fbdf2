"""The tree of categories as one reader may browse it: empty shelves are not there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Count

from kb.models import Category, Entry, Reader
from kb.publishing import locale_prefix, translations


@dataclass(frozen=True, slots=True)
class ReadableCategory:
    """A category, and how many entries stand in it and below it."""

    category: Category
    entry_count: int
    children: tuple[ReadableCategory, ...] = ()  # the shelves in it
    # Said here, and not in a template: a home page has sixty of them.
    name: str = ""
    url: str = ""

    @property
    def child_names(self) -> tuple[str, ...]:
        return tuple(shelf.category.name for shelf in self.children)


class ReadableCategoryTree:
    """All shelves of a reader, in two queries: the tree is small.

    With the outline of the content, a process reads the tree once an outline.
    """

    def __init__(self, user: Reader, outline: object = None) -> None:
        self._user, self._outline = user, outline

    @cached_property
    def top_nodes(self) -> list[ReadableCategory]:
        """The shelves that stand in no other."""
        return self.list_nodes(None)

    def list_nodes(self, parent: int | None) -> list[ReadableCategory]:
        """Return the shelves directly in `parent`; None stands for the top."""
        return [
            self._build_node(
                one, tuple(map(self._build_node, self._list_nonempty_children(one.pk)))
            )
            for one in self._list_nonempty_children(parent)
        ]

    def _build_node(
        self, one: Category, inner: tuple[ReadableCategory, ...] = ()
    ) -> ReadableCategory:
        count, url = self.entry_counts[one.pk], one.get_absolute_url()
        return ReadableCategory(one, count, inner, one.name, url)

    def get_path(self, pk: int | None) -> list[Category]:
        """Return the categories from the top down to `pk`, which is the last."""
        return list(self._walk_up(pk))[::-1]

    def find_category(self, pk: int) -> Category | None:
        """Return the category, unless there is nothing in it for the reader."""
        return self._categories_by_id[pk] if self.entry_counts[pk] else None

    def list_subtree_ids(self, pk: int) -> list[int]:
        """Return `pk` and all categories below it."""
        found = [pk]
        for parent in found:  # grows while it is walked
            found += [c.pk for c in self._children_by_parent[parent]]
        return found

    @cached_property
    def entry_counts(self) -> Counter[int]:
        """Entries published to the reader, by category, subtrees included."""
        total: Counter[int] = Counter()
        published = Entry.objects.published_to(self._user).order_by()
        filed = published.filter(category__isnull=False).values_list("category")
        for pk, count in filed.annotate(Count("pk")):
            for category in self._walk_up(pk):
                total[category.pk] += count
        return total

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


_cached_trees: dict[str, tuple[object, list[Category]]] = {}


def _load_categories(outline: object) -> list[Category]:
    """Return all categories in their order and in the script of the page.

    From memory, where the outline is known: they are for reading alone.
    """
    script = locale_prefix.get_page_locale()
    known, tree = _cached_trees.get(script, (None, []))
    if outline is None or outline != known:
        tree = list(Category.objects.order_by("position", "pk"))
        translations.translate_names(*tree)
        _cached_trees[script] = (outline, tree)
    return tree
