"""Let editors and leads keep the wording rules."""

from __future__ import annotations

from typing import Any

from django.db import migrations

ACTIONS = ("view", "add", "change", "delete")


def give_wording(apps: Any, schema_editor: Any) -> None:
    """Give the permissions; Django would make them only after all migrations."""
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    groups = apps.get_model("auth", "Group").objects.filter(name__in=["编辑", "主管"])
    kind, _ = ContentType.objects.get_or_create(app_label="kb", model="wordingrule")
    for action in ACTIONS:
        permission, _ = Permission.objects.get_or_create(
            content_type=kind,
            codename=f"{action}_wordingrule",
            defaults={"name": f"Can {action} 用词规则"},
        )
        for group in groups:
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [("kb", "0025_wording")]
    operations = [migrations.RunPython(give_wording, migrations.RunPython.noop)]
