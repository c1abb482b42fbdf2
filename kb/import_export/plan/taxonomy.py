"""Categories, tags and modules by name: those that exist, and those a file adds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.core.exceptions import ValidationError

from kb.library import text_gate
from kb.models import Category, Entry, Module, Tag, User
from kb.models.category import MAX_CATEGORY_LEVELS
from kb.publishing import edition
from kb.text.chinese import normalize

CategoryPath = tuple[str, ...]
MAX_NAME_CHARS = {"category": 50, "tags": 30, "module": 50}  # as in the models
MAX_NAMES_IN_MESSAGE = 10
MAX_NEW_NAMES = 2000  # that one file may create; more is a sign of a wrong column


class Taxonomy:
    """Finds rows by name, and keeps the new ones until `save_new_names`.

    Names that differ only in case, width or script are the same name. Nothing is
    written before `save_new_names`, which needs a transaction.
    """

    def __init__(self) -> None:
        self.categories_by_path = self.load_category_paths()
        self.tags_by_name = {fold_name(tag.name): tag for tag in Tag.objects.all()}
        self.modules_by_name = {
            fold_name(module.name): module for module in Module.objects.all()
        }
        self.last_positions: dict[CategoryPath, int] = defaultdict(int)
        for path, category in self.categories_by_path.items():
            last = self.last_positions[path[:-1]]
            self.last_positions[path[:-1]] = max(last, category.position)

    @staticmethod
    def load_category_paths() -> dict[CategoryPath, Category]:
        """Return every category by its path of folded names, parents first."""
        children: dict[int | None, list[Category]] = defaultdict(list)
        for category in Category.objects.order_by("pk"):
            children[category.parent_id].append(category)
        paths: dict[CategoryPath, Category] = {}
        level: list[tuple[CategoryPath, int | None]] = [((), None)]
        while level:
            next_level: list[tuple[CategoryPath, int | None]] = []
            for parent_path, pk in level:
                for child in children[pk]:
                    path = (*parent_path, fold_name(child.name))
                    next_level.append((path, child.pk))
                    paths.setdefault(path, child)
            level = next_level
        return paths

    def get_or_make_category(self, names: CategoryPath) -> Category:
        """Return the category at the end of the path `names`; missing ones are made."""
        path = tuple(map(fold_name, names))
        for end in range(1, len(path) + 1):
            if path[:end] not in self.categories_by_path:
                self._add_category(names[end - 1], path[:end])
        return self.categories_by_path[path]

    def find_nearest_category_id(self, names: CategoryPath) -> int | None:
        """Return the id of the deepest category on the path `names` that is saved."""
        path = tuple(map(fold_name, names))
        for end in range(len(path), 0, -1):
            category = self.categories_by_path.get(path[:end])
            if category is not None and category.pk:
                return int(category.pk)
        return None

    def has_placement(
        self, entry: Entry, path: CategoryPath, tags: Sequence[str], module: str
    ) -> bool:
        """Return whether an entry has this category, these tags and this module.

        An empty path or module name means any.
        """
        category = self.categories_by_path.get(tuple(map(fold_name, path)))
        if path and (category is None or category.pk != entry.category_id):
            return False
        named_module = self.modules_by_name.get(fold_name(module))
        if module and (named_module is None or named_module.pk != entry.module_id):
            return False
        names = {fold_name(tag.name) for tag in entry.tags.all()}
        return names.issuperset(map(fold_name, tags))

    def get_or_make_tag(self, name: str) -> Tag:
        return self.tags_by_name.setdefault(fold_name(name), Tag(name=name))

    def get_or_make_module(self, name: str) -> Module:
        return self.modules_by_name.setdefault(fold_name(name), Module(name=name))

    def list_new_names(self) -> tuple[list[Category], list[Tag], list[Module]]:
        """Return the rows that are not saved yet, parents before children."""
        return (
            [
                category
                for category in self.categories_by_path.values()
                if not category.pk
            ],
            [tag for tag in self.tags_by_name.values() if not tag.pk],
            [module for module in self.modules_by_name.values() if not module.pk],
        )

    def describe_new_names(self) -> list[str]:
        """Return notes on what will be created; raises ValidationError for bad names."""
        categories, tags, modules = self.list_new_names()
        if len(categories) + len(tags) + len(modules) > MAX_NEW_NAMES:
            raise ValidationError(
                f"文件会新建超过 {MAX_NEW_NAMES:,} 个分类、标签或模块，请检查列是否对应正确。"
            )
        names: list[Category | Tag | Module] = [*categories, *tags, *modules]
        for row in names:
            self._require_allowed_name(row)
        return [
            f"会新建 {len(new)} 个{what}：{_join_some_names(new)}"
            for what, new in (
                ("分类", categories),
                ("标签", tags),
                ("产品模块", modules),
            )
            if new
        ]

    def save_new_names(self, by: User | None = None) -> None:
        """Save the new rows, level by level for categories."""
        categories, tags, modules = self.list_new_names()
        if categories:
            edition.increment_edition(Category)  # rows in bulk send no signal
        for level in range(1, MAX_CATEGORY_LEVELS + 1):
            paths = {id(c): len(p) for p, c in self.categories_by_path.items()}
            rows = [c for c in categories if paths[id(c)] == level]
            for row in rows:
                row.parent = row.parent  # sets parent_id: it has an id now
            if rows:
                text_gate.add_text_rows(rows, by=by)
        text_gate.add_text_rows(tags, by=by)
        text_gate.add_text_rows(modules, by=by)

    def _require_allowed_name(self, row: Category | Tag | Module) -> None:
        """Raise ValidationError for a new name that breaks a style rule."""
        for _, reason in text_gate.find_text_problems(row, by=None):
            raise ValidationError(
                f"文件会新建{row._meta.verbose_name}「{row.name}」："
                f"{reason}请先在文件里改名。"
            )

    def _add_category(self, name: str, path: CategoryPath) -> None:
        self.last_positions[path[:-1]] += 10
        self.categories_by_path[path] = Category(
            name=name,
            parent=self.categories_by_path.get(path[:-1]),
            position=self.last_positions[path[:-1]],
        )


def fold_name(name: str) -> str:
    """Return the spelling by which names are compared."""
    return normalize.normalize_text(name)


def _join_some_names(new: Sequence[Category | Tag | Module]) -> str:
    shown = "、".join(map(_format_full_name, new[:MAX_NAMES_IN_MESSAGE]))
    return shown if len(new) <= MAX_NAMES_IN_MESSAGE else f"{shown} 等"


def _format_full_name(row: Category | Tag | Module) -> str:
    parent = row.parent if isinstance(row, Category) else None
    return f"{_format_full_name(parent)}/{row.name}" if parent else row.name
