"""Parse the parameters of the console; invalid values count as not given."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict

from kb.models import Category, Channel, CopyEvent, Entry
from kb.search.scope import SearchFilters, make_search_filters
from kb.text.chinese import normalize

MAX_CONSOLE_QUERY_CHARS = 200  # search reads no further either
MAX_PAGE_NUMBER = 100
MAX_ROW_ID = 2**63 - 1
MAX_COPY_DELAY_MS = 86_400_000  # a day from the search to the copy
MAX_COPIED_ENTRIES = 20  # in one copied text
MAX_CLAIMED_RANK = 100  # of a result, as the browser says


@dataclass(frozen=True, slots=True)
class ConsoleRequest:
    """The parsed parameters of an address of the console."""

    query: str = ""
    filters: SearchFilters = field(default_factory=SearchFilters)
    entry_id: int | None = None
    page: int = 1
    fragment: str = ""
    site_url: str = ""  # scheme, host and a slash
    default_channel: str = ""  # of the agent's profile; left out of addresses
    segment_id: int | None = None  # of a CustomerSegment
    own_reply_id: int | None = None  # of a private reply, instead of an entry

    @property
    def category(self) -> Category | None:
        return self.filters.category

    @property
    def channel(self) -> str:
        return self.filters.channel

    @property
    def query_string(self) -> str:
        """Return the search with its filters, without page and entry."""
        values: dict[str, Any] = {
            "q": self.query,
            "category": self.category and self.category.pk,
            "tag": self.filters.tag and self.filters.tag.pk,
            "scope": self.filters.audience,
            "segment": self.segment_id,
        }
        parameters = {name: value for name, value in values.items() if value}
        if self.channel != self.default_channel:
            parameters["channel"] = self.channel
        return urlencode(parameters)

    @property
    def query_string_prefix(self) -> str:
        """Return the query string, ready for one more parameter."""
        return f"{self.query_string}&" if self.query_string else ""

    @property
    def unfiltered_query_string(self) -> str:
        """Return the search without filters, the agent's own channel included."""
        parameters = {"q": self.query}
        if self.default_channel:
            parameters["channel"] = ""
        return urlencode(parameters)


class SingleLineField(forms.CharField):
    """One line of text without invisible characters, cut at MAX_CONSOLE_QUERY_CHARS."""

    def to_python(self, value: object) -> str:
        line = normalize.clean_single_line(str(value or ""))
        return line[:MAX_CONSOLE_QUERY_CHARS].strip()


class MultiLineField(forms.CharField):
    """Text of several lines, without invisible characters."""

    widget = forms.Textarea

    def to_python(self, value: object) -> str:
        return normalize.clean_text(str(value or "")).strip()


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
    """One entry of a copied text: the search before it and its rank in the results."""

    q = SingleLineField(required=False)
    entry = forms.IntegerField(required=False, min_value=1, max_value=MAX_ROW_ID)
    reply = forms.IntegerField(required=False, min_value=1, max_value=MAX_ROW_ID)
    rank = forms.IntegerField(required=False, min_value=1, max_value=MAX_CLAIMED_RANK)
    total = forms.IntegerField(required=False, min_value=0, max_value=MAX_CLAIMED_RANK)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not (values.get("entry") or values.get("reply")):
            raise forms.ValidationError("缺少条目。")
        return values


class CopyContextForm(forms.Form):
    """What all entries of a copied text have in common."""

    kind = forms.ChoiceField(required=False, choices=CopyEvent.Kind.choices)
    channel = forms.ChoiceField(required=False, choices=Channel.choices)
    took_ms = forms.IntegerField(
        required=False, min_value=0, max_value=MAX_COPY_DELAY_MS
    )
    conversation = forms.RegexField(r"^[\w-]{1,24}\Z", required=False)


def parse_copied_entries(post: QueryDict) -> list[dict[str, Any]] | None:
    """Return the cleaned data of CopiedEntryForm for each entry of a copied text.

    The fields of the form are repeated in `post`, once for each entry. None where
    one of them is invalid or there are too many.
    """
    columns = {name: post.getlist(name) for name in CopiedEntryForm.base_fields}
    count = len(columns["entry"])
    if not 1 <= count <= MAX_COPIED_ENTRIES:
        return None
    rows = [
        {name: values[i] for name, values in columns.items() if i < len(values)}
        for i in range(count)
    ]
    row_forms = [CopiedEntryForm(_resolve_own_reply(row)) for row in rows]
    if not all(form.is_valid() for form in row_forms):
        return None
    return [form.cleaned_data for form in row_forms]


def _resolve_own_reply(row: dict[str, str]) -> dict[str, str]:
    """Return the row with a key such as r12 in `entry` replaced by the reply's id."""
    reply_id = parse_own_reply_key(row.get("entry", ""))
    return row | {"entry": "", "reply": str(reply_id)} if reply_id else row


def parse_console_request(
    query: QueryDict, *, channel: str = "", site: str = ""
) -> ConsoleRequest:
    """Return the valid parameters of `query`.

    Without a channel in the address, `channel` is used: that of the agent's profile.
    """
    form = ConsoleForm(query)
    form.is_valid()
    values = form.cleaned_data
    filters = make_search_filters(
        category_id=values.get("category"),
        tag_id=values.get("tag"),
        audience=values.get("scope") or "",
        channel=values.get("channel", "") if "channel" in query else channel,
    )
    return ConsoleRequest(
        query=values.get("q", ""),
        filters=filters,
        entry_id=values.get("entry"),
        page=values.get("page") or 1,
        fragment=values.get("fragment", ""),
        site_url=site,
        default_channel=channel,
        segment_id=values.get("segment"),
        own_reply_id=parse_own_reply_key(query.get("entry", "")),
    )


def parse_own_reply_key(key: str) -> int | None:
    """Return the id in the key of a private reply, such as 12 in r12."""
    match = re.fullmatch(r"r([0-9]{1,18})", key)
    return int(match[1]) if match else None
