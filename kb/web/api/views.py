"""Views of the API: search, suggestions, categories and entries."""

from __future__ import annotations

from typing import Any

from django.db.models import prefetch_related_objects
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from kb import search, usage
from kb.library.entries import entry_lookup
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
        params=SearchParams,
    )
    def get(self, request: Request) -> Response:
        return _respond_with_search(self, serializers.SearchPageSerializer, "tags")


class SuggestView(PublicApiView):
    throttle_scope = "suggest"

    @openapi.describe_public_view(
        "suggest",
        "边输入边提示：相符的公开问题，最多 8 条",
        serializers.SuggestionsSerializer,
        400,
        params=SuggestParams,
    )
    def get(self, request: Request) -> Response:
        return _respond_with_suggestions(self)


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
        params=ListParams,
    )
    def get(self, request: Request) -> Response:
        params = ListParams.parse_request(request)
        tree = ReadableCategoryTree(self.reader)
        category = _get_requested_category(params, tree)
        entries = entry_lookup.query_entry_summaries(
            self.reader,
            category_ids=tree.list_subtree_ids(category.pk) if category else None,
            tag_name=params.get("tag", ""),
        )
        start = _get_page_offset(params)
        page = params | {
            "total": entries.count(),
            "results": entries[start : start + params["page_size"]],
        }
        return _respond_with_page(self, serializers.EntryPageSerializer, page, tree)


class EntryDetailView(PublicApiView):
    @openapi.describe_public_view(
        "entry",
        "一个公开条目和它的答案",
        serializers.EntryDetailSerializer,
        404,
        params=OpenParams,
    )
    def get(self, request: Request, pk: int) -> Response:
        entry = entry_lookup.find_published_entry_with_tags(pk, user=self.reader)
        return _respond_with_entry(self, serializers.EntryDetailSerializer, entry)


class AgentSearchView(AgentApiView):
    @openapi.describe_agent_view(
        "agent_search",
        f"搜索话术库，带话术\n公开和内部条目。{HOW_SEARCH_WORKS}",
        serializers.AgentSearchPageSerializer,
        400,
        404,
        params=SearchParams,
    )
    def get(self, request: Request) -> Response:
        return _respond_with_search(
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
        params=SuggestParams,
    )
    def get(self, request: Request) -> Response:
        return _respond_with_suggestions(self)


class AgentEntryDetailView(AgentApiView):
    @openapi.describe_agent_view(
        "agent_entry",
        "一个条目的答案和话术\n编辑还能读到草稿、待审核和已下线的条目。",
        serializers.AgentEntryDetailSerializer,
        404,
        params=OpenParams,
    )
    def get(self, request: Request, pk: int) -> Response:
        entry = entry_lookup.find_visible_entry_with_replies(pk, user=self.reader)
        return _respond_with_entry(self, serializers.AgentEntryDetailSerializer, entry)


class UnknownAddressView(PublicApiView):
    """404 in JSON for any other address below /api/."""

    @extend_schema(exclude=True)
    def get(self, request: Request, rest: str = "") -> Response:
        raise NotFound


# Shared by public and agents' views ------------------------------------------


def _respond_with_search(
    view: ReadOnlyApiView,
    serializer: type[serializers.SearchPageSerializer],
    *related: Any,
) -> Response:
    """Search as the view's reader; `related` are prefetched for all entries."""
    params = SearchParams.parse_request(view.request)
    tree = ReadableCategoryTree(view.reader)
    results = search.search_entries(
        params["q"],
        user=view.reader,
        category=_get_requested_category(params, tree),
        offset=_get_page_offset(params),
        limit=params["page_size"],
    )
    entries = [hit.entry for hit in results.hits]
    near = [hit.entry for hit in results.near_hits] if params["page"] == 1 else []
    prefetch_related_objects([*entries, *near], *related)
    page = params | {
        "total": results.total,
        "degraded": results.is_degraded,
        "results": entries,
        "terms": results.terms_to_highlight,
        "near": near,
        "meant": results.did_you_mean,
    }
    response = _respond_with_page(view, serializer, page, tree)
    if results.is_degraded:
        response["X-Search-Degraded"] = "1"
    elif params["page"] == 1 and "category" not in params:
        _record_search(view, params["q"], results.total)
    return response


def _record_search(view: ReadOnlyApiView, words: str, result_count: int) -> None:
    """Record the search; a client may search again with every letter typed."""
    if view.request.method == "GET":
        usage.record_typed_search(
            words, user=view.reader, results=result_count, person=view.searcher_key
        )


def _respond_with_suggestions(view: ReadOnlyApiView) -> Response:
    words = SuggestParams.parse_request(view.request)["q"]
    data = {"q": words, "results": search.suggest_entries(words, user=view.reader)}
    context = {"request": view.request}
    return Response(serializers.SuggestionsSerializer(data, context=context).data)


def _respond_with_entry(
    view: ReadOnlyApiView,
    serializer: type[serializers.EntryDetailSerializer],
    entry: Entry | None,
) -> Response:
    """Return the entry, or 404; with ?q=, record that this search found it."""
    if entry is None:
        raise NotFound
    if words := OpenParams.parse_request(view.request).get("q"):
        usage.record_opened_entry(
            words, entry_id=entry.pk, user=view.reader, person=view.searcher_key
        )
    tree = ReadableCategoryTree(view.reader)
    context = {"request": view.request, "category_tree": tree}
    return Response(serializer(entry, context=context).data)


def _get_requested_category(
    params: dict[str, Any], tree: ReadableCategoryTree
) -> Category | None:
    """Return the requested category, or None without one.

    Raises ValidationError for an unknown category and for one without entries for
    the reader, who must not learn the difference.
    """
    if "category" not in params:
        return None
    if category := tree.find_category(params["category"]):
        return category
    raise ValidationError({"category": ["没有这个分类。"]})


def _get_page_offset(params: dict[str, Any]) -> int:
    offset: int = (params["page"] - 1) * params["page_size"]
    return offset


def _respond_with_page(
    view: ReadOnlyApiView,
    serializer: type[serializers.EntryPageSerializer],
    page: dict[str, Any],
    tree: ReadableCategoryTree,
) -> Response:
    """Return one page of entries; 404 after the last page."""
    if page["page"] > 1 and _get_page_offset(page) >= page["total"]:
        raise NotFound(f"没有第 {page['page']} 页。")
    context = {
        "request": view.request,
        "category_tree": tree,
        "terms": page.get("terms", ()),
    }
    return Response(serializer(page, context=context).data)


def _build_branches(
    tree: ReadableCategoryTree, parent_id: int | None
) -> list[dict[str, Any]]:
    """Return the categories below `parent_id` with their own branches."""
    return [
        {
            "id": node.category.pk,
            "name": node.category.name,
            "count": node.entry_count,
            "children": _build_branches(tree, node.category.pk),
        }
        for node in tree.list_nodes(parent_id)
    ]
