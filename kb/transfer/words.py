"""Rows of the vocabulary and golden queries: few, each saved for itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Model

from kb.entries import scopes
from kb.models import Golden, Side, StopWord, SynonymSet, User, Word
from kb.text import normalize
from kb.transfer import cells, joining
from kb.transfer.columns import Columns, Layout
from kb.transfer.hanging import ENTRY, Named
from kb.transfer.planning import Key, Kind, Options, Progress, Seen, Wish
from kb.transfer.report import sentence
from kb.transfer.table import Row

YES = {"是": "yes", "否": "no", "true": "yes", "false": "no", "1": "yes", "0": "no"}
TAGS = {
    normalize.normalize(name): tag.value
    for tag in Word.Tag
    for name in (str(tag.label), tag.value)
}
NO_TAG = "无"
SIDES = {
    normalize.normalize(name): side.value
    for side in Side
    for name in (str(side.label), side.value)
} | {"客服": Side.STAFF.value, "客户": Side.PUBLIC.value}


class Kept(Kind):
    """A small table: read whole, and saved row by row so that everybody hears of it."""

    apart: ClassVar[tuple[str, ...]] = ()  # columns that need a query to be checked

    def key(self, row: Row, said: Mapping[str, str]) -> Key:
        if marked := self.marked(said):
            return marked
        if self.text not in said:
            return ("row", str(row.number))
        return self.own_key(said)

    def own_key(self, said: Mapping[str, str]) -> Key:
        """Return what a row of a file is known by."""
        return ("kept", normalize.normalize(said[self.text]))

    def key_of(self, row: Any) -> Key:
        """Return what a row of the database is known by: own_key."""
        return ("kept", normalize.normalize(getattr(row, self.text)))

    def find(self, keys: Collection[Key]) -> Seen:
        seen: Seen = {}
        for row in self.model._default_manager.order_by("pk"):
            found = (row.pk, tuple(getattr(row, name) for name in self.stamped))
            seen.setdefault(self.key_of(row), [found])
            seen["pk", str(row.pk)] = [found]
        return {key: seen[key] for key in keys if key in seen}

    def load(self, pks: Collection[int]) -> Mapping[int, Model]:
        return self.model._default_manager.in_bulk(pks)

    def values(self, wish: Wish) -> dict[str, Any]:
        """Return the columns for which the row says something."""
        raise NotImplementedError

    def meet(self, wish: Wish, found: Sequence[Any]) -> Sequence[str]:
        row = found[0] if found else self.model()
        changed = self.take(row, self.values(wish))
        if wish.reasons or not (changed or not found):
            return []
        if beyond := scopes.refusal(row, by=self.options.by):
            self.refuse(wish, self.text, beyond.rstrip("。"))
            return []
        try:
            row.full_clean(exclude=self.apart)
        except ValidationError as error:
            for name, errors in error.error_dict.items():
                told = "；".join(sentence(name, one) for one in errors)
                self.refuse(wish, name, told)
            return []
        (self.changed if found else self.new).append(row)
        return changed

    def prepare(self, progress: Progress) -> None:
        """Nothing here takes time."""

    def store(self, by: User | None) -> None:
        """Save each, having looked at it beside those that were saved before it."""
        for row in (*self.new, *self.changed):
            row.full_clean(exclude=self.apart)
            row.save()


class Synonyms(Kept):
    columns = Columns(
        {
            "mark": ["库内号", "mark"],
            "members": ["同义词", "词", "members", "words"],
            "two_way": ["互相都能找到", "双向", "two_way"],
            "topic": ["主题", "topic"],
        },
        required=[["members"]],
    )
    name, model, text = "synonyms", SynonymSet, "members"
    stamped = ("members", "two_way", "topic")

    def own_key(self, said: Mapping[str, str]) -> Key:
        return ("kept", *sorted(map(normalize.normalize, _members(said["members"]))))

    def key_of(self, row: SynonymSet) -> Key:
        return ("kept", *sorted(map(normalize.normalize, row.words())))

    def values(self, wish: Wish) -> dict[str, Any]:
        values: dict[str, Any] = {"members": "\n".join(_members(wish.said["members"]))}
        if both := self.choice(wish, "two_way", YES):
            values["two_way"] = both == "yes"
        if topic := normalize.line(wish.said.get("topic", "")):
            values["topic"] = topic
        return values


class Words(Kept):
    columns = Columns(
        {
            "mark": ["库内号", "mark"],
            "text": ["词", "词语", "text", "word"],
            "tag": ["词性", "tag"],
        },
        required=[["text"]],
    )
    name, model, text = "words", Word, "text"
    stamped = ("text", "tag")

    def values(self, wish: Wish) -> dict[str, Any]:
        text = normalize.normalize(normalize.line(wish.said["text"])).strip()
        if wish.said.get("tag") == NO_TAG:
            return {"text": text, "tag": ""}
        tag = self.choice(wish, "tag", TAGS)
        return {"text": text} | ({"tag": tag} if tag else {})


class StopWords(Kept):
    columns = Columns(
        {"mark": ["库内号", "mark"], "text": ["停用词", "词", "text", "word"]},
        required=[["text"]],
    )
    name, model, text = "stopwords", StopWord, "text"
    stamped = ("text",)

    def values(self, wish: Wish) -> dict[str, Any]:
        return {"text": normalize.normalize(normalize.line(wish.said["text"])).strip()}


class Goldens(Kept):
    columns = Columns(
        {
            "mark": ["库内号", "mark"],
            "words": ["搜索的话", "搜索词", "words", "query"],
            "side": ["谁来搜", "side"],
            "within": ["最低名次", "within"],
            **ENTRY,
        },
        required=[["words"]],
    )
    name, model, text = "golden", Golden, "words"
    stamped = ("words", "side", "entry_id", "within")
    apart = ("entry", "created_by")

    def __init__(self, options: Options, layout: Layout) -> None:
        super().__init__(options, layout)
        self.named = Named()

    def own_key(self, said: Mapping[str, str]) -> Key:
        side = SIDES.get(normalize.normalize(said.get("side", "")), Side.PUBLIC.value)
        return ("kept", normalize.line(said["words"]), side, str(self._entry(said)))

    def key_of(self, row: Golden) -> Key:
        return ("kept", row.words, row.side, str(row.entry_id))

    def _entry(self, said: Mapping[str, str]) -> int | None:
        try:
            return self.named.find(said, self.options.source)
        except ValueError:
            return None

    def values(self, wish: Wish) -> dict[str, Any]:
        values: dict[str, Any] = {"words": normalize.line(wish.said["words"])}
        if side := self.choice(wish, "side", SIDES):
            values["side"] = side
        if said := wish.said.get("within"):
            if not (said.isascii() and said.isdecimal() and len(said) <= 2):  # noqa: PLR2004
                self.refuse(wish, "within", "要写成 1 到 20 的数字")
            else:
                values["within"] = int(said)
        if any(name in wish.said for name in ENTRY):
            try:
                values["entry_id"] = self.named.find(wish.said, self.options.source)
            except ValueError as error:
                self.refuse(wish, "entry", str(error))
        return values

    def store(self, by: User | None) -> None:
        """What is expected now was not tried yet."""
        for row in self.new:
            row.created_by = by
        for row in self.changed:
            row.rank, row.above = None, []
        super().store(by)


def _members(text: str) -> list[str]:
    return joining.parts("\n;；|｜,，、=＝", cells.unify(text))
