"""Check a text against style rules: findings say what to write otherwise, and where."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from kb.text.chinese.normalize import normalize_text, normalize_with_offsets
from kb.text.privacy.personal_data import (
    CERTAIN_PERSONAL_DATA_KINDS,
    PERSONAL_DATA_KINDS,
    find_personal_data,
)

SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_OFF = "error", "warn", "off"
SCOPE_PUBLIC, SCOPE_REPLY = "public", "reply"  # where a rule holds; "" is everywhere
TEXT_QUESTION, TEXT_ANSWER, TEXT_REPLY, TEXT_PHRASING = (
    "question",
    "answer",
    "reply",
    "phrasing",
)
CUSTOMER_TEXT_KINDS = {TEXT_QUESTION, TEXT_ANSWER}  # texts that customers read
MAX_FINDINGS = 200  # findings of one text
SENTENCE_PATTERN = re.compile(r"[^。！？!?；;\n]+")
# Addresses are no prose: rules do not apply to their digits and words.
_ADDRESS_PATTERN = re.compile(
    r"\]\([^()\s]*|https?://[^\s<>()（）「」“”，。；]+|/media/\S+?\.webp"
)
_CODE_PATTERN = re.compile(
    r"^(?:```|~~~).*?^(?:```|~~~)|`[^`\n]+`", re.DOTALL | re.MULTILINE
)
_LIST_MARKER_PATTERN = re.compile(r"\s*(?:[-*+>#|]+|\d+[.)])*\s*")


@dataclass(frozen=True, slots=True)
class MatchRule:
    """A rule: `kind` is its group on the page, `text` the words or a check's name.

    `exceptions` are no findings: longer words that hold `text`, or data that a check
    allows. `max_sentence_chars` is 0 without a limit.
    """

    kind: str
    text: str
    severity: str = SEVERITY_WARNING
    exceptions: tuple[str, ...] = ()
    reason: str = ""
    suggestion: str = ""
    scope: str = ""
    max_sentence_chars: int = 0

    def applies_to(self, text_kind: str) -> bool:
        """Return whether the rule is for texts of this kind."""
        if text_kind == TEXT_PHRASING:  # customers' own words are not corrected
            return False
        return not self.scope or (self.scope == SCOPE_PUBLIC) == (
            text_kind in CUSTOMER_TEXT_KINDS
        )


@dataclass(frozen=True, slots=True)
class CheckedText:
    """One text of an entry: its kind, its name on the page, and its form field."""

    kind: str
    body: str
    name: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class StyleFinding:
    """A violation in text.body[start:end]; `line_number` counts from 1."""

    text: CheckedText
    start: int
    end: int
    rule: MatchRule
    reason: str
    suggestion: str = ""

    @property
    def excerpt(self) -> str:
        return self.text.body[self.start : self.end]

    @property
    def line_number(self) -> int:
        return self.text.body.count("\n", 0, self.start) + 1

    @property
    def is_error(self) -> bool:
        return self.rule.severity == SEVERITY_ERROR

    @property
    def location(self) -> str:
        many = "\n" in self.text.body
        return f"{self.text.name}第 {self.line_number} 行" if many else self.text.name

    def __str__(self) -> str:
        words = self.excerpt if len(self.excerpt) <= 30 else f"{self.excerpt[:29]}…"  # noqa: PLR2004
        advice = f"{self.suggestion.rstrip('。')}。" if self.suggestion else ""
        return f"{self.location}「{words}」：{self.reason.rstrip('。')}。{advice}"


class StyleRuleSet:
    """Rules in force, compiled into one pattern for all words."""

    def __init__(self, rules: Iterable[MatchRule], check: str) -> None:
        """`check` is the kind whose rules name a check instead of words."""
        rules = list(rules)
        live = [rule for rule in rules if rule.severity != SEVERITY_OFF]
        self._active_rules, self._check_kind = live, check
        self.rules_by_check = {rule.text: rule for rule in live if rule.kind == check}
        # Also those that are off: a phrasing is refused without any rule.
        self._all_rules_by_check = {
            rule.text: rule for rule in rules if rule.kind == check
        }
        self._rules_by_word: dict[str, list[MatchRule]] = {}
        for rule in live:
            if rule.kind != check and (spelling := normalize_text(rule.text).strip()):
                self._rules_by_word.setdefault(spelling, []).append(rule)
        longest_first = sorted(self._rules_by_word, key=len, reverse=True)
        begins = "".join({re.escape(word[0]) for word in longest_first})
        words = "|".join(map(_compile_whole_word, longest_first))
        self._pattern = re.compile(
            f"(?=[{begins}])(?={words}|(?!))" if words else "(?!)"
        )
        self._word_pattern = re.compile(words or "(?!)")

    @cached_property
    def error_rules(self) -> StyleRuleSet:
        """The rules that block publishing."""
        strict = StyleRuleSet(
            [r for r in self._active_rules if r.severity == SEVERITY_ERROR],
            self._check_kind,
        )
        strict._all_rules_by_check = self._all_rules_by_check
        return strict

    def find_violations(self, text: CheckedText) -> Iterator[StyleFinding]:
        """Yield forbidden words, personal data and long sentences of `text`."""
        prose = blank_out_addresses(text.body)
        yield from self._find_forbidden_words(text, prose)
        if text.kind == TEXT_PHRASING:
            yield from self._find_personal_data_in_phrasing(text, prose)
        else:
            yield from self._find_personal_data(text, prose)
        yield from self._find_long_sentences(text)

    def _find_forbidden_words(
        self, text: CheckedText, prose: str
    ) -> Iterator[StyleFinding]:
        if text.kind == TEXT_PHRASING or not self._pattern.search(
            normalize_text(prose)
        ):
            return
        spelling, at = normalize_with_offsets(prose)
        end = 0
        for place in self._pattern.finditer(spelling):
            start = place.start()
            word = self._word_pattern.match(spelling, start)
            if word is None or word.end() <= end:
                continue
            for rule in self._rules_by_word[word[0]]:
                if rule.applies_to(text.kind) and not _is_exception(
                    rule, spelling, start
                ):
                    end = word.end()
                    yield _make_finding(text, at[start], at[end], rule)

    def _find_personal_data(
        self, text: CheckedText, prose: str
    ) -> Iterator[StyleFinding]:
        kinds = [kind for kind in PERSONAL_DATA_KINDS if kind in self.rules_by_check]
        for name, start, end in find_personal_data(prose, kinds):
            rule = self.rules_by_check[name]
            if not _is_listed_exception(rule, prose[start:end]):
                yield _make_finding(text, start, end, rule)

    def _find_personal_data_in_phrasing(
        self, text: CheckedText, prose: str
    ) -> Iterator[StyleFinding]:
        """Yield personal data in customers' own words, which no rule need forbid."""
        start = 0
        for line in prose.split("\n"):
            for kind, begin, end in find_personal_data(
                line, CERTAIN_PERSONAL_DATA_KINDS
            ):
                if is_allowed_personal_data(
                    self._all_rules_by_check.get(kind), line[begin:end]
                ):
                    continue
                yield _make_finding(
                    text, start + begin, start + end, build_phrasing_rule(kind)
                )
            start += len(line) + 1

    def _find_long_sentences(self, text: CheckedText) -> Iterator[StyleFinding]:
        rule = self.rules_by_check.get(LONG_SENTENCE_CHECK)
        if (
            rule is None
            or text.kind not in {TEXT_ANSWER, TEXT_REPLY}
            or not rule.max_sentence_chars
        ):
            return
        prose = _CODE_PATTERN.sub(_replace_with_spaces, blank_out_addresses(text.body))
        for sentence in SENTENCE_PATTERN.finditer(prose):
            start = _LIST_MARKER_PATTERN.match(
                prose, sentence.start(), sentence.end()
            ).end()  # type: ignore[union-attr]
            length = len("".join(prose[start : sentence.end()].split()))
            if length > rule.max_sentence_chars and not prose.startswith(
                "|", sentence.start()
            ):
                reason = f"这一句有 {length} 个字，手机上要占好几行"
                yield StyleFinding(
                    text, start, sentence.end(), rule, reason, rule.suggestion
                )


