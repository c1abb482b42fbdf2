"""Parse, ask one stage, respond: what anybody may read, and what agents may."""

from __future__ import annotations

from typing import Any

from django.db.models import prefetch_related_objects
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from kb import feedback, search
from kb.api import describe, serializers
from kb.api.doors import AgentDoor, Door, PublicDoor
from kb.api.params import ListParams, OpenParams, SearchParams, SuggestParams
from kb.models import Category, Entry, replies_for
from kb.shelves import Shelves

HOW_SEARCH_WORKS = (
    "整句话、几个词都行，最相关的在前，最多 100 条。运算符和引号没有特殊含义。"
    "搜索引擎不可用时只按标题匹配：degraded 为 true，并带响应头 X-Search-Degraded。"
    "搜索会记下来，没人用上的列给编辑补：打开条目时带上 q，或链接 url 时加上 ?q=搜索词。"
)


class Search(PublicDoor):
    throttle_scope = "search"

    @describe.public(
        "search",
        f"搜索公开条目\n{HOW_SEARCH_WORKS}",
        serializers.SearchPage,
        400,
        404,
        asks=SearchParams,
    )
    def get(self, request: Request) -> Response:
        return found(self, serializers.SearchPage, "tags")


class Suggest(PublicDoor):
    throttle_scope = "suggest"

    @describe.public(
        "suggest",
        "边输入边提示：相符的公开问题，最多 8 条",
        serializers.Suggestions,
        400,
        asks=SuggestParams,
    )
    def get(self, request: Request) -> Response:
        return suggested(self)


class Categories(PublicDoor):
    @describe.public(
        "categories",
        "分类树\n只有含公开条目的分类；count 包括下级分类里的条目。",
        serializers.CategoryTree,
    )
    def get(self, request: Request) -> Response:
        branches = _branches(Shelves(self.reader), None)
        return Response(serializers.CategoryTree({"results": branches}).data)


class Entries(PublicDoor):
    @describe.public(
        "entries",
        "公开条目，最近更新的在前",
        serializers.EntryPage,
        400,
        404,
        asks=ListParams,
    )
    def get(self, request: Request) -> Response:
        asked, shelves = ListParams.of(request), Shelves(self.reader)
        entries = Entry.objects.published_to(self.reader)
        if category := wanted(asked, shelves):
            entries = entries.filter(category__in=shelves.subtree(category.pk))
        if tag := asked.get("tag"):
            entries = entries.filter(tags__name=tag)
        start, total = offset(asked), entries.count()
        listed = entries.defer("answer", "answer_html", "answer_text").prefetch_related(
            "tags"
        )
        rows = listed[start : start + asked["page_size"]]
        return paged(
            self,
            serializers.EntryPage,
            asked | {"total": total, "results": rows},
            shelves,
        )


class EntryById(PublicDoor):
    @describe.public(
        "entry",
        "一个公开条目和它的答案",
        serializers.EntryDetail,
        404,
        asks=OpenParams,
    )
    def get(self, request: Request, pk: int) -> Response:
        entries = Entry.objects.published_to(self.reader)
        entry = entries.filter(pk=pk).prefetch_related("tags").first()
        return shown(self, serializers.EntryDetail, entry)


class AgentSearch(AgentDoor):
    @describe.agents(
        "agent_search",
        f"搜索话术库，带话术\n公开和内部条目。{HOW_SEARCH_WORKS}",
        serializers.AgentSearchPage,
        400,
        404,
        asks=SearchParams,
    )
    def get(self, request: Request) -> Response:
        return found(
            self, serializers.AgentSearchPage, "tags", replies_for(self.reader)
        )


class AgentSuggest(AgentDoor):
    @describe.agents(
        "agent_suggest",
        "边输入边提示，包括内部条目，最多 8 条",
        serializers.Suggestions,
        400,
        asks=SuggestParams,
    )
    def get(self, request: Request) -> Response:
        return suggested(self)


