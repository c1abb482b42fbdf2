"""A row that is an entry: a standard question, its answer and its replies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from kb import audit, entries, index, wording
from kb.models import Deed, Entry, Phrasing, Reply, User, Window, replies_shared
from kb.models.category import DEEPEST
from kb.text import normalize
from kb.transfer import cells, drafts
from kb.transfer.columns import Columns, Layout
from kb.transfer.drafts import Draft
from kb.transfer.duplicates import Duplicate, DuplicateIndex
from kb.transfer.joining import LINES, STEPS, WORDS, parts
from kb.transfer.matching import Matcher
from kb.transfer.numbering import Numbering
from kb.transfer.planning import (
    BATCH,
    MERGE,
    NEW,
    SKIP,
    Key,
    Kind,
    Options,
    Progress,
    Seen,
    Wish,
    ids,
    source,
    split,
)
from kb.transfer.report import Concern, RelatedEntry
from kb.transfer.written import NUMBER, Written, told, version_of

Status, Audience = Entry.Status, Entry.Audience
STATUSES = {
    "草稿": Status.DRAFT,
    "待审核": Status.REVIEW,
    "已发布": Status.PUBLISHED,
    "已下线": Status.RETIRED,
    "审核中": Status.REVIEW,
    "发布": Status.PUBLISHED,
    "下线": Status.RETIRED,
} | {status.value: status for status in Status}
AUDIENCES = {
    "公开": Audience.PUBLIC,
    "内部": Audience.INTERNAL,
    "仅内部": Audience.INTERNAL,
} | {audience.value: audience for audience in Audience}
LABELS = {"reply": "标准", "reply2": "简短", "reply3": "其他"}
APART = ("category", "module", "created_by", "updated_by", "question_key")
OUTCOMES = {SKIP: "没有导入", NEW: "会另建一条", MERGE: "会并入它"}  # of a duplicate
MANY_PHRASINGS, MANY_TAGS = 200, 30  # of one entry


class _Names:
    """Rows by a name that is theirs alone, read when the first is asked for."""

    def __init__(self, rows: QuerySet[Any], name: str) -> None:
        self._rows, self._name = rows, name
        self._ids: dict[str, int] | None = None

    def find(self, said: str) -> int | None:
        if self._ids is None:
            pairs = self._rows.values_list(self._name, "pk")
            self._ids = {normalize.normalize(name): pk for name, pk in pairs}
        return self._ids.get(normalize.normalize(said))


class Entries(Kind):
    columns = Columns(
        {
            "mark": ["库内号", "mark"],
            "question": ["标准问题", "问题", "标题", "question", "title"],
            "answer": ["答案", "FAQ答案", "回答", "answer"],
            "external_id": ["编号", "外部编号", "id", "external_id"],
            "source": ["来源", "source"],
            "category": ["分类", "category"],
            "subcategory": ["子分类", "subcategory"],
            "tags": ["标签", "tags"],
            "reply": ["话术", "话术1", "reply", "reply1"],
            "reply2": ["话术2", "reply2"],
            "reply3": ["话术3", "reply3"],
            "similar": ["相似问法", "相似问题", "similar"],
            "keywords": ["短码", "关键词", "短码和关键词", "keywords"],
            "module": ["产品模块", "模块", "module"],
            "reply_label": ["话术名称", "话术1名称", "reply_label"],
            "reply2_label": ["话术2名称", "reply2_label"],
            "reply3_label": ["话术3名称", "reply3_label"],
            "valid_from": ["开始时间", "生效时间", "valid_from"],
            "valid_until": ["结束时间", "失效时间", "valid_until"],
            "slug": ["网址后缀", "slug"],
            "window": ["档期", "window"],
            "owner": ["负责人", "owner"],
            "review_at": ["复核日期", "review_at"],
            "audience": ["可见范围", "可见性", "公开范围", "audience", "visibility"],
            "status": ["状态", "status"],
        },
        required=[["question"], ["answer", "reply", "reply2", "reply3"]],
    )
    name, model, text = "entries", Entry, "question"
    versioned = True

    def __init__(self, options: Options, layout: Layout) -> None:
        super().__init__(options, layout)
        self.new: list[Draft]
        self.changed: list[Draft]
        self.library, self.twins = wording.Library(), drafts.Twins()
        self.owners = _Names(User.objects.filter(is_active=True), "username")
        self.windows = _Names(Window.objects.all(), "name")
        self.matcher = Matcher(self, self, key="question_key", by_text=True)
        self.numbering = Numbering(self.matcher)
        self.drafts: dict[int, Draft] = {}  # changes of entries, by their ids
        self.replaced: list[Entry] = []  # that make room for another question

    # Which entry a row means -------------------------------------------------

    def resolve(self, asked: Sequence[Wish], progress: Progress) -> None:
        """Match rows and entries, then look for near duplicates of those that are new."""
        new = self.matcher.resolve(asked)
        claimed = frozenset(self.matcher.claimed)
        duplicates = DuplicateIndex() if new else None
        for done, wish in enumerate(new, 1):
            assert duplicates is not None  # noqa: S101 - for the type
            near = duplicates.find(wish.said[self.text], claimed)
            if near is not None:
                self._name_duplicate(wish, near)
            if done % BATCH == 0 or done == len(new):
                progress("查重", done, len(new))

    def _name_duplicate(self, wish: Wish, near: Duplicate) -> None:
        wish.concern = Concern.DUPLICATE
        wish.related = RelatedEntry(near.pk, near.question, near.status, near.score)
        wish.choice = self.options.choice_for(wish.row)
        self.evidence.append((wish.row.number, near.pk, near.version))
        likeness = "相同" if near.score >= 1 else f"相似 {near.score:.0%}"
        wish.notes.append(
            f"和库里 #{near.pk}「{cells.brief(near.question)}」{likeness}，"
            f"{OUTCOMES[wish.choice]}"
        )
        if wish.merges:
            wish.key, wish.number = ("pk", str(near.pk)), None

    def wordings_of_row(self, wish: Wish) -> list[str]:
        return parts(LINES, wish.said.get("similar", ""))

    def wordings_of(self, pks: Collection[int]) -> Mapping[int, list[str]]:
        found: defaultdict[int, list[str]] = defaultdict(list)
        phrasings = Phrasing.objects.filter(entry__in=pks)
        for pk, text in phrasings.values_list("entry_id", "text"):
            found[pk].append(text)
        return found

    def finish(self) -> None:
        self.numbering.settle()
        released = [("pk", str(pk)) for pk in self.numbering.released]
        self.seen.update(self.find(released))

    def find(self, keys: Collection[Key]) -> Seen:
        rows = Entry.objects.order_by("pk")
        numbers, digests = split(keys)
        seen: Seen = {}
        numbered = rows.exclude(external_id="").filter(
            source__in={key[1] for key in numbers},
            external_id__in=[key[2] for key in numbers],
        )
        for pk, version, origin, number in numbered.values_list(
            "pk", "version", "source", "external_id"
        ):
            if (key := ("id", origin, number)) in numbers:
                seen[key] = [(pk, version)]
        for pk, version in rows.filter(pk__in=ids(keys)).values_list("pk", "version"):
            seen["pk", str(pk)] = [(pk, version)]
        same = rows.filter(external_id="", question_key__in=digests)
        for pk, version, digest in same.values_list("pk", "version", "question_key"):
            seen.setdefault(("text", digest), []).append((pk, version))
        return seen

    def load(self, pks: Collection[int]) -> Mapping[int, Entry]:
        parts = (replies_shared(), "phrasings", "tags", "category", "module")
        return Entry.objects.prefetch_related(*parts).in_bulk(pks)

    def meet(self, wish: Wish, found: Sequence[Entry]) -> Sequence[str]:
        if len(found) > 1:
            ids = "、".join(f"#{entry.pk}" for entry in found)
            self.refuse(wish, self.text, f"库里有几条相同的问题（{ids}），请用编号区分")
            return []
        if wish.merges:
            return self._merge(wish, found[0])
        if wish.concern is Concern.REPLACED:
            return self._replace(wish, found[0])
        entry = found[0] if found else self._blank(wish)
        draft, changed = self._draft(wish, entry, is_new=not found)
        if not wish.reasons and (changed or not found):
            self._keep(wish, draft, is_new=not found)
        return changed

    def _draft(
        self, wish: Wish, entry: Entry, *, is_new: bool
    ) -> tuple[Draft, list[str]]:
        """Return the entry with what the row says in it, and what that changes."""
        if is_new and wish.concern is None:
            self.twins.tell(wish)
        before = None if is_new else (entry.status, entry.audience)
        was = None if is_new else (entry.status, entry.category_id)
        changed = self.take(entry, self._values(wish, new=is_new))
        draft = Draft(entry, rewritten=not {"question", "answer"}.isdisjoint(changed))
        self.check(wish, entry, APART)
        changed += self._add_replies(wish, draft) + self._add_phrasings(wish, draft)
        if wish.number and not is_new:
            source, number = wish.number
            changed += self.take(entry, {"source": source, "external_id": number})
        changed = drafts.held_back(self, wish, draft, before, changed, self.library)
        drafts.check_life(self, wish, draft, before)
        changed += self._place(wish, draft, was, changed)
        if changed or is_new:
            drafts.check_live(self, wish, draft, before)
            drafts.warn(wish, draft, self.library)
        return draft, changed

    def _keep(self, wish: Wish, draft: Draft, *, is_new: bool) -> None:
        """Keep what is to be written."""
        (self.new if is_new else self.changed).append(draft)
        if not is_new:
            self.drafts[draft.entry.pk] = draft
        if wish.number:
            self.numbering.taking.append((draft.entry, wish))
            if not is_new:
                self.numbering.vacating.add(draft.entry.pk)

    def _replace(self, wish: Wish, old: Entry) -> Sequence[str]:
        """Let a new entry take the number of `old`, which is retired.

        Nothing of `old` comes along: its keywords, replies, links, votes and what
        people searched for belong to the other question. Its address and its history
        stay with it.
        """
        if wish.row.number not in self.options.replaced_rows:
            told = f"编号 {wish.number[1] if wish.number else ''} 现在是「{old}」，要逐行确认"
            self.refuse(wish, self.text, f"{Concern.REPLACED}：{told}")
            return []
        draft, _ = self._draft(wish, self._blank(wish), is_new=True)
        retired = Draft(old)
        was = (old.status, old.category_id)
        before = (old.status, old.audience)
        self.take(old, {"status": Status.RETIRED, "external_id": ""})
        if old.status != before[0]:
            drafts.check_life(self, wish, retired, before)
        if refusal := self.allowing.refusal((old.status, old.category_id), was):
            self.refuse(wish, *refusal)
        if wish.reasons:
            return []
        wish.replaces = True
        wish.notes.append(f"原来的「{cells.brief(old.question)}」#{old.pk} 下线")
        self._keep(wish, draft, is_new=True)
        self.changed.append(retired)
        self.replaced.append(old)
        self.numbering.vacating.add(old.pk)
        return []

    def _merge(self, wish: Wish, entry: Entry) -> Sequence[str]:
        """Add the row's question and phrasings to an entry; its answer is not used."""
        kept = self.drafts.get(entry.pk)
        draft = Draft(kept.entry if kept else entry)
        before = (entry.status, entry.audience)
        known = kept.phrasings if kept else []
        question = [wish.said[self.text]]
        self._add_texts(wish, draft, question, said_in=self.text, also=known)
        similar = parts(LINES, wish.said.get("similar", ""))
        self._add_texts(wish, draft, similar, said_in="similar", also=known)
        if not draft.phrasings:
            return []
        drafts.held_back(self, wish, draft, before, ["similar"], self.library)
        where = (entry.status, entry.category_id)
        if refusal := self.allowing.refusal(where, where):
            self.refuse(wish, *refusal)
        # Whoever chose to merge has seen that the entry is live: nothing more to ask.
        wish.is_live = before[0] == Status.PUBLISHED
        drafts.warn(wish, draft, self.library)
        if wish.reasons:
            return []
        wish.notes.append("答案不用，只加问法")
        if kept:
            kept.phrasings += draft.phrasings
        else:
            self._keep(wish, draft, is_new=False)
        return ["similar"]

    def prepare(self, progress: Progress) -> None:
        """Render what the rows say: by far the most of the time goes here."""
        drafts = [draft for draft in self.new + self.changed if draft.rewritten]
        for done, draft in enumerate(drafts, 1):
            draft.entry.derive()
            if done % BATCH == 0 or done == len(drafts):
                progress("排版", done, len(drafts))

    def store(self, by: User | None) -> None:
        self.places.store(by)
        self.numbering.vacate()
        drafts = self.new + self.changed
        for entry in (draft.entry for draft in drafts):
            entry.category = entry.category  # which has an id now
        entries.store(
            [draft.entry for draft in self.new],
            [draft.entry for draft in self.changed],
            replies=[reply for draft in drafts for reply in draft.replies],
            phrasings=[phrasing for draft in drafts for phrasing in draft.phrasings],
            tags=[(draft.entry, tag) for draft in drafts for tag in draft.tags],
            by=by,
        )
        for entry in self.replaced:
            told = f"「{entry}」#{entry.pk}，导入时换成了另一个问题"
            audit.note(Deed.Act.RETIRED, told, by=by)
        index.mark([draft.entry.pk for draft in drafts])

    def written(self) -> Iterator[Written]:
        """Yield what changed before what is new: the last is taken back first."""
        for held in self.numbering.released.values():
            source, number = held.number
            before = {"source": source, "external_id": number}
            yield held.pk, held.text, before, before | {"external_id": ""}
        for entry in (draft.entry for draft in self.changed):
            pk, title, before_, after = version_of(entry)
            old = self.old.get(id(entry), {})
            if before_ is not None and not NUMBER.isdisjoint(old):
                before_ |= {
                    name: old.get(name, getattr(entry, name)) for name in NUMBER
                }
                after |= told(entry, NUMBER)
            yield pk, title, before_, after
        for entry in (draft.entry for draft in self.new):
            yield entry.pk, entry.question, None, {"version": entry.version}

    # What a row says ---------------------------------------------------------

    def _blank(self, wish: Wish) -> Entry:
        number = normalize.line(wish.said.get("external_id", ""))
        return Entry(source=source(self, wish.said), external_id=number)

    def _values(self, wish: Wish, *, new: bool) -> dict[str, Any]:
        """Return the columns for which the row, or the default, says something."""
        values: dict[str, Any] = {
            "question": normalize.line(wish.said[self.text]),
            "answer": wish.said.get("answer"),
            "keywords": normalize.line(wish.said.get("keywords", "")),
            "status": self.choice(wish, "status", STATUSES),
            "audience": self.choice(wish, "audience", AUDIENCES),
            "valid_from": self.moment(wish, "valid_from", future=True),
            "valid_until": self.moment(wish, "valid_until", future=True),
            "slug": wish.said.get("slug"),
            "window_id": self._named(wish, "window", self.windows),
            "owner_id": self._named(wish, "owner", self.owners),
        }
        if day := self.moment(wish, "review_at", future=True):
            values["review_at"] = timezone.localtime(day).date()
        if new:
            values["status"] = values["status"] or self.options.status
            values["audience"] = values["audience"] or self._default_audience(wish)
        return {name: value for name, value in values.items() if value}

    def _named(self, wish: Wish, name: str, known: _Names) -> int | None:
        """Return the id of what a cell names: somebody or something that there is."""
        said = wish.said.get(name)
        found = known.find(said) if said else None
        if said and found is None:
            self.refuse(wish, name, "没有这个名称，请先在管理里添加")
        return found

    def _default_audience(self, wish: Wish) -> str:
        if "audience" in self.layout.places:  # left blank: nobody said public
            return Audience.INTERNAL
        if self.options.audience != "auto":
            return self.options.audience
        return Audience.PUBLIC if "answer" in wish.said else Audience.INTERNAL

    def _add_replies(self, wish: Wish, draft: Draft) -> list[str]:
        """Set the reply of each label that the row has; others stay."""
        held = list(draft.entry.replies.all()) if draft.entry.pk else []
        changed = []
        for name in [name for name in LABELS if name in wish.said]:
            label = normalize.line(wish.said.get(f"{name}_label", "")) or LABELS[name]
            same = [reply for reply in held if reply.label == label]
            fresh = Reply(label=label, order=len(held) + len(draft.replies))
            reply = same[0] if same else fresh
            if cells.unify(reply.body) == wish.said[name]:
                continue
            reply.entry, reply.body = draft.entry, wish.said[name]
            self.check(wish, reply, ("entry",), said_in=name)
            draft.replies.append(reply)
            changed.append(name)
        return changed

    def _add_phrasings(self, wish: Wish, draft: Draft) -> list[str]:
        """Add the phrasings that say something new; none is taken away."""
        texts = parts(LINES, wish.said.get("similar", ""))
        if len(texts) > MANY_PHRASINGS:
            self.refuse(wish, "similar", f"最多 {MANY_PHRASINGS} 个")
            return []
        return self._add_texts(wish, draft, texts, said_in="similar")

    def _add_texts(
        self,
        wish: Wish,
        draft: Draft,
        texts: Sequence[str],
        *,
        said_in: str,
        also: Sequence[Phrasing] = (),
    ) -> list[str]:
        """Add to `draft` what neither it nor its entry nor `also` says."""
        held = draft.entry.phrasings.all() if draft.entry.pk else ()
        known = {one.text_key for one in (*held, *draft.phrasings, *also)}
        known.add(normalize.key(draft.entry.question))
        for text in texts:
            if (key := normalize.key(text)) not in known:
                known.add(key)
                phrasing = Phrasing(entry=draft.entry, text=text, text_key=key)
                self.check(wish, phrasing, ("entry", "question"), said_in=said_in)
                draft.phrasings.append(phrasing)
        return ["similar"] if draft.phrasings else []

    def _place(
        self,
        wish: Wish,
        draft: Draft,
        was: entries.Footing | None,
        changed: Sequence[str],
    ) -> list[str]:
        """Set category, module and tags; those we lack will be made."""
        path = parts(STEPS, wish.said.get("category", ""))
        path += parts(STEPS, wish.said.get("subcategory", ""))
        tags = parts(WORDS, wish.said.get("tags", ""))
        module = normalize.line(wish.said.get("module", ""))
        if len(path) > DEEPEST:
            self.refuse(wish, "category", f"分类最多 {DEEPEST} 级")
        if len(tags) > MANY_TAGS:
            self.refuse(wish, "tags", f"最多 {MANY_TAGS} 个")
        self.check_names(wish, category=path, tags=tags, module=[module])
        entry, there = draft.entry, self.places
        same = was and not changed and there.has(entry, tuple(path), tags, module)
        if wish.reasons or same:
            return []
        place = there.nearest(tuple(path)) if path else entry.category_id
        if refusal := self.allowing.refusal((entry.status, place), was):
            self.refuse(wish, *refusal)
            return []
        return self._put(draft, tuple(path), tags, module)

    def _put(
        self, draft: Draft, path: tuple[str, ...], tags: Sequence[str], module: str
    ) -> list[str]:
        values: dict[str, Any] = {}
        if path:
            values["category"] = self.places.category(path)
        if module:
            values["module"] = self.places.module(module)
        held = list(draft.entry.tags.all()) if draft.entry.pk else []
        for tag in map(self.places.tag, tags):
            if tag not in held + draft.tags:
                draft.tags.append(tag)
        return self.take(draft.entry, values) + ["tags"] * bool(draft.tags)
