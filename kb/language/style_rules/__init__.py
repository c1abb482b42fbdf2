"""Checks of texts by the style rules (用词规则), while writing and before publishing."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from kb.language.style_rules.library_lookup import LibraryLookup
from kb.models import Entry, EntryTranslation, LanguageEdition, Reply, StyleRule
from kb.text import style_rules
from kb.text.markup import markdown
from kb.text.placeholders import blanks, snippets
from kb.text.style_rules import (
    TEXT_ANSWER,
    TEXT_PHRASING,
    TEXT_QUESTION,
    TEXT_REPLY,
    CheckedText,
    MatchRule,
    StyleFinding,
    StyleRuleSet,
)

__all__ = [
    "CheckedText",
    "LibraryLookup",
    "StyleFinding",
    "check_texts",
    "get_active_rules",
    "list_entry_texts",
    "list_form_texts",
    "list_translation_texts",
    "load_starter_rules",
    "require_publishable_style",
]
STARTER_RULES_FILE = Path(__file__).parent / "starter.csv"
CHECK_KIND_LABEL = str(StyleRule.Kind.CHECK.label)
CHECK_MALFORMED_BLANK, CHECK_UNKNOWN_BLANK, CHECK_BLANK_IN_ANSWER = (
    "待填项写错",
    "没见过的待填项",
    "答案里的待填项",
)
# Advice by the fault of a blank; for other faults, that of the rule.
BLANK_FIXES = {
    "的花括号没有成对。": "补上缺的 {{ 或 }}",
    "前面少了 {{。": "补上 {{，或删掉 }}",
    "多了花括号。": "左右各留两个花括号",
    "里没有名称。": "写上要填什么，如 {{订单号}}",
    "至少要有两个选项。": "选项前先写名称，如 {{快递公司|顺丰|中通}}",
}
RulesStamp = tuple[int, datetime] | None

_cached_rules: tuple[RulesStamp, StyleRuleSet] = (
    None,
    StyleRuleSet([], CHECK_KIND_LABEL),
)


def get_active_rules() -> StyleRuleSet:
    """Return the current rules, with one small query if they have not changed."""
    global _cached_rules  # noqa: PLW0603 - one for each process
    row = LanguageEdition.objects.filter(pk=LanguageEdition.STYLE_RULES)
    stamp = row.values_list("number", "raised_at").first()
    if stamp is None or stamp != _cached_rules[0]:
        _cached_rules = (
            stamp,
            StyleRuleSet(
                [rule.to_rule() for rule in StyleRule.objects.all()], CHECK_KIND_LABEL
            ),
        )
    return _cached_rules[1]


def check_texts(
    texts: Iterable[CheckedText],
    *,
    public: bool = True,
    entry_id: int | None = None,
    library: LibraryLookup | None = None,
    strict: bool = False,
) -> list[StyleFinding]:
    """Return the findings in the texts of one entry, errors first.

    `public`: customers will read the texts. `entry_id` is None for a new entry.
    Pass the same `library` for all entries of a batch. `strict` returns only
    findings that prevent publishing.
    """
    library = library or LibraryLookup()
    rules = library.rules = library.rules or get_active_rules()
    checker = _TextChecker(
        rules.error_rules if strict else rules, library, public, entry_id
    )
    return style_rules.sort_findings(
        finding for text in texts for finding in checker.check_text(text)
    )


def require_publishable_style(
    entry: Entry, texts: Iterable[CheckedText] | None = None
) -> None:
    """Raise ValidationError (code "wording"), naming the places, on error findings.

    `texts` are the texts to check; None: all texts of the entry.
    """
    public = entry.audience == Entry.Audience.PUBLIC
    if texts is None:
        texts = list_entry_texts(entry)
    if findings := check_texts(texts, public=public, entry_id=entry.pk, strict=True):
        messages = [
            f"「{entry}」还不能发布，请先改好：",
            *style_rules.describe_findings(findings),
        ]
        raise ValidationError([ValidationError(m, code="wording") for m in messages])


# Texts of an entry ------------------------------------------------------------


def list_entry_texts(entry: Entry) -> Iterator[CheckedText]:
    """Yield all texts of a saved entry that readers will see."""
    yield from list_form_texts(
        entry.question,
        entry.answer,
        [
            (f"「{reply.label}」", reply.body)
            for reply in Reply.objects.shared().filter(entry=entry)
        ]
        if entry.pk
        else (),
        entry.phrasings.values_list("text", flat=True) if entry.pk else (),
    )
    if not entry.pk:
        return
    if translation := EntryTranslation.objects.filter(entry=entry).first():
        yield from list_translation_texts(
            translation.own_question, translation.own_answer
        )


def list_translation_texts(question: str, answer: str) -> Iterator[CheckedText]:
    """Yield the texts that an editor wrote in 繁體; rules match both scripts."""
    if question:
        yield CheckedText(TEXT_QUESTION, question, "繁體问题", "own_question")
    if answer:
        yield CheckedText(TEXT_ANSWER, answer, "繁體答案", "own_answer")


def list_form_texts(
    question: str,
    answer: str,
    replies: Iterable[tuple[str, str]] = (),
    phrasings: Iterable[str] = (),
) -> Iterator[CheckedText]:
    """Yield the texts of an entry in its form; `replies` are (name, body).

    The fields have the names of the form's fields.
    """
    yield CheckedText(TEXT_QUESTION, question, "标准问题", "question")
    yield CheckedText(TEXT_ANSWER, answer, "FAQ 答案", "answer")
    for number, (name, body) in enumerate(replies):
        yield CheckedText(TEXT_REPLY, body, f"话术{name}", f"replies-{number}-body")
    lines = "\n".join(phrasings)
    if lines:
        yield CheckedText(TEXT_PHRASING, lines, "相似问法", "phrasings")


# Checks by kind of text -------------------------------------------------------


class _TextChecker:
    """Checks the texts of one entry."""

    def __init__(
        self,
        rules: StyleRuleSet,
        library: LibraryLookup,
        public: bool,
        entry_id: int | None,
    ) -> None:
        self.rules, self.library = rules, library
        self.is_public, self.entry_id = public, entry_id
        self.checked_snippets: set[str] = set()

    def check_text(self, text: CheckedText) -> Iterator[StyleFinding]:
        yield from self.rules.find_violations(text)
        if text.kind == TEXT_REPLY:
            yield from self._check_blanks(text)
            yield from self._check_snippets(text)
        elif text.kind in style_rules.CUSTOMER_TEXT_KINDS and self.is_public:
            yield from self._check_braces(text)
        if text.kind == TEXT_ANSWER:
            yield from self._check_links(text)

    def _check_snippets(self, text: CheckedText) -> Iterator[StyleFinding]:
        """Check the snippets that a reply includes, each once in the entry."""
        for name in snippets.list_included_snippets(text.body):
            body = self.library.snippet_bodies.get(name)
            if body is not None and name not in self.checked_snippets:
                self.checked_snippets.add(name)
                yield from self.check_text(
                    CheckedText(TEXT_REPLY, body, f"片段「{name}」", text.field)
                )

    def _check_blanks(self, text: CheckedText) -> Iterator[StyleFinding]:
        if malformed := self.rules.rules_by_check.get(CHECK_MALFORMED_BLANK):
            for fault in blanks.find_blank_faults(text.body):
                advice = BLANK_FIXES.get(fault.reason, malformed.suggestion)
                yield StyleFinding(
                    text, fault.start, fault.end, malformed, fault.reason, advice
                )
            yield from self._check_unknown_snippets(text, malformed)
        if not (rule := self.rules.rules_by_check.get(CHECK_UNKNOWN_BLANK)):
            return
        seen: set[str] = set()
        for match in blanks.BLANK_PATTERN.finditer(text.body):
            name = match["name"]
            if name in seen or name in rule.exceptions:
                continue
            seen.add(name)
            if self.library.is_unknown_blank(name, self.entry_id):
                nearest = self.library.find_nearest_blank(name)
                advice = f"是不是 {{{{{nearest}}}}}？" if nearest else rule.suggestion
                reason = "别的话术都没有用过这个待填项"
                yield StyleFinding(text, *match.span(), rule, reason, advice)

    def _check_unknown_snippets(
        self, text: CheckedText, rule: MatchRule
    ) -> Iterator[StyleFinding]:
        """Find included names without a snippet; they would be sent as they are."""
        for match in snippets.INCLUDE_PATTERN.finditer(text.body):
            if (name := match[1]) not in self.library.snippet_bodies:
                nearest = self.library.find_nearest_snippet(name)
                advice = (
                    f"是不是 {{{{> {nearest}}}}}？" if nearest else "先建好这个片段"
                )
                reason = f"没有叫「{name or '（空）'}」的片段"
                yield StyleFinding(text, *match.span(), rule, reason, advice)

    def _check_braces(self, text: CheckedText) -> Iterator[StyleFinding]:
        rule = self.rules.rules_by_check.get(CHECK_BLANK_IN_ANSWER)
        if rule is None or "{{" not in text.body:
            return
        for start, end in style_rules.find_braces(text.body):
            reason = rule.reason or "顾客会看到花括号"
            yield StyleFinding(text, start, end, rule, reason, rule.suggestion)

    def _check_links(self, text: CheckedText) -> Iterator[StyleFinding]:
        if "](" not in text.body and "]:" not in text.body:
            return
        html = markdown.render_markdown(text.body)
        anchors = {heading.anchor for heading in markdown.extract_headings(html)}
        problems = self.library.find_link_problems(
            text.body, public=self.is_public, anchors=anchors
        )
        for link, check, reason, advice in problems:
            if rule := self.rules.rules_by_check.get(check):
                yield StyleFinding(
                    text,
                    link.start,
                    link.end,
                    rule,
                    reason,
                    advice or rule.suggestion,
                )


# Starter rules ------------------------------------------------------------


@transaction.atomic
def load_starter_rules() -> int:
    """Create the starter rules, once for an installation; return their number.

    Rules that editors have deleted are not created again.
    """
    edition = LanguageEdition.objects.filter(pk=LanguageEdition.STYLE_RULES)
    if edition.exists() or StyleRule.objects.exists():
        return 0
    with STARTER_RULES_FILE.open(encoding="utf-8", newline="") as lines:
        rows = [_parse_starter_rule(row) for row in csv.DictReader(lines)]
    StyleRule.objects.bulk_create(rows, batch_size=500)
    LanguageEdition.increment_edition(LanguageEdition.STYLE_RULES)
    return len(rows)


def _parse_starter_rule(row: Mapping[str, str]) -> StyleRule:
    """Return the rule of one line, whose values are the labels of the admin."""
    kinds = {label: value for value, label in StyleRule.Kind.choices}
    severities = {label: value for value, label in StyleRule.Severity.choices}
    scopes = {label: value for value, label in StyleRule.Scope.choices}
    return StyleRule(
        kind=kinds[row["类型"]],
        text=row["词"],
        severity=severities[row["级别"]],
        exceptions=row["例外"],
        faces=scopes.get(row["范围"], ""),
        reason=row["原因"],
        suggestion=row["建议"],
        limit=int(row["字数上限"]) if row["字数上限"] else None,
    )


@receiver([post_save, post_delete], sender=StyleRule, dispatch_uid="kb.wordingrule")
def _increment_edition_on_change(**kwargs: Any) -> None:
    LanguageEdition.increment_edition(LanguageEdition.STYLE_RULES)
