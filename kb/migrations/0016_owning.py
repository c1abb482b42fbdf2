"""Whose a reply is, for whom, and when an entry is in force."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

ACTIONS = ("view", "add", "change", "delete")
KEPT = {"segment": ["编辑", "主管"], "team": ["主管"]}


def give_teams(apps: Any, schema_editor: Any) -> None:
    """Give the permissions; Django would make them only after all migrations."""
    Group = apps.get_model("auth", "Group")
    for model, groups in KEPT.items():
        verbose = apps.get_model("kb", model)._meta.verbose_name
        for action in ACTIONS:
            found = _permission(
                apps, model, f"{action}_{model}", f"Can {action} {verbose}"
            )
            for group in Group.objects.filter(name__in=groups):
                group.permissions.add(found)
    lead = _permission(apps, "reply", "lead_team", "写团队话术")
    for group in Group.objects.filter(name="主管"):
        group.permissions.add(lead)


def _permission(apps: Any, model: str, codename: str, name: str) -> Any:
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    kind, _ = ContentType.objects.get_or_create(app_label="kb", model=model)
    found, _ = Permission.objects.get_or_create(
        content_type=kind, codename=codename, defaults={"name": name}
    )
    return found


def tell_tones(apps: Any, schema_editor: Any) -> None:
    """What was only a name becomes the tone that search and tabs know."""
    Reply = apps.get_model("kb", "Reply")
    for tone, label in (("short", "简短"), ("soothing", "安抚"), ("formal", "正式")):
        Reply.objects.filter(label=label).update(tone=tone)


class Migration(migrations.Migration):
    dependencies = [
        ("kb", "0015_content"),
    ]

    operations = [
        migrations.CreateModel(
            name="Segment",
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
                    models.CharField(max_length=20, unique=True, verbose_name="名称"),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(default=0, verbose_name="次序"),
                ),
            ],
            options={
                "verbose_name": "客户类型",
                "verbose_name_plural": "客户类型",
                "ordering": ["position", "name"],
            },
        ),
        migrations.CreateModel(
            name="Team",
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
                    models.CharField(max_length=30, unique=True, verbose_name="名称"),
                ),
            ],
            options={
                "verbose_name": "团队",
                "verbose_name_plural": "团队",
                "ordering": ["name"],
            },
        ),
        migrations.AlterModelOptions(
            name="reply",
            options={
                "ordering": ["order", "id"],
                "permissions": [("lead_team", "写团队话术")],
                "verbose_name": "话术",
                "verbose_name_plural": "话术",
            },
        ),
        migrations.AddField(
            model_name="entry",
            name="valid_from",
            field=models.DateTimeField(
                blank=True,
                help_text="到这个时间，顾客才看得到。留空表示发布后马上生效。",
                null=True,
                verbose_name="生效时间",
            ),
        ),
        migrations.AddField(
            model_name="entry",
            name="valid_until",
            field=models.DateTimeField(
                blank=True,
                db_index=True,
                help_text="过了这个时间，顾客看不到，客服不能复制。留空表示一直有效。",
                null=True,
                verbose_name="失效时间",
            ),
        ),
        migrations.AddField(
            model_name="reply",
            name="author",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="谁写的",
            ),
        ),
        migrations.AddField(
            model_name="reply",
            name="keywords",
            field=models.CharField(
                blank=True,
                help_text="想用什么词找到它，用空格分开。",
                max_length=100,
                verbose_name="短码和关键词",
            ),
        ),
        migrations.AddField(
            model_name="reply",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="谁的",
            ),
        ),
        migrations.AddField(
            model_name="reply",
            name="title",
            field=models.CharField(
                blank=True,
                help_text="自己认得出就行，比如“催发货”。",
                max_length=60,
                verbose_name="标题",
            ),
        ),
        migrations.AddField(
            model_name="reply",
            name="tone",
            field=models.CharField(
                choices=[
                    ("standard", "标准"),
                    ("short", "简短"),
                    ("soothing", "安抚"),
                    ("formal", "正式"),
                ],
                default="standard",
                max_length=10,
                verbose_name="语气",
            ),
        ),
        migrations.AddField(
            model_name="reply",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, verbose_name="更新时间"),
        ),
        migrations.AlterField(
            model_name="reply",
            name="entry",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="replies",
                to="kb.entry",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_from", None),
                    ("valid_until", None),
                    ("valid_from__lt", models.F("valid_until")),
                    _connector="OR",
                ),
                name="kb_entry_valid_in_order",
                violation_error_message="失效时间要在生效时间之后。",
            ),
        ),
        migrations.AddConstraint(
            model_name="segment",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True),
                name="kb_segment_has_name",
            ),
        ),
        migrations.AddField(
            model_name="reply",
            name="segment",
            field=models.ForeignKey(
                blank=True,
                help_text="留空表示通用",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="kb.segment",
                verbose_name="客户类型",
            ),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True), name="kb_team_has_name"
            ),
        ),
        migrations.AddField(
            model_name="reply",
            name="team",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="kb.team",
                verbose_name="哪个团队的",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="team",
            field=models.ForeignKey(
                blank=True,
                help_text="同一团队的人共用团队话术。",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="members",
                to="kb.team",
                verbose_name="团队",
            ),
        ),
        migrations.AddConstraint(
            model_name="reply",
            constraint=models.CheckConstraint(
                condition=models.Q(("owner", None), ("team", None), _connector="OR"),
                name="kb_reply_is_of_one_kind",
                violation_error_message="话术要么是个人的，要么是团队的。",
            ),
        ),
        migrations.AddConstraint(
            model_name="reply",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("entry__isnull", False), ("owner", None), ("team", None)),
                    models.Q(
                        models.Q(("title", ""), _negated=True),
                        models.Q(("owner", None), ("team", None), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="kb_reply_stands_somewhere",
                violation_error_message="共用的话术要属于一个条目，其他的要有标题。",
            ),
        ),
        migrations.AddConstraint(
            model_name="reply",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("tone__in", ["standard", "short", "soothing", "formal"])
                ),
                name="kb_reply_tone_known",
            ),
        ),
        migrations.RunPython(give_teams, migrations.RunPython.noop),
        migrations.RunPython(tell_tones, migrations.RunPython.noop),
    ]
