"""Canned replies as other tools export them: known by their columns, said in ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from kb.import_export import cells
from kb.import_export.columns import fold_heading
from kb.import_export.multi_value_cells import (
    CATEGORY_PATH_SEPARATORS,
    TAG_SEPARATORS,
    join_cell,
)
from kb.import_export.table import Table, TableRow
from kb.text.markup import markdown

_BLOCK_END_TAG = re.compile(
    r"<br\s*/?>|</(?:p|div|li|tr|h[1-6]|blockquote)>", re.IGNORECASE
)
_LIST_ITEM_TAG = re.compile(r"<li[^>]*>", re.IGNORECASE)
_INVISIBLE_ELEMENT = re.compile(
    r"<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL
)
_FOREIGN_PLACEHOLDER = re.compile(
    r"[#%]\{\s*([\w.]+)\s*\}"
    r"|\{\{\s*([a-z_]+(?:\.\w+)+)\s*(?:\|\s*default:\s*(['\"])(.*?)\3\s*)?\}\}"
)
ENABLED_VALUES = {"1", "true", "t", "yes", "是"}
UNGROUPED_NAME = "未分组"
# What these tools fill in, as we call it; by the end of the name, the longest first.
PLACEHOLDER_NAMES = {
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
    "conversation.display_id": "会话号",
    "signature": "签名",
}


@dataclass(frozen=True, slots=True)
class ForeignTool:
    """One tool's export: its headings, all of which must be there, and ours for them.

    A heading may stand for several of ours; those it may lack are in `more`.
    """

    name: str
    required_columns: Mapping[str, Sequence[str]]
    optional_columns: Mapping[str, Sequence[str]]
    is_html: bool = False
    has_placeholders: bool = True


FOREIGN_TOOLS = (
    ForeignTool(
        "Zammad 文本模块",
        {"name": ["标准问题"], "keywords": ["短码"], "content": ["话术"]},
        {"id": ["编号"], "groups": ["标签"], "active": ["状态"]},
        is_html=True,
    ),
    ForeignTool(
        "Chatwoot 预设回复",
        {"short_code": ["标准问题", "短码"], "content": ["话术"]},
        {"id": ["编号"]},
    ),
    ForeignTool(
        "osTicket 预设回复",
        {"title": ["标准问题"], "response": ["话术"]},
        {"canned_id": ["编号"], "id": ["编号"], "isenabled": ["状态"]},
        is_html=True,
    ),
    ForeignTool(
        "千牛 快捷短语",
        {"快捷编码": ["短码"], "快捷短语": ["标准问题", "话术"]},
        {"快捷短语分组": ["分类"], "分组": ["分类"]},
        has_placeholders=False,
    ),
    ForeignTool(
        "千牛助手 快捷短语",
        {"分组": ["分类"], "快捷编码": ["短码"], "内容": ["话术"]},
        {"标题": ["标准问题"]},
        has_placeholders=False,
    ),
)
QUESTION_HEADING, REPLY_HEADING = "标准问题", "话术"
HEADING_SPELLINGS = {"快捷短语编码": "快捷编码", "快捷短语内容": "快捷短语"}


def adapt_foreign_table(table: Table) -> Table:
    """Return `table` with our headings where it is another tool's export, and say so."""
    heads = [_normalize_heading(cell) for cell in table.header.cells]
    tool = next(
        (t for t in FOREIGN_TOOLS if t.required_columns.keys() <= set(heads)), None
    )
    if tool is None:
        return table
    known = {**tool.optional_columns, **tool.required_columns}
    first: dict[str, int] = {}  # where each of ours stands; a second one is none
    for at, head in enumerate(heads):
        for ours in known.get(head, ()):
            first.setdefault(ours, at)
    first.setdefault(
        QUESTION_HEADING, len(heads)
    )  # nowhere: what the reply begins with
    places = [
        (at, ours, _make_cell_converter(tool, ours)) for ours, at in first.items()
    ]
    rest = [at for at in range(len(heads)) if at not in first.values()]
    titles = [ours for _, ours, _ in places]
    header = [*titles, *(table.header.cells[at] for at in rest)]
    told = "、".join(
        f"{table.header.cells[at]} → {ours}"
        for at, ours, _ in places
        if at < len(heads)
    )
    return replace(
        table,
        header=replace(table.header, cells=header),
        rows=[_convert_row(row, places, rest) for row in table.rows],
        notes=[*table.notes, f"像是 {tool.name} 的导出：{told}"],
        source=tool.name.split()[0],  # their numbers are not those of others
    )


def html_to_plain_text(text: str) -> str:
    """Return HTML as the plain text that it shows, one block a line."""
    lines = _BLOCK_END_TAG.sub(
        "\n", _LIST_ITEM_TAG.sub("· ", _INVISIBLE_ELEMENT.sub("", text))
    )
    return markdown.extract_plain_text(lines)


def convert_placeholders(text: str) -> str:
    """Return `text` with our {{blanks}} for what its tool would have filled in."""

    def replace_placeholder(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        ends = sorted(PLACEHOLDER_NAMES, key=len, reverse=True)
        said = next(
            (PLACEHOLDER_NAMES[e] for e in ends if f".{name}".endswith(f".{e}")), ""
        )
        usual = f"={found[4]}" if found[4] else ""
        return f"{{{{{said or name.replace('.', ' ')}{usual}}}}}"

    return _FOREIGN_PLACEHOLDER.sub(replace_placeholder, text)


def _make_cell_converter(tool: ForeignTool, ours: str) -> Callable[[str], str]:
    """Return what makes a cell of the tool ours."""
    plain = html_to_plain_text if tool.is_html else str
    makers: dict[str, Callable[[str], str]] = {
        QUESTION_HEADING: lambda text: cells.shorten_for_message(plain(text), 200),
        REPLY_HEADING: lambda text: (
            convert_placeholders(plain(text)) if tool.has_placeholders else plain(text)
        ),
        "分类": _convert_group,
        "标签": lambda text: (
            join_cell(TAG_SEPARATORS, text.split("~~~")) if text else ""
        ),
        "状态": lambda text: (
            "" if text.strip().lower() in {"", *ENABLED_VALUES} else "草稿"
        ),
    }
    return makers.get(ours, str)


def _convert_group(text: str) -> str:
    """Return a group as our category: its name is one, whatever it holds."""
    names = [name.strip() for name in re.split("[=＝][>＞]", text)]
    return join_cell(
        CATEGORY_PATH_SEPARATORS,
        [name for name in names if name not in {"", UNGROUPED_NAME}],
        "/",
    )


def _convert_row(
    row: TableRow,
    places: Sequence[tuple[int, str, Callable[[str], str]]],
    rest: list[int],
) -> TableRow:
    def get_cell(at: int) -> str:
        return row.cells[at] if at < len(row.cells) else ""

    order = [at for at, *_ in places] + rest
    made = {ours: said(get_cell(at)) for at, ours, said in places}
    if not made[QUESTION_HEADING]:
        made[QUESTION_HEADING] = cells.shorten_for_message(made[REPLY_HEADING], 200)
    return replace(
        row,
        cells=[*made.values(), *(get_cell(at) for at in rest)],
        flaws={new: row.flaws[at] for new, at in enumerate(order) if at in row.flaws},
    )


def _normalize_heading(cell: str) -> str:
    plain = cell.strip().lower()
    folded = fold_heading(cell)
    return HEADING_SPELLINGS.get(folded, plain if "_" in plain else folded)
