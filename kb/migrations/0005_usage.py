"""Keep searches, picks and votes; editors and leads may look at searches."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

READERS = ("编辑", "主管")


def give_searches(apps, schema_editor):
    """Give the permission; Django would make it only after all migrations."""
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    kind, _ = ContentType.objects.get_or_create(app_label="kb", model="search")
    named = apps.get_model("kb", "Search")._meta.verbose_name
    permission, _ = Permission.objects.get_or_create(
        content_type=kind,
        codename="view_search",
        defaults={"name": f"Can view {named}"},
    )
    for group in apps.get_model("auth", "Group").objects.filter(name__in=READERS):
        group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("kb", "0004_vocabulary_groups"),
    ]

    operations = [
        migrations.CreateModel(
            name="Evidence",
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
                ("words", models.CharField(max_length=200, verbose_name="搜索的话")),
                ("words_key", models.CharField(editable=False, max_length=32)),
                (
                    "side",
                    models.CharField(
                        choices=[("public", "顾客"), ("staff", "同事")], max_length=6
                    ),
                ),
                ("level", models.PositiveSmallIntegerField(default=0)),
                ("people", models.PositiveIntegerField(default=0)),
                ("refused", models.BooleanField(default=False)),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="evidence",
                        to="kb.entry",
                    ),
                ),
            ],
            options={
                "ordering": ["-level", "pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("words_key", "side", "entry"), name="kb_evidence_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Pick",
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
                ("words", models.CharField(max_length=200, verbose_name="搜索的话")),
                ("words_key", models.CharField(editable=False, max_length=32)),
                (
                    "side",
                    models.CharField(
                        choices=[("public", "顾客"), ("staff", "同事")], max_length=6
                    ),
                ),
                ("person", models.CharField(max_length=24)),
                ("rank", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("copied", "复制了话术"), ("helpful", "说有帮助")],
                        max_length=7,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_index=True, default=django.utils.timezone.now
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="picks",
                        to="kb.entry",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entry", "side", "words_key", "person"),
                        name="kb_pick_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Search",
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
                ("words", models.CharField(max_length=200, verbose_name="搜索的话")),
                ("words_key", models.CharField(editable=False, max_length=32)),
                (
                    "side",
                    models.CharField(
                        choices=[("public", "顾客"), ("staff", "同事")],
                        max_length=6,
                        verbose_name="谁搜的",
                    ),
                ),
                ("results", models.PositiveIntegerField(verbose_name="结果数")),
                (
                    "rank",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="第几条"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_index=True,
                        default=django.utils.timezone.now,
                        verbose_name="时间",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="同事",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="kb.entry",
                        verbose_name="用了哪条",
                    ),
                ),
            ],
            options={
                "verbose_name": "搜索记录",
                "verbose_name_plural": "搜索记录",
                "ordering": ["-created_at", "-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("side", "staff"), ("by", None), _connector="OR"
                        ),
                        name="kb_search_public_is_nobody",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Vote",
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
                ("person", models.CharField(max_length=24)),
                ("helpful", models.BooleanField(verbose_name="有帮助")),
                (
                    "words",
                    models.CharField(
                        blank=True, max_length=200, verbose_name="搜索的话"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="时间"
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="votes",
                        to="kb.entry",
                    ),
                ),
            ],
            options={
                "verbose_name": "评价",
                "verbose_name_plural": "评价",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entry", "person"), name="kb_vote_one_each"
                    )
                ],
            },
        ),
        migrations.RunPython(give_searches, migrations.RunPython.noop),
    ]
