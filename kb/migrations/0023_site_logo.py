import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kb", "0022_widget"),
    ]

    operations = [
        migrations.AddField(
            model_name="site",
            name="logo",
            field=models.ForeignKey(
                blank=True,
                help_text="先在“图片”里上传；显示在页眉，高 32 像素。留空用默认图标。",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="kb.picture",
                verbose_name="标志",
            ),
        ),
    ]
