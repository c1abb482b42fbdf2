"""The OpenAPI schema, and Swagger's page to try the API, within a strict CSP."""

from __future__ import annotations

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from kb.web.api.base_views import PublicApiView


class SchemaView(PublicApiView):
    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        return Response(_build_schema())


class DocsView(PublicApiView, SpectacularSwaggerSplitView):
    """Swagger's page, with a template without inline styles and without a cookie."""

    template_name = "api/docs.html"
    template_name_js = "api/docs.js"
    url_name = "api:schema"


@cache
def _build_schema() -> dict[str, Any]:
    """Return the schema, which is the same for every caller."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    document: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return document