LONG_SENTENCE_CHECK = "句子太长"
# Kinds of data that a company has of its own.
_COMPANY_DATA_KINDS = {"手机号", "固定电话", "邮箱", "QQ 号", "微信号"}


def build_phrasing_rule(kind: str) -> MatchRule:
    """Return the rule that keeps personal data of `kind` out of phrasings."""
    more = "；公司自己的请加到用词规则的例外里" if kind in _COMPANY_DATA_KINDS else ""
    return MatchRule(
        kind,
        kind,
        SEVERITY_ERROR,
        reason=f"{kind}是个人信息，会出现在搜索联想里",
        suggestion=f"删掉，或改成大家都会这样问的话{more}",
    )


def is_allowed_personal_data(rule: MatchRule | None, value: str) -> bool:
    """Return whether a rule for personal data is off, or has `value` as an exception."""
    if rule is None:
        return False
    return rule.severity == SEVERITY_OFF or _is_listed_exception(rule, value)


def _make_finding(
    text: CheckedText, start: int, end: int, rule: MatchRule
) -> StyleFinding:
    return StyleFinding(
        text, start, end, rule, rule.reason or rule.kind, rule.suggestion
    )


def _is_exception(rule: MatchRule, spelling: str, start: int) -> bool:
    """Return whether the word at `start` is a part of one of the rule's exceptions."""
    word = normalize_text(rule.text).strip()
    for exception in map(normalize_text, rule.exceptions):
        offset = exception.find(word)
        while offset >= 0:
            if offset <= start and spelling.startswith(exception, start - offset):
                return True
            offset = exception.find(word, offset + 1)
    return False


