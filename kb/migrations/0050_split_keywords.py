"""Keywords of notices that were separated by blanks become one a line."""

from django.db import migrations, models


def split_keywords(apps, schema_editor):
    incidents = apps.get_model("kb", "Incident").objects.using(
        schema_editor.connection.alias
    )
    for pk, keywords in incidents.values_list("pk", "keywords"):
        lines = "\n".join(dict.fromkeys(keywords.split()))
        if lines != keywords:
            incidents.filter(pk=pk).update(keywords=lines)


class Migration(migrations.Migration):
    dependencies = [("kb", "0049_known_answers")]

    operations = [
        migrations.RunPython(split_keywords, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            model_name="incident",
            name="keywords",
            field=models.TextField(
                blank=True,
                help_text="一行一个，或用空格、逗号、顿号隔开；几个词要连在一起，就加引号。搜索里出现其中一个，公告就在结果上方。不写就只在首页显示。",
                verbose_name="关键词",
            ),
        ),
    ]
