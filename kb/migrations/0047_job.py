from typing import Any

from django.db import migrations, models


def give_jobs(apps: Any, schema_editor: Any) -> None:
    """Let team leads see what runs in the background."""
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    kind, _ = ContentType.objects.get_or_create(app_label="kb", model="job")
    seen, _ = Permission.objects.get_or_create(
        content_type=kind,
        codename="view_job",
        defaults={"name": "Can view 后台任务"},
    )
    for group in apps.get_model("auth", "Group").objects.filter(name="主管"):
        group.permissions.add(seen)


class Migration(migrations.Migration):
    dependencies = [("kb", "0046_index_stamp")]

    operations = [
        migrations.CreateModel(
            name="ClockCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("seen_at", models.DateTimeField()),
                ("doubted_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Job",
            fields=[
                (
                    "name",
                    models.CharField(
                        max_length=120,
                        primary_key=True,
                        serialize=False,
                        verbose_name="名称",
                    ),
                ),
                (
                    "requested_at",
                    models.DateTimeField(null=True, verbose_name="要求运行的时间"),
                ),
                (
                    "claimed_by",
                    models.CharField(
                        blank=True, max_length=120, verbose_name="正在运行的进程"
                    ),
                ),
                ("claimed_until", models.DateTimeField(null=True)),
                (
                    "started_at",
                    models.DateTimeField(null=True, verbose_name="上次开始"),
                ),
                (
                    "finished_at",
                    models.DateTimeField(null=True, verbose_name="上次结束"),
                ),
                (
                    "took_ms",
                    models.PositiveIntegerField(null=True, verbose_name="用时（毫秒）"),
                ),
                (
                    "result",
                    models.CharField(blank=True, max_length=200, verbose_name="结果"),
                ),
                (
                    "error",
                    models.CharField(blank=True, max_length=500, verbose_name="出错"),
                ),
            ],
            options={
                "verbose_name": "后台任务",
                "verbose_name_plural": "后台任务",
                "ordering": ["name"],
            },
        ),
        migrations.RunPython(give_jobs, migrations.RunPython.noop),
    ]
