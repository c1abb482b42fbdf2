"""What a wording rule would find if it were kept as it stands."""

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

MAX_PREVIEW_CANDIDATES = (
    50  # entries that are read for words that the database has found
)


def build_rules_with(row: StyleRule, check: str) -> StyleRuleSet:
    """Return the rules with `row` among them, in the place of the one that is kept.

    Raises ValidationError with what could not be saved.
    """
    row.full_clean()
    others = StyleRule.objects.exclude(pk=row.pk)
    return StyleRuleSet([*(one.to_rule() for one in others), row.to_rule()], check)


def find_rule_matches(rules: StyleRuleSet, said: str) -> list[StyleFinding]:
    """Return what `rules` find in words of an answer or of a reply, each once."""
    faces = (CheckedText(TEXT_ANSWER, said), CheckedText(TEXT_REPLY, said))
    seen = {
        (one.start, one.end, one.rule): one
        for face in faces
        for one in rules.find_violations(face)
    }
    return style_rules.sort_findings(seen.values())


def find_entries_matching_rule(row: StyleRule, check: str) -> list[Entry]:
    """Return entries that say what `row` is about, where it says so; newest first."""
    if row.kind == StyleRule.Kind.CHECK or not row.text:
        return []
    rules = StyleRuleSet([row.to_rule()], check)
    spelling = normalize.normalize_text(row.text)
    some = Q()
    for word in {row.text, spelling, *normalize.list_script_variants(spelling)}:
        for name in ("question", "answer", "replies__text"):
            some |= Q(**{f"{name}__icontains": word})
    near = Entry.objects.filter(some).exclude(status=Entry.Status.RETIRED)
    ids = (
        near.order_by("-pk")
        .values_list("pk", flat=True)
        .distinct()[:MAX_PREVIEW_CANDIDATES]
    )
    rows = Entry.objects.filter(pk__in=list(ids)).order_by("-pk")
    return [
        one
        for one in rows.prefetch_related(prefetch_shared_replies())
        if _is_matched_by(rules, one)
    ]


def _is_matched_by(rules: StyleRuleSet, entry: Entry) -> bool:
    texts = [
        CheckedText(TEXT_QUESTION, entry.question),
        CheckedText(TEXT_ANSWER, entry.answer),
    ]
    texts += [CheckedText(TEXT_REPLY, reply.body) for reply in entry.replies.all()]
    return any(True for text in texts for _ in rules.find_violations(text))
