"""What is the same on every page of a site: rendered once for all strangers."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.utils.safestring import SafeString, mark_safe

from kb.publishing import locale_prefix, sites

register = template.Library()
MAX_CACHED_FRAGMENTS = (
    500  # pieces that a process holds; a site has some ten in each script
)
_cached_fragments: dict[Any, SafeString] = {}


class CachedFragmentNode(template.Node):
    """A piece of a page; `given` are values of the page that it depends on, few ones."""

    def __init__(self, nodelist: NodeList, given: list[FilterExpression]) -> None:
        self.nodelist, self.vary_on = nodelist, given

    def render(self, context: template.Context) -> SafeString:
        request, user = context.get("request"), context.get("user")
        if request is None or user is None or user.is_authenticated:
            return self.nodelist.render(context)
        given = [str(one.resolve(context)) for one in self.vary_on]
        key = (id(self), *_get_page_key(request), *given)
        if (found := _cached_fragments.get(key)) is None:
            if len(_cached_fragments) >= MAX_CACHED_FRAGMENTS:
                _cached_fragments.clear()
            found = mark_safe(self.nodelist.render(context))  # noqa: S308
            _cached_fragments[key] = found
        return found


def _get_page_key(request: Any) -> tuple[str, ...]:
    """Return what all pieces of a page depend on, found out once."""
    found: tuple[str, ...] | None = getattr(request, "frame", None)
    if found is None:
        site = sites.get_request_site(request)
        found = request.frame = (
            locale_prefix.get_page_locale(),
            site.cache_stamp,
            str(site),
        )
    return found


@register.tag
def cached_fragment(parser: Parser, token: Token) -> CachedFragmentNode:
    """{% cached_fragment [value…] %}…{% endcached_fragment %}: no other variable of the page, and no block."""
    _, *given = token.split_contents()
    nodelist = parser.parse(("endcached_fragment",))
    parser.delete_first_token()
    return CachedFragmentNode(nodelist, [parser.compile_filter(one) for one in given])
