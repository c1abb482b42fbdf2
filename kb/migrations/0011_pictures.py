"""Keep pictures, let editors add them, and render answers with what is new."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from kb.text import markdown

BATCH = 200  # entries


def give_pictures(apps: Any, schema_editor: Any) -> None:
    """Give the permissions; Django would make them only after all migrations."""
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    groups = apps.get_model("auth", "Group").objects.filter(name__in=["编辑", "主管"])
    kind, _ = ContentType.objects.get_or_create(app_label="kb", model="picture")
    for action in ("view", "add", "change", "delete"):
        permission, _ = Permission.objects.get_or_create(
            content_type=kind,
            codename=f"{action}_picture",
            defaults={"name": f"Can {action} 图片"},
        )
        for group in groups:
            group.permissions.add(permission)


def render_again(apps: Any, schema_editor: Any) -> None:
    """Callouts, anchors and sizes stand in the HTML that is kept."""
    Entry = apps.get_model("kb", "Entry")
    answered = Entry.objects.exclude(answer="").order_by("pk")
    last = 0
    while rows := list(answered.filter(pk__gt=last).only("answer")[:BATCH]):
        for entry in rows:
            entry.answer_html = markdown.render(entry.answer)
            entry.answer_text = markdown.plain(entry.answer_html)
        Entry.objects.bulk_update(rows, ["answer_html", "answer_text"])
        last = rows[-1].pk


class Migration(migrations.Migration):
    dependencies = [
        ("kb", "0010_index_by_date"),
    ]

    operations = [
        migrations.CreateModel(
            name="Picture",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        editable=False,
                        max_length=64,
                        unique=True,
                        verbose_name="文件名",
                    ),
                ),
                (
                    "alt",
                    models.CharField(
                        help_text="给看不见图的人和搜索引擎：一句话说清图里有什么、点哪里。",
                        max_length=200,
                        verbose_name="替代文字",
                    ),
                ),
                (
                    "width",
                    models.PositiveIntegerField(editable=False, verbose_name="宽"),
                ),
                (
                    "height",
                    models.PositiveIntegerField(editable=False, verbose_name="高"),
                ),
                (
                    "size",
                    models.PositiveIntegerField(editable=False, verbose_name="字节"),
                ),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, verbose_name="上传时间"),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="上传人",
                    ),
                ),
            ],
            options={
                "verbose_name": "图片",
                "verbose_name_plural": "图片",
                "ordering": ["-created_at", "-pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("alt", ""), _negated=True),
                        name="kb_picture_has_alt",
                    )
                ],
            },
        ),
        migrations.RunPython(give_pictures, migrations.RunPython.noop),
        migrations.RunPython(render_again, migrations.RunPython.noop),
    ]
