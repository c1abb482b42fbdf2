"""Rules of wording: what editors will not have said."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kb", "0024_inquiry_readers"),
    ]

    operations = [
        migrations.CreateModel(
            name="WordingRule",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("forbidden", "禁用语"),
                            ("absolute", "绝对化用语"),
                            ("irritating", "惹人不快的话"),
                            ("check", "自动检查"),
                        ],
                        default="forbidden",
                        max_length=10,
                        verbose_name="类型",
                    ),
                ),
                (
                    "text",
                    models.CharField(
                        help_text="一条规则写一个词或一句话；不分大小写、全角半角、简体繁體。类型选“自动检查”时，这里写检查的名称。",
                        max_length=60,
                        verbose_name="词",
                    ),
                ),
                (
                    "severity",
                    models.CharField(
                        choices=[
                            ("error", "不能发布"),
                            ("warn", "提醒"),
                            ("off", "停用"),
                        ],
                        default="warn",
                        help_text="“不能发布”会拦住发布；“提醒”只提示。",
                        max_length=5,
                        verbose_name="级别",
                    ),
                ),
                (
                    "exceptions",
                    models.CharField(
                        blank=True,
                        help_text="含有这个词但没有问题的说法，用空格分开，例如：第一步 第一次。号码和邮箱的例外写允许出现的，例如自家热线，或 @example.com。",
                        max_length=400,
                        verbose_name="例外",
                    ),
                ),
                (
                    "faces",
                    models.CharField(
                        blank=True,
                        choices=[("public", "只查 FAQ"), ("reply", "只查话术")],
                        help_text="留空表示 FAQ 和话术都查。",
                        max_length=6,
                        verbose_name="范围",
                    ),
                ),
                (
                    "reason",
                    models.CharField(blank=True, max_length=100, verbose_name="原因"),
                ),
                (
                    "suggestion",
                    models.CharField(blank=True, max_length=100, verbose_name="建议"),
                ),
                (
                    "limit",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="只用于“句子太长”。",
                        null=True,
                        verbose_name="字数上限",
                    ),
                ),
            ],
            options={
                "verbose_name": "用词规则",
                "verbose_name_plural": "用词规则",
                "ordering": ["kind", "text"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True),
                        name="kb_wordingrule_has_text",
                    ),
                    models.UniqueConstraint(
                        fields=("kind", "text"),
                        name="kb_wordingrule_unique",
                        violation_error_message="这一类里已经有这个词。",
                    ),
                ],
            },
        ),
    ]
