"""Let editors and leads read what was asked on the site, and how satisfied people are."""

from django.db import migrations

READERS = ("编辑", "主管")


def give_inquiries(apps, schema_editor):
    """Give the permission; Django would make it only after all migrations."""
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    kind, _ = ContentType.objects.get_or_create(app_label="kb", model="inquiry")
    named = apps.get_model("kb", "Inquiry")._meta.verbose_name
    permission, _ = Permission.objects.get_or_create(
        content_type=kind,
        codename="view_inquiry",
        defaults={"name": f"Can view {named}"},
    )
    for group in apps.get_model("auth", "Group").objects.filter(name__in=READERS):
        group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [("kb", "0023_site_logo")]
    operations = [migrations.RunPython(give_inquiries, migrations.RunPython.noop)]
