"""The table of permissions: what each role (客服, 撰稿, 编辑, 主管) may do.

A role is a group of django.contrib.auth. After every `migrate` the four groups get
exactly the permissions of the table: missing ones are added, others are removed.
Other groups of an installation are not changed. To change what a role may do,
change the table and run `make docs`, which writes docs/permissions.md.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.apps import AppConfig
from django.apps import apps as global_apps
from django.contrib.auth import get_permission_codename
from django.contrib.auth.management import create_permissions
from django.db import DEFAULT_DB_ALIAS, router, transaction

from kb.models.user import ROLE_AGENT, ROLE_EDITOR, ROLE_LEAD, ROLE_WRITER

logger = logging.getLogger(__name__)

APP_LABEL = "kb"
ROLES = (ROLE_AGENT, ROLE_WRITER, ROLE_EDITOR, ROLE_LEAD)
WRITERS = (ROLE_WRITER, ROLE_EDITOR, ROLE_LEAD)
EDITORS = (ROLE_EDITOR, ROLE_LEAD)
LEADS = (ROLE_LEAD,)


class Grant(NamedTuple):
    """A task, the permissions that it needs, and the roles that may do it."""

    task: str
    codenames: str  # of permissions of the app kb, separated by spaces
    roles: tuple[str, ...]


GRANTS = (
    # Entries, replies and phrasings
    Grant("Read internal entries and all replies", "read_library", ROLES),
    Grant("See entries in the admin, drafts included", "view_entry", WRITERS),
    Grant(
        "Write and change entries, ask for their review",
        "add_entry change_entry",
        WRITERS,
    ),
    Grant(
        "Publish and retire entries, decide on reviews",
        "publish_entry",
        EDITORS,
    ),
    Grant("Delete drafts", "delete_entry", EDITORS),
    Grant(
        "Write, change and delete replies (话术)",
        "view_reply add_reply change_reply delete_reply",
        WRITERS,
    ),
    Grant("Write the replies of their team (团队话术)", "lead_team", LEADS),
    Grant(
        "Write, change and delete phrasings (相似问法)",
        "view_phrasing add_phrasing change_phrasing delete_phrasing",
        WRITERS,
    ),
    Grant("See snippets (片段)", "view_snippet", WRITERS),
    Grant(
        "Write, change and delete snippets",
        "add_snippet change_snippet delete_snippet",
        EDITORS,
    ),
    Grant("Upload pictures", "view_picture add_picture", WRITERS),
    Grant("Change and delete pictures", "change_picture delete_picture", EDITORS),
    Grant(
        "Write the 繁體 and English versions of entries",
        "view_entrytranslation change_entrytranslation",
        EDITORS,
    ),
    Grant(
        "Write, change and delete announcements (公告)",
        "view_announcement add_announcement change_announcement delete_announcement",
        EDITORS,
    ),
    # Questions
    Grant(
        "Answer what customers asked on the site",
        "answer_question",
        (ROLE_AGENT, ROLE_EDITOR, ROLE_LEAD),
    ),
    Grant("See questions and sort the inbox", "view_question triage_question", WRITERS),
    Grant("See what was asked on the site, with ratings", "view_inquiry", WRITERS),
    Grant(
        "Add, change and delete questions",
        "add_question change_question delete_question",
        EDITORS,
    ),
    # Import and export
    Grant("Import entries and questions", "import_entry import_question", EDITORS),
    Grant("Export the library", "export_library", EDITORS),
    # Categories, tags and other lists
    Grant("See categories and product modules", "view_category view_module", WRITERS),
    Grant(
        "Add, change and delete categories",
        "add_category change_category delete_category",
        EDITORS,
    ),
    Grant(
        "Add, change and delete product modules",
        "add_module change_module delete_module",
        EDITORS,
    ),
    Grant("Use tags and add new ones", "view_tag add_tag", WRITERS),
    Grant("Change and delete tags", "change_tag delete_tag", EDITORS),
    Grant(
        "Manage customer segments (客户类型)",
        "view_customersegment add_customersegment change_customersegment delete_customersegment",
        EDITORS,
    ),
    Grant(
        "Manage campaign periods (档期)",
        "view_campaignperiod add_campaignperiod change_campaignperiod delete_campaignperiod",
        EDITORS,
    ),
    # Search
    Grant(
        "Manage synonyms",
        "view_synonymset add_synonymset change_synonymset delete_synonymset",
        EDITORS,
    ),
    Grant(
        "Manage dictionary words",
        "view_dictionaryword add_dictionaryword change_dictionaryword delete_dictionaryword",
        EDITORS,
    ),
    Grant(
        "Manage stop words",
        "view_stopword add_stopword change_stopword delete_stopword",
        EDITORS,
    ),
    Grant(
        "Manage style rules (用词规则)",
        "view_stylerule add_stylerule change_stylerule delete_stylerule",
        EDITORS,
    ),
    Grant(
        "Manage relevance tests (搜索验收)",
        "view_relevancetest add_relevancetest change_relevancetest delete_relevancetest",
        EDITORS,
    ),
    Grant("See what people search for", "view_search", EDITORS),
    # Sites and people
    Grant(
        "Manage widget rules: what the widget shows on which page",
        "view_widgetrule add_widgetrule change_widgetrule delete_widgetrule",
        EDITORS,
    ),
    Grant(
        "Manage sites (站点): name, host, logo, categories",
        "view_site add_site change_site delete_site",
        LEADS,
    ),
    Grant("Manage teams", "view_team add_team change_team delete_team", LEADS),
    Grant("See accounts", "view_user", LEADS),
    Grant("See the practice results of all agents", "view_scores", LEADS),
    # Records of the system
    Grant("Read the audit log (操作记录)", "view_auditevent", LEADS),
    Grant("Read the changes of texts, and who made them", "view_textrevision", LEADS),
    Grant("See background jobs", "view_job", LEADS),
    Grant("See the queue of the search index", "view_indexqueue", LEADS),
)


def get_codenames(role: str) -> set[str]:
    """Return the codenames of all permissions of `role`."""
    return {
        codename
        for grant in GRANTS
        if role in grant.roles
        for codename in grant.codenames.split()
    }


def find_unknown_codenames() -> list[str]:
    """Return the codenames of the table that no model of the app has, sorted."""
    codenames = {name for grant in GRANTS for name in grant.codenames.split()}
    return sorted(codenames.difference(_iter_model_codenames()))


def _iter_model_codenames() -> Iterator[str]:
    for model in global_apps.get_app_config(APP_LABEL).get_models():
        options = model._meta
        for action in options.default_permissions:
            yield get_permission_codename(action, options)
        for codename, _ in options.permissions:
            yield codename


def apply_after_migrate(
    sender: AppConfig,
    using: str = DEFAULT_DB_ALIAS,
    apps: Any = global_apps,
    **options: Any,
) -> None:
    """Receive post_migrate: create the permissions of the app, then the four groups.

    Django creates permissions in a receiver of its own, which may run after this one,
    so it is called here first. A second call changes nothing.
    """
    create_permissions(sender, verbosity=0, using=using, apps=apps)
    apply_roles(using=using, apps=apps)


def apply_roles(*, using: str = DEFAULT_DB_ALIAS, apps: Any = global_apps) -> None:
    """Give each of the four groups exactly the permissions of the table.

    `apps` is the registry of models. While migrations are only partly applied, tables
    or permissions may be missing; only existing permissions are given.
    """
    try:
        apps.get_app_config(APP_LABEL)
        group_model = apps.get_model("auth", "Group")
        permission_model = apps.get_model("auth", "Permission")
    except LookupError:  # neither this app nor auth is migrated yet
        return
    if not router.allow_migrate_model(using, group_model):
        return
    permissions = permission_model.objects.using(using)
    pks = dict(
        permissions.filter(content_type__app_label=APP_LABEL).values_list(
            "codename", "pk"
        )
    )
    for role in ROLES:
        wanted = {pks[name] for name in get_codenames(role) if name in pks}
        with transaction.atomic(using=using):
            group, _ = group_model.objects.using(using).get_or_create(name=role)
            _set_permissions(group, wanted, using=using)


def _set_permissions(group: Any, wanted: set[int], *, using: str) -> None:
    """Write the rows of the link table, which sends no signal to the audit log."""
    links = group.permissions.through.objects.using(using)
    own_links = links.filter(group_id=group.pk)
    present = set(own_links.values_list("permission_id", flat=True))
    if extra := present - wanted:
        names = own_links.filter(permission_id__in=extra).values_list(
            "permission__codename", flat=True
        )
        logger.warning("%s: removed %s", group.name, ", ".join(sorted(names)))
        own_links.filter(permission_id__in=extra).delete()
    links.bulk_create(
        links.model(group_id=group.pk, permission_id=pk)
        for pk in sorted(wanted - present)
    )
