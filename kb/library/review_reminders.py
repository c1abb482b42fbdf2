"""Remind owners by mail of entries that are due for review, at most once a day."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from kb.library import entries
from kb.models import Entry, User

MAX_ENTRIES_PER_REMINDER = 20  # listed by name in one mail
logger = logging.getLogger(__name__)


def send_review_reminders() -> int:
    """Send today's reminders that were not sent yet; return how many were sent.

    The day is claimed before the mail is sent, so two runs at the same time send one
    mail, and a clock that is set back sends no second one.
    """
    if not settings.KB_MAIL:
        return 0
    due_entries = (
        entries.list_due_entries().filter(owner__isnull=False).select_related("owner")
    )
    sent_count = 0
    for owner, owned_entries in entries.group_entries_by_owner(due_entries).items():
        if owner.email and _claim_reminder_today(owner):
            sent_count += _send_reminder(owner, owned_entries)
    return sent_count


def _claim_reminder_today(owner: User) -> bool:
    """Record that `owner` is reminded today; return False if that was done before."""
    today = timezone.localdate()
    users = User.objects.filter(pk=owner.pk)
    not_yet = users.filter(Q(reminded_on=None) | Q(reminded_on__lt=today))
    return bool(not_yet.update(reminded_on=today))


def _build_due_page_url() -> str:
    """Return "：" and the address of the list of due entries, or "".

    The host comes from ALLOWED_HOSTS; without a public host there is no address.
    """
    local_hosts = {"localhost", "127.0.0.1"}
    public_hosts = [
        h for h in settings.ALLOWED_HOSTS if h[0].isalnum() and h not in local_hosts
    ]
    if not public_hosts:
        return ""
    scheme = "https" if settings.HTTPS else "http"
    return f"：{scheme}://{public_hosts[0]}{reverse('desk:due')}"


def _send_reminder(owner: User, due_entries: Sequence[Entry]) -> int:
    listed = "\n".join(f"· {entry}" for entry in due_entries[:MAX_ENTRIES_PER_REMINDER])
    remainder = (
        f"\n……还有 {len(due_entries) - MAX_ENTRIES_PER_REMINDER} 条"
        if len(due_entries) > MAX_ENTRIES_PER_REMINDER
        else ""
    )
    message = EmailMessage(
        subject=f"有 {len(due_entries)} 条内容该复核了",
        body=f"{owner}，您负责的这些条目到了复核的日子：\n\n{listed}{remainder}\n\n"
        f"登录后在工作台「待复核」里处理{_build_due_page_url()}。\n",
        to=[owner.email],
    )
    try:
        return message.send()
    except (OSError, SMTPException) as error:
        logger.warning("no reminder could be sent to user %s: %s", owner.pk, error)
        return 0
