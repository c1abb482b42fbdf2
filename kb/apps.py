"""The app, and the admin site that speaks our words."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate


class KbConfig(AppConfig):
    name = "kb"
    verbose_name = "知识库"

    def ready(self) -> None:
        from kb import audit, checks, index, inquiries, outages, sites  # noqa: F401  (registers checks and receivers)
        from kb.accounts import roles, sessions  # noqa: F401  (sessions: a receiver of the login)
        from kb.database import forks
        from kb.text import segment

        post_migrate.connect(
            sites.make_default_site, sender=self, dispatch_uid="kb.sites.default"
        )
        post_migrate.connect(
            roles.apply_after_migrate, sender=self, dispatch_uid="kb.accounts.roles"
        )
        forks.close_before_forks()
        outages.watch_logs()
        segment.use_cache_folder(settings.KB_JIEBA_CACHE)


class KbAdminConfig(AdminConfig):
    default_site = "kb.admin.site.Site"
