"""Say where in the product the widget stands, and what is asked there."""

import django.db.models.deletion
from django.db import migrations, models

EDITORS = ("编辑", "主管")
ACTIONS = ("view", "add", "change", "delete")


def give_rules(apps, schema_editor):
    """Give the permissions; Django would make them only after all migrations."""
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    kind, _ = ContentType.objects.get_or_create(app_label="kb", model="widgetrule")
    named = apps.get_model("kb", "WidgetRule")._meta.verbose_name
    for action in ACTIONS:
        permission, _ = Permission.objects.get_or_create(
            content_type=kind,
            codename=f"{action}_widgetrule",
            defaults={"name": f"Can {action} {named}"},
        )
        for group in apps.get_model("auth", "Group").objects.filter(name__in=EDITORS):
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("kb", "0021_manners"),
    ]

    operations = [
        migrations.CreateModel(
            name="WidgetRule",
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
                    "pattern",
                    models.CharField(
                        help_text="产品页面的路径，* 代表任意一段，比如 /orders/* 或 */refund。",
                        max_length=200,
                        verbose_name="页面网址",
                    ),
                ),
                (
                    "query",
                    models.CharField(
                        blank=True,
                        help_text="显示搜它的结果。",
                        max_length=200,
                        verbose_name="搜索词",
                    ),
                ),
                (
                    "order",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="小的先看；第一条相符的有效。",
                        verbose_name="次序",
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="kb.category",
                        verbose_name="分类",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        blank=True,
                        help_text="留空对所有站点有效。",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="kb.site",
                        verbose_name="站点",
                    ),
                ),
                (
                    "tag",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="kb.tag",
                        verbose_name="标签",
                    ),
                ),
            ],
            options={
                "verbose_name": "小部件规则",
                "verbose_name_plural": "小部件规则",
                "ordering": ["order", "pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("pattern", ""), _negated=True),
                        name="kb_widget_rule_has_pattern",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("category__isnull", False),
                            ("tag__isnull", False),
                            models.Q(("query", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="kb_widget_rule_says_something",
                        violation_error_message="分类、标签、搜索词至少填一个。",
                    ),
                ],
            },
        ),
        migrations.RunPython(give_rules, migrations.RunPython.noop),
    ]
