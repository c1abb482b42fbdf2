"""Categories, tags and modules by name: those we have, those a file brings along."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.core.exceptions import ValidationError

from kb import content, text_gate
from kb.models import Category, Entry, Module, Tag, User
from kb.models.category import DEEPEST
from kb.text import normalize

Path = tuple[str, ...]
LONGEST = {"category": 50, "tags": 30, "module": 50}  # characters, as in the models
SHOWN = 10  # of them in a message
MOST_NEW = 2000  # categories, tags and modules of one file: more is a wrong column


class Places:
    """Names turned into rows; new ones are kept here until `store`.

    Names that differ in case, width or script only are the same name. Nothing
    is written before `store`, which needs a transaction.
    """

    def __init__(self) -> None:
        self.categories = _paths()
        self.tags = {_fold(tag.name): tag for tag in Tag.objects.all()}
        self.modules = {_fold(module.name): module for module in Module.objects.all()}
        self.positions: dict[Path, int] = defaultdict(int)
        for path, category in self.categories.items():
            above = self.positions[path[:-1]]
            self.positions[path[:-1]] = max(above, category.position)

    def category(self, names: Path) -> Category:
        """Return the category at the end of `names`, with all above it."""
        path = tuple(map(_fold, names))
        for end in range(1, len(path) + 1):
            if path[:end] not in self.categories:
                self._add(names[end - 1], path[:end])
        return self.categories[path]

    def nearest(self, names: Path) -> int | None:
        """Return the deepest category that there is on the way to the end of `names`."""
        path = tuple(map(_fold, names))
        there = (self.categories.get(path[:end]) for end in range(len(path), 0, -1))
        return next((one.pk for one in there if one and one.pk), None)

    def has(self, entry: Entry, path: Path, tags: Sequence[str], module: str) -> bool:
        """Tell whether an entry stands there already and has these tags."""
        place = self.categories.get(tuple(map(_fold, path)))
        part = self.modules.get(_fold(module))
        held = {_fold(tag.name) for tag in entry.tags.all()}
        return (
            (not path or (place is not None and place.pk == entry.category_id))
            and (not module or (part is not None and part.pk == entry.module_id))
            and held.issuperset(map(_fold, tags))
        )

    def tag(self, name: str) -> Tag:
        return self.tags.setdefault(_fold(name), Tag(name=name))

    def module(self, name: str) -> Module:
        return self.modules.setdefault(_fold(name), Module(name=name))

    def new(self) -> tuple[list[Category], list[Tag], list[Module]]:
        """Return what is not in the database yet, parents before children."""
        return (
            [category for category in self.categories.values() if not category.pk],
            [tag for tag in self.tags.values() if not tag.pk],
            [module for module in self.modules.values() if not module.pk],
        )

    def notes(self) -> list[str]:
        """Say which categories, tags and modules will be made."""
        categories, tags, modules = self.new()
        if len(categories) + len(tags) + len(modules) > MOST_NEW:
            raise ValidationError(
                f"文件会新建超过 {MOST_NEW:,} 个分类、标签或模块，请检查列是否对应正确。"
            )
        names: list[Category | Tag | Module] = [*categories, *tags, *modules]
        for row in names:
            self._require_name(row)
        return [
            f"会新建 {len(new)} 个{what}：{_some(new)}"
            for what, new in (
                ("分类", categories),
                ("标签", tags),
                ("产品模块", modules),
            )
            if new
        ]

    def store(self, by: User | None = None) -> None:
        categories, tags, modules = self.new()
        if categories:
            content.raise_edition(Category)  # which no signal does for rows in bulk
        for level in range(1, DEEPEST + 1):
            paths = {id(c): len(p) for p, c in self.categories.items()}
            rows = [c for c in categories if paths[id(c)] == level]
            for row in rows:
                row.parent = row.parent  # which has an id now
            if rows:
                text_gate.add_all(rows, by=by)
        text_gate.add_all(tags, by=by)
        text_gate.add_all(modules, by=by)

    def _require_name(self, row: Category | Tag | Module) -> None:
        """Raise ValidationError where a name of the file must not be shown."""
        if found := text_gate.problems(row, by=None):
            told = "".join(reason for _, reason in found[:1])
            kind = row._meta.verbose_name
            raise ValidationError(
                f"文件会新建{kind}「{row.name}」：{told}请先在文件里改名。"
            )

    def _add(self, name: str, path: Path) -> None:
        self.positions[path[:-1]] += 10
        self.categories[path] = Category(
            name=name,
            parent=self.categories.get(path[:-1]),
            position=self.positions[path[:-1]],
        )


def _paths() -> dict[Path, Category]:
    """Return every category by its path of folded names, parents first."""
    children: dict[int | None, list[Category]] = defaultdict(list)
    for category in Category.objects.order_by("pk"):
        children[category.parent_id].append(category)
    paths: dict[Path, Category] = {}
    level: list[tuple[Path, int | None]] = [((), None)]
    while level:
        below: list[tuple[Path, int | None]] = []
        for path, pk in level:
            for child in children[pk]:
                end = (*path, _fold(child.name))
                below.append((end, child.pk))
                paths.setdefault(end, child)
        level = below
    return paths


def _fold(name: str) -> str:
    return normalize.normalize(name)


def _some(new: Sequence[Category | Tag | Module]) -> str:
    shown = "、".join(map(_full_name, new[:SHOWN]))
    return shown if len(new) <= SHOWN else f"{shown} 等"


def _full_name(one: Category | Tag | Module) -> str:
    parent = one.parent if isinstance(one, Category) else None
    return f"{_full_name(parent)}/{one.name}" if parent else one.name
