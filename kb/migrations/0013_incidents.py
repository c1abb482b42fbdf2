"""Keep notices of incidents; editors and leads write them."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

KEEPERS = ("编辑", "主管")
ACTIONS = ("view", "add", "change", "delete")


def give_incidents(apps, schema_editor):
    """Give the permissions; Django would make them only after all migrations."""
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    kind, _ = ContentType.objects.get_or_create(app_label="kb", model="incident")
    named = apps.get_model("kb", "Incident")._meta.verbose_name
    groups = apps.get_model("auth", "Group").objects.filter(name__in=KEEPERS)
    for action in ACTIONS:
        permission, _ = Permission.objects.get_or_create(
            content_type=kind,
            codename=f"{action}_incident",
            defaults={"name": f"Can {action} {named}"},
        )
        for group in groups:
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("kb", "0012_site"),
    ]

    operations = [
        migrations.CreateModel(
            name="Incident",
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
                    "title",
                    models.CharField(
                        help_text="一句话说清发生了什么，例如：华东大雪，发货延迟。",
                        max_length=80,
                        verbose_name="标题",
                    ),
                ),
                (
                    "body",
                    models.TextField(
                        blank=True,
                        help_text="可以不写。影响谁、现在怎么办、什么时候恢复；用 Markdown 写。",
                        validators=[django.core.validators.MaxLengthValidator(2000)],
                        verbose_name="说明",
                    ),
                ),
                (
                    "keywords",
                    models.TextField(
                        blank=True,
                        help_text="一行一个，或用顿号隔开。搜索里出现其中一个，公告就在结果上方。不写就只在首页显示。",
                        verbose_name="关键词",
                    ),
                ),
                (
                    "audience",
                    models.CharField(
                        choices=[("public", "顾客和同事"), ("staff", "仅同事")],
                        default="staff",
                        max_length=10,
                        verbose_name="给谁看",
                    ),
                ),
                (
                    "starts_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="开始时间"
                    ),
                ),
                (
                    "ends_at",
                    models.DateTimeField(
                        db_index=True,
                        help_text="到点自动消失，不用再来撤。",
                        verbose_name="结束时间",
                    ),
                ),
                ("body_html", models.TextField(blank=True, editable=False)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="发布人",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        blank=True,
                        help_text="公告里会带上它的链接，它的页面上也会显示公告。",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="incidents",
                        to="kb.entry",
                        verbose_name="相关条目",
                    ),
                ),
            ],
            options={
                "verbose_name": "公告",
                "verbose_name_plural": "公告",
                "ordering": ["-starts_at", "-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("title", ""), _negated=True),
                        name="kb_incident_has_title",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("audience__in", ["public", "staff"])),
                        name="kb_incident_audience_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                        name="kb_incident_ends_after_start",
                        violation_error_message="结束时间必须晚于开始时间。",
                    ),
                ],
            },
        ),
        migrations.RunPython(give_incidents, migrations.RunPython.noop),
    ]
