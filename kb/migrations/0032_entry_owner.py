"""Who answers for an entry."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kb", "0031_deeds"),
    ]

    operations = [
        migrations.AddField(
            model_name="entry",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                help_text="谁保证这一条是对的；到期复核、有人反馈时找他。",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="owned_entries",
                to=settings.AUTH_USER_MODEL,
                verbose_name="负责人",
            ),
        ),
    ]
