"""From words to a query: what is asked of the engine, and what it is worth."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from typing import NamedTuple

from kb.engines import Clause, Engine, Group, Hits, Query
from kb.engines.base import idf
from kb.search.scope import Scope
from kb.text import forms, normalize, segment
from kb.text.lexicon import Lexicon
from kb.text.pinyin import heard, spell
from kb.text.telling import (
    HALF,
    SAME,
    Wanted,
    covered,
    frame,
    meant,
    members,
    said,
    wanted,
)

LONGEST = 200  # characters of a query; the rest is cut off
PAIR = 0.5  # weight of a pair of characters beside a word
PART = 0.3  # weight of wi and fi beside wifi
HEARD = 0.7  # weight of what only sounds like what was typed, beside a word
MOSTLY = 0.5  # share that must sound or mean so where nothing is written as typed
TYPED = 0.7  # weight of pinyin, initials, a single character
FEWEST = 100  # entries: in fewer, how rare a word is cannot be told
_LATIN = re.compile("[a-z]+")


@dataclass(frozen=True, slots=True)
class Need:
    """One clause of what was typed, worth its weight times its rarity.

    Rarity is 1 for what nobody writes, and 0 for what stands everywhere, however
    large the library is. `instead` may stand for what is written nowhere.
    """

    clause: Clause
    worth: float
    instead: tuple[Clause, ...] = ()


class Meaning(NamedTuple):
    """A synonym in the text, and what else says it: a word, or several together."""

    member: str
    words: frozenset[str]
    several: tuple[frozenset[str], ...]

    @property
    def terms(self) -> frozenset[str]:
        return self.words.union(*self.several)

    def said(self, terms: Set[str]) -> bool:
        """Tell whether `terms` hold what means the same."""
        if not self.words.isdisjoint(terms):
            return True
        return any(words <= terms for words in self.several)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of the engine, for what, and what it found.

    `worth` is the sum of what the needs are worth, `core` are the terms needed that
    do more than lead up to what is asked; none where they do not tell all of that.
    """

    words: str
    query: Query
    needs: tuple[Need, ...]
    meanings: tuple[Meaning, ...]
    worth: float
    core: frozenset[str]
    hits: Hits

    @property
    def tells(self) -> bool:
        """Whether anything of what was typed does more than ask."""
        return any(_weight(need.clause) > HALF for need in self.needs)


def tidy(words: str) -> str:
    """Return what was typed on one line, at most LONGEST characters of it."""
    return normalize.closed(normalize.line(words[: LONGEST * 4]))[:LONGEST]


def clauses(terms: Wanted) -> tuple[Clause, ...]:
    words = (Clause(word, weight) for word, weight in terms.words.items())
    pairs = (Clause(p, PAIR * weight, pair=True) for p, weight in terms.pairs.items())
    return (*words, *pairs)


def ask(
    engine: Engine, words: str, scope: Scope, lexicon: Lexicon, limit: int
) -> Asked | None:
    """Search for `words`, for what means the same, and by other forms.

    None when the words say nothing. Raises EngineUnavailable.
    """
    asking = _Asking(engine, words, scope, lexicon)
    if not asking.typed:
        return None
    query = asking.query(limit)
    needs = asking.needs(engine.count(scope.labels))
    return Asked(
        words,
        query,
        needs,
        asking.meanings(),
        sum(need.worth for need in needs),
        asking.core(needs),
        engine.search(query),
    )


