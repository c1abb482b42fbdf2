"""Parse, ask one stage, respond: what anybody may read, and what agents may."""

from __future__ import annotations

from typing import Any

from django.db.models import prefetch_related_objects
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from kb import search, usage
from kb.models import Category, Entry, prefetch_readable_replies
from kb.publishing.category_tree import ReadableCategoryTree
from kb.web.api import openapi, serializers
from kb.web.api.base_views import AgentApiView, PublicApiView, ReadOnlyApiView
from kb.web.api.params import ListParams, OpenParams, SearchParams, SuggestParams

HOW_SEARCH_WORKS = (
    "整句话、几个词都行，最相关的在前，最多 100 条。运算符和引号没有特殊含义。"
    "搜索引擎不可用时只按标题匹配：degraded 为 true，并带响应头 X-Search-Degraded。"
    "搜索会记下来，没人用上的列给编辑补：打开条目时带上 q，或链接 url 时加上 ?q=搜索词。"
)


class SearchView(PublicApiView):
    throttle_scope = "search"

    @openapi.describe_public_view(
        "search",
        f"搜索公开条目\n{HOW_SEARCH_WORKS}",
        serializers.SearchPageSerializer,
        400,
        404,
        asks=SearchParams,
    )
    def get(self, request: Request) -> Response:
        return respond_with_search(self, serializers.SearchPageSerializer, "tags")


class SuggestView(PublicApiView):
    throttle_scope = "suggest"

    @openapi.describe_public_view(
        "suggest",
        "边输入边提示：相符的公开问题，最多 8 条",
        serializers.SuggestionsSerializer,
        400,
        asks=SuggestParams,
    )
    def get(self, request: Request) -> Response:
        return respond_with_suggestions(self)


class CategoryTreeView(PublicApiView):
    @openapi.describe_public_view(
        "categories",
        "分类树\n只有含公开条目的分类；count 包括下级分类里的条目。",
        serializers.CategoryTreeSerializer,
    )
    def get(self, request: Request) -> Response:
        branches = _build_branches(ReadableCategoryTree(self.reader), None)
        return Response(serializers.CategoryTreeSerializer({"results": branches}).data)


class EntryListView(PublicApiView):
    @openapi.describe_public_view(
        "entries",
        "公开条目，最近更新的在前",
        serializers.EntryPageSerializer,
        400,
        404,
        asks=ListParams,
    )
    def get(self, request: Request) -> Response:
        asked, shelves = (
            ListParams.parse_request(request),
            ReadableCategoryTree(self.reader),
        )
        entries = Entry.objects.published_to(self.reader)
        if category := get_requested_category(asked, shelves):
            entries = entries.filter(category__in=shelves.list_subtree_ids(category.pk))
        if tag := asked.get("tag"):
            entries = entries.filter(tags__name=tag)
        start, total = get_page_offset(asked), entries.count()
        listed = entries.defer("answer", "answer_html", "answer_text").prefetch_related(
            "tags"
        )
        rows = listed[start : start + asked["page_size"]]
        return respond_with_page(
            self,
            serializers.EntryPageSerializer,
            asked | {"total": total, "results": rows},
            shelves,
        )


class EntryDetailView(PublicApiView):
    @openapi.describe_public_view(
        "entry",
        "一个公开条目和它的答案",
        serializers.EntryDetailSerializer,
        404,
        asks=OpenParams,
    )
    def get(self, request: Request, pk: int) -> Response:
        entries = Entry.objects.published_to(self.reader)
        entry = entries.filter(pk=pk).prefetch_related("tags").first()
        return respond_with_entry(self, serializers.EntryDetailSerializer, entry)


class AgentSearchView(AgentApiView):
    @openapi.describe_agent_view(
        "agent_search",
        f"搜索话术库，带话术\n公开和内部条目。{HOW_SEARCH_WORKS}",
        serializers.AgentSearchPageSerializer,
        400,
        404,
        asks=SearchParams,
    )
    def get(self, request: Request) -> Response:
        return respond_with_search(
            self,
            serializers.AgentSearchPageSerializer,
            "tags",
            prefetch_readable_replies(self.reader),
        )


class AgentSuggestView(AgentApiView):
    @openapi.describe_agent_view(
        "agent_suggest",
        "边输入边提示，包括内部条目，最多 8 条",
        serializers.SuggestionsSerializer,
        400,
        asks=SuggestParams,
    )
    def get(self, request: Request) -> Response:
        return respond_with_suggestions(self)


