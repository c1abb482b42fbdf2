"""What an agent asks for in the address: hostile values count as not given."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict

from kb.models import Category, Channel, Copy, Entry, Tag
from kb.search import Narrowed
from kb.text import normalize

LONGEST = 200  # characters of a query; the search cuts there too
FURTHEST = 100  # pages
LARGEST_ID = 2**63 - 1
LONGEST_MS = 86_400_000  # from a question to its copy: a day
MOST_TAKEN = 20  # entries in one copied text


@dataclass(frozen=True, slots=True)
class Asked:
    """An address of the console, understood."""

    words: str = ""
    within: Narrowed = field(default_factory=Narrowed)
    entry: int | None = None
    page: int = 1
    fragment: str = ""
    site: str = ""  # what our own addresses begin with
    usual: str = ""  # the agent's own channel, which goes without saying
    segment: int | None = None  # the kind of customer
    kept: int | None = None  # a reply of one's own or the team's, instead of an entry

    @property
    def category(self) -> Category | None:
        return self.within.category

    @property
    def channel(self) -> str:
        return self.within.channel

    @property
    def address(self) -> str:
        """The search itself as a query string, whatever page or entry is open."""
        return self._with(q=self.words)

    @property
    def more(self) -> str:
        """`address` with room for a parameter behind."""
        return f"{self.address}&" if self.address else ""

    @property
    def unfiltered(self) -> str:
        """The words alone: found in all of the library."""
        return urlencode(
            {"q": self.words, "channel": ""} if self.usual else {"q": self.words}
        )

    def _with(self, **more: str) -> str:
        given: dict[str, Any] = {
            **more,
            "category": self.category and self.category.pk,
            "tag": self.within.tag and self.within.tag.pk,
            "scope": self.within.audience,
            "segment": self.segment,
        }
        kept = {name: value for name, value in given.items() if value}
        if self.channel != self.usual:
            kept["channel"] = self.channel
        return urlencode(kept)


class Words(forms.CharField):
    """One line of what the customer said, without what nobody can see."""

    def to_python(self, value: object) -> str:
        return normalize.line(str(value or ""))[:LONGEST].strip()


class ConsoleForm(forms.Form):
    q = Words(required=False)
    category = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    tag = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    scope = forms.ChoiceField(required=False, choices=Entry.Audience.choices)
    channel = forms.ChoiceField(required=False, choices=Channel.choices)
    segment = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    entry = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    page = forms.IntegerField(required=False, min_value=1, max_value=FURTHEST)
    fragment = forms.ChoiceField(
        required=False, choices=[("results", ""), ("preview", "")]
    )


class TakenForm(forms.Form):
    """One entry of what an agent copied, and after which words."""

    q = Words(required=False)
    entry = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    reply = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    rank = forms.IntegerField(required=False, min_value=1, max_value=100)
    total = forms.IntegerField(required=False, min_value=0, max_value=100)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not (given.get("entry") or given.get("reply")):
            raise forms.ValidationError("缺少条目。")
        return given


class CopyForm(forms.Form):
    """How it was copied: a reply alone, or several entries as one text."""

    kind = forms.ChoiceField(required=False, choices=Copy.Kind.choices)
    channel = forms.ChoiceField(required=False, choices=Channel.choices)
    took_ms = forms.IntegerField(required=False, min_value=0, max_value=LONGEST_MS)
    conversation = forms.RegexField(r"^[\w-]{1,24}\Z", required=False)


def taken(sent: QueryDict) -> list[dict[str, Any]] | None:
    """Return what was copied, an entry each: the names of TakenForm, repeated.

    None when one of them cannot be understood, or there are too many.
    """
    columns = {name: sent.getlist(name) for name in TakenForm.base_fields}
    count = len(columns["entry"])
    if not 1 <= count <= MOST_TAKEN:
        return None
    rows = (
        {n: v[at] for n, v in columns.items() if at < len(v)} for at in range(count)
    )
    filled = [TakenForm(_of_kept(row)) for row in rows]
    return (
        [one.cleaned_data for one in filled]
        if all(f.is_valid() for f in filled)
        else None
    )


def _of_kept(row: dict[str, str]) -> dict[str, str]:
    """Understand r12 in the place of an entry: a reply that stands by itself."""
    number = kept_number(row.get("entry", ""))
    return row | {"entry": "", "reply": str(number)} if number else row


def read(query: QueryDict, *, channel: str = "", site: str = "") -> Asked:
    """Understand `query`; what cannot be understood is left out.

    Where the address says nothing of a channel, it is the agent's own.
    """
    form = ConsoleForm(query)
    form.is_valid()
    given = form.cleaned_data
    within = Narrowed(
        category=Category.objects.filter(pk=given.get("category")).first(),
        tag=Tag.objects.filter(pk=given.get("tag") or 0).first(),
        audience=given.get("scope") or "",
        channel=given.get("channel", "") if "channel" in query else channel,
    )
    return Asked(
        words=given.get("q", ""),
        within=within,
        entry=given.get("entry"),
        page=given.get("page") or 1,
        fragment=given.get("fragment", ""),
        site=site,
        usual=channel,
        segment=given.get("segment"),
        kept=kept_number(query.get("entry", "")),
    )


def kept_number(key: str) -> int | None:
    """Return the number of a reply that stands in the list by itself, as r12."""
    match = re.fullmatch(r"r([0-9]{1,18})", key)
    return int(match[1]) if match else None
