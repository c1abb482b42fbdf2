"""In which language somebody asked, so that he is written to in it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kb", "0033_time"),
    ]

    operations = [
        migrations.AddField(
            model_name="inquiry",
            name="language",
            field=models.CharField(
                default="zh-hans", max_length=10, verbose_name="页面语言"
            ),
        ),
    ]
