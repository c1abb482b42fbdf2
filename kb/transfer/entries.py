"""A row that is an entry: a standard question, its answer and its replies."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from kb import entries, index, wording
from kb.models import Entry, Phrasing, Reply, User, Window, replies_shared
from kb.models.category import DEEPEST
from kb.text import normalize
from kb.transfer import cells, drafts
from kb.transfer.columns import Columns, Layout
from kb.transfer.drafts import Draft
from kb.transfer.joining import LINES, STEPS, WORDS, parts
from kb.transfer.planning import (
    BATCH,
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
from kb.transfer.written import Written, version_of

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
        entry = found[0] if found else self._blank(wish)
        if not found:
            self.twins.tell(wish)
        before = (entry.status, entry.audience) if found else None
        was = (entry.status, entry.category_id) if found else None
        changed = self.take(entry, self._values(wish, new=not found))
        draft = Draft(entry, rewritten=not {"question", "answer"}.isdisjoint(changed))
        self.check(wish, entry, APART)
        changed += self._add_replies(wish, draft) + self._add_phrasings(wish, draft)
        changed = drafts.held_back(self, wish, draft, before, changed, self.library)
        drafts.check_life(self, wish, draft, before)
        changed += self._place(wish, draft, was, changed)
        if not wish.reasons and (changed or not found):
            (self.changed if found else self.new).append(draft)
        return changed

    def prepare(self, progress: Progress) -> None:
        """Render what the rows say: by far the most of the time goes here."""
        drafts = [draft for draft in self.new + self.changed if draft.rewritten]
        for done, draft in enumerate(drafts, 1):
            draft.entry.derive()
            if done % BATCH == 0 or done == len(drafts):
                progress("排版", done, len(drafts))

    def store(self, by: User | None) -> None:
        self.places.store()
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
        index.mark([draft.entry.pk for draft in drafts])

    def written(self) -> Iterator[Written]:
        for entry in (draft.entry for draft in self.new):
            yield entry.pk, entry.question, None, {"version": entry.version}
        for entry in (draft.entry for draft in self.changed):
            yield version_of(entry)

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
        held = draft.entry.phrasings.all() if draft.entry.pk else ()
        known = {phrasing.text_key for phrasing in held}
        known.add(normalize.key(draft.entry.question))
        texts = parts(LINES, wish.said.get("similar", ""))
        if len(texts) > MANY_PHRASINGS:
            self.refuse(wish, "similar", f"最多 {MANY_PHRASINGS} 个")
            return []
        for text in texts:
            if (key := normalize.key(text)) not in known:
                known.add(key)
                phrasing = Phrasing(entry=draft.entry, text=text, text_key=key)
                self.check(wish, phrasing, ("entry", "question"), said_in="similar")
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
