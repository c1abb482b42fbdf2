"""Lookups in the library for checks: targets of links, blanks and snippets in use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.files.storage import default_storage
from django.db.models import Count, Max
from django.urls import Resolver404, resolve
from django.utils import translation
from rapidfuzz import process

from kb.models import Category, Entry, Picture, Reply, Site, Snippet
from kb.publishing import locale_prefix
from kb.text.markup import links
from kb.text.markup.links import MarkdownLink
from kb.text.placeholders import blanks
from kb.text.style_rules import StyleRuleSet

CHECK_DEAD_LINK, CHECK_UNPUBLISHED_LINK, CHECK_MISSING_PICTURE = (
    "失效链接",
    "未公开的链接",
    "缺少图片",
)
CHECK_MISSING_HEADING = "链接的标题不存在"
MIN_KNOWN_BLANK_NAMES = 5  # with fewer names in use, unknown ones are not reported
MIN_NAME_SIMILARITY_PERCENT = 60  # from which another name is suggested
# Blanks that the console fills or asks for.
BUILT_IN_BLANK_NAMES = frozenset(
    "客户称呼 客服昵称 客户类型 订单号 运单号 快递公司".split()
)
_URL_SCHEME_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_MEDIA_PATH_PATTERN = re.compile(r"/media/(?P<name>[^/?#]+)")
LinkProblem = tuple[MarkdownLink, str, str, str]  # link, check, reason, advice
BlankUses = dict[str, set[int]]  # {name of a blank: ids of two entries that use it}

_cached_blank_uses: tuple[Any, BlankUses] = (None, {})


class LibraryLookup:
    """Caches lookups for texts that are checked together."""

    def __init__(self) -> None:
        self.rules: StyleRuleSet | None = None
        self._entries_by_id: dict[int, Entry | None] = {}

    @cached_property
    def snippet_bodies(self) -> dict[str, str]:
        """{name: body} of all snippets."""
        return Snippet.objects.bodies_by_name()

    # Blanks ------------------------------------------------------------------

    @cached_property
    def blank_uses(self) -> BlankUses:
        return _load_blank_uses()

    def is_unknown_blank(self, name: str, entry_id: int | None) -> bool:
        """Return whether no reply of another entry has the blank `name`."""
        if name in BUILT_IN_BLANK_NAMES or len(self.blank_uses) < MIN_KNOWN_BLANK_NAMES:
            return False
        return not self.blank_uses.get(name, set()) - {entry_id}

    def find_nearest_blank(self, name: str) -> str:
        """Return the blank in use whose name is most similar to `name`, or ""."""
        others = [
            *BUILT_IN_BLANK_NAMES,
            *(other for other in self.blank_uses if other != name),
        ]
        best = process.extractOne(
            name, others, score_cutoff=MIN_NAME_SIMILARITY_PERCENT
        )
        return str(best[0]) if best else ""

    def find_nearest_snippet(self, name: str) -> str:
        """Return the name of the snippet that is most similar to `name`, or ""."""
        best = process.extractOne(
            name, self.snippet_bodies.keys(), score_cutoff=MIN_NAME_SIMILARITY_PERCENT
        )
        return str(best[0]) if best else ""

    # Links -------------------------------------------------------------------

    def find_link_problems(
        self, source: str, *, public: bool, anchors: set[str]
    ) -> Iterator[LinkProblem]:
        """Yield links of an answer that are dead, or that some readers cannot open.

        `anchors` are those of the answer itself.
        """
        for link in links.find_links(source):
            if link.address.startswith("#"):
                if unquote(link.address[1:]) not in anchors:
                    yield link, CHECK_MISSING_HEADING, "这条答案里没有这个标题", ""
            elif problem := self._check_address(link.address, public):
                yield (link, *problem)

    def _check_address(self, address: str, public: bool) -> tuple[str, str, str] | None:
        if "{{" in address or re.match("(?:mailto|tel):", address, re.IGNORECASE):
            return None
        parts = urlsplit(address) if _is_valid_address(address) else None
        if parts is None:
            return CHECK_DEAD_LINK, "网址写得不对", "请检查链接的网址"
        if parts.scheme and (parts.hostname or "") not in self.own_hosts:
            return None
        if not parts.path.startswith("/"):
            has_host = "." in address.partition("/")[0]
            advice = f"写成 https://{address}" if has_host else "写完整的网址"
            return CHECK_DEAD_LINK, "这不是完整的网址，点了打不开", advice
        return self._check_own_path(
            unquote(parts.path), unquote(parts.fragment), public
        )

    def _check_own_path(
        self, path: str, anchor: str, public: bool
    ) -> tuple[str, str, str] | None:
        if file := _MEDIA_PATH_PATTERN.fullmatch(path):
            return self._check_picture(file["name"])
        if path.startswith(("/static/", "//")):
            return None
        locale = locale_prefix.get_path_locale(path)
        try:
            with translation.override(locale):
                match = resolve(path)
        except (Resolver404, ValueError):
            return CHECK_DEAD_LINK, "网站里没有这个网址", "换成正确的网址，或去掉链接"
        if match.view_name in {"faq:entry", "faq:entry-short"}:
            return self._check_entry(int(match.kwargs["pk"]), anchor, public)
        if match.view_name.startswith("faq:category"):
            exists = Category.objects.filter(pk=match.kwargs["pk"]).exists()
            return None if exists else (CHECK_DEAD_LINK, "没有这个分类", "换一个分类")
        return None

    def _check_picture(self, name: str) -> tuple[str, str, str] | None:
        exists = Picture.objects.filter(name=name).exists()
        if exists or default_storage.exists(name):
            return None
        return CHECK_MISSING_PICTURE, "没有这张图片", "请重新插入图片"

    def _check_entry(
        self, pk: int, anchor: str, public: bool
    ) -> tuple[str, str, str] | None:
        entry = self._load_entry(pk)
        if entry is None:
            return (
                CHECK_DEAD_LINK,
                f"没有编号 {pk} 的条目",
                "换成正确的条目，或去掉链接",
            )
        if entry.status == Entry.Status.RETIRED:
            return CHECK_DEAD_LINK, f"「{entry}」已下线", "换成在用的条目，或去掉链接"
        if reason := _explain_unreadable(entry, public):
            return CHECK_UNPUBLISHED_LINK, f"「{entry}」{reason}", ""
        if anchor and f'id="{anchor}"' not in _load_answer_html(pk):
            return (
                CHECK_MISSING_HEADING,
                f"「{entry}」里没有这个标题",
                "检查 # 后面的内容",
            )
        return None

    def _load_entry(self, pk: int) -> Entry | None:
        if pk not in self._entries_by_id:
            columns = ("question", "status", "audience", "valid_from", "valid_until")
            rows = Entry.objects.only(*columns)
            self._entries_by_id[pk] = rows.filter(pk=pk).first() if pk < 2**63 else None
        return self._entries_by_id[pk]

    @cached_property
    def own_hosts(self) -> set[str]:
        return set(Site.objects.exclude(host="").values_list("host", flat=True))


def _is_valid_address(address: str) -> bool:
    try:
        return bool(urlsplit(address).hostname or True)
    except ValueError:  # as in http://[
        return False


def _explain_unreadable(entry: Entry, public: bool) -> str:
    """Return why some readers of the link cannot open `entry`; "" if all can."""
    if entry.status != Entry.Status.PUBLISHED:
        return f"还是{entry.get_status_display()}，打不开"
    if public and entry.audience != Entry.Audience.PUBLIC:
        return "仅内部可见，顾客打不开"
    if public and not entry.is_in_force:
        return f"{entry.validity.label}，顾客打不开"
    return ""


def _load_answer_html(pk: int) -> str:
    return Entry.objects.values_list("answer_html", flat=True).get(pk=pk)


def _load_blank_uses() -> BlankUses:
    """Return the blanks of all shared replies, read again when a reply has changed."""
    global _cached_blank_uses  # noqa: PLW0603 - one for each process
    replies = Reply.objects.shared().order_by()
    stamp = replies.aggregate(n=Count("pk"), last=Max("updated_at"))
    if stamp != _cached_blank_uses[0]:
        uses: BlankUses = {}
        rows = replies.filter(text__contains="{{").values_list("entry_id", "text")
        for entry_id, text in rows.iterator():
            for name in blanks.list_blank_names(text):
                entry_ids = uses.setdefault(name, set())
                if len(entry_ids) < 2:  # noqa: PLR2004 - one may be the checked entry
                    entry_ids.add(entry_id)
        _cached_blank_uses = (stamp, uses)
    return _cached_blank_uses[1]
