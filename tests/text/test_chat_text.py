"""What an agent sends is plain text, with links that can be tapped."""

from __future__ import annotations

import pytest

from kb.text.markup import chat_text, markdown

SITE = "https://help.example.com/"


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ("**注意**：请保留`小票`", "注意：请保留小票"),
        ("## 退货\n请看", "退货\n请看"),
        ("见[退货说明](https://a.cn/x?y=1)哦", "见退货说明：https://a.cn/x?y=1 哦"),
        ("[https://a.cn](https://a.cn)", "https://a.cn "),
        ("打[客服](tel:4001)吧", "打客服：4001 吧"),
        ("![图](/media/a.webp)看图", "看图"),
        ("138****8000 和 139****9000", "138****8000 和 139****9000"),
        ("2 * 3 ** 4 ** 5", "2 * 3 ** 4 ** 5"),
        ("#1 号 [a] (b) `", "#1 号 [a] (b) `"),
        ("[坏](javascript:alert(1))", "[坏](javascript:alert(1))"),
    ],
)
def test_a_reply_loses_its_markdown_and_nothing_else(body: str, sent: str) -> None:
    assert chat_text.format_reply_for_chat(body) == sent


@pytest.mark.parametrize(
    ("source", "sent"),
    [
        ("**好**。\n\n1. 拍照\n2. 寄回", "好。\n1. 拍照\n2. 寄回"),
        ("3. 三\n4. 四", "3. 三\n4. 四"),
        ("- 一\n- 二\n  1. 甲", "· 一\n· 二\n1. 甲"),
        ("看[这里](/q/1/)吧", "看这里：https://help.example.com/q/1/ 吧"),
        ("<https://a.cn/b>", "https://a.cn/b"),
        ("a &amp; b &lt;c&gt;", "a & b <c>"),
        ("| 甲 | 乙 |\n|---|---|\n| 1 | 2 |", "甲 乙\n1 2"),
        ("一行\n二行", "一行\n二行"),
    ],
)
def test_an_answer_is_written_out(source: str, sent: str) -> None:
    written = chat_text.format_answer_for_chat(markdown.render_markdown(source), SITE)
    lines = [" ".join(line.split()) for line in written.splitlines()]
    assert "\n".join(lines) == sent
