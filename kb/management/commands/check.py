"""Django's `check`, and whether the site is set up: tables, index, static files."""

from __future__ import annotations

from typing import Any

from django.core import checks
from django.core.management.commands import check

from kb.management.base_command import KbCommand
from kb.operations.installation import problems


class Command(KbCommand, check.Command):
    def handle(self, *app_labels: Any, **options: Any) -> None:
        # Only here: every other command would say so while it mends it.
        checks.register(check_installation, "installation")
        super().handle(*app_labels, **options)


def check_installation(**kwargs: Any) -> list[checks.CheckMessage]:
    return [
        checks.Error(one.message, hint=one.command or None, id=one.id)
        for one in problems.find_setup_problems()
    ]
