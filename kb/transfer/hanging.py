"""Rows that hang on an entry, replies and phrasings: the entry is named, never guessed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Model

from kb import entries, index, wording
from kb.models import Channel, Entry, Phrasing, Reply, Segment, User
from kb.text import normalize
from kb.transfer import drafts, marks
from kb.transfer.columns import Columns, Layout
from kb.transfer.planning import (
    Key,
    Kind,
    Options,
    Progress,
    Seen,
    Wish,
)
from kb.transfer.similarity import SAME_QUESTION, question_similarity
from kb.transfer.table import Row
from kb.transfer.written import Written, version_of

ENTRY = {  # the columns that name an entry, the surest first
    "entry_mark": ["条目库内号", "entry_mark"],
    "entry_source": ["条目来源", "entry_source"],
    "entry_id": ["条目编号", "entry_id"],
    "entry": ["条目", "标准问题", "应该找到", "entry"],
}
CHANNELS = {
    normalize.normalize(name): channel.value
    for channel in Channel
    for name in (str(channel.label), channel.value)
}
TONES = {
    normalize.normalize(name): tone.value
    for tone in Reply.Tone
    for name in (str(tone.label), tone.value)
}


STAMPED = ("body", "label", "tone", "channel", "segment_id", "order")


class Named:
    """The entries of the library by what a file may call them."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[str, str], int] = {}
        self.sources: defaultdict[str, list[str]] = defaultdict(list)  # of a number
        self.questions: dict[int, str] = {}
        self.texts: defaultdict[str, list[int]] = defaultdict(list)
        self.ids: set[int] = set()
        rows = Entry.objects.order_by("pk").values_list(
            "pk", "source", "external_id", "question_key", "question"
        )
        for pk, source, number, digest, question in rows.iterator():
            self.ids.add(pk)
            self.texts[digest].append(pk)
            self.questions[pk] = question
            if number:
                self.numbers[source, number] = pk
                self.sources[number].append(source)

    def find(self, said: Mapping[str, str], default: str = "") -> int:
        """Return the id of the entry that a row names; raises ValueError with why not."""
        pk = marks.known("entries", said.get("entry_mark", ""))
        if pk is not None and pk in self.ids:
            return pk
        if number := normalize.line(said.get("entry_id", "")):
            source = normalize.line(said.get("entry_source", "")) or default
            return self._by_number(number, source, said.get("entry", ""))
        if not (text := said.get("entry")):
            raise ValueError("没有写是哪个条目")
        found = self.texts.get(normalize.key(text), [])
        if len(found) == 1:
            return found[0]
        if found:
            ids = "、".join(f"#{pk}" for pk in found)
            raise ValueError(f"有几条相同的问题（{ids}），请用编号区分")
        raise ValueError("没有这个条目")

    def _by_number(self, number: str, source: str, question: str) -> int:
        """Return the id of the entry with a number; raises ValueError with why not.

        Where the row names no source, the number must be that of one source only.
        Where it names the question as well, the two must agree.
        """
        sources = self.sources.get(number, [])
        if source or sources == [""]:
            sources = [source] if source in sources else []
        same = self.texts.get(normalize.key(question), []) if question else []
        pks = [self.numbers[source, number] for source in sources]
        agreeing = [pk for pk in pks if pk in same]
        if len(agreeing) == 1:
            return agreeing[0]
        if not pks:
            raise ValueError(f"没有来源「{source}」编号「{number}」的条目")
        if len(pks) > 1:
            names = "、".join(f"「{source}」" for source in sources)
            raise ValueError(f"几个来源都有编号「{number}」（{names}），请写条目来源")
        now = self.questions[pks[0]]
        if question and question_similarity([question], [now]) < SAME_QUESTION:
            raise ValueError(f"编号「{number}」现在是「{now}」，不是「{question}」")
        return pks[0]


