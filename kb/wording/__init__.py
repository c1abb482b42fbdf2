"""What should be said otherwise in an entry: shown while writing, and before publishing."""

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

from kb.models import Edition, Entry, Face, Reply, WordingRule
from kb.text import blanks, markdown, snippets, wording
from kb.text.wording import (
    ANSWER,
    PHRASING,
    QUESTION,
    SPEECH,
    Finding,
    Rule,
    Rules,
    Text,
)
from kb.wording.library import Library

__all__ = [
    "Finding",
    "Library",
    "Text",
    "findings",
    "in_force",
    "load_starter",
    "require",
    "said_in",
    "texts",
    "translation_texts",
]
STARTER = Path(__file__).parent / "starter.csv"
CHECK = str(WordingRule.Kind.CHECK.label)
WRONG, UNKNOWN, OPEN = "待填项写错", "没见过的待填项", "答案里的待填项"
CURES = {  # of what is wrong with a blank; else what the rule says
    "的花括号没有成对。": "补上缺的 {{ 或 }}",
    "前面少了 {{。": "补上 {{，或删掉 }}",
    "多了花括号。": "左右各留两个花括号",
    "里没有名称。": "写上要填什么，如 {{订单号}}",
    "至少要有两个选项。": "选项前先写名称，如 {{快递公司|顺丰|中通}}",
}
Stamp = tuple[int, datetime] | None

_held: tuple[Stamp, Rules] = (None, Rules([], CHECK))


def in_force() -> Rules:
    """Return the rules as they are now: one small query when nothing changed."""
    global _held  # noqa: PLW0603 - one a process
    row = Edition.objects.filter(pk=Edition.WORDING)
    stamp = row.values_list("number", "raised_at").first()
    if stamp is None or stamp != _held[0]:
        _held = (stamp, Rules([r.rule() for r in WordingRule.objects.all()], CHECK))
    return _held[1]


def findings(
    said: Iterable[Text],
    *,
    public: bool = True,
    entry_id: int | None = None,
    library: Library | None = None,
    strict: bool = False,
) -> list[Finding]:
    """Return what is to be mended in the texts of one entry, errors first.

    `public` is whether customers will read it; `entry_id` is the entry's, if it
    has one. Give one `library` when many entries are looked at; `strict` leaves
    out what does not stop publishing.
    """
    library = library or Library()
    rules = library.rules = library.rules or in_force()
    looking = _Looking(rules.strict if strict else rules, library, public, entry_id)
    return wording.ordered(one for text in said for one in looking.at(text))


def require(entry: Entry, said: Iterable[Text] | None = None) -> None:
    """Raise ValidationError, naming the places, when `entry` may not be published.

    `said` is what is to be looked at; by default, all that it says.
    """
    public = entry.audience == Entry.Audience.PUBLIC
    some = texts(entry) if said is None else said
    if found := findings(some, public=public, entry_id=entry.pk, strict=True):
        told = [f"「{entry}」还不能发布，请先改好：", *wording.told(found)]
        raise ValidationError([ValidationError(one, code="wording") for one in told])


# What an entry says ------------------------------------------------------------


def texts(entry: Entry) -> Iterator[Text]:
    """Yield every text of a kept entry that others will read."""
    yield from said_in(
        entry.question,
        entry.answer,
        [(f"「{r.label}」", r.body) for r in _shared(entry)] if entry.pk else (),
        entry.phrasings.values_list("text", flat=True) if entry.pk else (),
    )
    face = Face.objects.filter(entry=entry).first() if entry.pk else None
    if face is not None:
        yield from translation_texts(face.own_question, face.own_answer)


def translation_texts(question: str, answer: str) -> Iterator[Text]:
    """Yield the texts of a translation by hand; rules know both scripts."""
    if question:
        yield Text(QUESTION, question, "繁體问题", "own_question")
    if answer:
        yield Text(ANSWER, answer, "繁體答案", "own_answer")


def said_in(
    question: str,
    answer: str,
    replies: Iterable[tuple[str, str]] = (),
    phrasings: Iterable[str] = (),
) -> Iterator[Text]:
    """Yield the texts of an entry as the form has them; `replies` are (name, body).

    Fields are called as the form calls them, replies by number.
    """
    yield Text(QUESTION, question, "标准问题", "question")
    yield Text(ANSWER, answer, "FAQ 答案", "answer")
    for number, (name, body) in enumerate(replies):
        yield Text(SPEECH, body, f"话术{name}", f"replies-{number}-body")
    lines = "\n".join(phrasings)
    if lines:
        yield Text(PHRASING, lines, "相似问法", "phrasings")


def _shared(entry: Entry) -> Iterable[Reply]:
    return Reply.objects.shared().filter(entry=entry)


# How each face is looked at -------------------------------------------------------


