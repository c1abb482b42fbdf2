"""What is wrong with a page of HTML: how it is written, and what stands in what.

The parser of the standard finds the first; the second are the rules of its content
model that templates break: what lies in what, names given twice, names of nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from justhtml import JustHTML

BLOCKS = frozenset(
    "address article aside blockquote details dialog div dl fieldset figure footer form"
    " h1 h2 h3 h4 h5 h6 header hr main nav ol p pre section table ul".split()
)
PHRASING = frozenset(
    "p h1 h2 h3 h4 h5 h6 span strong em small mark code s button label summary time"
    " pre legend".split()
)
ACTIVE = frozenset("a button select textarea input details label iframe".split())
CHILDREN = {
    "ul": {"li", "script", "template"},
    "ol": {"li", "script", "template"},
    "dl": {"dt", "dd", "div"},
    "table": {"caption", "colgroup", "thead", "tbody", "tfoot", "tr"},
    "tr": {"td", "th"},
    "select": {"option", "optgroup", "hr"},
}
PARENTS = {"li": {"ul", "ol", "menu"}, "legend": {"fieldset"}, "source": {"picture"}}
OBSOLETE = {"align", "bgcolor", "border", "valign", "cellpadding", "frameborder"}
NAMING = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "list", "form")


def faults(page: str, *, fragment: bool = False) -> list[str]:
    """Return what is wrong with `page`; raises StrictModeError for what is no HTML."""
    parsed = JustHTML(page, strict=True, sanitize=False, fragment=fragment)
    nodes = list(_below(parsed.root, ()))
    names = Counter(n.attrs["id"] for n, _ in nodes if "id" in n.attrs)
    found = [f"id twice: {name}" for name, times in names.items() if times > 1]
    for node, above in nodes:
        found += _placed(node, above)
        found += _named(node, names)
    return found


def _below(node: Any, above: tuple[str, ...]) -> Iterator[tuple[Any, tuple[str, ...]]]:
    for child in node.children or ():
        if getattr(child, "attrs", None) is not None:
            if child.name[0] not in "#!":
                yield child, above
            if child.name != "svg":
                yield from _below(child, (*above, child.name))


def _placed(node: Any, above: tuple[str, ...]) -> Iterator[str]:
    name, parent = node.name, above[-1] if above else ""
    if parent in CHILDREN and name not in CHILDREN[parent]:
        yield f"<{name}> in <{parent}>"
    if name in PARENTS and parent not in PARENTS[name]:
        yield f"<{name}> in <{parent}>"
    if name in BLOCKS and (where := PHRASING & set(above)):
        yield f"<{name}> within {sorted(where)}"
    if name in ACTIVE and (inside := {"a", "button"} & set(above)):
        yield f"<{name}> within {sorted(inside)}"
    yield from (f"{one} of <{name}>" for one in OBSOLETE & node.attrs.keys())
    if name == "img" and "alt" not in node.attrs:
        yield f"no alt: {node.attrs.get('src')}"


def _named(node: Any, names: Counter[str]) -> Iterator[str]:
    for naming in NAMING:
        for name in (node.attrs.get(naming) or "").split():
            if name not in names:
                yield f"{naming} names nobody: {name}"
    where = node.attrs.get("href") or ""
    if where.startswith("#") and len(where) > 1 and where[1:] not in names:
        yield f"href leads nowhere: {where}"
