"""Make sites, the default one with them; leads look after them."""

from django.db import migrations, models

LEAD = "主管"
ACTIONS = ("view", "add", "change", "delete")


def make_default(apps, schema_editor):
    """Make the site of all hosts that are nobody's; its name is SITE_NAME."""
    apps.get_model("kb", "Site").objects.get_or_create(host="")


def give_sites(apps, schema_editor):
    """Give the permissions; Django would make them only after all migrations."""
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    kind, _ = ContentType.objects.get_or_create(app_label="kb", model="site")
    named = apps.get_model("kb", "Site")._meta.verbose_name
    for action in ACTIONS:
        permission, _ = Permission.objects.get_or_create(
            content_type=kind,
            codename=f"{action}_site",
            defaults={"name": f"Can {action} {named}"},
        )
        for group in apps.get_model("auth", "Group").objects.filter(name=LEAD):
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("kb", "0011_pictures"),
    ]

    operations = [
        migrations.CreateModel(
            name="Site",
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
                (
                    "name",
                    models.CharField(
                        blank=True,
                        help_text="页眉、标题里的名称。",
                        max_length=50,
                        verbose_name="名称",
                    ),
                ),
                (
                    "host",
                    models.CharField(
                        blank=True,
                        error_messages={"unique": "这个域名已经有站点了。"},
                        help_text="比如 help.example.com；留空的那个站点用于其他所有域名。",
                        max_length=253,
                        unique=True,
                        verbose_name="域名",
                    ),
                ),
                (
                    "accent",
                    models.CharField(
                        blank=True,
                        help_text="链接和按钮的颜色，写成 #2a56ac；深色模式的颜色由它推出。留空用默认。",
                        max_length=7,
                        verbose_name="主色",
                    ),
                ),
                (
                    "contact",
                    models.CharField(
                        blank=True,
                        help_text="显示在每页底部，比如“客服电话 400-000-0000，9:00–21:00”。",
                        max_length=200,
                        verbose_name="联系方式",
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, verbose_name="更新时间"),
                ),
                (
                    "categories",
                    models.ManyToManyField(
                        blank=True,
                        help_text="只显示这些分类和它们的下级；一个也不选就显示全部。",
                        related_name="+",
                        to="kb.category",
                        verbose_name="显示的分类",
                    ),
                ),
            ],
            options={
                "verbose_name": "站点",
                "verbose_name_plural": "站点",
                "ordering": ["host"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("name", ""), _negated=True),
                            ("host", ""),
                            _connector="OR",
                        ),
                        name="kb_site_has_name",
                        violation_error_message="有域名的站点要有名称。",
                    )
                ],
            },
        ),
        migrations.RunPython(make_default, migrations.RunPython.noop),
        migrations.RunPython(give_sites, migrations.RunPython.noop),
    ]
