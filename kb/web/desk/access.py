"""Who may open which page of the desk."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from kb.models import User

View = Callable[..., HttpResponse]


class StaffRequest(HttpRequest):
    """A request behind one of the decorators below: somebody is logged in."""

    user: User


def triage_permission_required(view: View) -> View:
    """Let only those into `view` who may sort the inbox."""
    allowed = permission_required("kb.triage_question", raise_exception=True)(view)
    return never_cache(login_required(allowed))


def editor_required(view: View) -> View:
    """Let only those into `view` who may change entries."""
    allowed = permission_required("kb.change_entry", raise_exception=True)(view)
    return never_cache(login_required(allowed))
