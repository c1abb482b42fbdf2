"""What in a text should be said otherwise, and where it stands: rules in, findings out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from kb.text.normalize import aligned, normalize
from kb.text.personal import CERTAIN_KINDS, KINDS, find_personal_data

ERROR, WARN, OFF = "error", "warn", "off"
PUBLIC, REPLY = "public", "reply"  # where a rule holds; "" is everywhere
QUESTION, ANSWER, SPEECH, PHRASING = "question", "answer", "reply", "phrasing"
CUSTOMERS = {QUESTION, ANSWER}  # faces that customers read
MOST = 200  # findings of one text
NEXT = re.compile(r"[^。！？!?；;\n]+")
# An address is no prose: neither its digits nor its words are anybody's.
_ADDRESS = re.compile(
    r"\]\([^()\s]*|https?://[^\s<>()（）「」“”，。；]+|/media/\S+?\.webp"
)
_CODE = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)|`[^`\n]+`", re.DOTALL | re.MULTILINE)
_STEP = re.compile(r"\s*(?:[-*+>#|]+|\d+[.)])*\s*")


@dataclass(frozen=True, slots=True)
class Rule:
    """`kind` is the group that people know it by; `text` the words, or a check's name.

    None of `exceptions` is a finding: longer words that hold `text`, or, for a
    check, what may be said all the same. `limit` is in characters.
    """

    kind: str
    text: str
    severity: str = WARN
    exceptions: tuple[str, ...] = ()
    reason: str = ""
    suggestion: str = ""
    faces: str = ""
    limit: int = 0

    def holds_in(self, face: str) -> bool:
        if face == PHRASING:  # customers' own words are not ours to mend
            return False
        return not self.faces or (self.faces == PUBLIC) == (face in CUSTOMERS)


@dataclass(frozen=True, slots=True)
class Text:
    """One text of an entry: which face it is, its name to people, and its field."""

    face: str
    body: str
    name: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """`start` and `end` are characters of text.body; `line` counts from 1."""

    text: Text
    start: int
    end: int
    rule: Rule
    reason: str
    suggestion: str = ""

    @property
    def words(self) -> str:
        return self.text.body[self.start : self.end]

    @property
    def line(self) -> int:
        return self.text.body.count("\n", 0, self.start) + 1

    @property
    def is_error(self) -> bool:
        return self.rule.severity == ERROR

    @property
    def place(self) -> str:
        many = "\n" in self.text.body
        return f"{self.text.name}第 {self.line} 行" if many else self.text.name

    def __str__(self) -> str:
        words = self.words if len(self.words) <= 30 else f"{self.words[:29]}…"  # noqa: PLR2004
        advice = f"{self.suggestion.rstrip('。')}。" if self.suggestion else ""
        return f"{self.place}「{words}」：{self.reason.rstrip('。')}。{advice}"


class Rules:
    """Rules in force, compiled: words are looked for all at once."""

    def __init__(self, rules: Iterable[Rule], check: str) -> None:
        """`check` is the kind whose rules name a check instead of words."""
        rules = list(rules)
        live = [rule for rule in rules if rule.severity != OFF]
        self._live, self._check = live, check
        self.checks = {rule.text: rule for rule in live if rule.kind == check}
        # Also those that are off: a phrasing is refused without any rule.
        self._by_kind = {rule.text: rule for rule in rules if rule.kind == check}
        self._words: dict[str, list[Rule]] = {}
        for rule in live:
            if rule.kind != check and (spelling := normalize(rule.text).strip()):
                self._words.setdefault(spelling, []).append(rule)
        longest_first = sorted(self._words, key=len, reverse=True)
        begins = "".join({re.escape(word[0]) for word in longest_first})
        words = "|".join(map(_whole, longest_first))
        self._pattern = re.compile(
            f"(?=[{begins}])(?={words}|(?!))" if words else "(?!)"
        )
        self._either = re.compile(words or "(?!)")

    @cached_property
    def strict(self) -> Rules:
        """Return those that stop publishing."""
        strict = Rules([r for r in self._live if r.severity == ERROR], self._check)
        strict._by_kind = self._by_kind
        return strict

    def findings(self, text: Text) -> Iterator[Finding]:
        """Yield what the words, the numbers and the sentences of `text` break."""
        prose = without_addresses(text.body)
        yield from self._said(text, prose)
        if text.face == PHRASING:
            yield from self._personal_in_phrasings(text, prose)
        else:
            yield from self._personal(text, prose)
        yield from self._long(text)

    def _said(self, text: Text, prose: str) -> Iterator[Finding]:
        if text.face == PHRASING or not self._pattern.search(normalize(prose)):
            return
        spelling, at = aligned(prose)
        end = 0
        for place in self._pattern.finditer(spelling):
            start = place.start()
            word = self._either.match(spelling, start)
            if word is None or word.end() <= end:
                continue
            for rule in self._words[word[0]]:
                if rule.holds_in(text.face) and not _excepted(rule, spelling, start):
                    end = word.end()
                    yield _found(text, at[start], at[end], rule)

    def _personal(self, text: Text, prose: str) -> Iterator[Finding]:
        kinds = [kind for kind in KINDS if kind in self.checks]
        for name, start, end in find_personal_data(prose, kinds):
            rule = self.checks[name]
            if not _allowed(rule, prose[start:end]):
                yield _found(text, start, end, rule)

    def _personal_in_phrasings(self, text: Text, prose: str) -> Iterator[Finding]:
        """Yield personal data in customers' own words, which no rule need forbid."""
        start = 0
        for line in prose.split("\n"):
            for kind, begin, end in find_personal_data(line, CERTAIN_KINDS):
                if is_allowed(self._by_kind.get(kind), line[begin:end]):
                    continue
                yield _found(text, start + begin, start + end, phrasing_rule(kind))
            start += len(line) + 1

    def _long(self, text: Text) -> Iterator[Finding]:
        rule = self.checks.get(LONG)
        if rule is None or text.face not in {ANSWER, SPEECH} or not rule.limit:
            return
        prose = _CODE.sub(_blanked, without_addresses(text.body))
        for sentence in NEXT.finditer(prose):
            start = _STEP.match(prose, sentence.start(), sentence.end()).end()  # type: ignore[union-attr]
            length = len("".join(prose[start : sentence.end()].split()))
            if length > rule.limit and not prose.startswith("|", sentence.start()):
                told = f"这一句有 {length} 个字，手机上要占好几行"
                yield Finding(text, start, sentence.end(), rule, told, rule.suggestion)