class Hanging(Kind):
    """A kind whose rows belong to entries; those get a new version, once each."""

    versioned = True

    def __init__(self, options: Options, layout: Layout) -> None:
        super().__init__(options, layout)
        self.named = Named()
        self.entries: list[Entry] = []  # that were written to
        self.library = wording.Library()
        rows = Entry.objects.values_list("pk", "status", "category_id", "audience")
        self.standing = {pk: (status, place) for pk, status, place, _ in rows}
        self.audiences = {pk: audience for pk, _, _, audience in rows}
        self.live = {
            pk for pk, status, _, _ in rows if status == Entry.Status.PUBLISHED
        }
        self._counted: Counter[Key] = Counter()

    def owner(self, said: Mapping[str, str]) -> int | None:
        """Return the id of the entry, None where the row names none."""
        try:
            return self.named.find(said, self.options.source)
        except ValueError:
            return None

    def place(self, wish: Wish) -> int | None:
        try:
            return self.named.find(wish.said, self.options.source)
        except ValueError as error:
            said = next((name for name in ENTRY if name in wish.said), "entry")
            self.refuse(wish, said, str(error))
            return None

    def nth(self, key: Key) -> Key:
        """Return `key` with how often it stood in the file before."""
        self._counted[key] += 1
        return (*key, str(self._counted[key]))

    def lint(self, wish: Wish, name: str, entry_id: int, said: Any) -> None:
        """Name what the words break; what is live must not get what cannot be published.

        Words for a live entry are live at once, and the row says so.
        """
        audience = self.audiences[entry_id]
        is_live = entry_id in self.live
        found = wording.findings(
            said,
            public=audience == Entry.Audience.PUBLIC,
            entry_id=entry_id,
            library=self.library,
        )
        if is_live and found and found[0].is_error:
            self.refuse(wish, name, str(found[0]).rstrip("。"))
            return
        wish.is_live = is_live
        wish.notes += drafts.named(found)

    def allow(self, wish: Wish, entry_id: int) -> None:
        """Refuse words for an entry that their sender may not change."""
        now = self.standing[entry_id]
        if refusal := self.allowing.refusal(now, now):
            self.refuse(wish, "entry", refusal[1])

    def prepare(self, progress: Progress) -> None:
        """Nothing here takes time."""

    def touched(self) -> list[Entry]:
        """Return the entries of all that is written, ours until the end."""
        pks = {row.entry_id for row in (*self.new, *self.changed)}
        rows = Entry.objects.select_for_update().order_by("pk")
        self.entries = list(rows.filter(pk__in=pks))
        return self.entries

    def written(self) -> Iterator[Written]:
        return map(version_of, self.entries)


