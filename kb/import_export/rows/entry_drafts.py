"""An entry to be written: what may be published, and what is kept back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils import timezone

from kb.import_export.import_plan import RefusalReason, RowConcern
from kb.import_export.plan.planner import ParsedRow, RowKind
from kb.language import style_rules
from kb.models import Entry, Phrasing, Reply, Tag
from kb.text.chinese import normalize

Status, Audience = Entry.Status, Entry.Audience
StatusAndAudience = tuple[str, str]  # status and audience
MAX_NAMED_FINDINGS = 3  # of one row that are named


@dataclass(slots=True)
class EntryDraft:
    """An entry to be written, with what is new or changed around it."""

    entry: Entry
    is_rewritten: bool = False  # its derived columns must be made anew
    replies: list[Reply] = field(default_factory=list)
    phrasings: list[Phrasing] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)


class RepeatedQuestions:
    """Questions of the library and of the rows before, to tell of what is asked twice."""

    def __init__(self) -> None:
        self._first_asked_by_key: dict[str, str] = {}

    def note_repeated_question(self, wish: ParsedRow) -> None:
        """Note on a row that makes an entry that another one asks the same."""
        if not self._first_asked_by_key:
            rows = Entry.objects.order_by("-pk").values_list("question_key", "pk")
            self._first_asked_by_key = {
                digest: f"库里 #{pk} " for digest, pk in rows.iterator()
            }
        key = normalize.compute_spelling_key(wish.values["question"])
        here = f"第 {wish.row.number} 行"
        if (twin := self._first_asked_by_key.setdefault(key, here)) != here:
            wish.notes.append(f"问题和{twin}相同，会另建一条")


# What must hold ----------------------------------------------------------


def hold_back_unpublishable(
    kind: RowKind,
    wish: ParsedRow,
    draft: EntryDraft,
    before: StatusAndAudience | None,
    changed: list[str],
    library: style_rules.LibraryLookup,
) -> list[str]:
    """Keep a draft what may not be published so; return what changes then.

    What is live already is not taken away, but not changed into that either.
    """
    entry = draft.entry
    if entry.status != Status.PUBLISHED or wish.reasons or not changed:
        return changed
    live = bool(before and before[0] == Status.PUBLISHED)
    found = _find_text_findings(
        draft, library, faces=draft.is_rewritten or not live, kept=not live
    )
    if not found:
        return changed
    if live:
        kind.refuse_row(wish, kind.text_field, f"不能发布：{found[0]}".rstrip("。"))
        return changed
    entry.status = before[0] if before else Status.DRAFT
    wish.unpublished_reason = str(found[0])
    wish.notes.append(
        f"没有发布，留作{entry.get_status_display()}：{wish.unpublished_reason}"
    )
    return [name for name in changed if name != "status" or not before]


def _find_text_findings(
    draft: EntryDraft,
    library: style_rules.LibraryLookup,
    *,
    faces: bool,
    strict: bool = True,
    kept: bool = False,
) -> list[style_rules.StyleFinding]:
    """Return what the words that a file brings break; `strict`, what stops publishing.

    `kept` looks at the replies and phrasings that the entry has already, too.
    """
    entry = draft.entry
    some, said = draft.replies, draft.phrasings
    if kept and entry.pk:  # a changed reply is among the entry's
        some = [*entry.replies.all(), *(one for one in some if not one.pk)]
        said = [*entry.phrasings.all(), *said]
    replies = [(f"「{reply.label}」", reply.body) for reply in some]
    phrasings = [phrasing.text for phrasing in said]
    question, answer = (entry.question, entry.answer) if faces else ("", "")
    return style_rules.check_texts(
        style_rules.list_form_texts(question, answer, replies, phrasings),
        public=entry.audience == Audience.PUBLIC,
        entry_id=entry.pk,
        library=library,
        strict=strict,
    )


def note_text_findings(
    wish: ParsedRow, draft: EntryDraft, library: style_rules.LibraryLookup
) -> None:
    """Note what the words of a row break, also what does not stop publishing.

    Personal data in a draft is named as well: the row is easier to mend now. What
    kept the entry from being published has been said.
    """
    if wish.reasons:
        return
    found = _find_text_findings(draft, library, faces=draft.is_rewritten, strict=False)
    wish.notes += describe_findings(
        [one for one in found if str(one) != wish.unpublished_reason]
    )


def describe_findings(findings: Sequence[style_rules.StyleFinding]) -> list[str]:
    """Return the first findings of one row as sentences, and how many more there are."""
    told = [
        f"{'发布前要改' if finding.is_error else '提醒'}：{finding}".rstrip("。")
        for finding in findings[:MAX_NAMED_FINDINGS]
    ]
    more = len(findings) - len(told)
    return [*told, f"另有 {more} 处"] if more else told


def require_live_confirmation(
    kind: RowKind, wish: ParsedRow, draft: EntryDraft, before: StatusAndAudience | None
) -> None:
    """Tell that a row changes what readers have now; refuse it unless that is meant.

    Who has new entries made as drafts expects that nothing goes live. A row that
    gives a status itself says what it means.
    """
    if wish.reasons or before is None or before[0] != Status.PUBLISHED:
        return
    wish.is_live = True
    stays = draft.entry.status == Status.PUBLISHED
    if stays and "status" not in wish.values and not kind.options.can_change_live:
        wish.concern = wish.concern or RowConcern.LIVE
        told = "条目已发布，修改会马上生效，要先确认"
        wish.reasons.append(RefusalReason("整行", told))


def check_status_change(
    kind: RowKind, wish: ParsedRow, draft: EntryDraft, before: StatusAndAudience | None
) -> None:
    """Refuse what the stages of an entry's life refuse as well."""
    entry, now = draft.entry, (draft.entry.status, draft.entry.audience)
    live = entry.status == Status.PUBLISHED
    if (
        now != before
        and not kind.options.may_publish
        and _needs_publish_right(before, now)
    ):
        kind.refuse_row(wish, "status", "您没有发布和下线的权限")
    if live and entry.audience == Audience.PUBLIC and not entry.answer:
        kind.refuse_row(wish, "answer", "公开发布的条目必须有答案")
    elif live and not (entry.answer or draft.replies or _has_replies(entry)):
        kind.refuse_row(wish, "answer", "既没有答案也没有话术，不能发布")
    if live and (before is None or before[0] != Status.PUBLISHED):
        entry.published_at = timezone.now()


def _needs_publish_right(
    before: StatusAndAudience | None, now: StatusAndAudience
) -> bool:
    """Tell whether the change is a lead's or an editor's to decide.

    New drafts, submitting a draft, and the audience of what is not live are not.
    """
    was = before[0] if before else Status.DRAFT
    if was != now[0]:
        return (was, now[0]) != (Status.DRAFT, Status.REVIEW)
    return now[0] == Status.PUBLISHED and now[1] == Audience.PUBLIC


def _has_replies(entry: Entry) -> bool:
    return bool(entry.pk and entry.replies.all())
