"""What the rest of the library knows: where links lead, which blanks others use."""

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

from kb import scripts
from kb.models import Category, Entry, Picture, Reply, Site, Snippet
from kb.text import blanks, links
from kb.text.links import Link
from kb.text.wording import Rules

DEAD, HIDDEN, PICTURE = "失效链接", "未公开的链接", "缺少图片"
NO_HEADING = "链接的标题不存在"
FEWEST = 5  # names in use before one that is not is worth a word
NEAR = 60  # of 100: a name that is written almost like another
# What the console asks for or fills by itself.
OWN = frozenset("客户称呼 客服昵称 客户类型 订单号 运单号 快递公司".split())
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_FILE = re.compile(r"/media/(?P<name>[^/?#]+)")
Trouble = tuple[Link, str, str, str]  # the check, what is wrong, what to do
Names = dict[str, set[int]]  # of blanks, with two of the entries that use each

_known: tuple[Any, Names] = (None, {})


class Library:
    """Looked up once for all the texts that are looked at together."""

    def __init__(self) -> None:
        self.rules: Rules | None = None
        self._entries: dict[int, Entry | None] = {}

    @cached_property
    def snippets(self) -> dict[str, str]:
        return Snippet.objects.bodies()

    # Blanks ------------------------------------------------------------------

    @cached_property
    def names(self) -> Names:
        return _names_in_use()

    def unknown(self, name: str, entry_id: int | None) -> bool:
        """Tell whether no reply of another entry asks for `name`."""
        if name in OWN or len(self.names) < FEWEST:
            return False
        return not self.names.get(name, set()) - {entry_id}

    def nearest(self, name: str) -> str:
        """Return the name in use that is written most like `name`, or nothing."""
        others = [*OWN, *(one for one in self.names if one != name)]
        best = process.extractOne(name, others, score_cutoff=NEAR)
        return str(best[0]) if best else ""

    def nearest_snippet(self, name: str) -> str:
        """Return the name of a snippet that is written most like `name`, or nothing."""
        best = process.extractOne(name, self.snippets.keys(), score_cutoff=NEAR)
        return str(best[0]) if best else ""

    # Links -------------------------------------------------------------------

    def troubles(
        self, source: str, *, public: bool, anchors: set[str]
    ) -> Iterator[Trouble]:
        """Yield the links of an answer that lead nowhere, or not everybody there.

        `anchors` are those of the answer itself.
        """
        for link in links.of(source):
            if link.address.startswith("#"):
                if unquote(link.address[1:]) not in anchors:
                    yield link, NO_HEADING, "这条答案里没有这个标题", ""
            elif told := self._trouble(link.address, public):
                yield (link, *told)

    def _trouble(self, address: str, public: bool) -> tuple[str, str, str] | None:
        if "{{" in address or re.match("(?:mailto|tel):", address, re.IGNORECASE):
            return None
        parts = urlsplit(address) if _is_sound(address) else None
        if parts is None:
            return DEAD, "网址写得不对", "请检查链接的网址"
        if parts.scheme and (parts.hostname or "") not in self.hosts:
            return None
        if not parts.path.startswith("/"):
            host = "." in address.partition("/")[0]
            cure = f"写成 https://{address}" if host else "写完整的网址"
            return DEAD, "这不是完整的网址，点了打不开", cure
        return self._inside(unquote(parts.path), unquote(parts.fragment), public)

    def _inside(
        self, path: str, anchor: str, public: bool
    ) -> tuple[str, str, str] | None:
        if file := _FILE.fullmatch(path):
            return self._picture(file["name"])
        if path.startswith(("/static/", "//")):
            return None
        script = scripts.of_path(path)
        try:
            with translation.override(script):
                match = resolve(path)
        except (Resolver404, ValueError):
            return DEAD, "网站里没有这个网址", "换成正确的网址，或去掉链接"
        if match.view_name in {"faq:entry", "faq:entry-short"}:
            return self._entry(int(match.kwargs["pk"]), anchor, public)
        if match.view_name.startswith("faq:category"):
            known = Category.objects.filter(pk=match.kwargs["pk"]).exists()
            return None if known else (DEAD, "没有这个分类", "换一个分类")
        return None

    def _picture(self, name: str) -> tuple[str, str, str] | None:
        known = Picture.objects.filter(name=name).exists()
        if known or default_storage.exists(name):
            return None
        return PICTURE, "没有这张图片", "请重新插入图片"

    def _entry(self, pk: int, anchor: str, public: bool) -> tuple[str, str, str] | None:
        entry = self._found(pk)
        if entry is None:
            return DEAD, f"没有编号 {pk} 的条目", "换成正确的条目，或去掉链接"
        if entry.status == Entry.Status.RETIRED:
            return DEAD, f"「{entry}」已下线", "换成在用的条目，或去掉链接"
        if told := _hidden(entry, public):
            return HIDDEN, f"「{entry}」{told}", ""
        if anchor and f'id="{anchor}"' not in _html(pk):
            return NO_HEADING, f"「{entry}」里没有这个标题", "检查 # 后面的内容"
        return None

    def _found(self, pk: int) -> Entry | None:
        if pk not in self._entries:
            columns = ("question", "status", "audience", "valid_from", "valid_until")
            rows = Entry.objects.only(*columns)
            self._entries[pk] = rows.filter(pk=pk).first() if pk < 2**63 else None
        return self._entries[pk]

    @cached_property
    def hosts(self) -> set[str]:
        return set(Site.objects.exclude(host="").values_list("host", flat=True))


def _is_sound(address: str) -> bool:
    try:
        return bool(urlsplit(address).hostname or True)
    except ValueError:  # as in http://[
        return False


def _hidden(entry: Entry, public: bool) -> str:
    """Return why not everybody who reads the link may open `entry`, maybe nothing."""
    if entry.status != Entry.Status.PUBLISHED:
        return f"还是{entry.get_status_display()}，打不开"
    if public and entry.audience != Entry.Audience.PUBLIC:
        return "仅内部可见，顾客打不开"
    if public and not entry.in_force:
        return f"{entry.validity.label}，顾客打不开"
    return ""


def _html(pk: int) -> str:
    return Entry.objects.values_list("answer_html", flat=True).get(pk=pk)


def _names_in_use() -> Names:
    """Return the blanks of all replies, read anew when any of them has changed."""
    global _known  # noqa: PLW0603 - one a process
    replies = Reply.objects.shared().order_by()
    stamp = replies.aggregate(n=Count("pk"), last=Max("updated_at"))
    if stamp != _known[0]:
        names: Names = {}
        rows = replies.filter(text__contains="{{").values_list("entry_id", "text")
        for entry_id, text in rows.iterator():
            for name in blanks.names(text):
                users = names.setdefault(name, set())
                if len(users) < 2:  # noqa: PLR2004 - one of them may be the asker
                    users.add(entry_id)
        _known = (stamp, names)
    return _known[1]
