"""Which row of the database each row of a file means: a number alone is not enough.

Every file is numbered from 1. So a row is known by its source, its number and its
question together. Where number and question disagree, either the file was renumbered,
or the number has got another question: that is not written before it is confirmed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from django.db.models import Model, QuerySet

from kb.text import normalize
from kb.transfer.planning import BATCH, Key, Kind, Wish
from kb.transfer.report import Concern, RelatedEntry
from kb.transfer.similarity import SAME_QUESTION, question_similarity

Number = tuple[str, str]  # source and external id


@dataclass(frozen=True, slots=True)
class Held:
    """A row of the database, as far as it is needed to recognise it."""

    pk: int
    number: Number
    text: str
    key: str  # digest of the text
    status: str


class Matchable(Protocol):
    """What a kind supplies to have its rows matched."""

    def wordings_of_row(self, wish: Wish) -> list[str]:
        """Return the other wordings of its question that a row of the file has."""

    def wordings_of(self, pks: Collection[int]) -> Mapping[int, list[str]]:
        """Return the other wordings that rows of the database have, by their ids."""


class Matcher:
    """Recognises rows of a model that has a source, an external id and a question.

    `key` names the column with the digest of the question. With `by_text`, a
    question stands once in each source, so it is known under any number there.
    """

    def __init__(
        self, kind: Kind, texts: Matchable, *, key: str, by_text: bool
    ) -> None:
        self.kind, self.texts, self.by_text = kind, texts, by_text
        self._key = key
        self.holders: dict[Number, Held] = {}  # who has a number of the file now
        self.claimed: dict[int, int] = {}  # {id: the row of the file that means it}
        self._moved: set[int] = set()  # ids of those that get another number

    def resolve(self, wishes: Sequence[Wish]) -> list[Wish]:
        """Set the key of each row to what it means; return the rows that are new."""
        sound = [wish for wish in wishes if not wish.reasons]
        numbered = [wish for wish in sound if wish.key[0] == "id"]
        plain = [wish for wish in sound if wish.key[0] == "text"]
        self._load_holders(numbered)
        self._claim_marked(wish for wish in sound if wish.key[0] == "pk")
        rest = [wish for wish in numbered if not self._claims_same(wish)]
        by_text = self._load_by_text([*rest, *plain]) if self.by_text else {}
        new = [w for w in plain if self.by_text and self._is_new_text(w, by_text)]
        rest = [wish for wish in rest if not self._claims_text(wish, by_text)]
        new += [wish for wish in rest if self._is_new_number(wish)]
        suspects = [w for w in rest if w.key[0] == "id" and self._holder(w)]
        self._name_replaced([w for w in suspects if not w.reasons])
        return new

    # Claims: a row of the file means a row of the database -------------------------

    def _claim(self, wish: Wish, held: Held) -> None:
        other = self.claimed.setdefault(held.pk, wish.row.number)
        if other != wish.row.number:
            self.kind.refuse(wish, self.kind.text, f"与第 {other} 行是同一条")

    def _claim_marked(self, wishes: Iterable[Wish]) -> None:
        for wish in wishes:
            self.claimed[int(wish.key[1])] = wish.row.number

    def _claims_same(self, wish: Wish) -> bool:
        """Claim who has the number, if it asks the same as the row."""
        digest = self._digest(wish)
        if (held := self._holder(wish)) and held.key == digest:
            self._claim(wish, held)
            return True
        held = None if self._holder(wish) else self._sourceless(wish)
        if held is None or held.key != digest or held.pk in self.claimed:
            return False
        self._take_over(wish, held)
        return True

    def _claims_text(self, wish: Wish, by_text: Mapping[Number, list[Held]]) -> bool:
        """Claim the one of the source that asks the same under another number."""
        twins = by_text.get((wish.key[1], self._digest(wish)), [])
        free = [held for held in twins if held.pk not in self.claimed]
        if len(free) != 1:
            return False
        self._take_over(wish, free[0])
        return True

    def _take_over(self, wish: Wish, held: Held) -> None:
        """Let the row mean `held`, which gets the row's source and number."""
        self._claim(wish, held)
        number = _number(wish)
        if held.number[1] != number[1]:
            before = held.number[1] or "无"
            wish.notes.append(f"{RENUMBERED}（{before} → {number[1]}），按问题认出")
        else:
            wish.notes.append(f"以前导入时没有记来源，现在记为「{number[0]}」")
        wish.key, wish.number = ("pk", str(held.pk)), number
        self._moved.add(held.pk)

    def _is_new_text(self, wish: Wish, by_text: Mapping[Number, list[Held]]) -> bool:
        """Tell whether nobody asks what a row without a number asks.

        Rows without a number are looked for everywhere, those with one in the source.
        """
        digest = self._digest(wish)
        if unnumbered := by_text.get((ANYWHERE, digest), []):
            if len(unnumbered) == 1:
                self._claim(wish, unnumbered[0])
            return False
        sources = {source_of(self.kind, wish)}
        if self.kind.options.is_source_default:
            sources.add("")
        twins = [
            held for source in sources for held in by_text.get((source, digest), [])
        ]
        free = [held for held in twins if held.pk not in self.claimed]
        if len(free) > 1:
            ids = "、".join(f"#{held.pk}" for held in free)
            told = f"库里有几条相同的问题（{ids}），请用编号区分"
            self.kind.refuse(wish, self.kind.text, told)
        elif free:
            self._claim(wish, free[0])
            wish.key = ("pk", str(free[0].pk))
        return not free

    def _is_new_number(self, wish: Wish) -> bool:
        """Tell whether nobody has the number, or its owner is getting another one."""
        held = self._holder(wish)
        if held is None:
            return True
        if held.pk in self._moved:
            wish.key, wish.number = ("row", str(wish.row.number)), _number(wish)
            return True
        self._claim(wish, held)
        return False

    # Another question ------------------------------------------------------------------

    def _name_replaced(self, suspects: Sequence[Wish]) -> None:
        """Mark the rows whose number belongs to an entry with another question."""
        waiting = iter(suspects)
        while batch := list(islice(waiting, BATCH)):
            pairs = [(wish, self.holders[_number(wish)]) for wish in batch]
            wordings = self.texts.wordings_of([held.pk for _, held in pairs])
            for wish, held in pairs:
                ours = [wish.said[self.kind.text], *self.texts.wordings_of_row(wish)]
                theirs = [held.text, *wordings.get(held.pk, ())]
                if question_similarity(ours, theirs) < SAME_QUESTION:
                    wish.concern = Concern.REPLACED
                    wish.related = RelatedEntry(
                        held.pk, held.text, held.status, number=held.number[1]
                    )
                    wish.number = _number(wish)
                    wish.key = ("pk", str(held.pk))

    # The database ------------------------------------------------------------------------

    def _digest(self, wish: Wish) -> str:
        return normalize.key(wish.said[self.kind.text])

    def _holder(self, wish: Wish) -> Held | None:
        return self.holders.get(_number(wish))

    def _sourceless(self, wish: Wish) -> Held | None:
        """Return who had the number when a file without a source left it empty."""
        options = self.kind.options
        if not options.is_source_default or wish.key[1] != options.source:
            return None
        return self.holders.get(("", wish.key[2]))

    def _load_holders(self, wishes: Iterable[Wish]) -> None:
        wanted = {_number(wish) for wish in wishes}
        if self.kind.options.is_source_default:
            wanted |= {("", number) for _, number in wanted}
        sources = {source for source, _ in wanted}
        numbers = {number for _, number in wanted}
        rows = self._rows().filter(source__in=sources).exclude(external_id="")
        for held in self._held(rows, "external_id", numbers):
            if held.number in wanted:
                self.holders[held.number] = held

    def _load_by_text(self, wishes: Sequence[Wish]) -> dict[Number, list[Held]]:
        """Return {(source, digest): rows}; those without a number are ANYWHERE, too."""
        sources = {source_of(self.kind, wish) for wish in wishes} | {""}
        found: defaultdict[Number, list[Held]] = defaultdict(list)
        digests = {self._digest(wish) for wish in wishes}
        for held in self._held(self._rows(), self._key, digests):
            if not held.number[1]:
                found[ANYWHERE, held.key].append(held)
            if held.number[0] in sources:
                found[held.number[0], held.key].append(held)
        return found

    def _rows(self) -> QuerySet[Any]:
        model: type[Model] = self.kind.model
        return model._default_manager.order_by("pk")

    def _held(
        self, rows: QuerySet[Any], column: str, values: Collection[str]
    ) -> Iterator[Held]:
        names = ("pk", "source", "external_id", self.kind.text, self._key, "status")
        waiting = iter(sorted(values))
        while some := list(islice(waiting, BATCH)):
            for pk, source, number, *rest in rows.filter(
                **{f"{column}__in": some}
            ).values_list(*names):
                yield Held(pk, (source, number), *rest)


RENUMBERED = "同一个问题换了编号"
ANYWHERE = "\n"  # no source: those are on one line


def source_of(kind: Kind, wish: Wish) -> str:
    """Return the source of a row, as the file or the default says."""
    return normalize.line(wish.said.get("source", "")) or kind.options.source


def _number(wish: Wish) -> Number:
    if wish.number is not None:
        return wish.number
    key: Key = wish.key
    return key[1], key[2]
