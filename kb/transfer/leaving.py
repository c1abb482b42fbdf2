"""What goes out: every row as the importer reads it back, read in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet

from kb.models import (
    Category,
    Entry,
    Golden,
    Phrasing,
    Question,
    Reply,
    Right,
    StopWord,
    SynonymSet,
    User,
    Word,
    WordingRule,
    replies_shared,
)
from kb.models.remit import branches
from kb.transfer import cells, rules
from kb.transfer.entries import LABELS
from kb.transfer.joining import LINES, STEPS, WORDS, joined
from kb.transfer.marks import mark
from kb.transfer.words import NO_TAG

BATCH = 500  # rows read from the database at a time
Line = dict[str, str]


@dataclass(frozen=True, slots=True)
class Export:
    """One kind of file: its fields in order, its rows, and what a row says."""

    label: str
    fields: Sequence[str]
    rows: Callable[[], QuerySet[Any]]
    line: Callable[[Any], Line]

    def lines(self) -> Iterator[list[str]]:
        """Yield the cells of every row, in the order of `fields`."""
        for row in _batched(self.rows()):
            line = self.line(row)
            yield [cells.unify(line.get(name, "")) for name in self.fields]


def _batched(rows: QuerySet[Any]) -> Iterator[Model]:
    """Yield rows by id, each batch a query of its own: nobody has to wait for us."""
    ordered = rows.order_by("pk")
    batch = list(ordered[:BATCH])
    while batch:
        yield from batch
        batch = list(ordered.filter(pk__gt=batch[-1].pk)[:BATCH])


class _Paths:
    """The names of a category and of all above it, read once for an export."""

    def __init__(self) -> None:
        rows = Category.objects.values_list("pk", "name", "parent_id")
        self._rows = {pk: (name, parent) for pk, name, parent in rows}

    def of(self, pk: int | None) -> list[str]:
        path: list[str] = []
        while pk in self._rows:
            name, pk = self._rows[pk]
            path.insert(0, name)
        return path


def _entries() -> QuerySet[Entry]:
    parts = (replies_shared(), "phrasings", "tags", "module", "window", "owner")
    return Entry.objects.prefetch_related(*parts)


def _entry(paths: _Paths) -> Callable[[Entry], Line]:
    def line(entry: Entry) -> Line:
        return {
            "mark": mark("entries", entry.pk),
            "source": entry.source,
            "external_id": entry.external_id,
            "question": entry.question,
            "answer": entry.answer,
            "category": joined(STEPS, paths.of(entry.category_id), by="/"),
            "tags": joined(WORDS, sorted(tag.name for tag in entry.tags.all())),
            "similar": joined(LINES, [one.text for one in entry.phrasings.all()]),
            "keywords": entry.keywords,
            "module": entry.module.name if entry.module else "",
            "audience": entry.get_audience_display(),
            "status": entry.get_status_display(),
            "valid_from": cells.told(entry.valid_from),
            "valid_until": cells.told(entry.valid_until),
            "slug": entry.slug,
            "window": entry.window.name if entry.window else "",
            "owner": entry.owner.username if entry.owner else "",
            "review_at": entry.review_at.isoformat() if entry.review_at else "",
            **_first_replies(entry.replies.all()),
        }

    return line


def _first_replies(replies: Any) -> Line:
    """Return the first reply of each name, as many as an entry's row can have."""
    first: dict[str, Reply] = {}
    for reply in replies:
        first.setdefault(reply.label, reply)
    line: Line = {}
    for (name, usual), (label, reply) in zip(
        LABELS.items(), first.items(), strict=False
    ):
        line[name] = reply.body
        if label != usual:
            line[f"{name}_label"] = label
    return line


def _owner(entry: Entry | None) -> Line:
    if entry is None:
        return {}
    return {
        "entry_mark": mark("entries", entry.pk),
        "entry_source": entry.source,
        "entry_id": entry.external_id,
        "entry": entry.question,
    }


def _reply(reply: Reply) -> Line:
    return {
        "mark": mark("replies", reply.pk),
        **_owner(reply.entry),
        "label": reply.label,
        "tone": reply.get_tone_display(),
        "channel": reply.get_channel_display(),
        "segment": reply.segment.name if reply.segment else "",
        "order": str(reply.order),
        "body": reply.body,
    }


