"""Exports of other help-desk tools: recognised by their columns, and adapted to ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from kb.import_export import cells
from kb.import_export.cells import CATEGORY_PATH_SEPARATORS, TAG_SEPARATORS, join_cell
from kb.import_export.columns import fold_heading
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
# Our names for the placeholders of these tools. A placeholder is recognised by the end
# of its name; the longest match is taken.
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
    """The export of one tool: which of our columns each of its headings fills.

    A table with all headings of `required_columns` is recognised.
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
    """Return `table` with our headings, and a note, if it is another tool's export."""
    headings = [_normalize_heading(cell) for cell in table.header.cells]
    tool = next(
        (t for t in FOREIGN_TOOLS if t.required_columns.keys() <= set(headings)), None
    )
    if tool is None:
        return table
    known = {**tool.optional_columns, **tool.required_columns}
    positions: dict[str, int] = {}  # {our heading: index of the first column for it}
    for i, heading in enumerate(headings):
        for ours in known.get(heading, ()):
            positions.setdefault(ours, i)
    # Without a column for the question, it is the beginning of the reply.
    positions.setdefault(QUESTION_HEADING, len(headings))
    columns = [
        (i, ours, _make_cell_converter(tool, ours)) for ours, i in positions.items()
    ]
    rest = [i for i in range(len(headings)) if i not in positions.values()]
    titles = [ours for _, ours, _ in columns]
    header = [*titles, *(table.header.cells[i] for i in rest)]
    mapping = "、".join(
        f"{table.header.cells[i]} → {ours}"
        for i, ours, _ in columns
        if i < len(headings)
    )
    return replace(
        table,
        header=replace(table.header, cells=header),
        rows=[_convert_row(row, columns, rest) for row in table.rows],
        notes=[*table.notes, f"像是 {tool.name} 的导出：{mapping}"],
        source=tool.name.split()[0],  # its ids are unique within the tool
    )


def html_to_plain_text(text: str) -> str:
    """Return the visible text of HTML, each block on a line of its own."""
    with_breaks = _BLOCK_END_TAG.sub(
        "\n", _LIST_ITEM_TAG.sub("· ", _INVISIBLE_ELEMENT.sub("", text))
    )
    return markdown.extract_plain_text(with_breaks)


def convert_placeholders(text: str) -> str:
    """Return `text` with {{placeholders}} of ours for those of other tools."""

    def replace_placeholder(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        ends = sorted(PLACEHOLDER_NAMES, key=len, reverse=True)
        label = next(
            (PLACEHOLDER_NAMES[e] for e in ends if f".{name}".endswith(f".{e}")), ""
        )
        default = f"={match[4]}" if match[4] else ""
        return f"{{{{{label or name.replace('.', ' ')}{default}}}}}"

    return _FOREIGN_PLACEHOLDER.sub(replace_placeholder, text)


def _make_cell_converter(tool: ForeignTool, ours: str) -> Callable[[str], str]:
    """Return the function that converts cells of the tool to our column `ours`."""
    to_text = html_to_plain_text if tool.is_html else str
    converters: dict[str, Callable[[str], str]] = {
        QUESTION_HEADING: lambda text: cells.shorten_for_message(to_text(text), 200),
        REPLY_HEADING: lambda text: (
            convert_placeholders(to_text(text))
            if tool.has_placeholders
            else to_text(text)
        ),
        "分类": _convert_group,
        "标签": lambda text: (
            join_cell(TAG_SEPARATORS, text.split("~~~")) if text else ""
        ),
        "状态": lambda text: (
            "" if text.strip().lower() in {"", *ENABLED_VALUES} else "草稿"
        ),
    }
    return converters.get(ours, str)


def _convert_group(text: str) -> str:
    """Return the category path of a group; its names are not split further."""
    names = [name.strip() for name in re.split("[=＝][>＞]", text)]
    return join_cell(
        CATEGORY_PATH_SEPARATORS,
        [name for name in names if name not in {"", UNGROUPED_NAME}],
        "/",
    )


def _convert_row(
    row: TableRow,
    columns: Sequence[tuple[int, str, Callable[[str], str]]],
    rest: list[int],
) -> TableRow:
    def get_cell(i: int) -> str:
        return row.cells[i] if i < len(row.cells) else ""

    order = [i for i, *_ in columns] + rest
    texts = {ours: convert(get_cell(i)) for i, ours, convert in columns}
    if not texts[QUESTION_HEADING]:
        texts[QUESTION_HEADING] = cells.shorten_for_message(texts[REPLY_HEADING], 200)
    return replace(
        row,
        cells=[*texts.values(), *(get_cell(i) for i in rest)],
        flaws={new: row.flaws[i] for new, i in enumerate(order) if i in row.flaws},
    )


def _normalize_heading(cell: str) -> str:
    lowered = cell.strip().lower()
    folded = fold_heading(cell)
    return HEADING_SPELLINGS.get(folded, lowered if "_" in lowered else folded)
