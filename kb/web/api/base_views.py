"""Base views of the API: public ones and those for agents; both are read-only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from rest_framework.authentication import SessionAuthentication
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kb import usage
from kb.models import Reader
from kb.publishing import sites
from kb.system.client_address import get_client_address
from kb.web.api import errors
from kb.web.api.throttles import ApiThrottle


class FixedFormatNegotiation(DefaultContentNegotiation):
    """Use the view's first renderer, whatever Accept or ?format= say."""

    def select_renderer(
        self,
        request: Request,
        renderers: Any,
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class ReadsLibraryPermission(BasePermission):
    message = "您没有查看话术库的权限。"

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        return user.is_authenticated and user.can_read_library


class ReadOnlyApiView(APIView):
    """A view that answers GET and HEAD; subclasses say who the reader is."""

    http_method_names = ["get", "head"]
    content_negotiation_class = FixedFormatNegotiation
    throttle_classes = (ApiThrottle,)
    cache_control: ClassVar[str]

    @property
    def reader(self) -> Reader:
        raise NotImplementedError

    @property
    def searcher_key(self) -> str:
        """Return the key by which searches of one visitor are recognised."""
        address = get_client_address(self.request)
        return usage.build_visitor_key(
            address, self.request.headers.get("User-Agent", "")
        )

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method not in self.allowed_methods:
            self.http_method_not_allowed(request)
        super().initial(request, *args, **kwargs)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        final_response = super().finalize_response(request, response, *args, **kwargs)
        final_response["Cache-Control"] = self.cache_control
        return final_response

    def get_exception_handler(self) -> Callable[..., Response | None]:
        return errors.handle_api_exception


class PublicApiView(ReadOnlyApiView):
    """A view for anonymous readers; a session gives no access to more."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_scope = "read"
    cache_control = "no-cache"  # a retired entry is gone at once

    @property
    def reader(self) -> Reader:
        return sites.get_anonymous_reader(self.request)


class AgentApiView(ReadOnlyApiView):
    """A view for logged-in users who may read the library."""

    authentication_classes = (SessionAuthentication,)
    permission_classes = (IsAuthenticated, ReadsLibraryPermission)
    throttle_scope = "agent"
    cache_control = "no-store"

    def get_authenticate_header(self, request: Request) -> str:
        return "Session"  # without it, anonymous readers would get 403 and not 401

    @property
    def reader(self) -> Reader:
        return self.request.user
