"""The tree of categories as one reader sees it: empty branches do not exist."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import Count

from kb.models import Category, Entry, Reader


@dataclass
class Tree:
    """All categories, read once; `reader` decides which of them are there."""

    reader: Reader
    nodes: dict[int, Category] = field(init=False)

    def __post_init__(self) -> None:
        found = Category.objects.with_tree_fields()
        self.nodes = {category.pk: category for category in found}

    @cached_property
    def counts(self) -> Counter[int]:
        """How many entries the reader finds in each category and below it."""
        own = (
            Entry.objects.published_to(self.reader)
            .exclude(category=None)
            .order_by()
            .values_list("category")
            .annotate(Count("pk"))
        )
        total: Counter[int] = Counter()
        for pk, number in own:
            total.update(dict.fromkeys(self._above(pk), number))
        return total

    def find(self, pk: int) -> Category | None:
        """Return the category, unless there is nothing in it for the reader."""
        return self.nodes[pk] if self.counts[pk] else None

    def under(self, category: Category) -> list[int]:
        """Return the ids of `category` and of all below it."""
        return [pk for pk in self.nodes if category.pk in self._above(pk)]

    def path(self, pk: int | None) -> list[Category]:
        """Return the categories from the top down to `pk`; none for None."""
        return [self.nodes[above] for above in self._above(pk)] if pk else []

    def branches(self, parent: int | None = None) -> list[dict[str, Any]]:
        """Return what stands below `parent`, each with its own branches."""
        return [
            {
                "id": pk,
                "name": node.name,
                "count": self.counts[pk],
                "children": self.branches(pk),
            }
            for pk, node in self.nodes.items()
            if node.parent_id == parent and self.counts[pk]
        ]

    def _above(self, pk: int) -> list[int]:
        """Return the ids on the way from the top to `pk`, which is the last.

        None where the category is newer than our reading of the tree.
        """
        node = self.nodes.get(pk)
        return node.tree_path if node else []