class _Asking:
    """What was typed, how many entries hold it, and what is asked in its place.

    Other forms are for terms that are nowhere found: pinyin for a word in Latin
    letters, or the word that it is a slip of (iphnoe for iphone), the sound for a
    pair of characters that nobody writes so (退宽 for 退款), a single character for
    itself.
    """

    def __init__(
        self, engine: Engine, words: str, scope: Scope, lexicon: Lexicon
    ) -> None:
        self.words, self.scope, self.lexicon = words, scope, lexicon
        self.frame = frame(words, lexicon)
        self.typed = clauses(_with(self.frame.lone, wanted(words, lexicon)))
        self.typed_pairs = {c.term: c for c in self.typed if c.pair}
        self.same = clauses(meant(words, lexicon))
        self.held = self._held(engine, (*self.typed, *self.same))
        self.parts = self._parts()
        self.heard = {c: _heard(c) for c in self.typed if self._lost(c)}
        self.forms = self._forms()
        self.slips = {c: s for c in self.typed if (s := self._slip(engine, c))}

    def query(self, limit: int) -> Query:
        """Return what to ask for.

        Where nothing at all is written as typed, nor most of it in words that mean
        it, most must sound so: some pair always does.
        """
        other = (*self.heard.values(), *self.forms, *self.slips.values())
        if self._only_sounds():
            return Query(other, *self._scope, limit, minimum=MOSTLY)
        # All of them: what was just counted is then found a second time for nothing.
        typed = [
            c._replace(weight=PART * c.weight) if c.term in self.parts else c
            for c in self.held
        ]
        return Query((*typed, *other), *self._scope, limit)

    def _parts(self) -> Set[str]:
        """Return the parts of words with a hyphen that are known as one."""
        if not (words := segment.parts(self.words)):
            return frozenset()
        known = {clause.term for clause in self.typed if self.held[clause]}
        known.update(member for member, _ in members(self.words, self.lexicon))
        return {part for word in words.keys() & known for part in words[word]}

    def needs(self, total: int) -> tuple[Need, ...]:
        """Return the clauses typed; `total` is how many entries could hold them.

        Not a word of one character, which its pair tells better.
        """
        total = max(total, FEWEST)
        self.rarest = idf(total, 0)
        in_pairs = set("".join(clause.term for clause in self.typed if clause.pair))
        inside = in_pairs | self.parts
        told = (c for c in self.typed if c.pair or c.term not in inside)
        return tuple(self._need(clause, total) for clause in told)

    def core(self, needs: Iterable[Need]) -> frozenset[str]:
        """Return the terms needed that tell what is asked about, if they tell all."""
        terms = frozenset(need.clause.term for need in needs)
        return terms - self.frame.terms if self.frame.whole else frozenset()

    def meanings(self) -> tuple[Meaning, ...]:
        """Return the synonyms that were typed, with what else was asked for."""
        asked = {clause.term for clause in (*self.same, *self.typed)}
        typed = members(self.words, self.lexicon)
        return tuple(self._meaning(member, others, asked) for member, others in typed)

    def _meaning(self, member: str, others: Iterable[str], asked: Set[str]) -> Meaning:
        told = [frozenset(said(other, self.lexicon)) for other in others]
        told = [words for words in told if words and words <= asked]
        words = frozenset().union(*(words for words in told if len(words) == 1))
        return Meaning(member, words, tuple(w for w in told if len(w) > 1))

    def _need(self, clause: Clause, total: int) -> Need:
        count = self.held[clause]
        worth = clause.weight * idf(total, count) / self.rarest
        if clause in self.heard:  # stands for the two words of one letter that it is
            worth /= PAIR
        instead = () if count else self._instead(clause)
        if instead and instead == self.forms:  # pinyin says as much as its syllables
            worth *= max(1.0, TYPED * len(instead) / self._latin)
        return Need(clause, worth, instead)

    def _instead(self, clause: Clause) -> tuple[Clause, ...]:
        """Return what stands for a clause that nobody writes."""
        if (other := self.heard.get(clause) or self.slips.get(clause)) is not None:
            return (other,)
        if _LATIN.fullmatch(clause.term):
            return self.forms
        if len(clause.term) == 1:
            return tuple(f for f in self.forms if f.term == f"·{clause.term}")
        pairs = self.typed_pairs
        inside = (pairs[p] for p in segment.pairs(clause.term) if p in pairs)
        return tuple(self.heard.get(pair, pair) for pair in inside)

    def _lost(self, clause: Clause) -> bool:
        return clause.pair and not self.held[clause] and len(clause.term) > 1

    def _slip(self, engine: Engine, clause: Clause) -> Clause | None:
        """Return the word in Latin letters that was meant, if this reader may know it."""
        if self.held[clause] or clause.pair or not _LATIN.fullmatch(clause.term):
            return None
        if spell(clause.term):
            return None
        weight = HEARD * clause.weight
        alike = [Clause(word, weight) for word in engine.alike(clause.term)]
        held = self._held(engine, alike)
        return next((other for other in alike if held[other]), None)

    def _forms(self) -> tuple[Clause, ...]:
        lone = [Clause(f"·{character}", TYPED) for character in self.frame.lone]
        known = {clause.term for clause in self.typed if self.held[clause]}
        latin = _LATIN.findall(normalize.normalize(self.words))
        self._latin = max(len(latin), 1)
        if known and known.issuperset(latin):
            return tuple(lone)
        typed = [Clause(form, TYPED) for form in forms.typed(self.words)]
        return tuple(dict.fromkeys([*lone, *typed]))

    def _only_sounds(self) -> bool:
        if any(self.held[clause] for clause in self.typed):
            return False
        meaning = any(self.held[c] for c in self.same if _tells(c))
        return not (meaning and covered(self.words, self.lexicon) >= MOSTLY)

    @property
    def _scope(self) -> tuple[tuple[Group, ...], tuple[frozenset[str], ...]]:
        return self.scope.groups, self.scope.labels

    def _held(self, engine: Engine, asked: Sequence[Clause]) -> dict[Clause, int]:
        """Return how many documents in scope hold each clause."""
        if not asked:
            return {}
        query = Query(tuple(asked), *self._scope)
        return dict(zip(asked, engine.holding(query), strict=True))


def _with(lone: Iterable[str], terms: Wanted) -> Wanted:
    """Return `terms` with characters that stand alone, as pairs() returns them."""
    return replace(terms, pairs=dict.fromkeys(lone, 1.0) | terms.pairs)


def _heard(pair: Clause) -> Clause:
    return Clause(heard(pair.term), HEARD * _weight(pair))


def _tells(same: Clause) -> bool:
    """Tell whether a clause of the same meaning does more than ask."""
    return _weight(same) > SAME * HALF


def _weight(clause: Clause) -> float:
    """Return what a clause weighs, as if it were a word."""
    return clause.weight / PAIR if clause.pair else clause.weight
