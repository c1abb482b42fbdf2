"""Make the groups of agents, editors and leads, with what each may do."""

from __future__ import annotations

from typing import Any

from django.db import migrations

# Codenames of permissions on models of kb. Django makes permissions only after
# all migrations, so the ones named here are made now and found again then.
AGENT = {"read_library": "entry"}
EDITOR = {
    **AGENT,
    "triage_question": "question",
    "publish_entry": "entry",
    "import_entry": "entry",
    "import_question": "question",
    **{
        f"{action}_{model}": model
        for model in (
            "entry",
            "reply",
            "phrasing",
            "category",
            "tag",
            "module",
            "question",
        )
        for action in ("view", "add", "change", "delete")
    },
}
LEAD = {**EDITOR, "view_user": "user", "view_stale": "stale"}
GROUPS = {"客服": AGENT, "编辑": EDITOR, "主管": LEAD}


def make_groups(apps: Any, schema_editor: Any) -> None:
    ContentType = apps.get_model("contenttypes", "ContentType")
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    names = {p: n for m in apps.get_models() for p, n in m._meta.permissions}
    for group_name, permissions in GROUPS.items():
        group, _ = Group.objects.get_or_create(name=group_name)
        for codename, model in permissions.items():
            kind, _ = ContentType.objects.get_or_create(app_label="kb", model=model)
            action = codename.split("_")[0]
            verbose = apps.get_model("kb", model)._meta.verbose_name
            permission, _ = Permission.objects.get_or_create(
                content_type=kind,
                codename=codename,
                defaults={"name": names.get(codename, f"Can {action} {verbose}")},
            )
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("kb", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