LONG = "句子太长"
_OURS = {"手机号", "固定电话", "邮箱", "QQ 号", "微信号"}  # a company has its own


def phrasing_rule(kind: str) -> Rule:
    """Return the rule that keeps personal data of `kind` out of phrasings."""
    more = "；公司自己的请加到用词规则的例外里" if kind in _OURS else ""
    return Rule(
        kind,
        kind,
        ERROR,
        reason=f"{kind}是个人信息，会出现在搜索联想里",
        suggestion=f"删掉，或改成大家都会这样问的话{more}",
    )


def is_allowed(rule: Rule | None, said: str) -> bool:
    """Tell whether a rule for personal data is off, or has `said` as an exception."""
    if rule is None:
        return False
    return rule.severity == OFF or _allowed(rule, said)


def _found(text: Text, start: int, end: int, rule: Rule) -> Finding:
    return Finding(text, start, end, rule, rule.reason or rule.kind, rule.suggestion)


def _excepted(rule: Rule, spelling: str, start: int) -> bool:
    """Tell whether the word at `start` is a part of one of the rule's exceptions."""
    word = normalize(rule.text).strip()
    for exception in map(normalize, rule.exceptions):
        offset = exception.find(word)
        while offset >= 0:
            if offset <= start and spelling.startswith(exception, start - offset):
                return True
            offset = exception.find(word, offset + 1)
    return False


def _allowed(rule: Rule, said: str) -> bool:
    """Tell whether a number, an address or a domain is one that may be said."""
    bare = _bare(said)
    return any(
        bare == _bare(one) or (one.startswith("@") and bare.endswith(_bare(one)))
        for one in rule.exceptions
    )


def _bare(said: str) -> str:
    return re.sub(r"[\s()\-]", "", normalize(said)).removeprefix("+86")


def braces(body: str) -> Iterator[tuple[int, int]]:
    """Yield where {{ }} stands in `body`, code left out."""
    prose = _CODE.sub(_blanked, body)
    for match in re.finditer(r"\{\{[^{}\n]{0,40}\}{0,2}", prose):
        yield match.span()


def without_addresses(body: str) -> str:
    """Return `body` with spaces for the characters of addresses."""
    return _ADDRESS.sub(_blanked, body)


def _blanked(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _whole(word: str) -> str:
    """Return a pattern of `word` that does not cut a Latin word or a number in two."""
    before = r"(?<![a-z0-9])" if re.match("[a-z0-9]", word) else ""
    after = r"(?![a-z0-9])" if re.match("[a-z0-9]", word[-1]) else ""
    return before + re.escape(word) + after


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Return errors first, then as they stand; of many, the first MOST."""
    return sorted(findings, key=lambda one: not one.is_error)[:MOST]


def told(findings: Sequence[Finding], most: int = 5) -> list[str]:
    """Return `findings` as sentences, and how many more there are."""
    more = [f"另有 {len(findings) - most} 处。"] if len(findings) > most else []
    return [*map(str, findings[:most]), *more]
