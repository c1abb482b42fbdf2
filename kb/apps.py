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
        # Some of these are imported only because they register receivers or checks.
        from kb.accounts import audit_log, roles, sessions  # noqa: F401
        from kb.index import sync  # noqa: F401
        from kb.operations import checks  # noqa: F401
        from kb.publishing import sites
        from kb.questions import inquiries  # noqa: F401
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
