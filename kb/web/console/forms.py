"""What an agent asks for in the address: hostile values count as not given."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict

from kb.models import Category, Channel, CopyEvent, Entry, Tag
from kb.search import SearchFilters
from kb.text.chinese import normalize

MAX_CONSOLE_QUERY_CHARS = 200  # characters of a query; the search cuts there too
MAX_PAGE_NUMBER = 100  # pages
MAX_ROW_ID = 2**63 - 1
MAX_COPY_DELAY_MS = 86_400_000  # from a question to its copy: a day
MAX_COPIED_ENTRIES = 20  # entries in one copied text


@dataclass(frozen=True, slots=True)
class ConsoleRequest:
    """An address of the console, understood."""

    query: str = ""
    filters: SearchFilters = field(default_factory=SearchFilters)
    entry_id: int | None = None
    page: int = 1
    fragment: str = ""
    site_url: str = ""  # what our own addresses begin with
    default_channel: str = ""  # the agent's own channel, which goes without saying
    segment_id: int | None = None  # the kind of customer
    own_reply_id: int | None = (
        None  # a reply of one's own or the team's, instead of an entry
    )

    @property
    def category(self) -> Category | None:
        return self.filters.category

    @property
    def channel(self) -> str:
        return self.filters.channel

    @property
    def query_string(self) -> str:
        """The search itself as a query string, whatever page or entry is open."""
        return self._build_query_string(q=self.query)

    @property
    def query_string_prefix(self) -> str:
        """`address` with room for a parameter behind."""
        return f"{self.query_string}&" if self.query_string else ""

    @property
    def unfiltered_query_string(self) -> str:
        """The words alone: found in all of the library."""
        return urlencode(
            {"q": self.query, "channel": ""}
            if self.default_channel
            else {"q": self.query}
        )

    def _build_query_string(self, **more: str) -> str:
        given: dict[str, Any] = {
            **more,
            "category": self.category and self.category.pk,
            "tag": self.filters.tag and self.filters.tag.pk,
            "scope": self.filters.audience,
            "segment": self.segment_id,
        }
        kept = {name: value for name, value in given.items() if value}
        if self.channel != self.default_channel:
            kept["channel"] = self.channel
        return urlencode(kept)


class SingleLineField(forms.CharField):
    """One line of what the customer said, without what nobody can see."""

    def to_python(self, value: object) -> str:
        return normalize.clean_single_line(str(value or ""))[
            :MAX_CONSOLE_QUERY_CHARS
        ].strip()


class ConsoleForm(forms.Form):
    q = SingleLineField(required=False)
    category = forms.IntegerField(required=False, min_value=1, max_value=MAX_ROW_ID)
    tag = forms.IntegerField(required=False, min_value=1, max_value=MAX_ROW_ID)
    scope = forms.ChoiceField(required=False, choices=Entry.Audience.choices)
    channel = forms.ChoiceField(required=False, choices=Channel.choices)
    segment = forms.IntegerField(required=False, min_value=1, max_value=MAX_ROW_ID)
    entry = forms.IntegerField(required=False, min_value=1, max_value=MAX_ROW_ID)
    page = forms.IntegerField(required=False, min_value=1, max_value=MAX_PAGE_NUMBER)
    fragment = forms.ChoiceField(
        required=False, choices=[("results", ""), ("preview", "")]
    )


class CopiedEntryForm(forms.Form):
    """One entry of what an agent copied, and after which words."""

    q = SingleLineField(required=False)
    entry = forms.IntegerField(required=False, min_value=1, max_value=MAX_ROW_ID)
    reply = forms.IntegerField(required=False, min_value=1, max_value=MAX_ROW_ID)
    rank = forms.IntegerField(required=False, min_value=1, max_value=100)
    total = forms.IntegerField(required=False, min_value=0, max_value=100)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not (given.get("entry") or given.get("reply")):
            raise forms.ValidationError("缺少条目。")
        return given


class CopyContextForm(forms.Form):
    """How it was copied: a reply alone, or several entries as one text."""

    kind = forms.ChoiceField(required=False, choices=CopyEvent.Kind.choices)
    channel = forms.ChoiceField(required=False, choices=Channel.choices)
    took_ms = forms.IntegerField(
        required=False, min_value=0, max_value=MAX_COPY_DELAY_MS
    )
    conversation = forms.RegexField(r"^[\w-]{1,24}\Z", required=False)


def parse_copied_entries(sent: QueryDict) -> list[dict[str, Any]] | None:
    """Return what was copied, an entry each: the names of TakenForm, repeated.

    None when one of them cannot be understood, or there are too many.
    """
    columns = {name: sent.getlist(name) for name in CopiedEntryForm.base_fields}
    count = len(columns["entry"])
    if not 1 <= count <= MAX_COPIED_ENTRIES:
        return None
    rows = (
        {n: v[at] for n, v in columns.items() if at < len(v)} for at in range(count)
    )
    filled = [CopiedEntryForm(_resolve_own_reply(row)) for row in rows]
    return (
        [one.cleaned_data for one in filled]
        if all(f.is_valid() for f in filled)
        else None
    )


def _resolve_own_reply(row: dict[str, str]) -> dict[str, str]:
    """Understand r12 in the place of an entry: a reply that stands by itself."""
    number = parse_own_reply_key(row.get("entry", ""))
    return row | {"entry": "", "reply": str(number)} if number else row


def parse_console_request(
    query: QueryDict, *, channel: str = "", site: str = ""
) -> ConsoleRequest:
    """Understand `query`; what cannot be understood is left out.

    Where the address says nothing of a channel, it is the agent's own.
    """
    form = ConsoleForm(query)
    form.is_valid()
    given = form.cleaned_data
    within = SearchFilters(
        category=Category.objects.filter(pk=given.get("category")).first(),
        tag=Tag.objects.filter(pk=given.get("tag") or 0).first(),
        audience=given.get("scope") or "",
        channel=given.get("channel", "") if "channel" in query else channel,
    )
    return ConsoleRequest(
        query=given.get("q", ""),
        filters=within,
        entry_id=given.get("entry"),
        page=given.get("page") or 1,
        fragment=given.get("fragment", ""),
        site_url=site,
        default_channel=channel,
        segment_id=given.get("segment"),
        own_reply_id=parse_own_reply_key(query.get("entry", "")),
    )


def parse_own_reply_key(key: str) -> int | None:
    """Return the number of a reply that stands in the list by itself, as r12."""
    match = re.fullmatch(r"r([0-9]{1,18})", key)
    return int(match[1]) if match else None
