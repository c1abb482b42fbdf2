"""Keep the plain text of answers, so that no reader waits for it."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

from kb.text import markdown

BATCH = 200  # entries


def fill(apps: Any, schema_editor: Any) -> None:
    Entry = apps.get_model("kb", "Entry")
    answered = Entry.objects.exclude(answer_html="").order_by("pk")
    last = 0
    while rows := list(answered.filter(pk__gt=last).only("answer_html")[:BATCH]):
        for entry in rows:
            entry.answer_text = markdown.plain(entry.answer_html)
        Entry.objects.bulk_update(rows, ["answer_text"])
        last = rows[-1].pk


class Migration(migrations.Migration):
    dependencies = [("kb", "0006_completion")]
    operations = [
        migrations.AddField(
            model_name="entry",
            name="answer_text",
            field=models.TextField(blank=True, default="", editable=False),
            preserve_default=False,
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
