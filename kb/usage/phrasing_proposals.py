"""Proposals of phrasings: words after which people picked an entry that lacks them.

Words are proposed when their evidence has reached MIN_PROPOSAL_LEVEL on one side. The
evidence is the confidence: its formula is `evidence_levels.compute_evidence_level`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from kb.library import entries
from kb.library.entries import PhrasingOutcome
from kb.models import Entry, Evidence, Phrasing, Review, SearchSide, User
from kb.text.chinese import normalize
from kb.text.privacy import personal_data

MIN_PROPOSAL_LEVEL = 2  # about three persons; see EVIDENCE_LEVEL_STRENGTHS
PHRASING_PROPOSAL_GONE_MESSAGE = "这条建议已经不在了，可能有人先处理了。"


@dataclass(frozen=True, slots=True)
class PhrasingProposal:
    """Words after which so many customers and colleagues picked `entry`."""

    entry: Entry
    words: str
    words_key: str
    customer_count: int
    colleague_count: int


def list_phrasing_proposals(limit: int = 50) -> list[PhrasingProposal]:
    """Return proposals for editors, those of most people first."""
    rows = list(
        query_phrasing_proposals().order_by("-person_count", "entry_id", "words_key")[
            :limit
        ]
    )
    entries_by_id = Entry.objects.in_bulk({row["entry_id"] for row in rows})
    return [
        PhrasingProposal(
            entries_by_id[row["entry_id"]],
            row["sample_words"],
            row["words_key"],
            row["customers"],
            row["colleagues"],
        )
        for row in rows
    ]


@transaction.atomic
def accept_phrasing_proposal(
    entry: Entry, *, words_key: str, by: User | None, words: str | None = None
) -> tuple[str, PhrasingOutcome]:
    """Add the words as a phrasing of `entry`, or propose them as a change.

    `words` is the text as an editor changed it; the original words are then never
    proposed again. Returns (text, outcome). Raises ValidationError, code "gone" where
    the proposal no longer exists, and for personal data.
    """
    rows = Evidence.objects.filter(entry=entry, words_key=words_key)
    row = rows.first()
    if row is None:
        raise ValidationError(PHRASING_PROPOSAL_GONE_MESSAGE, code="gone")
    text = row.words if words is None else words
    if not text.strip():
        raise ValidationError("请写一句问法。", code="required")
    entries.require_no_masked_data(text)
    outcome = entries.add_phrasing(entry, text, by=by)
    if isinstance(outcome, Review):
        rows.update(review=outcome)
    elif normalize.compute_spelling_key(text) != words_key:
        rows.update(refused=True)
    return text, outcome


def refuse_phrasing_proposal(entry: Entry, *, words_key: str) -> str:
    """Refuse the words for `entry` for good; return them. Raises ValidationError."""
    rows = Evidence.objects.filter(entry=entry, words_key=words_key)
    if not rows.update(refused=True):
        raise ValidationError(PHRASING_PROPOSAL_GONE_MESSAGE, code="gone")
    return rows[0].words


def restore_phrasing_proposal(entry: Entry, *, words_key: str) -> str:
    """Undo the refusal of words for `entry`; return them. Raises ValidationError."""
    rows = Evidence.objects.filter(entry=entry, words_key=words_key)
    if not rows.filter(refused=True).update(refused=False):
        raise ValidationError(PHRASING_PROPOSAL_GONE_MESSAGE, code="gone")
    return rows[0].words


def find_refused_proposal(entry_id: int, words_key: str) -> Evidence | None:
    """Return the evidence of words that are refused for an entry, if any."""
    refused = Evidence.objects.filter(refused=True).select_related("entry")
    return refused.filter(entry=entry_id, words_key=words_key).first()


def query_phrasing_proposals() -> QuerySet[Any, Any]:
    """Return a row per entry and words to judge, both sides summed up."""
    same_words = {"entry": OuterRef("entry"), "words_key": OuterRef("words_key")}
    existing_phrasing = Phrasing.objects.filter(
        entry=OuterRef("entry"), text_key=OuterRef("words_key")
    )
    strong = Evidence.objects.filter(**same_words, level__gte=MIN_PROPOSAL_LEVEL)
    refused = Evidence.objects.filter(**same_words, refused=True)
    in_review = Evidence.objects.filter(
        **same_words, review__state=Review.State.WAITING
    )
    exclusions = (refused, in_review, existing_phrasing)
    rows = Evidence.objects.filter(
        Exists(strong), *(~Exists(exclusion) for exclusion in exclusions)
    )
    rows = rows.exclude(words_key=F("entry__question_key"))
    rows = rows.exclude(words__contains=personal_data.PERSONAL_DATA_MASK)
    rows = rows.exclude(entry__status=Entry.Status.RETIRED).order_by()
    return rows.values("entry_id", "words_key").annotate(
        sample_words=Min("words"),
        person_count=Sum("people"),
        customers=_sum_people(SearchSide.PUBLIC),
        colleagues=_sum_people(SearchSide.STAFF),
    )


def _sum_people(side: SearchSide) -> Coalesce:
    return Coalesce(Sum("people", filter=Q(side=side)), 0)
