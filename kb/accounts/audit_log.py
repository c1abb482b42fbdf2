"""The audit log: who did what, written in the transaction of the action itself."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from kb.models import AuditEvent, CategoryPermission, Entry, User
from kb.system.client_address import get_client_address

# 0 means for ever: some hundred years.
AUDIT_RETENTION = timedelta(days=settings.KB_RETENTION_DAYS["audit"] or 36_500)
Act = AuditEvent.Action
ACCOUNT_FLAG_LABELS = {
    "is_active": "启用",
    "is_staff": "可以进管理后台",
    "is_superuser": "全部权限",
}
_current_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


class AuditRequestMiddleware:
    """Makes the current request known to `record_event`: its user and address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _current_request.set(request)
        try:
            return self.get_response(request)
        finally:
            _current_request.reset(token)


def record_event(
    action: AuditEvent.Action, target: object, *, by: User | None = None
) -> AuditEvent:
    """Write that `by` did `action` to `target`. None: the system did it.

    The address is that of the current request, if there is one.
    """
    request = _current_request.get()
    actor = str(by) if by is not None else "系统"
    if by is not None and by.username != actor:
        actor = f"{actor}（{by.username}）"
    return AuditEvent.objects.create(
        act=action,
        what=str(target)[:300],
        by=by if by is not None and by.pk else None,
        who=actor[:200],
        address=get_client_address(request)[:64] if request else "",
    )


def delete_old_events() -> int:
    """Delete events older than AUDIT_RETENTION; return the number of rows."""
    old = AuditEvent.objects.filter(at__lt=timezone.now() - AUDIT_RETENTION)
    return old.delete()[0]


def _find_current_user() -> User | None:
    """Return the user of the current request; None in a command."""
    user = getattr(_current_request.get(), "user", None)
    return User.objects.filter(pk=user.pk).first() if user and user.pk else None


# Receivers for what Django itself does ---------------------------------------


@receiver(user_logged_in, dispatch_uid="kb.accounts.audit_log.came")
def _record_login(request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    record_event(Act.LOGGED_IN, "", by=user)


@receiver(user_login_failed, dispatch_uid="kb.accounts.audit_log.failed")
def _record_failed_login(credentials: dict[str, Any], **kwargs: Any) -> None:
    """Record the account if it exists: an unknown name may be a mistyped password."""
    name = str(credentials.get("username", ""))[:150]
    user = User.objects.filter(username=name).first()
    record_event(Act.LOGIN_FAILED, f"账号 {user.username}" if user else "没有这个账号")


@receiver(post_delete, sender=Entry, dispatch_uid="kb.accounts.audit_log.entry")
def _record_entry_deletion(instance: Entry, **kwargs: Any) -> None:
    record_event(
        Act.DELETED, f"草稿「{instance}」#{instance.pk}", by=_find_current_user()
    )


@receiver(
    [post_save, post_delete],
    sender=CategoryPermission,
    dispatch_uid="kb.accounts.audit_log.remit",
)
def _record_category_permission(
    instance: CategoryPermission, created: bool = False, **kwargs: Any
) -> None:
    change = "加上" if created else "改为" if "update_fields" in kwargs else "去掉"
    holder = instance.user or instance.group
    record_event(
        Act.PERMISSIONS_CHANGED,
        f"{holder}的职责范围{change}：{instance}",
        by=_find_current_user(),
    )


@receiver(pre_save, sender=User, dispatch_uid="kb.accounts.audit_log.account")
def _record_account_change(instance: User, **kwargs: Any) -> None:
    """Record a new account, changed flags and a changed password."""
    before = User.objects.filter(pk=instance.pk).first() if instance.pk else None
    flags = [
        f"{label}{'打开' if getattr(instance, name) else '关闭'}"
        for name, label in ACCOUNT_FLAG_LABELS.items()
        if getattr(instance, name) != getattr(before, name, name == "is_active")
    ]
    changes = ["新账号", *flags] if before is None else flags
    if before is not None and before.password != instance.password:
        changes.append("密码")
    if changes:
        record_event(
            Act.ACCOUNT_CHANGED,
            f"{instance.username}：{'、'.join(changes)}",
            by=_find_current_user(),
        )


@receiver(post_delete, sender=User, dispatch_uid="kb.accounts.audit_log.user")
def _record_account_deletion(instance: User, **kwargs: Any) -> None:
    record_event(
        Act.ACCOUNT_CHANGED, f"{instance.username}：账号删除", by=_find_current_user()
    )


@receiver(post_delete, sender=Group, dispatch_uid="kb.accounts.audit_log.group")
def _record_group_deletion(instance: Group, **kwargs: Any) -> None:
    record_event(
        Act.PERMISSIONS_CHANGED, f"组「{instance}」删除", by=_find_current_user()
    )


M2M_ACTION_LABELS = {"post_add": "加上", "post_remove": "去掉", "pre_clear": "清空"}


@receiver(
    m2m_changed, sender=User.groups.through, dispatch_uid="kb.accounts.audit_log.groups"
)
@receiver(
    m2m_changed,
    sender=User.user_permissions.through,
    dispatch_uid="kb.accounts.audit_log.own",
)
@receiver(
    m2m_changed,
    sender=Group.permissions.through,
    dispatch_uid="kb.accounts.audit_log.perms",
)
def _record_rights_change(
    instance: Any, action: str, model: Any, pk_set: set[int] | None, **kwargs: Any
) -> None:
    if action not in M2M_ACTION_LABELS or (pk_set is not None and not pk_set):
        return
    rows = model._default_manager.filter(pk__in=pk_set or ())
    names = "、".join(str(getattr(row, "name", row)) for row in rows)
    label = f"{model._meta.verbose_name}{M2M_ACTION_LABELS[action]}"
    record_event(
        Act.PERMISSIONS_CHANGED,
        f"{instance}的{label}：{names}".rstrip("："),
        by=_find_current_user(),
    )
