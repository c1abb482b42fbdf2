"""Helpers for tests of the admin: read its forms and post them."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from kb.models import Category, Entry, Question, User

# In the order of the dashboard.
MODEL_NAMES = (
    "entry question inquiry snippet announcement picture entrytranslation category tag"
    " module customersegment campaignperiod synonymset dictionaryword stopword stylerule"
    " relevancetest search site widgetrule user team group deleteditem auditevent"
    " textrevision job indexqueue"
).split()
LIST_URLS = [
    f"/admin/auth/{model}/" if model == "group" else f"/admin/kb/{model}/"
    for model in MODEL_NAMES
]


def get_change_url(row: Entry | Question | Category | User) -> str:
    """Return the address of the form of a row."""
    return reverse(f"admin:kb_{row._meta.model_name}_change", args=[row.pk])


def get_form_values(response: Any) -> dict[str, Any]:
    """Return what the form on a page would post if nobody touched it."""
    context = response.context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    values = {field.html_name: field.value() for form in forms for field in form}
    for name in ("tags", "groups"):
        values[name] = values.get(name) or []
    if asked_at := values.pop("asked_at", None):  # a field of two inputs
        asked_at = timezone.localtime(asked_at)
        values["asked_at_0"], values["asked_at_1"] = asked_at.date(), asked_at.time()
    return {name: "" if value is None else value for name, value in values.items()}


def read_form(client: Client, url: str) -> dict[str, Any]:
    """Return what the form at `url` would post if nobody touched it."""
    return get_form_values(client.get(url))


def post_change(client: Client, row: Any, /, **typed: Any) -> Any:
    """Post the form of a row with the `typed` values."""
    url = get_change_url(row)
    return client.post(url, {**read_form(client, url), **typed})


def read_messages(response: Any) -> str:
    """Return the messages on the page that `response` is or redirects to."""
    if response.status_code == 302:
        response = response.client.get(response.headers["Location"])
    page = response.content.decode()
    match = re.search(r'<ul class="messagelist">(.*?)</ul>', page, re.S)
    return match[1] if match else ""