class AgentEntryDetailView(AgentApiView):
    @openapi.describe_agent_view(
        "agent_entry",
        "一个条目的答案和话术\n编辑还能读到草稿、待审核和已下线的条目。",
        serializers.AgentEntryDetailSerializer,
        404,
        asks=OpenParams,
    )
    def get(self, request: Request, pk: int) -> Response:
        entries = Entry.objects.visible_to(self.reader)
        parts = ("tags", prefetch_readable_replies(self.reader))
        entry = entries.filter(pk=pk).prefetch_related(*parts).first()
        return respond_with_entry(self, serializers.AgentEntryDetailSerializer, entry)


class UnknownAddressView(PublicApiView):
    """Any other address below /api/, so that it is refused in JSON too."""

    @extend_schema(exclude=True)
    def get(self, request: Request, rest: str = "") -> Response:
        raise NotFound


# What both doors do ----------------------------------------------------------


def respond_with_search(
    door: ReadOnlyApiView, form: type[serializers.SearchPageSerializer], *related: Any
) -> Response:
    """Search as the door's reader and respond in `form`, with `related` rows."""
    asked, shelves = (
        SearchParams.parse_request(door.request),
        ReadableCategoryTree(door.reader),
    )
    results = search.search_entries(
        asked["q"],
        user=door.reader,
        category=get_requested_category(asked, shelves),
        offset=get_page_offset(asked),
        limit=asked["page_size"],
    )
    entries = [hit.entry for hit in results.hits]
    near = [hit.entry for hit in results.near_hits] if asked["page"] == 1 else []
    prefetch_related_objects([*entries, *near], *related)
    page = {"total": results.total, "degraded": results.is_degraded, "results": entries}
    page |= {
        "terms": results.terms_to_highlight,
        "near": near,
        "meant": results.did_you_mean,
    }
    response = respond_with_page(door, form, asked | page, shelves)
    if results.is_degraded:
        response["X-Search-Degraded"] = "1"
    elif asked["page"] == 1 and "category" not in asked:
        record_typed_search(door, asked["q"], results.total)
    return response


def record_typed_search(door: ReadOnlyApiView, words: str, total: int) -> None:
    """Keep what was searched for; a program may ask anew with every letter typed."""
    if door.request.method == "GET":
        usage.record_typed_search(
            words, user=door.reader, results=total, person=door.searcher_key
        )


def respond_with_suggestions(door: ReadOnlyApiView) -> Response:
    words = SuggestParams.parse_request(door.request)["q"]
    page = {"q": words, "results": search.suggest_entries(words, user=door.reader)}
    context = {"request": door.request}
    return Response(serializers.SuggestionsSerializer(page, context=context).data)


def respond_with_entry(
    door: ReadOnlyApiView,
    form: type[serializers.EntryDetailSerializer],
    entry: Entry | None,
) -> Response:
    if entry is None:
        raise NotFound
    if words := OpenParams.parse_request(door.request).get("q"):
        usage.record_opened_entry(
            words, entry_id=entry.pk, user=door.reader, person=door.searcher_key
        )
    context = {"request": door.request, "shelves": ReadableCategoryTree(door.reader)}
    return Response(form(entry, context=context).data)


def get_requested_category(
    asked: dict[str, Any], shelves: ReadableCategoryTree
) -> Category | None:
    """Return the category that was asked for, if any was.

    One that holds nothing for the reader is refused like one that never was.
    """
    if "category" not in asked:
        return None
    if category := shelves.find_category(asked["category"]):
        return category
    raise ValidationError({"category": ["没有这个分类。"]})


def get_page_offset(asked: dict[str, Any]) -> int:
    place: int = (asked["page"] - 1) * asked["page_size"]
    return place


def respond_with_page(
    door: ReadOnlyApiView,
    form: type[serializers.EntryPageSerializer],
    page: dict[str, Any],
    shelves: ReadableCategoryTree,
) -> Response:
    """Respond with one page; a page after the last one is not there."""
    if page["page"] > 1 and get_page_offset(page) >= page["total"]:
        raise NotFound(f"没有第 {page['page']} 页。")
    context = {"request": door.request, "shelves": shelves}
    context["terms"] = page.get("terms", ())
    return Response(form(page, context=context).data)


def _build_branches(
    shelves: ReadableCategoryTree, parent: int | None
) -> list[dict[str, Any]]:
    """Return what stands below `parent`, each with its own branches."""
    return [
        {
            "id": shelf.category.pk,
            "name": shelf.category.name,
            "count": shelf.entry_count,
            "children": _build_branches(shelves, shelf.category.pk),
        }
        for shelf in shelves.list_nodes(parent)
    ]
