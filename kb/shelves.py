"""The tree of categories as one reader may browse it: empty shelves are not there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Count

from kb import faces, scripts
from kb.models import Category, Entry, Reader


@dataclass(frozen=True, slots=True)
class Shelf:
    """A category, and how many entries stand in it and below it."""

    category: Category
    count: int
    inner: tuple[Shelf, ...] = ()  # the shelves in it
    # Said here, and not in a template: a home page has sixty of them.
    name: str = ""
    url: str = ""

    @property
    def below(self) -> tuple[str, ...]:
        return tuple(shelf.category.name for shelf in self.inner)


class Shelves:
    """All shelves of a reader, in two queries: the tree is small.

    With the outline of the content, a process reads the tree once an outline.
    """

    def __init__(self, user: Reader, outline: object = None) -> None:
        self._user, self._outline = user, outline

    @cached_property
    def top(self) -> list[Shelf]:
        """The shelves that stand in no other."""
        return self.inside(None)

    def inside(self, parent: int | None) -> list[Shelf]:
        """Return the shelves directly in `parent`; None stands for the top."""
        return [
            self._shelf(one, tuple(map(self._shelf, self._stocked(one.pk))))
            for one in self._stocked(parent)
        ]

    def _shelf(self, one: Category, inner: tuple[Shelf, ...] = ()) -> Shelf:
        count, url = self.counts[one.pk], one.get_absolute_url()
        return Shelf(one, count, inner, one.name, url)

    def path(self, pk: int | None) -> list[Category]:
        """Return the categories from the top down to `pk`, which is the last."""
        return list(self._upwards(pk))[::-1]

    def find(self, pk: int) -> Category | None:
        """Return the category, unless there is nothing in it for the reader."""
        return self._all[pk] if self.counts[pk] else None

    def subtree(self, pk: int) -> list[int]:
        """Return `pk` and all categories below it."""
        found = [pk]
        for parent in found:  # grows while it is walked
            found += [c.pk for c in self._children[parent]]
        return found

    @cached_property
    def counts(self) -> Counter[int]:
        """Entries published to the reader, by category, subtrees included."""
        total: Counter[int] = Counter()
        published = Entry.objects.published_to(self._user).order_by()
        filed = published.filter(category__isnull=False).values_list("category")
        for pk, count in filed.annotate(Count("pk")):
            for category in self._upwards(pk):
                total[category.pk] += count
        return total

    @cached_property
    def _all(self) -> dict[int, Category]:
        return {c.pk: c for c in _tree(self._outline)}

    @cached_property
    def _children(self) -> defaultdict[int | None, list[Category]]:
        children: defaultdict[int | None, list[Category]] = defaultdict(list)
        for category in self._all.values():
            children[category.parent_id].append(category)
        return children

    def _stocked(self, parent: int | None) -> list[Category]:
        return [c for c in self._children[parent] if self.counts[c.pk]]

    def _upwards(self, pk: int | None) -> Iterator[Category]:
        while pk is not None and (category := self._all.get(pk)):
            yield category
            pk = category.parent_id


_read: dict[str, tuple[object, list[Category]]] = {}


def _tree(outline: object) -> list[Category]:
    """Return all categories in their order and in the script of the page.

    From memory, where the outline is known: they are for reading alone.
    """
    script = scripts.current()
    known, tree = _read.get(script, (None, []))
    if outline is None or outline != known:
        tree = list(Category.objects.order_by("position", "pk"))
        faces.dress(*tree)
        _read[script] = (outline, tree)
    return tree
