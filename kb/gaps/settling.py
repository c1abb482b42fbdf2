"""What an editor does about a gap, and the proof that it is one no more."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from kb import entries, golden, index
from kb.entries import Heard
from kb.models import Entry, Gap, SynonymSet, User
from kb.text import normalize, personal

Status, Remedy = Gap.Status, Gap.Remedy
TOP = 3  # down to which an entry has to stand
TRIED = 3  # spellings of a gap that are searched for
PHRASINGS = 20  # spellings that a new draft takes along
GONE = "这个缺口已经有人处理了，先看下一个。"
UNDONE = {Status.PROVING, Status.CLOSED, Status.DECLINED}


@transaction.atomic
def draft(gap: Gap, *, by: User) -> Entry:
    """Make a draft that asks the gap's question in all its spellings.

    What tells who searched does not come along; a spelling that holds nothing else
    stays behind.
    """
    gap = _locked(gap, {Status.OPEN}, by=by)
    words = gap.spellings.values_list("words", flat=True)[:PHRASINGS]
    offered = map(entries.offered_phrasing, words)
    phrasings = [text for text in offered if text and personal.MASK not in text]
    inside = gap.side == "staff"
    audience = Entry.Audience.INTERNAL if inside else Entry.Audience.PUBLIC
    question = entries.offered_phrasing(gap.words)
    entry = entries.draft(question, by=by, audience=audience, phrasings=phrasings)
    _remedy(gap, Remedy.DRAFT, entry, by=by)
    return entry


@transaction.atomic
def add_phrasing(
    gap: Gap, entry: Entry, *, by: User, words: str | None = None
) -> tuple[Gap, Heard]:
    """Let `entry` be found by the words of the gap, at once or once it is approved.

    `words` are those that an editor made of them. Raises ValidationError, also for
    personal data.
    """
    gap = _locked(gap, {Status.OPEN, Status.PROVING}, by=by)
    text = gap.words if words is None else words
    if not text.strip():
        raise ValidationError("请写一句问法。", code="required")
    entries.require_no_mask(text)
    heard = entries.add_phrasing(entry, text, by=by)
    return _remedy(gap, Remedy.PHRASING, entry, by=by), heard


@transaction.atomic
def add_synonym(gap: Gap, entry: Entry, *, said: str, written: str, by: User) -> Gap:
    """Let `said`, which is searched for, find `written`, which entries say."""
    if not by.has_perm("kb.add_synonymset"):
        raise PermissionDenied("您没有添加同义词的权限。")
    gap = _locked(gap, {Status.OPEN, Status.PROVING}, by=by)
    if normalize.normalize(said) not in normalize.normalize(gap.words):
        raise ValidationError(f"「{said}」不在搜索的话里，加了也不起作用。")
    row = SynonymSet(topic="搜索缺口", members=f"{said}\n{written}", two_way=False)
    row.full_clean()
    row.save()
    return _remedy(gap, Remedy.SYNONYM, entry, by=by)


@transaction.atomic
def decline(gap: Gap, *, reason: str, by: User) -> Gap:
    """Never show the gap again, for a reason that is written down."""
    gap = _locked(gap, {Status.OPEN, Status.PROVING}, by=by)
    gap.status, gap.reason, gap.entry = Status.DECLINED, reason.strip(), None
    return _settled(gap, by=by)


@transaction.atomic
def reopen(gap: Gap, *, by: User) -> Gap:
    """Let an editor look at it again; what was added to entries stays there."""
    gap = _locked(gap, UNDONE, by=by)
    gap.status, gap.reason, gap.remedy = Status.OPEN, "", ""
    gap.entry, gap.rank, gap.fell = None, None, False
    gap.by, gap.settled_at = None, None
    gap.save()
    return gap


# Proof ---------------------------------------------------------------------------


def prove(gap: Gap) -> Gap:
    """Search once more: closed when the entry is in the TOP, open when it fell out.

    Raises EngineUnavailable. A gap with a remedy waits until the proof succeeds;
    one that was closed is open again when it fails.
    """
    index.sync_small()
    said = list(gap.spellings.values_list("words", flat=True)[:TRIED]) or [gap.words]
    if gap.status == Status.CLOSED:
        said = said[:1]
    ranks = [_rank(words, gap) for words in said]
    worst = 0 if 0 in ranks else max(ranks)
    with transaction.atomic():
        now = Gap.objects.select_for_update().get(pk=gap.pk)
        if (now.status, now.entry_id) != (gap.status, gap.entry_id):
            return now  # somebody decided meanwhile
        return _proved(now, worst)


def prove_all() -> tuple[int, int]:
    """Prove what waits for it, and anew what was closed; return (closed, reopened)."""
    closed = fallen = 0
    for gap in Gap.objects.filter(status__in=[Status.PROVING, Status.CLOSED]):
        after = prove(gap)
        closed += (gap.status, after.status) == (Status.PROVING, Status.CLOSED)
        fallen += (gap.status, after.status) == (Status.CLOSED, Status.OPEN)
    return closed, fallen


def _rank(words: str, gap: Gap) -> int:
    if gap.entry_id is None:
        return 0
    return golden.place(words, side=gap.side, entry=gap.entry_id).rank


def _proved(gap: Gap, rank: int) -> Gap:
    gap.rank = rank
    if 1 <= rank <= TOP:
        gap.status, gap.fell = Status.CLOSED, False
    elif gap.status == Status.CLOSED or gap.entry_id is None:
        gap.status, gap.fell = Status.OPEN, True
    gap.save()
    return gap


# Between ---------------------------------------------------------------------------


def _locked(gap: Gap, expected: set[Any], *, by: User) -> Gap:
    if not by.has_perm("kb.change_entry"):
        raise PermissionDenied("您没有处理搜索缺口的权限。")
    now = Gap.objects.select_for_update().get(pk=gap.pk)
    if now.status not in expected:
        raise ValidationError(GONE, code="conflict")
    return now


def _remedy(gap: Gap, remedy: Gap.Remedy, entry: Entry, *, by: User) -> Gap:
    gap.status, gap.remedy, gap.entry = Status.PROVING, remedy, entry
    gap.rank = None
    return _settled(gap, by=by)


def _settled(gap: Gap, *, by: User) -> Gap:
    gap.by, gap.settled_at = by, timezone.now()
    gap.full_clean()
    gap.save()
    return gap
