"""Words that lead people to an entry and stand nowhere in it: for editors to judge."""

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

MIN_PROPOSAL_LEVEL = 2  # level from which words are proposed
PHRASING_PROPOSAL_GONE_MESSAGE = "这条建议已经不在了，可能有人先处理了。"


@dataclass(frozen=True, slots=True)
class PhrasingProposal:
    """`words` led so many people of both sides to `entry`."""

    entry: Entry
    words: str
    words_key: str
    customer_count: int
    colleague_count: int


def list_phrasing_proposals(limit: int = 50) -> list[PhrasingProposal]:
    """Return what editors should look at, what most people said first."""
    rows = list(
        query_phrasing_proposals().order_by("-crowd", "entry_id", "words_key")[:limit]
    )
    found = Entry.objects.in_bulk({row["entry_id"] for row in rows})
    return [
        PhrasingProposal(
            found[row["entry_id"]],
            row["said"],
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
    """Make the words a phrasing of `entry`, or let them wait for who may publish it.

    `words` are those that an editor made of them; then the learned ones are never
    proposed again. Return what was taken, and what became of it. Raises
    ValidationError, also for personal data.
    """
    rows = Evidence.objects.filter(entry=entry, words_key=words_key)
    row = rows.first()
    if row is None:
        raise ValidationError(PHRASING_PROPOSAL_GONE_MESSAGE, code="gone")
    text = row.words if words is None else words
    if not text.strip():
        raise ValidationError("请写一句问法。", code="required")
    entries.require_no_masked_data(text)
    heard = entries.add_phrasing(entry, text, by=by)
    if isinstance(heard, Review):
        rows.update(review=heard)
    elif normalize.compute_spelling_key(text) != words_key:
        rows.update(refused=True)
    return text, heard


def refuse_phrasing_proposal(entry: Entry, *, words_key: str) -> str:
    """Never propose the words for `entry` again; return them. Raises ValidationError."""
    rows = Evidence.objects.filter(entry=entry, words_key=words_key)
    if not rows.update(refused=True):
        raise ValidationError(PHRASING_PROPOSAL_GONE_MESSAGE, code="gone")
    return rows[0].words


def restore_phrasing_proposal(entry: Entry, *, words_key: str) -> str:
    """Propose refused words for `entry` again; return them. Raises ValidationError."""
    rows = Evidence.objects.filter(entry=entry, words_key=words_key)
    if not rows.filter(refused=True).update(refused=False):
        raise ValidationError(PHRASING_PROPOSAL_GONE_MESSAGE, code="gone")
    return rows[0].words


def find_refused_proposal(entry_id: int, words_key: str) -> Evidence | None:
    """Return evidence for words that were refused for an entry, if they still are."""
    refused = Evidence.objects.filter(refused=True).select_related("entry")
    return refused.filter(entry=entry_id, words_key=words_key).first()


def query_phrasing_proposals() -> QuerySet[Any, Any]:
    """Return a row for each entry and words to judge, whichever side they come from."""
    same = {"entry": OuterRef("entry"), "words_key": OuterRef("words_key")}
    known = Phrasing.objects.filter(
        entry=OuterRef("entry"), text_key=OuterRef("words_key")
    )
    strong = Evidence.objects.filter(**same, level__gte=MIN_PROPOSAL_LEVEL)
    refused = Evidence.objects.filter(**same, refused=True)
    waits = Evidence.objects.filter(**same, review__state=Review.State.WAITING)
    apart = (refused, waits, known)
    rows = Evidence.objects.filter(Exists(strong), *(~Exists(one) for one in apart))
    rows = rows.exclude(words_key=F("entry__question_key"))
    rows = rows.exclude(words__contains=personal_data.PERSONAL_DATA_MASK)
    rows = rows.exclude(entry__status=Entry.Status.RETIRED).order_by()
    return rows.values("entry_id", "words_key").annotate(
        said=Min("words"),
        crowd=Sum("people"),
        customers=_sum_people(SearchSide.PUBLIC),
        colleagues=_sum_people(SearchSide.STAFF),
    )


def _sum_people(side: SearchSide) -> Coalesce:
    return Coalesce(Sum("people", filter=Q(side=side)), 0)
