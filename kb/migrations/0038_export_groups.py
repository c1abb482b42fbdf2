"""Let editors and leads take the library along."""

from __future__ import annotations

from typing import Any

from django.db import migrations


def give_exports(apps: Any, schema_editor: Any) -> None:
    """Give the permission; Django would make it only after all migrations."""
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    groups = apps.get_model("auth", "Group").objects.filter(name__in=["编辑", "主管"])
    kind, _ = ContentType.objects.get_or_create(app_label="kb", model="entry")
    permission, _ = Permission.objects.get_or_create(
        content_type=kind, codename="export_library", defaults={"name": "导出"}
    )
    for group in groups:
        group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [("kb", "0037_exports")]
    operations = [migrations.RunPython(give_exports, migrations.RunPython.noop)]
