"""What is the same on every page of a site: rendered once for all strangers."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.utils.safestring import SafeString, mark_safe

from kb import scripts, sites

register = template.Library()
MANY = 500  # pieces that a process holds; a site has some ten in each script
_held: dict[Any, SafeString] = {}


class Same(template.Node):
    """A piece of a page; `given` are values of the page that it depends on, few ones."""

    def __init__(self, nodelist: NodeList, given: list[FilterExpression]) -> None:
        self.nodelist, self.given = nodelist, given

    def render(self, context: template.Context) -> SafeString:
        request, user = context.get("request"), context.get("user")
        if request is None or user is None or user.is_authenticated:
            return self.nodelist.render(context)
        given = [str(one.resolve(context)) for one in self.given]
        key = (id(self), *_frame(request), *given)
        if (found := _held.get(key)) is None:
            if len(_held) >= MANY:
                _held.clear()
            found = mark_safe(self.nodelist.render(context))  # noqa: S308
            _held[key] = found
        return found


def _frame(request: Any) -> tuple[str, ...]:
    """Return what all pieces of a page depend on, found out once."""
    found: tuple[str, ...] | None = getattr(request, "frame", None)
    if found is None:
        site = sites.of(request)
        found = request.frame = (scripts.current(), site.stamp, str(site))
    return found


@register.tag
def same(parser: Parser, token: Token) -> Same:
    """{% same [value…] %}…{% endsame %}: no other variable of the page, and no block."""
    _, *given = token.split_contents()
    nodelist = parser.parse(("endsame",))
    parser.delete_first_token()
    return Same(nodelist, [parser.compile_filter(one) for one in given])
