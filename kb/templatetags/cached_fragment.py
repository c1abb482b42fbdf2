"""A template tag for what is the same on many pages: rendered once for all visitors."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.utils.safestring import SafeString, mark_safe

from kb.publishing import locale_prefix, sites

register = template.Library()
MAX_CACHED_FRAGMENTS = 500  # in a process; a site has about ten in each language
_cached_fragments: dict[Any, SafeString] = {}


class CachedFragmentNode(template.Node):
    """A fragment of a page, with the variables of the page that it depends on."""

    def __init__(self, nodelist: NodeList, vary_on: list[FilterExpression]) -> None:
        self.nodelist, self.vary_on = nodelist, vary_on

    def render(self, context: template.Context) -> SafeString:
        request, user = context.get("request"), context.get("user")
        if request is None or user is None or user.is_authenticated:
            return self.nodelist.render(context)
        values = [str(variable.resolve(context)) for variable in self.vary_on]
        key = (id(self), *_get_page_key(request), *values)
        html = _cached_fragments.get(key)
        if html is None:
            if len(_cached_fragments) >= MAX_CACHED_FRAGMENTS:
                _cached_fragments.clear()
            html = mark_safe(self.nodelist.render(context))  # noqa: S308
            _cached_fragments[key] = html
        return html


def _get_page_key(request: Any) -> tuple[str, ...]:
    """Return what all fragments depend on: language and site, computed once a request."""
    key: tuple[str, ...] | None = getattr(request, "fragment_key", None)
    if key is None:
        site = sites.get_request_site(request)
        key = request.fragment_key = (
            locale_prefix.get_page_locale(),
            site.cache_stamp,
            str(site),
        )
    return key


@register.tag
def cached_fragment(parser: Parser, token: Token) -> CachedFragmentNode:
    """{% cached_fragment [value…] %}…{% endcached_fragment %}: cache what is inside.

    It may use no variable of the page but `value…`, and contain no block.
    """
    _, *vary_on = token.split_contents()
    nodelist = parser.parse(("endcached_fragment",))
    parser.delete_first_token()
    expressions = [parser.compile_filter(variable) for variable in vary_on]
    return CachedFragmentNode(nodelist, expressions)
