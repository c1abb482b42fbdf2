"""Who is logged in, for pages that let people log in again without leaving them."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.middleware.csrf import get_token
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@never_cache
@require_safe
def get_session_status(request: HttpRequest) -> JsonResponse:
    """Return {"user": id or "", "token": a CSRF token that is valid now}.

    Django changes the token at each login, so a page that was open before needs a new one.
    """
    user = request.user
    user_id = str(user.pk) if user.is_authenticated else ""
    return JsonResponse({"user": user_id, "token": get_token(request)})
