"""The app: connects receivers, and names the admin site."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate


class KbConfig(AppConfig):
    name = "kb"
    verbose_name = "知识库"

    def ready(self) -> None:
        from kb.accounts import roles, sessions  # noqa: F401  (sessions has a receiver)
        from kb.publishing import sites
        from kb.system import outages
        from kb.system.database import forks
        from kb.text.chinese import tokenizer

        post_migrate.connect(
            sites.make_default_site,
            sender=self,
            dispatch_uid="kb.publishing.sites.default",
        )
        post_migrate.connect(
            roles.apply_after_migrate, sender=self, dispatch_uid="kb.accounts.roles"
        )
        forks.close_before_forks()
        outages.install_log_filters()
        tokenizer.use_cache_folder(settings.KB_JIEBA_CACHE)


class KbAdminConfig(AdminConfig):
    default_site = "kb.admin.admin_site.get_admin_site"
