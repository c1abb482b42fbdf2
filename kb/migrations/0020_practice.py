"""Keep remarks on replies and tries of practice; leads see scores."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def give_scores(apps, schema_editor):
    """Give the permission; Django would make it only after all migrations."""
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    kind, _ = ContentType.objects.get_or_create(app_label="kb", model="practice")
    permission, _ = Permission.objects.get_or_create(
        content_type=kind,
        codename="view_scores",
        defaults={"name": "查看大家的练习成绩"},
    )
    for group in apps.get_model("auth", "Group").objects.filter(name="主管"):
        group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("kb", "0019_inquiries"),
    ]

    operations = [
        migrations.AddField(
            model_name="question",
            name="recorded_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="录入人",
            ),
        ),
        migrations.CreateModel(
            name="Practice",
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
                ("right", models.BooleanField(verbose_name="答对")),
                (
                    "at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="时间"
                    ),
                ),
                (
                    "chosen",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="kb.entry",
                    ),
                ),
                (
                    "given",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="kb.entry",
                    ),
                ),
                (
                    "question",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="practices",
                        to="kb.question",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="practices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "练习",
                "verbose_name_plural": "练习",
                "ordering": ["-at", "-id"],
                "permissions": [("view_scores", "查看大家的练习成绩")],
                "indexes": [
                    models.Index(
                        fields=["user", "question", "-at"],
                        name="kb_practice_user_id_a73d62_idx",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ReplyFeedback",
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
                    "variant",
                    models.CharField(
                        blank=True, max_length=20, verbose_name="话术名称"
                    ),
                ),
                ("body", models.TextField(blank=True, verbose_name="当时的话术")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("wrong", "错了"),
                            ("stale", "过时"),
                            ("tone", "语气不好"),
                            ("other", "其他"),
                        ],
                        max_length=5,
                        verbose_name="哪里不对",
                    ),
                ),
                (
                    "words",
                    models.TextField(
                        blank=True,
                        validators=[django.core.validators.MaxLengthValidator(500)],
                        verbose_name="补充说明",
                    ),
                ),
                (
                    "query",
                    models.CharField(
                        blank=True, max_length=200, verbose_name="搜索的话"
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="时间"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "待处理"), ("done", "已处理")],
                        default="open",
                        max_length=4,
                        verbose_name="状态",
                    ),
                ),
                (
                    "answer",
                    models.TextField(
                        blank=True,
                        validators=[django.core.validators.MaxLengthValidator(500)],
                        verbose_name="答复",
                    ),
                ),
                (
                    "done_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="处理时间"
                    ),
                ),
                (
                    "seen_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="本人看到"
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="remarks",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="谁说的",
                    ),
                ),
                (
                    "done_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="处理人",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="remarks",
                        to="kb.entry",
                    ),
                ),
                (
                    "reply",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="remarks",
                        to="kb.reply",
                    ),
                ),
            ],
            options={
                "verbose_name": "话术反馈",
                "verbose_name_plural": "话术反馈",
                "ordering": ["-at", "-id"],
                "indexes": [
                    models.Index(
                        fields=["state", "at"], name="kb_replyfee_state_20ce6a_idx"
                    ),
                    models.Index(
                        fields=["by", "-at"], name="kb_replyfee_by_id_59d0a7_idx"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reason__in", ["wrong", "stale", "tone", "other"])
                        ),
                        name="kb_replyfeedback_reason_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("answer", ""), ("done_at", None), ("state", "open")
                            ),
                            models.Q(
                                ("done_at__isnull", False),
                                ("state", "done"),
                                models.Q(("answer", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="kb_replyfeedback_done_has_answer",
                        violation_error_message="处理完要写一句答复。",
                    ),
                ],
            },
        ),
        migrations.RunPython(give_scores, migrations.RunPython.noop),
    ]