def _phrasing(phrasing: Phrasing) -> Line:
    return {**_owner(phrasing.entry), "text": phrasing.text}


def _question(question: Question) -> Line:
    return {
        "mark": mark("questions", question.pk),
        "source": question.source,
        "external_id": question.external_id,
        "text": question.text,
        "answer": question.answer,
        "channel": question.get_channel_display(),
        "segment": question.segment,
        "module": question.module.name if question.module else "",
        "asked_at": cells.told(question.asked_at),
    }


def _synonyms(row: SynonymSet) -> Line:
    members = joined("\n;；|｜,，、=＝", row.words())
    both = "是" if row.two_way else "否"
    told = {"members": members, "two_way": both, "topic": row.topic}
    return {"mark": mark("synonyms", row.pk), **told}


def _word(row: Word) -> Line:
    tag = row.get_tag_display() or NO_TAG
    return {"mark": mark("words", row.pk), "text": row.text, "tag": tag}


def _stopword(row: StopWord) -> Line:
    return {"mark": mark("stopwords", row.pk), "text": row.text}


def _golden(row: Golden) -> Line:
    return {
        "mark": mark("golden", row.pk),
        "words": row.words,
        "side": row.get_side_display(),
        "within": str(row.within),
        **_owner(row.entry),
    }


_OWNER = ("entry_mark", "entry_source", "entry_id", "entry")
_ENTRY = (
    "mark source external_id question answer category tags reply reply_label reply2"
    " reply2_label reply3 reply3_label similar keywords module audience status"
    " valid_from valid_until slug window owner review_at"
)


EXPORTS: dict[str, Callable[[], Export]] = {
    "entries": lambda: Export("条目", _ENTRY.split(), _entries, _entry(_Paths())),
    "replies": lambda: Export(
        "话术",
        ("mark", *_OWNER, *"label tone channel segment order body".split()),
        lambda: Reply.objects.shared().select_related("entry", "segment"),
        _reply,
    ),
    "phrasings": lambda: Export(
        "相似问法",
        (*_OWNER, "text"),
        lambda: Phrasing.objects.select_related("entry"),
        _phrasing,
    ),
    "questions": lambda: Export(
        "问题",
        "mark source external_id text answer channel segment module asked_at".split(),
        lambda: Question.objects.select_related("module"),
        _question,
    ),
    "synonyms": lambda: Export(
        "同义词",
        ("mark", "members", "two_way", "topic"),
        SynonymSet.objects.all,
        _synonyms,
    ),
    "words": lambda: Export("词典", ("mark", "text", "tag"), Word.objects.all, _word),
    "stopwords": lambda: Export(
        "停用词", ("mark", "text"), StopWord.objects.all, _stopword
    ),
    "wording": lambda: Export(
        "用词规则",
        list(rules.Wording.columns.names),
        WordingRule.objects.all,
        rules.line,
    ),
    "golden": lambda: Export(
        "搜索验收",
        ("mark", "words", "side", *_OWNER, "within"),
        lambda: Golden.objects.select_related("entry"),
        _golden,
    ),
}


# By which column a row of a kind belongs to a category. What is not here belongs
# to the library as a whole.
CATEGORY_COLUMNS = {
    "entries": "category",
    "replies": "entry__category",
    "phrasings": "entry__category",
    "questions": "entry__category",
    "golden": "entry__category",
}


def may_export(kind: str, by: User | None) -> bool:
    """Tell whether `kind` holds anything that is in the remit of `by`."""
    bound = by is not None and branches(by, Right.WRITE) is not None
    return not bound or kind in CATEGORY_COLUMNS


def export(kind: str, by: User | None = None) -> Export:
    """Return what an export of `kind` holds, for `by` what is in their branches.

    None is the operator, who exports everything. Raises KeyError, PermissionDenied.
    """
    made = EXPORTS[kind]()
    held = branches(by, Right.WRITE) if by is not None else None
    if held is None:
        return made
    if not may_export(kind, by):
        told = f"{made.label}不分分类，您负责的只是部分分类，不能导出。"
        raise PermissionDenied(told)
    within = {f"{CATEGORY_COLUMNS[kind]}__in": held}
    return replace(made, rows=lambda: made.rows().filter(**within))