class AgentEntryById(AgentDoor):
    @describe.agents(
        "agent_entry",
        "一个条目的答案和话术\n编辑还能读到草稿、待审核和已下线的条目。",
        serializers.AgentEntryDetail,
        404,
        asks=OpenParams,
    )
    def get(self, request: Request, pk: int) -> Response:
        entries = Entry.objects.visible_to(self.reader)
        parts = ("tags", replies_for(self.reader))
        entry = entries.filter(pk=pk).prefetch_related(*parts).first()
        return shown(self, serializers.AgentEntryDetail, entry)


class Nowhere(PublicDoor):
    """Any other address below /api/, so that it is refused in JSON too."""

    @extend_schema(exclude=True)
    def get(self, request: Request, rest: str = "") -> Response:
        raise NotFound


# What both doors do ----------------------------------------------------------


def found(door: Door, form: type[serializers.SearchPage], *related: Any) -> Response:
    """Search as the door's reader and respond in `form`, with `related` rows."""
    asked, shelves = SearchParams.of(door.request), Shelves(door.reader)
    results = search.search(
        asked["q"],
        user=door.reader,
        category=wanted(asked, shelves),
        offset=offset(asked),
        limit=asked["page_size"],
    )
    entries = [hit.entry for hit in results.hits]
    near = [hit.entry for hit in results.near] if asked["page"] == 1 else []
    prefetch_related_objects([*entries, *near], *related)
    page = {"total": results.total, "degraded": results.degraded, "results": entries}
    page |= {"terms": results.terms, "near": near, "meant": results.meant}
    response = paged(door, form, asked | page, shelves)
    if results.degraded:
        response["X-Search-Degraded"] = "1"
    elif asked["page"] == 1 and "category" not in asked:
        noted(door, asked["q"], results.total)
    return response


def noted(door: Door, words: str, total: int) -> None:
    """Keep what was searched for; a program may ask anew with every letter typed."""
    if door.request.method == "GET":
        feedback.typed(words, user=door.reader, results=total, person=door.person)


def suggested(door: Door) -> Response:
    words = SuggestParams.of(door.request)["q"]
    page = {"q": words, "results": search.suggest(words, user=door.reader)}
    context = {"request": door.request}
    return Response(serializers.Suggestions(page, context=context).data)


def shown(
    door: Door, form: type[serializers.EntryDetail], entry: Entry | None
) -> Response:
    if entry is None:
        raise NotFound
    if words := OpenParams.of(door.request).get("q"):
        feedback.led(words, entry_id=entry.pk, user=door.reader, person=door.person)
    context = {"request": door.request, "shelves": Shelves(door.reader)}
    return Response(form(entry, context=context).data)


def wanted(asked: dict[str, Any], shelves: Shelves) -> Category | None:
    """Return the category that was asked for, if any was.

    One that holds nothing for the reader is refused like one that never was.
    """
    if "category" not in asked:
        return None
    if category := shelves.find(asked["category"]):
        return category
    raise ValidationError({"category": ["没有这个分类。"]})


def offset(asked: dict[str, Any]) -> int:
    place: int = (asked["page"] - 1) * asked["page_size"]
    return place


def paged(
    door: Door,
    form: type[serializers.EntryPage],
    page: dict[str, Any],
    shelves: Shelves,
) -> Response:
    """Respond with one page; a page after the last one is not there."""
    if page["page"] > 1 and offset(page) >= page["total"]:
        raise NotFound(f"没有第 {page['page']} 页。")
    context = {"request": door.request, "shelves": shelves}
    context["terms"] = page.get("terms", ())
    return Response(form(page, context=context).data)


def _branches(shelves: Shelves, parent: int | None) -> list[dict[str, Any]]:
    """Return what stands below `parent`, each with its own branches."""
    return [
        {
            "id": shelf.category.pk,
            "name": shelf.category.name,
            "count": shelf.count,
            "children": _branches(shelves, shelf.category.pk),
        }
        for shelf in shelves.inside(parent)
    ]
