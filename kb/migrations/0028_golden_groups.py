"""Let editors and leads keep the golden queries."""

from __future__ import annotations

from typing import Any

from django.db import migrations

MODELS = ("golden",)
ACTIONS = ("view", "add", "change", "delete")


def give_golden(apps: Any, schema_editor: Any) -> None:
    """Give the permissions; Django would make them only after all migrations."""
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    groups = apps.get_model("auth", "Group").objects.filter(name__in=["编辑", "主管"])
    for model in MODELS:
        kind, _ = ContentType.objects.get_or_create(app_label="kb", model=model)
        named = apps.get_model("kb", model)._meta.verbose_name
        for action in ACTIONS:
            permission, _ = Permission.objects.get_or_create(
                content_type=kind,
                codename=f"{action}_{model}",
                defaults={"name": f"Can {action} {named}"},
            )
            for group in groups:
                group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [("kb", "0027_golden")]
    operations = [migrations.RunPython(give_golden, migrations.RunPython.noop)]
