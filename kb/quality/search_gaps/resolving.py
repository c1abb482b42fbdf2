"""Resolve gaps: what editors do about them, and how the result is verified."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from kb.index import sync
from kb.library import entries
from kb.library.entries import PhrasingOutcome
from kb.models import Entry, SearchGap, SynonymSet, User
from kb.quality import relevance_tests
from kb.text.chinese import normalize
from kb.text.privacy import personal_data

GapStatus, GapRemedy = SearchGap.Status, SearchGap.Remedy
MAX_VERIFIED_RANK = 3  # the entry must be among the first three results
MAX_VERIFIED_SPELLINGS = 3  # most frequent spellings, which are all searched
MAX_DRAFT_PHRASINGS = 20  # most frequent spellings
GAP_HANDLED_MESSAGE = "这个缺口已经有人处理了，先看下一个。"
REOPENABLE_STATUSES = {GapStatus.VERIFYING, GapStatus.CLOSED, GapStatus.DECLINED}


@transaction.atomic
def draft_entry_for_gap(gap: SearchGap, *, by: User) -> Entry:
    """Create a draft with the words of the gap as question and phrasings.

    Personal data is removed; a spelling that consists of nothing else is left out.
    """
    gap = _lock_gap(gap, {GapStatus.OPEN}, by=by)
    words = gap.spellings.values_list("words", flat=True)[:MAX_DRAFT_PHRASINGS]
    suggestions = map(entries.suggest_phrasing, words)
    phrasings = [
        text
        for text in suggestions
        if text and personal_data.PERSONAL_DATA_MASK not in text
    ]
    is_staff = gap.side == "staff"
    audience = Entry.Audience.INTERNAL if is_staff else Entry.Audience.PUBLIC
    question = entries.suggest_phrasing(gap.words)
    entry = entries.create_draft(
        question, by=by, audience=audience, phrasings=phrasings
    )
    _set_remedy(gap, GapRemedy.DRAFT, entry, by=by)
    return entry


@transaction.atomic
def add_phrasing_for_gap(
    gap: SearchGap, entry: Entry, *, by: User, words: str | None = None
) -> tuple[SearchGap, PhrasingOutcome]:
    """Add or propose the words of the gap as a phrasing of `entry`.

    `words` is the text as an editor changed it; None means the words of the gap.
    Returns the gap, which now waits for verification, and the outcome. Raises
    ValidationError, also for personal data.
    """
    gap = _lock_gap(gap, {GapStatus.OPEN, GapStatus.VERIFYING}, by=by)
    text = gap.words if words is None else words
    if not text.strip():
        raise ValidationError("请写一句问法。", code="required")
    entries.require_no_masked_data(text)
    outcome = entries.add_phrasing(entry, text, by=by)
    return _set_remedy(gap, GapRemedy.PHRASING, entry, by=by), outcome


@transaction.atomic
def add_synonym_for_gap(
    gap: SearchGap, entry: Entry, *, searched_word: str, entry_word: str, by: User
) -> SearchGap:
    """Add a one-way synonym, so that `searched_word` also finds `entry_word`.

    Raises PermissionDenied, ValidationError.
    """
    if not by.has_perm("kb.add_synonymset"):
        raise PermissionDenied("您没有添加同义词的权限。")
    gap = _lock_gap(gap, {GapStatus.OPEN, GapStatus.VERIFYING}, by=by)
    if normalize.normalize_text(searched_word) not in normalize.normalize_text(
        gap.words
    ):
        raise ValidationError(f"「{searched_word}」不在搜索的话里，加了也不起作用。")
    synonyms = SynonymSet(
        topic="搜索缺口", members=f"{searched_word}\n{entry_word}", two_way=False
    )
    synonyms.full_clean()
    synonyms.save()
    return _set_remedy(gap, GapRemedy.SYNONYM, entry, by=by)


@transaction.atomic
def decline_gap(gap: SearchGap, *, reason: str, by: User) -> SearchGap:
    """Decline the gap for good; `reason` is stored."""
    gap = _lock_gap(gap, {GapStatus.OPEN, GapStatus.VERIFYING}, by=by)
    gap.status, gap.reason, gap.entry = GapStatus.DECLINED, reason.strip(), None
    return _save_settled_gap(gap, by=by)


@transaction.atomic
def reopen_gap(gap: SearchGap, *, by: User) -> SearchGap:
    """Open the gap again; what was added to entries stays."""
    gap = _lock_gap(gap, REOPENABLE_STATUSES, by=by)
    gap.status, gap.reason, gap.remedy = GapStatus.OPEN, "", ""
    gap.entry, gap.rank, gap.fell = None, None, False
    gap.by, gap.settled_at = None, None
    gap.save()
    return gap


# Verification --------------------------------------------------------------------


def verify_gap(gap: SearchGap) -> SearchGap:
    """Search for the gap again; return it with its new status.

    It is closed when the entry is within MAX_VERIFIED_RANK for all spellings. A gap
    with a remedy otherwise keeps waiting; a closed one is opened again. Raises
    EngineUnavailable.
    """
    sync.sync_small_lots()
    spellings = list(
        gap.spellings.values_list("words", flat=True)[:MAX_VERIFIED_SPELLINGS]
    ) or [gap.words]
    if gap.status == GapStatus.CLOSED:
        spellings = spellings[:1]
    ranks = [_find_gap_rank(words, gap) for words in spellings]
    worst_rank = 0 if 0 in ranks else max(ranks)
    with transaction.atomic():
        stored = SearchGap.objects.select_for_update().get(pk=gap.pk)
        if (stored.status, stored.entry_id) != (gap.status, gap.entry_id):
            return stored  # changed by somebody else meanwhile
        return _apply_verified_rank(stored, worst_rank)


def verify_gaps() -> tuple[int, int]:
    """Verify all waiting and closed gaps; return (number closed, number reopened)."""
    closed = reopened = 0
    for gap in SearchGap.objects.filter(
        status__in=[GapStatus.VERIFYING, GapStatus.CLOSED]
    ):
        verified = verify_gap(gap)
        closed += (gap.status, verified.status) == (
            GapStatus.VERIFYING,
            GapStatus.CLOSED,
        )
        reopened += (gap.status, verified.status) == (GapStatus.CLOSED, GapStatus.OPEN)
    return closed, reopened


def _find_gap_rank(words: str, gap: SearchGap) -> int:
    """Return the rank of the gap's entry for `words`, from 1; 0 for not found."""
    if gap.entry_id is None:
        return 0
    return relevance_tests.find_result_rank(
        words, side=gap.side, entry=gap.entry_id
    ).rank


