"""What an editor does about a gap, and the proof that it is one no more."""

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
MAX_VERIFIED_RANK = 3  # down to which an entry has to stand
MAX_VERIFIED_SPELLINGS = 3  # spellings of a gap that are searched for
MAX_DRAFT_PHRASINGS = 20  # spellings that a new draft takes along
GAP_HANDLED_MESSAGE = "这个缺口已经有人处理了，先看下一个。"
REOPENABLE_STATUSES = {GapStatus.VERIFYING, GapStatus.CLOSED, GapStatus.DECLINED}


@transaction.atomic
def draft_entry_for_gap(gap: SearchGap, *, by: User) -> Entry:
    """Make a draft that asks the gap's question in all its spellings.

    What tells who searched does not come along; a spelling that holds nothing else
    stays behind.
    """
    gap = _lock_gap(gap, {GapStatus.OPEN}, by=by)
    words = gap.spellings.values_list("words", flat=True)[:MAX_DRAFT_PHRASINGS]
    offered = map(entries.suggest_phrasing, words)
    phrasings = [
        text
        for text in offered
        if text and personal_data.PERSONAL_DATA_MASK not in text
    ]
    inside = gap.side == "staff"
    audience = Entry.Audience.INTERNAL if inside else Entry.Audience.PUBLIC
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
    """Let `entry` be found by the words of the gap, at once or once it is approved.

    `words` are those that an editor made of them. Raises ValidationError, also for
    personal data.
    """
    gap = _lock_gap(gap, {GapStatus.OPEN, GapStatus.VERIFYING}, by=by)
    text = gap.words if words is None else words
    if not text.strip():
        raise ValidationError("请写一句问法。", code="required")
    entries.require_no_masked_data(text)
    heard = entries.add_phrasing(entry, text, by=by)
    return _set_remedy(gap, GapRemedy.PHRASING, entry, by=by), heard


@transaction.atomic
def add_synonym_for_gap(
    gap: SearchGap, entry: Entry, *, said: str, written: str, by: User
) -> SearchGap:
    """Let `said`, which is searched for, find `written`, which entries say."""
    if not by.has_perm("kb.add_synonymset"):
        raise PermissionDenied("您没有添加同义词的权限。")
    gap = _lock_gap(gap, {GapStatus.OPEN, GapStatus.VERIFYING}, by=by)
    if normalize.normalize_text(said) not in normalize.normalize_text(gap.words):
        raise ValidationError(f"「{said}」不在搜索的话里，加了也不起作用。")
    row = SynonymSet(topic="搜索缺口", members=f"{said}\n{written}", two_way=False)
    row.full_clean()
    row.save()
    return _set_remedy(gap, GapRemedy.SYNONYM, entry, by=by)


@transaction.atomic
def decline_gap(gap: SearchGap, *, reason: str, by: User) -> SearchGap:
    """Never show the gap again, for a reason that is written down."""
    gap = _lock_gap(gap, {GapStatus.OPEN, GapStatus.VERIFYING}, by=by)
    gap.status, gap.reason, gap.entry = GapStatus.DECLINED, reason.strip(), None
    return _save_settled_gap(gap, by=by)


@transaction.atomic
def reopen_gap(gap: SearchGap, *, by: User) -> SearchGap:
    """Let an editor look at it again; what was added to entries stays there."""
    gap = _lock_gap(gap, REOPENABLE_STATUSES, by=by)
    gap.status, gap.reason, gap.remedy = GapStatus.OPEN, "", ""
    gap.entry, gap.rank, gap.fell = None, None, False
    gap.by, gap.settled_at = None, None
    gap.save()
    return gap


# Proof ---------------------------------------------------------------------------


def verify_gap(gap: SearchGap) -> SearchGap:
    """Search once more: closed when the entry is in the TOP, open when it fell out.

    Raises EngineUnavailable. A gap with a remedy waits until the proof succeeds;
    one that was closed is open again when it fails.
    """
    sync.sync_small_lots()
    said = list(
        gap.spellings.values_list("words", flat=True)[:MAX_VERIFIED_SPELLINGS]
    ) or [gap.words]
    if gap.status == GapStatus.CLOSED:
        said = said[:1]
    ranks = [_find_gap_rank(words, gap) for words in said]
    worst = 0 if 0 in ranks else max(ranks)
    with transaction.atomic():
        now = SearchGap.objects.select_for_update().get(pk=gap.pk)
        if (now.status, now.entry_id) != (gap.status, gap.entry_id):
            return now  # somebody decided meanwhile
        return _apply_verified_rank(now, worst)


def verify_gaps() -> tuple[int, int]:
    """Prove what waits for it, and anew what was closed; return (closed, reopened)."""
    closed = fallen = 0
    for gap in SearchGap.objects.filter(
        status__in=[GapStatus.VERIFYING, GapStatus.CLOSED]
    ):
        after = verify_gap(gap)
        closed += (gap.status, after.status) == (GapStatus.VERIFYING, GapStatus.CLOSED)
        fallen += (gap.status, after.status) == (GapStatus.CLOSED, GapStatus.OPEN)
    return closed, fallen


def _find_gap_rank(words: str, gap: SearchGap) -> int:
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


# Between ---------------------------------------------------------------------------


def _lock_gap(gap: SearchGap, expected: set[Any], *, by: User) -> SearchGap:
    if not by.has_perm("kb.change_entry"):
        raise PermissionDenied("您没有处理搜索缺口的权限。")
    now = SearchGap.objects.select_for_update().get(pk=gap.pk)
    if now.status not in expected:
        raise ValidationError(GAP_HANDLED_MESSAGE, code="conflict")
    return now


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