class Replies(Hanging):
    columns = Columns(
        {
            "mark": ["库内号", "mark"],
            "body": ["话术", "内容", "话术内容", "reply", "body"],
            "label": ["名称", "话术名称", "label"],
            "tone": ["语气", "tone"],
            "channel": ["渠道", "channel"],
            "segment": ["客户类型", "segment"],
            "order": ["次序", "order"],
            **ENTRY,
        },
        required=[["body"], ["entry_mark", "entry_id", "entry"]],
    )
    name, model, text = "replies", Reply, "body"

    def __init__(self, options: Options, layout: Layout) -> None:
        super().__init__(options, layout)
        self.segments = {normalize.normalize(s.name): s for s in Segment.objects.all()}

    def key(self, row: Row, said: Mapping[str, str]) -> Key:
        if marked := self.marked(said):
            return marked
        owner = self.owner(said)
        if owner is None:
            return ("row", str(row.number))
        label = normalize.line(said.get("label", "")) or "标准"
        return self.nth(("reply", str(owner), label))

    def find(self, keys: Collection[Key]) -> Seen:
        owners = {int(key[1]) for key in keys if key[0] == "reply"}
        marked = {int(key[1]) for key in keys if key[0] == "pk"}
        shared = Reply.objects.shared().order_by("pk")
        seen: Seen = {}
        for reply in shared.filter(pk__in=marked):
            seen["pk", str(reply.pk)] = [(reply.pk, _stamp(reply))]
        counted: Counter[Key] = Counter()
        for reply in shared.filter(entry__in=owners):
            key = ("reply", str(reply.entry_id), reply.label)
            counted[key] += 1
            seen[*key, str(counted[key])] = [(reply.pk, _stamp(reply))]
        return {key: seen[key] for key in keys if key in seen}

    def load(self, pks: Collection[int]) -> Mapping[int, Model]:
        return Reply.objects.shared().in_bulk(pks)

    def meet(self, wish: Wish, found: Sequence[Reply]) -> Sequence[str]:
        owner = found[0].entry_id if found else self.place(wish)
        if owner is None:
            return []
        reply = found[0] if found else Reply(entry_id=owner)
        changed = self.take(reply, self._values(wish))
        self.check(wish, reply, ("entry", "owner", "team", "author", "segment"))
        if changed or not found:
            self.allow(wish, owner)
            said = [(f"「{reply.label}」", reply.body)]
            self.lint(wish, "body", owner, wording.said_in("", "", said))
        if not wish.reasons and (changed or not found):
            (self.changed if found else self.new).append(reply)
        return changed

    def _values(self, wish: Wish) -> dict[str, Any]:
        values: dict[str, Any] = {
            "body": wish.said["body"],
            "label": normalize.line(wish.said.get("label", "")),
            "tone": self.choice(wish, "tone", TONES),
            "channel": self.choice(wish, "channel", CHANNELS),
            "order": self._order(wish),
        }
        if name := wish.said.get("segment"):
            segment = self.segments.get(normalize.normalize(name))
            if segment is None:
                self.refuse(wish, "segment", "没有这个客户类型，请先在管理里添加")
            values["segment_id"] = segment and segment.pk
        return {name: v for name, v in values.items() if v not in {"", None}}

    def _order(self, wish: Wish) -> int | None:
        if not (said := wish.said.get("order")):
            return None
        if said.isascii() and said.isdecimal() and len(said) <= 4:  # noqa: PLR2004
            return int(said)
        self.refuse(wish, "order", "次序要写成 0 到 9999 的数字")
        return None

    def store(self, by: User | None) -> None:
        replies = [*self.new, *self.changed]
        touched = self.touched()
        entries.store([], touched, replies=replies, by=by)
        index.mark([entry.pk for entry in touched])


class Phrasings(Hanging):
    columns = Columns(
        {"text": ["相似问法", "问法", "phrasing", "text"], **ENTRY},
        required=[["text"], ["entry_mark", "entry_id", "entry"]],
    )
    name, model, text = "phrasings", Phrasing, "text"

    def key(self, row: Row, said: Mapping[str, str]) -> Key:
        owner = self.owner(said)
        if owner is None or "text" not in said:
            return ("row", str(row.number))
        return ("phrasing", str(owner), normalize.key(said["text"]))

    def find(self, keys: Collection[Key]) -> Seen:
        owners = {int(key[1]) for key in keys if key[0] == "phrasing"}
        rows = Phrasing.objects.filter(entry__in=owners)
        seen: Seen = {
            ("phrasing", str(entry), digest): [(pk, text)]
            for pk, entry, digest, text in rows.values_list(
                "pk", "entry_id", "text_key", "text"
            )
        }
        return {key: seen[key] for key in keys if key in seen}

    def load(self, pks: Collection[int]) -> Mapping[int, Model]:
        return Phrasing.objects.in_bulk(pks)

    def meet(self, wish: Wish, found: Sequence[Phrasing]) -> Sequence[str]:
        owner = self.place(wish)
        if owner is None or found:  # words that it has stay as they are written
            return []
        text = normalize.line(wish.said["text"])
        phrasing = Phrasing(entry_id=owner, text=text, text_key=normalize.key(text))
        self.check(wish, phrasing, ("entry", "question"))
        self.allow(wish, owner)
        if not wish.reasons:
            self.lint(wish, "text", owner, wording.said_in("", "", (), [text]))
        if not wish.reasons:
            self.new.append(phrasing)
        return []

    def store(self, by: User | None) -> None:
        touched = self.touched()
        entries.store([], touched, phrasings=self.new, by=by)
        index.mark([entry.pk for entry in touched])


def _stamp(reply: Reply) -> tuple[object, ...]:
    return tuple(getattr(reply, name) for name in STAMPED)
