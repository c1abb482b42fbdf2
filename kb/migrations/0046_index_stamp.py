from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("kb", "0045_stale_lot_size")]

    operations = [
        migrations.CreateModel(
            name="IndexStamp",
            fields=[
                (
                    "name",
                    models.CharField(max_length=32, primary_key=True, serialize=False),
                ),
                ("committed", models.CharField(max_length=80)),
                ("pending", models.CharField(max_length=80)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
        ),
    ]
