"""What an agent asks for in the address: hostile values count as not given."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict

from kb.models import Category
from kb.text import normalize

LONGEST = 200  # characters of a query; the search cuts there too
FURTHEST = 100  # pages
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Asked:
    """An address of the console, understood."""

    words: str = ""
    category: Category | None = None
    entry: int | None = None
    page: int = 1
    fragment: str = ""

    @property
    def address(self) -> str:
        """The search itself as a query string, whatever page or entry is open."""
        given = {"q": self.words, "category": self.category and self.category.pk}
        return urlencode({name: value for name, value in given.items() if value})


class Words(forms.CharField):
    """One line of what the customer said, without what nobody can see."""

    def to_python(self, value: object) -> str:
        return normalize.line(str(value or ""))[:LONGEST].strip()


class ConsoleForm(forms.Form):
    q = Words(required=False)
    category = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    entry = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    page = forms.IntegerField(required=False, min_value=1, max_value=FURTHEST)
    fragment = forms.ChoiceField(
        required=False, choices=[("results", ""), ("preview", "")]
    )


class PickForm(forms.Form):
    """What an agent copied, and after which words."""

    q = Words()
    entry = forms.IntegerField(min_value=1, max_value=LARGEST_ID)
    reply = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    rank = forms.IntegerField(required=False, min_value=1, max_value=100)
    total = forms.IntegerField(required=False, min_value=0, max_value=100)


def read(query: QueryDict) -> Asked:
    """Understand `query`; what cannot be understood is left out."""
    form = ConsoleForm(query)
    form.is_valid()
    given = form.cleaned_data
    return Asked(
        words=given.get("q", ""),
        category=Category.objects.filter(pk=given.get("category")).first(),
        entry=given.get("entry"),
        page=given.get("page") or 1,
        fragment=given.get("fragment", ""),
    )
