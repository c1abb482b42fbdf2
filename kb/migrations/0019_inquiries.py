"""Keep what customers ask on the site; agents and editors answer it."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import kb.models.inquiry

ANSWERERS = ("客服", "编辑", "主管")


def give_answering(apps, schema_editor):
    """Give the permission; Django would make it only after all migrations."""
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    kind, _ = ContentType.objects.get_or_create(app_label="kb", model="question")
    permission, _ = Permission.objects.get_or_create(
        content_type=kind,
        codename="answer_question",
        defaults={"name": "回答顾客的提问"},
    )
    for group in apps.get_model("auth", "Group").objects.filter(name__in=ANSWERERS):
        group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("kb", "0018_vote_reasons"),
    ]

    operations = [
        migrations.CreateModel(
            name="Enclosure",
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
                ("body", models.BinaryField()),
                ("place", models.PositiveSmallIntegerField()),
            ],
            options={
                "ordering": ["place"],
            },
        ),
        migrations.CreateModel(
            name="Inquiry",
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
                    "token",
                    models.CharField(
                        default=kb.models.inquiry.make_token, max_length=32, unique=True
                    ),
                ),
                ("form_key", models.CharField(max_length=64, unique=True)),
                ("origin", models.CharField(max_length=300, verbose_name="提问的网站")),
                (
                    "page",
                    models.CharField(
                        blank=True, max_length=200, verbose_name="提问的页面"
                    ),
                ),
                (
                    "words",
                    models.CharField(
                        blank=True, max_length=200, verbose_name="之前搜了什么"
                    ),
                ),
                (
                    "contact",
                    models.CharField(
                        blank=True,
                        max_length=100,
                        validators=[kb.models.inquiry.validate_contact],
                        verbose_name="联系方式",
                    ),
                ),
                (
                    "told_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="邮件发出时间"
                    ),
                ),
                (
                    "score",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="满意度",
                    ),
                ),
                (
                    "comment",
                    models.CharField(
                        blank=True, max_length=200, verbose_name="满意度留言"
                    ),
                ),
                (
                    "scored_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="评分时间"
                    ),
                ),
            ],
            options={
                "verbose_name": "网上提问",
                "verbose_name_plural": "网上提问",
            },
        ),
        migrations.AlterModelOptions(
            name="question",
            options={
                "ordering": ["-asked_at", "-id"],
                "permissions": [
                    ("triage_question", "处理收件箱"),
                    ("answer_question", "回答顾客的提问"),
                    ("import_question", "导入问题"),
                ],
                "verbose_name": "问题",
                "verbose_name_plural": "问题",
            },
        ),
        migrations.RemoveConstraint(
            model_name="question",
            name="kb_question_answered_has_answer",
        ),
        migrations.AddField(
            model_name="module",
            name="offered",
            field=models.BooleanField(
                default=False,
                help_text="顾客提问时可以选它；名称会公开显示。",
                verbose_name="顾客可选",
            ),
        ),
        migrations.AddConstraint(
            model_name="question",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["open", "declined"]),
                    models.Q(("answer", ""), _negated=True),
                    _connector="OR",
                ),
                name="kb_question_answered_has_answer",
                violation_error_message="没有回答的问题只能是待回答。",
            ),
        ),
        migrations.AddField(
            model_name="inquiry",
            name="question",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="inquiry",
                to="kb.question",
            ),
        ),
        migrations.AddField(
            model_name="inquiry",
            name="site",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="kb.site",
                verbose_name="站点",
            ),
        ),
        migrations.AddField(
            model_name="enclosure",
            name="inquiry",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="enclosures",
                to="kb.inquiry",
            ),
        ),
        migrations.AddConstraint(
            model_name="inquiry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("score", None),
                    models.Q(("score__gte", 1), ("score__lte", 5)),
                    _connector="OR",
                ),
                name="kb_inquiry_score_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="enclosure",
            constraint=models.UniqueConstraint(
                fields=("inquiry", "place"), name="kb_enclosure_unique_place"
            ),
        ),
        migrations.RunPython(give_answering, migrations.RunPython.noop),
    ]
