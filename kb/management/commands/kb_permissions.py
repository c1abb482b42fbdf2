"""Print what each role may do, as docs/permissions.md shows it."""

from __future__ import annotations

from typing import Any

from kb.accounts.permissions_page import render_permissions_page
from kb.management.base_command import KbCommand


class Command(KbCommand):
    help = "打印客服、撰稿、编辑、主管各能做什么（Markdown 表格）。"
    requires_system_checks = ()  # it does not use the database

    def handle(self, **options: Any) -> None:
        self.stdout.write(render_permissions_page(), ending="")
