"""Markdown to HTML that is safe, whatever is written."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.text.markup import markdown

ANY_TEXT = st.text(alphabet=st.characters(codec=None, categories=None), max_size=60)


@pytest.mark.parametrize(
    "source",
    [
        "**“退款”**后到账",
        "退款**（原路）**到账",
        "他说**“好”**，走了",
        "请看**注意：**下面",
    ],
)
def test_bold_works_beside_chinese_marks(source: str) -> None:
    assert "<strong>" in markdown.render_markdown(source)


def test_underscores_inside_names_are_not_emphasis() -> None:
    assert "<em>" not in markdown.render_markdown("订单_编号_查询 snake_case_name")


@pytest.mark.parametrize("source", ["# 一\n\n##### 五", "## 一\n\n### 五"])
def test_headings_begin_below_the_title_and_skip_no_level(source: str) -> None:
    assert re.findall(r"<(h\d) ", markdown.render_markdown(source)) == ["h2", "h3"]


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "[x](java\nscript:alert(1))",
        "![x](https://elsewhere.example/pixel.png)",
        "[x](//elsewhere.example)",
        "<img src=x onerror=alert(1)>",
        '<a href="x" style="position:fixed">y</a>',
        "<svg/onload=alert(1)>",
    ],
)
def test_nothing_foreign_or_active_survives(source: str) -> None:
    for tag, attributes in tags_of(markdown.render_markdown(source)):
        assert tag in markdown.ALLOWED_TAGS - {"img"}
        assert set(attributes) <= {"rel", "title"}


def tags_of(rendered: str) -> list[tuple[str, dict[str, str | None]]]:
    """Return the tags that a browser would see, with their attributes."""
    found: list[tuple[str, dict[str, str | None]]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: found.append((tag, dict(attrs)))  # type: ignore[method-assign]
    parser.feed(rendered)
    return found


def test_own_pictures_stay() -> None:
    rendered = markdown.render_markdown("![步骤一](/media/a.webp)")
    assert '<img src="/media/a.webp" alt="步骤一" loading="lazy"' in rendered
    assert "<a " not in rendered  # what is not ours by name opens nothing


PICTURE = f"/media/{'0a' * 16}-800x600.webp"


def test_a_picture_has_its_size_and_opens_large() -> None:
    """Sizes stand in the name, so that nothing jumps and nothing is looked up."""
    (link, attributes), (_, picture) = [
        found
        for found in tags_of(
            markdown.render_markdown(f"1. 点这里\n   ![我的]({PICTURE})")
        )
        if found[0] in {"a", "img"}
    ]
    assert (link, attributes["href"], attributes["class"]) == ("a", PICTURE, "picture")
    assert (picture["width"], picture["height"]) == ("800", "600")
    assert picture["loading"] == "lazy"
    assert picture["alt"] == "我的"


def test_a_picture_in_a_link_keeps_that_link() -> None:
    rendered = markdown.render_markdown(f"[![我的]({PICTURE})](/q/1/)")
    assert [a["href"] for t, a in tags_of(rendered) if t == "a"] == ["/q/1/"]


def test_pictures_without_words_are_counted() -> None:
    source = f"![]({PICTURE}) ![ ]({PICTURE}) ![有]({PICTURE}) ![](https://x.example/a)"
    assert markdown.count_pictures_without_alt(source) == 2


@pytest.mark.parametrize(
    ("mark", "kind", "title"),
    [
        ("提示", "tip", "提示"),
        ("注意", "note", "注意"),
        ("警告", "warning", "警告"),
        ("TIP", "tip", "提示"),
        ("IMPORTANT", "note", "注意"),
        ("warning", "warning", "警告"),
    ],
)
@pytest.mark.parametrize("gap", ["\n> ", " ", ""])
def test_callouts_are_boxes_with_a_title(
    mark: str, kind: str, title: str, gap: str
) -> None:
    rendered = markdown.render_markdown(f"> [!{mark}]{gap}请先登录。\n>\n> - 一")
    assert tags_of(rendered)[0] == ("div", {"class": f"callout {kind}", "role": "note"})
    assert markdown.extract_plain_text(rendered) == f"{title}\n请先登录。\n一"
    assert "blockquote" not in rendered


@pytest.mark.parametrize(
    "source", ["> [!随便]\n> 引用", "> 引用", ">", "> > [!", "> # a"]
)
def test_other_quotations_stay_what_they_are(source: str) -> None:
    rendered = markdown.render_markdown(source)
    assert tags_of(rendered)[0][0] == "blockquote"
    assert "callout" not in rendered


def test_headings_have_anchors_of_their_own() -> None:
    rendered = markdown.render_markdown(
        '# 怎么退？\n\n# 怎么退\n\n# "><img src=x>\n\n# ！'
    )
    found = markdown.extract_headings(rendered)
    anchors = [heading.anchor for heading in found]
    assert anchors == ["s-怎么退", "s-怎么退-2", "s-img-src-x", "s-1"]
    assert found[2].text == '"><img src=x>'
    assert "<img" not in rendered


def test_a_wide_table_scrolls_in_a_box_that_the_keyboard_reaches() -> None:
    rendered = markdown.render_markdown("| a | b |\n|---|---|\n| 1 | 2 |\n\n后面")
    box, attributes = tags_of(rendered)[0]
    assert box == "div"
    assert attributes["tabindex"] == "0"
    assert attributes["role"] == "region"
    assert "</table></div>" in rendered


def test_texts_are_said_in_another_script_and_addresses_are_not() -> None:
    source = f"# 网络\n\n[网络](/q/1/网络/) `网络` ![网络]({PICTURE})\n\n```\n网络\n```"
    rendered = markdown.render_markdown(
        source, lambda text: text.replace("网络", "網路")
    )
    assert markdown.extract_plain_text(rendered) == "網路\n網路 网络 \n网络".replace(
        " \n", "\n"
    )
    assert 'id="s-网络"' in rendered  # so that the switch keeps the place
    assert 'alt="網路"' in rendered
    assert "/q/1/%E7%BD%91%E7%BB%9C/" in rendered


@given(ANY_TEXT)
def test_rendering_twice_cleans_nothing_more(source: str) -> None:
    import nh3

    rendered = markdown.render_markdown(source)
    assert (
        nh3.clean(
            rendered,
            tags=set(markdown.ALLOWED_TAGS),
            attributes=markdown.ALLOWED_ATTRIBUTES,
            url_schemes={"http", "https", "mailto", "tel"},
            link_rel="noopener noreferrer nofollow",
        )
        == rendered
    )


def test_plain_is_one_block_a_line() -> None:
    rendered = markdown.render_markdown("先**点**退款：\n\n1. 打开 App\n2. 选 a < b")
    assert markdown.extract_plain_text(rendered) == "先点退款：\n打开 App\n选 a < b"
