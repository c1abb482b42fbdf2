"""Whose entries are due hears of it by mail, once a day and no more."""

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

MAX_ENTRIES_PER_REMINDER = 20  # entries named in a mail
logger = logging.getLogger(__name__)


def send_review_reminders() -> int:
    """Send what is due today and was not sent; return how many mails went out.

    The day is taken before the mail is sent: two runs at once send one, and a
    clock that goes back sends none again.
    """
    if not settings.KB_MAIL:
        return 0
    late = (
        entries.list_due_entries().filter(owner__isnull=False).select_related("owner")
    )
    sent = 0
    for person, own in entries.group_by_owner(late).items():
        if person.email and _claim_reminder_today(person):
            sent += _send_reminder(person, own)
    return sent


def _claim_reminder_today(person: User) -> bool:
    today = timezone.localdate()
    rows = User.objects.filter(pk=person.pk)
    not_yet = rows.filter(Q(reminded_on=None) | Q(reminded_on__lt=today))
    return bool(not_yet.update(reminded_on=today))


def _build_due_page_url() -> str:
    """Return the address of the page, where the site was told on which host it is."""
    own = {"localhost", "127.0.0.1"}
    named = [h for h in settings.ALLOWED_HOSTS if h[0].isalnum() and h not in own]
    if not named:
        return ""
    scheme = "https" if settings.HTTPS else "http"
    return f"：{scheme}://{named[0]}{reverse('desk:due')}"


def _send_reminder(person: User, own: Sequence[Entry]) -> int:
    names = "\n".join(f"· {entry}" for entry in own[:MAX_ENTRIES_PER_REMINDER])
    rest = (
        f"\n……还有 {len(own) - MAX_ENTRIES_PER_REMINDER} 条"
        if len(own) > MAX_ENTRIES_PER_REMINDER
        else ""
    )
    mail = EmailMessage(
        subject=f"有 {len(own)} 条内容该复核了",
        body=f"{person}，您负责的这些条目到了复核的日子：\n\n{names}{rest}\n\n"
        f"登录后在工作台「待复核」里处理{_build_due_page_url()}。\n",
        to=[person.email],
    )
    try:
        return mail.send()
    except (OSError, SMTPException) as error:
        logger.warning("remind: user %s was not sent to: %s", person.pk, error)
        return 0
