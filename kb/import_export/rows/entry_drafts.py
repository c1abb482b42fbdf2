"""Drafts of entries from a file: which may be published, and which stay unpublished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils import timezone

from kb.import_export.plan.row_kind import ParsedRow, RowKind
from kb.import_export.row_outcome import RefusalReason, RowConcern
from kb.language import style_rules
from kb.models import Entry, Phrasing, Reply, Tag

Status, Audience = Entry.Status, Entry.Audience
StatusAndAudience = tuple[str, str]  # status and audience
MAX_NAMED_FINDINGS = 3  # findings of one row that a note lists


@dataclass(slots=True)
class EntryDraft:
    """An entry to be written, with what is new or changed around it."""

    entry: Entry
    is_rewritten: bool = False  # its derived columns must be computed again
    replies: list[Reply] = field(default_factory=list)
    phrasings: list[Phrasing] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)


class RepeatedQuestions:
    """The questions of the library and of earlier rows, to note repeated ones."""

    def __init__(self) -> None:
        # {text key: where the question was first, for a message}
        self._places_by_key: dict[str, str] = {}

    def note_repeated_question(self, parsed: ParsedRow) -> None:
        """Note on a row for a new entry that its question exists already."""
        if not self._places_by_key:
            rows = Entry.objects.order_by("-pk").values_list("question_key", "pk")
            self._places_by_key = {
                text_key: f"库里 #{pk} " for text_key, pk in rows.iterator()
            }
        place = f"第 {parsed.row.number} 行"
        first_place = self._places_by_key.setdefault(parsed.text_key, place)
        if first_place != place:
            parsed.notes.append(f"问题和{first_place}相同，会另建一条")


def hold_back_unpublishable(
    kind: RowKind,
    parsed: ParsedRow,
    draft: EntryDraft,
    before: StatusAndAudience | None,
    changed: list[str],
    library: style_rules.LibraryLookup,
) -> list[str]:
    """Leave an entry unpublished whose text breaks rules; return what changes then.

    A published entry stays published; a row that would make it break rules is refused.
    """
    entry = draft.entry
    if entry.status != Status.PUBLISHED or parsed.reasons or not changed:
        return changed
    was_live = bool(before and before[0] == Status.PUBLISHED)
    findings = _find_text_findings(
        draft,
        library,
        with_entry=draft.is_rewritten or not was_live,
        with_stored=not was_live,
    )
    if not findings:
        return changed
    if was_live:
        text = f"不能发布：{findings[0]}".rstrip("。")
        kind.refuse_row(parsed, kind.text_field, text)
        return changed
    entry.status = before[0] if before else Status.DRAFT
    parsed.unpublished_reason = str(findings[0])
    parsed.notes.append(
        f"没有发布，留作{entry.get_status_display()}：{parsed.unpublished_reason}"
    )
    return [name for name in changed if name != "status" or not before]


def _find_text_findings(
    draft: EntryDraft,
    library: style_rules.LibraryLookup,
    *,
    with_entry: bool,
    strict: bool = True,
    with_stored: bool = False,
) -> list[style_rules.StyleFinding]:
    """Return which style rules the text of a draft breaks.

    With `strict`, only the findings that prevent publishing. `with_entry` includes the
    question and answer, `with_stored` the replies and phrasings in the database.
    """
    entry = draft.entry
    replies, phrasings = draft.replies, draft.phrasings
    if with_stored and entry.pk:  # a changed reply is among the stored ones
        new_replies = [reply for reply in replies if not reply.pk]
        replies = [*entry.replies.all(), *new_replies]
        phrasings = [*entry.phrasings.all(), *phrasings]
    question, answer = (entry.question, entry.answer) if with_entry else ("", "")
    return style_rules.check_texts(
        style_rules.list_form_texts(
            question,
            answer,
            [(f"「{reply.label}」", reply.body) for reply in replies],
            [phrasing.text for phrasing in phrasings],
        ),
        public=entry.audience == Audience.PUBLIC,
        entry_id=entry.pk,
        library=library,
        strict=strict,
    )


def note_text_findings(
    parsed: ParsedRow, draft: EntryDraft, library: style_rules.LibraryLookup
) -> None:
    """Note which style rules a row breaks, including those that only warn.

    Personal data in an unpublished draft is noted as well: it is easier to correct
    before the import. The finding that prevented publishing has its own note.
    """
    if parsed.reasons:
        return
    findings = _find_text_findings(
        draft, library, with_entry=draft.is_rewritten, strict=False
    )
    parsed.notes += describe_findings(
        [item for item in findings if str(item) != parsed.unpublished_reason]
    )


def describe_findings(findings: Sequence[style_rules.StyleFinding]) -> list[str]:
    """Return the first findings of one row as messages, and how many more there are."""
    messages = [
        f"{'发布前要改' if finding.is_error else '提醒'}：{finding}".rstrip("。")
        for finding in findings[:MAX_NAMED_FINDINGS]
    ]
    more = len(findings) - len(messages)
    return [*messages, f"另有 {more} 处"] if more else messages


def require_live_confirmation(
    kind: RowKind,
    parsed: ParsedRow,
    draft: EntryDraft,
    before: StatusAndAudience | None,
) -> None:
    """Mark a row that changes a published entry; refuse it unless that is confirmed.

    With new entries as drafts, the sender expects that readers see no change. A row
    with a status of its own is explicit and needs no confirmation.
    """
    if parsed.reasons or before is None or before[0] != Status.PUBLISHED:
        return
    parsed.is_live = True
    stays_live = draft.entry.status == Status.PUBLISHED
    is_explicit = "status" in parsed.values or kind.options.can_change_live
    if stays_live and not is_explicit:
        parsed.concern = parsed.concern or RowConcern.LIVE
        text = "条目已发布，修改会马上生效，要先确认"
        parsed.reasons.append(RefusalReason("整行", text))


def check_status_change(
    kind: RowKind,
    parsed: ParsedRow,
    draft: EntryDraft,
    before: StatusAndAudience | None,
) -> None:
    """Refuse a change of status that the workflow of entries does not allow."""
    entry, after = draft.entry, (draft.entry.status, draft.entry.audience)
    live = entry.status == Status.PUBLISHED
    if (
        after != before
        and not kind.options.may_publish
        and _needs_publish_right(before, after)
    ):
        kind.refuse_row(parsed, "status", "您没有发布和下线的权限")
    if live and entry.audience == Audience.PUBLIC and not entry.answer:
        kind.refuse_row(parsed, "answer", "公开发布的条目必须有答案")
    elif live and not (entry.answer or draft.replies or _has_replies(entry)):
        kind.refuse_row(parsed, "answer", "既没有答案也没有话术，不能发布")
    if live and (before is None or before[0] != Status.PUBLISHED):
        entry.published_at = timezone.now()


def _needs_publish_right(
    before: StatusAndAudience | None, after: StatusAndAudience
) -> bool:
    """Return whether the change needs the right to publish.

    A new draft, submitting a draft, and the audience of an unpublished entry do not.
    """
    old_status = before[0] if before else Status.DRAFT
    if old_status != after[0]:
        return (old_status, after[0]) != (Status.DRAFT, Status.REVIEW)
    return after == (Status.PUBLISHED, Audience.PUBLIC)


def _has_replies(entry: Entry) -> bool:
    return bool(entry.pk and entry.replies.all())