class _Looking:
    """The rules, the library and the readers of one entry."""

    def __init__(
        self, rules: Rules, library: Library, public: bool, entry_id: int | None
    ) -> None:
        self.rules, self.library = rules, library
        self.public, self.entry_id = public, entry_id
        self.included: set[str] = set()

    def at(self, text: Text) -> Iterator[Finding]:
        yield from self.rules.findings(text)
        if text.face == SPEECH:
            yield from self._blanks(text)
            yield from self._snippets(text)
        elif text.face in wording.CUSTOMERS and self.public:
            yield from self._braces(text)
        if text.face == ANSWER:
            yield from self._links(text)

    def _snippets(self, text: Text) -> Iterator[Finding]:
        """Look at what a reply includes, each snippet once, at the reply's place."""
        for name in snippets.names(text.body):
            body = self.library.snippets.get(name)
            if body is not None and name not in self.included:
                self.included.add(name)
                yield from self.at(Text(SPEECH, body, f"片段「{name}」", text.field))

    def _blanks(self, text: Text) -> Iterator[Finding]:
        if wrong := self.rules.checks.get(WRONG):
            for flaw in blanks.flaws(text.body):
                cure = CURES.get(flaw.why, wrong.suggestion)
                yield Finding(text, flaw.start, flaw.end, wrong, flaw.why, cure)
            yield from self._strangers(text, wrong)
        if not (rule := self.rules.checks.get(UNKNOWN)):
            return
        seen: set[str] = set()
        for slot in blanks.SLOT.finditer(text.body):
            name = slot["name"]
            if name in seen or name in rule.exceptions:
                continue
            seen.add(name)
            if self.library.unknown(name, self.entry_id):
                near = self.library.nearest(name)
                advice = f"是不是 {{{{{near}}}}}？" if near else rule.suggestion
                reason = "别的话术都没有用过这个待填项"
                yield Finding(text, *slot.span(), rule, reason, advice)

    def _strangers(self, text: Text, rule: Rule) -> Iterator[Finding]:
        """What is included under a name that no snippet has is sent as it stands."""
        for found in snippets.INCLUDE.finditer(text.body):
            if (name := found[1]) not in self.library.snippets:
                near = self.library.nearest_snippet(name)
                cure = f"是不是 {{{{> {near}}}}}？" if near else "先建好这个片段"
                reason = f"没有叫「{name or '（空）'}」的片段"
                yield Finding(text, *found.span(), rule, reason, cure)

    def _braces(self, text: Text) -> Iterator[Finding]:
        rule = self.rules.checks.get(OPEN)
        if rule is None or "{{" not in text.body:
            return
        for start, end in wording.braces(text.body):
            reason = rule.reason or "顾客会看到花括号"
            yield Finding(text, start, end, rule, reason, rule.suggestion)

    def _links(self, text: Text) -> Iterator[Finding]:
        if "](" not in text.body and "]:" not in text.body:
            return
        html = markdown.render(text.body)
        anchors = {one.anchor for one in markdown.headings(html)}
        found = self.library.troubles(text.body, public=self.public, anchors=anchors)
        for link, check, reason, advice in found:
            if rule := self.rules.checks.get(check):
                cure = advice or rule.suggestion
                yield Finding(text, link.start, link.end, rule, reason, cure)


# The rules that ship ------------------------------------------------------------


@transaction.atomic
def load_starter() -> int:
    """Write the rules that ship, once in the life of a site; return how many.

    What editors deleted later stays deleted.
    """
    known = Edition.objects.filter(pk=Edition.WORDING)
    if known.exists() or WordingRule.objects.exists():
        return 0
    with STARTER.open(encoding="utf-8", newline="") as lines:
        rows = [_rule(row) for row in csv.DictReader(lines)]
    made = WordingRule.objects.bulk_create(rows, batch_size=500)
    Edition.rise(Edition.WORDING)
    return len(made)


def _rule(row: Mapping[str, str]) -> WordingRule:
    """Return the rule that a line says, in the words of the admin."""
    kinds = {label: value for value, label in WordingRule.Kind.choices}
    grades = {label: value for value, label in WordingRule.Severity.choices}
    faces = {label: value for value, label in WordingRule.Faces.choices}
    return WordingRule(
        kind=kinds[row["类型"]],
        text=row["词"],
        severity=grades[row["级别"]],
        exceptions=row["例外"],
        faces=faces.get(row["范围"], ""),
        reason=row["原因"],
        suggestion=row["建议"],
        limit=int(row["字数上限"]) if row["字数上限"] else None,
    )


@receiver([post_save, post_delete], sender=WordingRule, dispatch_uid="kb.wordingrule")
def _changed(**kwargs: Any) -> None:
    Edition.rise(Edition.WORDING)
