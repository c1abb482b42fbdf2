"""Keep entries and names in 繁體, and let editors write them by hand."""

from __future__ import annotations

from typing import Any

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


def give_faces(apps: Any, schema_editor: Any) -> None:
    """Give the permissions; Django would make them only after all migrations."""
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    groups = apps.get_model("auth", "Group").objects.filter(name__in=["编辑", "主管"])
    kind, _ = ContentType.objects.get_or_create(app_label="kb", model="face")
    for action in ("view", "change"):
        permission, _ = Permission.objects.get_or_create(
            content_type=kind,
            codename=f"{action}_face",
            defaults={"name": f"Can {action} 繁體版本"},
        )
        for group in groups:
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("kb", "0013_incidents"),
    ]

    operations = [
        migrations.AddField(
            model_name="category",
            name="hant",
            field=models.CharField(blank=True, editable=False, max_length=60),
        ),
        migrations.AddField(
            model_name="category",
            name="own_hant",
            field=models.CharField(
                blank=True,
                help_text="留空就自动转换。",
                max_length=50,
                verbose_name="繁體名称",
            ),
        ),
        migrations.AddField(
            model_name="tag",
            name="hant",
            field=models.CharField(blank=True, editable=False, max_length=60),
        ),
        migrations.AddField(
            model_name="tag",
            name="own_hant",
            field=models.CharField(
                blank=True,
                help_text="留空就自动转换。",
                max_length=50,
                verbose_name="繁體名称",
            ),
        ),
        migrations.CreateModel(
            name="Face",
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
                    "own_question",
                    models.CharField(
                        blank=True,
                        help_text="留空就用自动转换的。",
                        max_length=200,
                        verbose_name="繁體问题",
                    ),
                ),
                (
                    "own_answer",
                    models.TextField(
                        blank=True,
                        help_text="用 Markdown 写；留空就用自动转换的。",
                        validators=[django.core.validators.MaxLengthValidator(65536)],
                        verbose_name="繁體答案",
                    ),
                ),
                (
                    "own_source",
                    models.CharField(blank=True, editable=False, max_length=32),
                ),
                (
                    "behind",
                    models.BooleanField(
                        default=False, editable=False, verbose_name="原文已改"
                    ),
                ),
                ("question", models.CharField(editable=False, max_length=240)),
                ("answer_html", models.TextField(blank=True, editable=False)),
                ("answer_text", models.TextField(blank=True, editable=False)),
                (
                    "excerpt",
                    models.CharField(blank=True, editable=False, max_length=160),
                ),
                ("version", models.PositiveIntegerField(default=0, editable=False)),
                ("said_by", models.CharField(editable=False, max_length=20)),
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="face",
                        to="kb.entry",
                        verbose_name="条目",
                    ),
                ),
            ],
            options={
                "verbose_name": "繁體版本",
                "verbose_name_plural": "繁體版本",
                "ordering": ["-behind", "-entry_id"],
            },
        ),
        migrations.RunPython(give_faces, migrations.RunPython.noop),
    ]
