"""Django's `check`, extended by the set-up of the site: tables, index, static files."""

from __future__ import annotations

from typing import Any

from django.core import checks
from django.core.management.commands import check

from kb.management.base_command import KbCommand
from kb.operations.installation import problems


class Command(KbCommand, check.Command):
    def handle(self, *app_labels: Any, **options: Any) -> None:
        # Registered only here: commands that fix the problems must not report them.
        checks.register(check_installation, "installation")
        super().handle(*app_labels, **options)


def check_installation(**kwargs: Any) -> list[checks.CheckMessage]:
    return [
        checks.Error(problem.message, hint=problem.command or None, id=problem.id)
        for problem in problems.find_setup_problems()
    ]
