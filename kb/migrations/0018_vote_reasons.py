import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kb", "0017_snippets"),
    ]

    operations = [
        migrations.AddField(
            model_name="vote",
            name="handled_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="处理时间"),
        ),
        migrations.AddField(
            model_name="vote",
            name="handled_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="处理人",
            ),
        ),
        migrations.AddField(
            model_name="vote",
            name="note",
            field=models.CharField(blank=True, max_length=200, verbose_name="补充"),
        ),
        migrations.AddField(
            model_name="vote",
            name="reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("unclear", "看不懂"),
                    ("unsolved", "没解决"),
                    ("outdated", "信息过时"),
                    ("other", "不是我要的"),
                ],
                max_length=10,
                verbose_name="原因",
            ),
        ),
        migrations.AddConstraint(
            model_name="vote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("helpful", False),
                    models.Q(("note", ""), ("reason", "")),
                    _connector="OR",
                ),
                name="kb_vote_helpful_has_no_reason",
            ),
        ),
    ]
