"""What is typed and not saved, for its writer alone."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kb", "0034_inquiry_language"),
    ]

    operations = [
        migrations.CreateModel(
            name="Unsaved",
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
                ("title", models.CharField(blank=True, max_length=200)),
                ("fields", models.JSONField()),
                ("at", models.DateTimeField(auto_now=True)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="kb.entry",
                    ),
                ),
            ],
            options={
                "verbose_name": "未保存的内容",
                "verbose_name_plural": "未保存的内容",
                "ordering": ["-at"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("by", "entry"), name="kb_unsaved_one_an_entry"
                    )
                ],
            },
        ),
    ]
