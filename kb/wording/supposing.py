"""What a wording rule would find if it were kept as it stands."""

from __future__ import annotations

from django.db.models import Q

from kb.models import Entry, WordingRule, replies_shared
from kb.text import normalize, wording
from kb.text.wording import ANSWER, QUESTION, SPEECH, Finding, Rules, Text

CANDIDATES = 50  # entries that are read for words that the database has found


def instead(row: WordingRule, check: str) -> Rules:
    """Return the rules with `row` among them, in the place of the one that is kept.

    Raises ValidationError with what could not be saved.
    """
    row.full_clean()
    others = WordingRule.objects.exclude(pk=row.pk)
    return Rules([*(one.rule() for one in others), row.rule()], check)


def found(rules: Rules, said: str) -> list[Finding]:
    """Return what `rules` find in words of an answer or of a reply, each once."""
    faces = (Text(ANSWER, said), Text(SPEECH, said))
    seen = {
        (one.start, one.end, one.rule): one
        for face in faces
        for one in rules.findings(face)
    }
    return wording.ordered(seen.values())


def holders(row: WordingRule, check: str) -> list[Entry]:
    """Return entries that say what `row` is about, where it says so; newest first."""
    if row.kind == WordingRule.Kind.CHECK or not row.text:
        return []
    rules = Rules([row.rule()], check)
    spelling = normalize.normalize(row.text)
    some = Q()
    for word in {row.text, spelling, *normalize.scripts(spelling)}:
        for name in ("question", "answer", "replies__text"):
            some |= Q(**{f"{name}__icontains": word})
    near = Entry.objects.filter(some).exclude(status=Entry.Status.RETIRED)
    ids = near.order_by("-pk").values_list("pk", flat=True).distinct()[:CANDIDATES]
    rows = Entry.objects.filter(pk__in=list(ids)).order_by("-pk")
    return [one for one in rows.prefetch_related(replies_shared()) if _said(rules, one)]


def _said(rules: Rules, entry: Entry) -> bool:
    texts = [Text(QUESTION, entry.question), Text(ANSWER, entry.answer)]
    texts += [Text(SPEECH, reply.body) for reply in entry.replies.all()]
    return any(True for text in texts for _ in rules.findings(text))
