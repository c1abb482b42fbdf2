"""Helpers of the tests of imports: plan and apply the text of a file."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from django.test import Client

from kb import import_export
from kb.import_export import ImportOptions, ImportPlan
from kb.models import (
    Category,
    Entry,
    IndexQueue,
    Module,
    Phrasing,
    Question,
    Reply,
    Tag,
    User,
)

HEAD = "问题,答案\n"
FULL = (
    "编号,标准问题,答案,分类,子分类,标签,话术,话术2,话术3,相似问法,短码,产品模块,来源\n"
    "e1,怎么退货？,点**退货**。,售后/退换货,,退货；运费,亲，点{{订单号}}。,点退货,亲亲,"
    "能退吗；怎么退|怎么退货,th,订单,旧库\n"
    "e2,能开发票吗,能。,售后,发票,,,,,,,,\n"
)


def read(
    data: str | bytes, *, kind: str = "entries", name: str = "a.csv", encoding: str = ""
) -> import_export.Table:
    raw = data.encode() if isinstance(data, str) else data
    return import_export.read_import_file(name, raw, kind=kind, encoding=encoding)


def plan(data: str | bytes, *, kind: str = "entries", **options: Any) -> ImportPlan:
    name = "a.xlsx" if isinstance(data, bytes) and data[:2] == b"PK" else "a.csv"
    table = read(data, kind=kind, name=name)
    return import_export.plan_import(table, kind=kind, options=ImportOptions(**options))


def load(
    data: str | bytes,
    *,
    kind: str = "entries",
    by: User | None = None,
    skip_bad: bool = False,
    **options: Any,
) -> ImportPlan:
    made = plan(data, kind=kind, **options)
    import_export.apply_import(made, by=by, skip_bad=skip_bad)
    return made


def actions(made: ImportPlan) -> list[str]:
    return [step.action.name for step in made.planned_rows]


def snapshot() -> list[Any]:
    """Return all that a repeated import could have touched."""
    tables = [Entry, Reply, Phrasing, Question, Category, Tag, Module, IndexQueue]
    links = list(Entry.tags.through.objects.order_by("id").values())
    return [list(table.objects.order_by("pk").values()) for table in tables] + links  # type: ignore[attr-defined]


def spent() -> float:
    """Return the seconds of processor time used so far, by our children as well."""
    return sum(os.times()[:4])


def slowest(path: Path) -> float:
    """Return how many seconds a file may take."""
    return 5 if path.suffix == ".xlsx" else 2


def reasons(made: ImportPlan) -> str:
    """Return what is wrong with the refused rows, one column a line."""
    found = [reason for step in made.refused_rows for reason in step.reasons]
    return "\n".join(f"{reason.column}：{reason.text}" for reason in found)


def confirm(client: Client, preview: str, **fields: Any) -> Any:
    """Look at the preview of an upload, and confirm what it shows."""
    page = client.get(preview).content.decode()
    seen = re.search(r'name="fingerprint" value="(\w+)"', page)
    shown = {"fingerprint": seen[1] if seen else ""}
    return client.post(preview, shown | fields, follow=True)
