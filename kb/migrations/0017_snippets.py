"""Snippets, what replies said before, and what agents would share."""

from __future__ import annotations

from typing import Any

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def put_together(apps: Any, schema_editor: Any) -> None:
    """Nothing includes a snippet yet: what is sent is what is written."""
    apps.get_model("kb", "Reply").objects.update(text=models.F("body"))


def give_snippets(apps: Any, schema_editor: Any) -> None:
    """Let editors and leads keep snippets."""
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    groups = apps.get_model("auth", "Group").objects.filter(name__in=["编辑", "主管"])
    kind, _ = ContentType.objects.get_or_create(app_label="kb", model="snippet")
    for action in ("view", "add", "change", "delete"):
        permission, _ = Permission.objects.get_or_create(
            content_type=kind,
            codename=f"{action}_snippet",
            defaults={"name": f"Can {action} 片段"},
        )
        for group in groups:
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("kb", "0016_owning"),
    ]

    operations = [
        migrations.AddField(
            model_name="reply",
            name="text",
            field=models.TextField(blank=True, editable=False),
        ),
        migrations.AddField(
            model_name="stale",
            name="due_at",
            field=models.DateTimeField(
                db_index=True,
                default=django.utils.timezone.now,
                verbose_name="到期时间",
            ),
        ),
        migrations.CreateModel(
            name="Snippet",
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
                        help_text="话术里写 {{> 名称}} 就会换成下面的内容。",
                        max_length=30,
                        unique=True,
                        verbose_name="名称",
                    ),
                ),
                (
                    "body",
                    models.TextField(
                        help_text="纯文本，可以有 {{订单号}} 这样的空，也可以再用 {{> 别的片段}}。",
                        validators=[django.core.validators.MaxLengthValidator(4000)],
                        verbose_name="内容",
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, verbose_name="更新时间"),
                ),
            ],
            options={
                "verbose_name": "片段",
                "verbose_name_plural": "片段",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("name", ""), _negated=True),
                            models.Q(("body", ""), _negated=True),
                        ),
                        name="kb_snippet_says_something",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Proposal",
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
                    "at",
                    models.DateTimeField(auto_now_add=True, verbose_name="提议时间"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "等待审核"),
                            ("accepted", "已收为共用"),
                            ("returned", "已退回"),
                        ],
                        default="waiting",
                        max_length=8,
                        verbose_name="状态",
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True, max_length=200, verbose_name="退回原因"
                    ),
                ),
                ("judged_at", models.DateTimeField(null=True, verbose_name="审核时间")),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="提议人",
                    ),
                ),
                (
                    "judged_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="审核人",
                    ),
                ),
                (
                    "reply",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="proposals",
                        to="kb.reply",
                    ),
                ),
            ],
            options={
                "verbose_name": "共用提议",
                "verbose_name_plural": "共用提议",
                "ordering": ["at", "pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "waiting")),
                        fields=("reply",),
                        name="kb_proposal_waits_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "returned"), _negated=True),
                            models.Q(("reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="kb_proposal_returned_says_why",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReplyRevision",
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
                ("text", models.TextField()),
                (
                    "replaced_at",
                    models.DateTimeField(default=django.utils.timezone.now),
                ),
                (
                    "reply",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="revisions",
                        to="kb.reply",
                    ),
                ),
            ],
            options={
                "verbose_name": "话术旧版",
                "verbose_name_plural": "话术旧版",
                "ordering": ["replaced_at", "pk"],
                "indexes": [
                    models.Index(
                        fields=["reply", "replaced_at"],
                        name="kb_replyrev_reply_i_785313_idx",
                    )
                ],
            },
        ),
        migrations.RunPython(put_together, migrations.RunPython.noop),
        migrations.RunPython(give_snippets, migrations.RunPython.noop),
    ]