def _apply_verified_rank(gap: SearchGap, rank: int) -> SearchGap:
    gap.rank = rank
    if 1 <= rank <= MAX_VERIFIED_RANK:
        gap.status, gap.fell = GapStatus.CLOSED, False
    elif gap.status == GapStatus.CLOSED or gap.entry_id is None:
        gap.status, gap.fell = GapStatus.OPEN, True
    gap.save()
    return gap


# Helpers ---------------------------------------------------------------------------


def _lock_gap(gap: SearchGap, expected: set[Any], *, by: User) -> SearchGap:
    if not by.has_perm("kb.change_entry"):
        raise PermissionDenied("您没有处理搜索缺口的权限。")
    stored = SearchGap.objects.select_for_update().get(pk=gap.pk)
    if stored.status not in expected:
        raise ValidationError(GAP_HANDLED_MESSAGE, code="conflict")
    return stored


def _set_remedy(
    gap: SearchGap, remedy: SearchGap.Remedy, entry: Entry, *, by: User
) -> SearchGap:
    gap.status, gap.remedy, gap.entry = GapStatus.VERIFYING, remedy, entry
    gap.rank = None
    return _save_settled_gap(gap, by=by)


def _save_settled_gap(gap: SearchGap, *, by: User) -> SearchGap:
    gap.by, gap.settled_at = by, timezone.now()
    gap.full_clean()
    gap.save()
    return gap
