from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("kb", "0044_login_counter")]

    operations = [
        migrations.AddField(
            model_name="stale",
            name="lot_size",
            field=models.PositiveIntegerField(default=1, verbose_name="同批条数"),
        ),
        migrations.AddIndex(
            model_name="stale",
            index=models.Index(fields=["lot_size", "-id"], name="kb_stale_lot"),
        ),
    ]
