"""Canned replies as other tools export them: known by their columns, said in ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from kb.text import markdown
from kb.transfer import cells
from kb.transfer.columns import fold
from kb.transfer.table import Row, Table

_BREAK = re.compile(r"<br\s*/?>|</(?:p|div|li|tr|h[1-6]|blockquote)>", re.IGNORECASE)
_ITEM = re.compile(r"<li[^>]*>", re.IGNORECASE)
_GONE = re.compile(r"<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_NAMED = re.compile(r"[#%]\{\s*([\w.]+)\s*\}|\{\{\s*([a-z_]+(?:\.[\w]+)+)\s*\}\}")
# What these tools fill in, as we call it; by the end of the name, the longest first.
BLANKS = {
    "customer.firstname": "客户称呼",
    "customer.lastname": "客户称呼",
    "customer.fullname": "客户称呼",
    "customer.name": "客户称呼",
    "contact.name": "客户称呼",
    "contact.first_name": "客户称呼",
    "contact.last_name": "客户称呼",
    "ticket.name": "客户称呼",
    "ticket.name.first": "客户称呼",
    "ticket.user.name": "客户称呼",
    "recipient.name": "客户称呼",
    "user.firstname": "客服昵称",
    "user.fullname": "客服昵称",
    "agent.name": "客服昵称",
    "agent.first_name": "客服昵称",
    "staff.name": "客服昵称",
    "ticket.staff.name": "客服昵称",
    "ticket.number": "工单号",
    "conversation.id": "会话号",
    "signature": "签名",
}


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool's export: its headings, all of which must be there, and ours for them.

    A heading may stand for several of ours; those it may lack are in `more`.
    """

    name: str
    columns: Mapping[str, Sequence[str]]
    more: Mapping[str, Sequence[str]]
    html: bool = False
    blanks: bool = True


TOOLS = (
    Tool(
        "Zammad 文本模块",
        {"name": ["标准问题"], "keywords": ["短码"], "content": ["话术"]},
        {"id": ["编号"], "groups": ["标签"]},
        html=True,
    ),
    Tool(
        "Chatwoot 预设回复",
        {"short_code": ["标准问题", "短码"], "content": ["话术"]},
        {"id": ["编号"]},
    ),
    Tool(
        "osTicket 预设回复",
        {"title": ["标准问题"], "response": ["话术"]},
        {"canned_id": ["编号"], "id": ["编号"]},
        html=True,
    ),
    Tool(
        "千牛 快捷短语",
        {"快捷编码": ["短码"], "快捷短语": ["标准问题", "话术"]},
        {"快捷短语分组": ["分类"], "分组": ["分类"]},
        blanks=False,
    ),
)
SPELLINGS = {"快捷短语编码": "快捷编码", "快捷短语内容": "快捷短语"}


def adapted(table: Table) -> Table:
    """Return `table` with our headings where it is another tool's export, and say so."""
    heads = [_heading(cell) for cell in table.header.cells]
    tool = next((t for t in TOOLS if t.columns.keys() <= set(heads)), None)
    if tool is None:
        return table
    known = {**tool.more, **tool.columns}
    places = [
        (at, ours, _said(tool, ours))
        for at, head in enumerate(heads)
        for ours in known.get(head, ())
    ]
    rest = [at for at, head in enumerate(heads) if head not in known]
    titles = [ours for _, ours, _ in places]
    header = [*titles, *(table.header.cells[at] for at in rest)]
    told = "、".join(f"{table.header.cells[at]} → {ours}" for at, ours, _ in places)
    return replace(
        table,
        header=replace(table.header, cells=header),
        rows=[_row(row, places, rest) for row in table.rows],
        notes=[*table.notes, f"像是 {tool.name} 的导出：{told}"],
    )


def spoken(text: str) -> str:
    """Return HTML as the plain text that it shows, one block a line."""
    lines = _BREAK.sub("\n", _ITEM.sub("· ", _GONE.sub("", text)))
    return markdown.plain(lines)


def with_blanks(text: str) -> str:
    """Return `text` with our {{blanks}} for what its tool would have filled in."""

    def ours(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        ends = sorted(BLANKS, key=len, reverse=True)
        said = next((BLANKS[e] for e in ends if f".{name}".endswith(f".{e}")), "")
        return f"{{{{{said or name.replace('.', ' ')}}}}}"

    return _NAMED.sub(ours, text)


def _said(tool: Tool, ours: str) -> Callable[[str], str]:
    """Return what makes a cell of the tool ours."""
    if ours == "标准问题":
        return lambda text: cells.brief(spoken(text) if tool.html else text, 200)
    if ours != "话术":
        return lambda text: text
    plain = spoken if tool.html else str
    return lambda text: with_blanks(plain(text)) if tool.blanks else plain(text)


def _row(
    row: Row, places: Sequence[tuple[int, str, Callable[[str], str]]], rest: list[int]
) -> Row:
    def cell(at: int) -> str:
        return row.cells[at] if at < len(row.cells) else ""

    order = [at for at, *_ in places] + rest
    return replace(
        row,
        cells=[said(cell(at)) for at, _, said in places] + [cell(at) for at in rest],
        flaws={new: row.flaws[at] for new, at in enumerate(order) if at in row.flaws},
    )


def _heading(cell: str) -> str:
    plain = cell.strip().lower()
    folded = fold(cell)
    return SPELLINGS.get(folded, plain if "_" in plain else folded)
