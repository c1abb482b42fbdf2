"""Categories, tags and modules by name: those we have, those a file brings along."""

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
MAX_NAME_CHARS = {
    "category": 50,
    "tags": 30,
    "module": 50,
}  # characters, as in the models
MAX_NAMES_IN_MESSAGE = 10  # of them in a message
MAX_NEW_NAMES = 2000  # categories, tags and modules of one file: more is a wrong column


class Taxonomy:
    """Names turned into rows; new ones are kept here until `store`.

    Names that differ in case, width or script only are the same name. Nothing
    is written before `store`, which needs a transaction.
    """

    def __init__(self) -> None:
        self.categories_by_path = _load_category_paths()
        self.tags_by_name = {_fold_name(tag.name): tag for tag in Tag.objects.all()}
        self.modules_by_name = {
            _fold_name(module.name): module for module in Module.objects.all()
        }
        self.last_positions: dict[CategoryPath, int] = defaultdict(int)
        for path, category in self.categories_by_path.items():
            above = self.last_positions[path[:-1]]
            self.last_positions[path[:-1]] = max(above, category.position)

    def get_or_make_category(self, names: CategoryPath) -> Category:
        """Return the category at the end of `names`, with all above it."""
        path = tuple(map(_fold_name, names))
        for end in range(1, len(path) + 1):
            if path[:end] not in self.categories_by_path:
                self._add_category(names[end - 1], path[:end])
        return self.categories_by_path[path]

    def find_nearest_category_id(self, names: CategoryPath) -> int | None:
        """Return the deepest category that there is on the way to the end of `names`."""
        path = tuple(map(_fold_name, names))
        there = (
            self.categories_by_path.get(path[:end]) for end in range(len(path), 0, -1)
        )
        return next((one.pk for one in there if one and one.pk), None)

    def has_placement(
        self, entry: Entry, path: CategoryPath, tags: Sequence[str], module: str
    ) -> bool:
        """Tell whether an entry stands there already and has these tags."""
        place = self.categories_by_path.get(tuple(map(_fold_name, path)))
        part = self.modules_by_name.get(_fold_name(module))
        held = {_fold_name(tag.name) for tag in entry.tags.all()}
        return (
            (not path or (place is not None and place.pk == entry.category_id))
            and (not module or (part is not None and part.pk == entry.module_id))
            and held.issuperset(map(_fold_name, tags))
        )

    def get_or_make_tag(self, name: str) -> Tag:
        return self.tags_by_name.setdefault(_fold_name(name), Tag(name=name))

    def get_or_make_module(self, name: str) -> Module:
        return self.modules_by_name.setdefault(_fold_name(name), Module(name=name))

    def list_new_names(self) -> tuple[list[Category], list[Tag], list[Module]]:
        """Return what is not in the database yet, parents before children."""
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
        """Say which categories, tags and modules will be made."""
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
        categories, tags, modules = self.list_new_names()
        if categories:
            edition.increment_edition(Category)  # which no signal does for rows in bulk
        for level in range(1, MAX_CATEGORY_LEVELS + 1):
            paths = {id(c): len(p) for p, c in self.categories_by_path.items()}
            rows = [c for c in categories if paths[id(c)] == level]
            for row in rows:
                row.parent = row.parent  # which has an id now
            if rows:
                text_gate.add_text_rows(rows, by=by)
        text_gate.add_text_rows(tags, by=by)
        text_gate.add_text_rows(modules, by=by)

    def _require_allowed_name(self, row: Category | Tag | Module) -> None:
        """Raise ValidationError where a name of the file must not be shown."""
        if found := text_gate.find_text_problems(row, by=None):
            told = "".join(reason for _, reason in found[:1])
            kind = row._meta.verbose_name
            raise ValidationError(
                f"文件会新建{kind}「{row.name}」：{told}请先在文件里改名。"
            )

    def _add_category(self, name: str, path: CategoryPath) -> None:
        self.last_positions[path[:-1]] += 10
        self.categories_by_path[path] = Category(
            name=name,
            parent=self.categories_by_path.get(path[:-1]),
            position=self.last_positions[path[:-1]],
        )


def _load_category_paths() -> dict[CategoryPath, Category]:
    """Return every category by its path of folded names, parents first."""
    children: dict[int | None, list[Category]] = defaultdict(list)
    for category in Category.objects.order_by("pk"):
        children[category.parent_id].append(category)
    paths: dict[CategoryPath, Category] = {}
    level: list[tuple[CategoryPath, int | None]] = [((), None)]
    while level:
        below: list[tuple[CategoryPath, int | None]] = []
        for path, pk in level:
            for child in children[pk]:
                end = (*path, _fold_name(child.name))
                below.append((end, child.pk))
                paths.setdefault(end, child)
        level = below
    return paths


def _fold_name(name: str) -> str:
    return normalize.normalize_text(name)


def _join_some_names(new: Sequence[Category | Tag | Module]) -> str:
    shown = "、".join(map(_format_full_name, new[:MAX_NAMES_IN_MESSAGE]))
    return shown if len(new) <= MAX_NAMES_IN_MESSAGE else f"{shown} 等"


def _format_full_name(one: Category | Tag | Module) -> str:
    parent = one.parent if isinstance(one, Category) else None
    return f"{_format_full_name(parent)}/{one.name}" if parent else one.name
