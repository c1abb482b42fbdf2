"""Make the group of people who write and do not publish."""

from __future__ import annotations

from typing import Any

from django.db import migrations

GROUP = "撰稿"
SEEN = "category module question snippet inquiry".split()
WRITTEN = {
    "entry": "view add change",
    "reply": "view add change delete",
    "phrasing": "view add change delete",
    "tag": "view add",
    "picture": "view add",
}
OWN = {"read_library": "entry", "triage_question": "question"}


def codenames() -> dict[str, str]:
    """Return {codename: model}."""
    return {
        **OWN,
        **{f"view_{model}": model for model in SEEN},
        **{
            f"{action}_{model}": model
            for model, actions in WRITTEN.items()
            for action in actions.split()
        },
    }


def give_writers(apps: Any, schema_editor: Any) -> None:
    """Give what a writer needs; Django would make the permissions only afterwards."""
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=GROUP)
    named = {p: n for m in apps.get_models() for p, n in m._meta.permissions}
    for codename, model in codenames().items():
        kind, _ = ContentType.objects.get_or_create(app_label="kb", model=model)
        verbose = apps.get_model("kb", model)._meta.verbose_name
        told = f"Can {codename.split('_')[0]} {verbose}"
        permission, _ = Permission.objects.get_or_create(
            content_type=kind,
            codename=codename,
            defaults={"name": named.get(codename, told)},
        )
        group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [("kb", "0038_export_groups")]
    operations = [migrations.RunPython(give_writers, migrations.RunPython.noop)]