def _is_listed_exception(rule: MatchRule, value: str) -> bool:
    """Return whether a number, an address or its domain is among the exceptions."""
    bare = _strip_formatting(value)
    return any(
        bare == _strip_formatting(exception)
        or (exception.startswith("@") and bare.endswith(_strip_formatting(exception)))
        for exception in rule.exceptions
    )


def _strip_formatting(value: str) -> str:
    return re.sub(r"[\s()\-]", "", normalize_text(value)).removeprefix("+86")


def find_braces(body: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each {{ }} in `body` outside of code."""
    prose = _CODE_PATTERN.sub(_replace_with_spaces, body)
    for match in re.finditer(r"\{\{[^{}\n]{0,40}\}{0,2}", prose):
        yield match.span()


def blank_out_addresses(body: str) -> str:
    """Return `body` with spaces for the characters of addresses."""
    return _ADDRESS_PATTERN.sub(_replace_with_spaces, body)


def _replace_with_spaces(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _compile_whole_word(word: str) -> str:
    """Return a pattern of `word` that does not cut a Latin word or a number in two."""
    before = r"(?<![a-z0-9])" if re.match("[a-z0-9]", word) else ""
    after = r"(?![a-z0-9])" if re.match("[a-z0-9]", word[-1]) else ""
    return before + re.escape(word) + after


def sort_findings(findings: Iterable[StyleFinding]) -> list[StyleFinding]:
    """Return errors first, else in order; at most MAX_FINDINGS."""
    return sorted(findings, key=lambda finding: not finding.is_error)[:MAX_FINDINGS]


def describe_findings(findings: Sequence[StyleFinding], most: int = 5) -> list[str]:
    """Return `findings` as sentences, and how many more there are."""
    more = [f"另有 {len(findings) - most} 处。"] if len(findings) > most else []
    return [*map(str, findings[:most]), *more]
