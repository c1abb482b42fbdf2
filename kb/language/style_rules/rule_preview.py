"""The preview of a style rule: what it would find if it were saved."""

from __future__ import annotations

from django.db.models import Q

from kb.models import Entry, StyleRule, prefetch_shared_replies
from kb.text import style_rules
from kb.text.chinese import normalize
from kb.text.style_rules import (
    TEXT_ANSWER,
    TEXT_QUESTION,
    TEXT_REPLY,
    CheckedText,
    StyleFinding,
    StyleRuleSet,
)

MAX_PREVIEW_CANDIDATES = 50  # entries found by the database that are checked


def build_rules_with(row: StyleRule, check: str) -> StyleRuleSet:
    """Return the saved rules, with `row` in place of its saved form.

    Raises ValidationError if `row` could not be saved.
    """
    row.full_clean()
    others = StyleRule.objects.exclude(pk=row.pk)
    return StyleRuleSet([*(other.to_rule() for other in others), row.to_rule()], check)


def find_rule_matches(rules: StyleRuleSet, body: str) -> list[StyleFinding]:
    """Return the findings in `body` as an answer and as a reply, without duplicates."""
    texts = (CheckedText(TEXT_ANSWER, body), CheckedText(TEXT_REPLY, body))
    findings = {
        (finding.start, finding.end, finding.rule): finding
        for text in texts
        for finding in rules.find_violations(text)
    }
    return style_rules.sort_findings(findings.values())


def find_entries_matching_rule(row: StyleRule, check: str) -> list[Entry]:
    """Return the entries in whose texts `row` finds something, newest first.

    Built-in checks are not previewed. At most MAX_PREVIEW_CANDIDATES are checked.
    """
    if row.kind == StyleRule.Kind.CHECK or not row.text:
        return []
    rules = StyleRuleSet([row.to_rule()], check)
    spelling = normalize.normalize_text(row.text)
    contains = Q()
    for word in {row.text, spelling, *normalize.list_script_variants(spelling)}:
        for name in ("question", "answer", "replies__text"):
            contains |= Q(**{f"{name}__icontains": word})
    candidates = Entry.objects.filter(contains).exclude(status=Entry.Status.RETIRED)
    ids = (
        candidates.order_by("-pk")
        .values_list("pk", flat=True)
        .distinct()[:MAX_PREVIEW_CANDIDATES]
    )
    rows = Entry.objects.filter(pk__in=list(ids)).order_by("-pk")
    return [
        entry
        for entry in rows.prefetch_related(prefetch_shared_replies())
        if _is_matched_by(rules, entry)
    ]


def _is_matched_by(rules: StyleRuleSet, entry: Entry) -> bool:
    texts = [
        CheckedText(TEXT_QUESTION, entry.question),
        CheckedText(TEXT_ANSWER, entry.answer),
    ]
    texts += [CheckedText(TEXT_REPLY, reply.body) for reply in entry.replies.all()]
    return any(True for text in texts for _ in rules.find_violations(text))
