"""What one spelling, words, marks, blanks and safe HTML mean."""

from __future__ import annotations

import json
import re
import stat
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jieba
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kb.search import analyze_query
from kb.text.chinese import (
    alternate_forms,
    fast_jieba,
    normalize,
    pinyin,
    term_weights,
    tokenizer,
)
from kb.text.chinese.lexicon import EMPTY_LEXICON, Lexicon
from kb.text.chinese.similarity import (
    SimilarityTerms,
    Wording,
    analyze_learned_wordings,
    compare_wordings,
)
from kb.text.chinese.synonyms import SynonymGroup
from kb.text.markup import highlight, markdown
from kb.text.placeholders import blanks

BLANK_CASES = json.loads((Path(__file__).parent / "blank_cases.json").read_text())
ANY_TEXT = st.text(alphabet=st.characters(codec=None, categories=None), max_size=60)

# normalize ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "ＶＩＰ會員退貨",
        "vip会员退货",
        "VIP会员退\u200b货",
        "V\u00adIP会员退\ufe0f货\x00",
    ],
)
def test_spellings_of_one_text_are_one(text: str) -> None:
    assert normalize.normalize_text(text) == "vip会员退货"


def test_folding_keeps_the_number_of_characters() -> None:
    text = "網路斷線，訂單無法取消，請問發票怎麼開？"
    assert len(normalize.normalize_text(text)) == len(text)


def test_clean_keeps_what_people_see() -> None:
    text = "第一行\n\t第二行 👨\u200d👩\u200d👧 café 𠮷"
    assert normalize.clean_text(text) == text


def test_clean_drops_what_nobody_sees() -> None:
    assert normalize.clean_text("a\x00b\u202ec\ud800d\u200be\ufefff") == "abcdef"


def test_key_ignores_case_width_script_spaces_and_marks() -> None:
    same = ["退貨運費，誰承擔？", "退货运费谁承担", " 退货 运费 谁承担 ?? "]
    assert len({normalize.compute_spelling_key(text) for text in same}) == 1
    assert normalize.compute_spelling_key(
        "退货运费谁承担"
    ) != normalize.compute_spelling_key("退货运费我承担")


def test_key_of_marks_alone_tells_them_apart() -> None:
    assert normalize.compute_spelling_key("？？") != normalize.compute_spelling_key(
        "！！"
    )


@given(ANY_TEXT)
@example("\u110e\x92\u116f")
@example("ｱﾞ\u0301ﬁ㈱ß")
def test_aligned_is_normalize_with_places(text: str) -> None:
    spelling, at = normalize.normalize_with_offsets(text)
    assert spelling == normalize.normalize_text(text)
    assert len(at) == len(spelling) + 1
    assert at == sorted(at)
    assert at[-1] == len(text)


# segment -----------------------------------------------------------------------


def test_words_are_those_inside_words_too() -> None:
    assert {"中华", "人民", "中华人民共和国"} <= set(
        tokenizer.tokenize_text("中华人民共和国")
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("iPhone15", {"iphone15", "iphone", "15"}),
        ("Wi-Fi", {"wifi", "wi", "fi"}),
        ("4.7.0", {"4.7.0"}),
        ("C++", {"c++"}),
        ("３天", {"3", "天"}),
    ],
)
def test_mixed_scripts_are_found_whole_and_in_parts(
    text: str, wanted: set[str]
) -> None:
    assert wanted <= set(tokenizer.tokenize_text(text))


def test_traditional_wording_adds_the_simplified_term() -> None:
    assert "网络" in tokenizer.tokenize_text("網路斷線怎麼辦")
    assert "网络" not in tokenizer.tokenize_text("网路断线怎么办")


def test_pairs_overlap_and_lonely_characters() -> None:
    assert tokenizer.extract_bigrams("退货款a钱") == ["退货", "货款", "钱"]


def test_a_term_never_holds_a_space() -> None:
    text = "a b\u3000c\u2028d\u00a0e 退\t货\nf\x1cg"
    assert not [
        t
        for t in tokenizer.tokenize_text(text) + tokenizer.extract_bigrams(text)
        if len(t.split()) != 1
    ]


@given(ANY_TEXT)
def test_any_text_is_cut_without_complaint(text: str) -> None:
    for term in tokenizer.tokenize_text(text) + tokenizer.extract_bigrams(text):
        assert term.split() == [term]
        term.encode()


def test_no_run_longer_than_a_window_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []
    cut = fast_jieba.segment_han

    def measured(run: str) -> list[str]:
        seen.append(len(run))
        return cut(run)

    monkeypatch.setattr(fast_jieba, "segment_han", measured)
    tokenizer.tokenize_text("龘" * 2000)
    assert max(seen) == tokenizer.MAX_JIEBA_RUN_CHARS


def test_words_across_a_window_are_not_lost() -> None:
    text = "啊" * (tokenizer.MAX_JIEBA_RUN_CHARS - 1) + "退货"
    assert "退货" in tokenizer.extract_bigrams(text)


def test_a_cache_folder_open_to_others_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "jieba"
    folder.mkdir(mode=0o755)
    (folder / "jieba.cache").write_bytes(b"planted")
    (folder / "jieba.cache").chmod(0o666)
    before = (jieba.dt.tmp_dir, jieba.dt.cache_file)
    try:
        tokenizer.use_cache_folder(folder)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert not (folder / "jieba.cache").exists()
    finally:
        jieba.dt.tmp_dir, jieba.dt.cache_file = before


def test_a_cache_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "jieba").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError, match="plain path"):
        tokenizer.use_cache_folder(tmp_path / "jieba")


# highlight ---------------------------------------------------------------------


def test_marks_stand_in_the_original_spelling() -> None:
    marked = highlight.highlight_terms("ＶＩＰ會員怎麼退貨？", ["vip", "退货"])
    assert marked == "<mark>ＶＩＰ</mark>會員怎麼<mark>退貨</mark>？"


def test_overlapping_terms_make_one_mark() -> None:
    assert (
        highlight.highlight_terms("退货运费", ["退货", "货运", "运费"])
        == "<mark>退货运费</mark>"
    )


def test_what_is_marked_and_what_is_not_is_escaped() -> None:
    assert (
        highlight.highlight_terms("<b>退</b>", ["退"])
        == "&lt;b&gt;<mark>退</mark>&lt;/b&gt;"
    )


@given(ANY_TEXT, st.lists(ANY_TEXT, max_size=3))
def test_marks_never_lose_a_character(text: str, terms: list[str]) -> None:
    spans = highlight.find_highlight_spans(text, map(normalize.normalize_text, terms))
    flat = [place for span in spans for place in span]
    assert flat == sorted(flat)
    assert all(0 <= place <= len(text) for place in flat)


# blanks ------------------------------------------------------------------------


def test_a_blank_is_found_whatever_its_spaces() -> None:
    assert blanks.list_blank_names("亲 {{ 称呼 }}，单号{{单号}}，{{称呼}}") == [
        "称呼",
        "单号",
    ]


def test_a_filled_value_is_never_scanned_again() -> None:
    filled = blanks.fill_blanks("{{甲}}{{乙}}", {"甲": "{{乙}}", "乙": "好"})
    assert filled == "{{乙}}好"


def test_an_unfilled_blank_stays_visible() -> None:
    assert blanks.fill_blanks("单号{{单号}}", {"单号": "  "}) == "单号〔单号〕"


def as_json(piece: blanks.BodyPiece) -> str | dict[str, Any]:
    """Return `piece` as static/console/blanks.js has it."""
    if not (blank := piece.blank):
        return piece.text
    return {
        "name": blank.name,
        "kind": blank.kind,
        "initial": blank.default,
        "choices": list(blank.choices),
        "optional": blank.is_optional,
    }


@pytest.mark.parametrize("case", BLANK_CASES, ids=lambda case: case["body"][:20])
def test_blanks_are_filled_as_the_table_says(case: dict[str, Any]) -> None:
    body, values = case["body"], case["values"]
    assert [as_json(piece) for piece in blanks.split_body(body)] == case["pieces"]
    assert blanks.fill_blanks(body, values) == case["filled"]
    assert blanks.list_missing_blanks(body, values) == case["missed"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("单号{{单号", "「{{单号」的花括号没有成对。"),
        ("单号 单号}}", "「}}」前面少了 {{。"),
        ("{{}}", "「{{}}」里没有名称。"),
        ("{{{单号}}}", "「{{{单号}}}」多了花括号。"),
        ("｛｛单号｝｝", "「｛｛单号｝｝」请用半角的花括号 {{ }}。"),
        ("{{快递|顺丰}}", "「{{快递|顺丰}}」至少要有两个选项。"),
        ("{{快递|顺丰||中通}}", "「{{快递|顺丰||中通}}」有空着或重复的选项。"),
        ("{{快递=韵达|顺丰|中通}}", "「{{快递=韵达|顺丰|中通}}」默认值不在选项里。"),
        ("{{称呼=}}", "「{{称呼=}}」等号后面没有默认值。"),
        ("{{天数:数字}}", "「{{天数:数字}}」冒号后面只能写“日期”或“文字”。"),
        ("{{日期=明天}}", "「{{日期=明天}}」日期的默认值要写成 2026-01-31 这样。"),
        ("{{" + "长" * 31 + "}}", "名称太长，最多 30 个字。"),
    ],
)
def test_a_malformed_blank_is_named_with_the_reason(body: str, said: str) -> None:
    assert any(
        said in fault
        for fault in blanks.describe_blank_faults(f"亲，{{{{好}}}} {body}")
    )


@pytest.mark.parametrize("body", ["亲", "{{a}} {b} } {", "{{> 售后地址}}", "{{a?}}"])
def test_what_is_well_written_has_no_fault(body: str) -> None:
    assert blanks.describe_blank_faults(body) == []


@pytest.mark.parametrize(
    "body",
    ["{{}}", "{{ }}", "{{\t}}", "{{a|b}}", "{{\n}}", "{单号}", "{{" + "长" * 31 + "}}"],
)
def test_what_is_no_blank_is_plain_text(body: str) -> None:
    assert blanks.list_blank_names(body) == []


@given(ANY_TEXT)
def test_pieces_joined_are_the_body(body: str) -> None:
    assert "".join(piece.text for piece in blanks.split_body(body)) == body


# markdown ----------------------------------------------------------------------


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


# How it sounds -----------------------------------------------------------------


def test_sounds_are_pairs_of_syllables_and_initials() -> None:
    assert pinyin.list_phonetic_terms("退货费") == [
        "tui'huo",
        "huo'fei",
        "~th",
        "~hf",
        "~thf",
    ]


def test_characters_of_several_readings_are_read_in_their_word() -> None:
    assert pinyin.make_phonetic_term("银行") == "yin'han"
    assert pinyin.make_phonetic_term("行走") == "xin'zou"


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("tuihuo yunfei", ["tui'huo", "huo'yun", "yun'fei"]),
        ("tuihuoyunfei", ["tui'huo", "huo'yun", "yun'fei"]),
        ("TuiHuo", ["tui'huo"]),
        ("退huo运费", ["tui'huo", "huo'yun"]),
        ("thyf", ["~thy", "~hyf"]),
        ("sf", ["~sf"]),
        ("wifi", []),
        ("退货运费", []),
        ("15", []),
    ],
)
def test_pinyin_is_understood_however_it_is_typed(
    typed: str, wanted: list[str]
) -> None:
    assert pinyin.list_typed_phonetic_terms(typed) == wanted


def test_letters_are_cut_into_the_fewest_syllables() -> None:
    assert pinyin.split_pinyin("xian") == ["xian"]
    assert pinyin.split_pinyin("fapiaotaitou") == ["fa", "piao", "tai", "tou"]
    assert pinyin.split_pinyin("python") is None


@given(ANY_TEXT)
def test_any_text_has_sounds_without_spaces(text: str) -> None:
    for term in alternate_forms.list_indexed_forms(
        text
    ) + alternate_forms.list_typed_forms(text):
        assert len(term.split()) == 1


def test_a_single_character_is_a_form_of_its_own() -> None:
    assert "·退" in alternate_forms.list_indexed_forms("退货")
    assert alternate_forms.list_typed_forms("退") == ["·退"]
    assert alternate_forms.list_typed_forms("退货") == []


# What tells ----------------------------------------------------------------------


def test_words_that_only_ask_weigh_little() -> None:
    found = term_weights.weigh_terms("请问什么时候可以发货呢")
    assert found.words["发货"] == 1
    assert (
        found.words["什么"]
        == found.words["呢"]
        == pytest.approx(term_weights.DEFAULT_TERM_WEIGHTS.question_word)
    )
    assert found.bigrams["时候"] == pytest.approx(
        term_weights.DEFAULT_TERM_WEIGHTS.question_word
    )


@pytest.mark.parametrize(
    ("text", "terms", "lone", "whole"),
    [
        ("请问怎么退货", {"请问", "问怎", "怎么", "么退"}, (), True),
        ("怎么退", {"怎么", "么退"}, ("退",), True),
        ("能退货吗", {"能", "能退", "货吗", "吗"}, (), True),
        ("我想退", {"我", "想", "我想", "想退"}, ("退",), True),
        ("猫不吃饭了", {"不", "猫不", "不吃", "饭了", "了"}, (), False),
        ("退货运费", set(), (), True),
        ("请问thyf", {"请问"}, (), True),
        ("海外的问题", {"外的", "的问", "问题", "的"}, (), True),
        ("请问" + "退货运费" * 5, set(), (), False),
    ],
)
def test_what_leads_up_to_a_question_is_told_apart(
    text: str, terms: set[str], lone: tuple[str, ...], whole: bool
) -> None:
    assert analyze_query(
        text, EMPTY_LEXICON
    ).carrier_phrase == term_weights.CarrierPhrase(frozenset(terms), lone, whole)


def test_a_pair_that_is_half_asking_weighs_in_between() -> None:
    assert (
        term_weights.DEFAULT_TERM_WEIGHTS.question_word
        < term_weights.weigh_terms("怎么退货").bigrams["么退"]
        < 1
    )


def test_other_wordings_say_at_most_all_of_a_text() -> None:
    sets = [SynonymGroup(("mail", "邮件")), SynonymGroup(("email", "邮箱"))]
    lexicon = Lexicon.from_vocabulary(sets, [], [])
    assert analyze_query("e-mail", lexicon).synonym_coverage == 1
    assert 0 < analyze_query("e-mail收不到", lexicon).synonym_coverage < 1


@pytest.mark.parametrize("cry", ["呵呵", "嘿嘿嘿！", "hhhhhh", "发发发发", "啊 啊 啊"])
def test_a_cry_asks_for_nothing(cry: str) -> None:
    assert not term_weights.weigh_terms(cry)


@pytest.mark.parametrize("words", ["www", "1111", "12345", "滴滴", "哈哈镜", "嗯"])
def test_what_only_looks_like_a_cry_is_searched_for(words: str) -> None:
    assert term_weights.weigh_terms(words)


# Likeness ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ssd云盘", "essd云盘", 4 / 11),
        ("17号线", "18号线", 4 / 8),
        ("17号线", "17号线停运", 8 / 10),
        ("wi-fi密码", "wifi密码", 1.0),
        ("iphone15", "iphone 15", 1.0),
        ("", "", 0.0),
    ],
)
def test_latin_words_and_numbers_are_alike_as_a_whole(
    one: str, other: str, same: float
) -> None:
    ways = Wording.from_spelling(one), Wording.from_spelling(other)
    found = compare_wordings(ways[:1], SimilarityTerms.from_terms([]), ways[1:])
    assert found.indel_ratio == pytest.approx(same)


@pytest.mark.parametrize(
    ("term", "wording", "stands"),
    [
        ("ssd", "essd 云盘怎么选", False),
        ("ssd", "ssd 云盘怎么选", True),
        ("e", "email 怎么改", False),
        ("win", "windows 怎么装", True),
        ("wifi", "wi-fi 连不上", True),
        ("15", "iphone15 几时到", True),
        ("5", "15 天到吗", False),
        ("c++", "c++ 怎么学", True),
        ("运费险", "退货运费险", True),
    ],
)
def test_latin_words_stand_as_words(term: str, wording: str, stands: bool) -> None:
    like = compare_wordings(
        [Wording.from_spelling(term)],
        SimilarityTerms.from_terms([term]),
        [Wording.from_spelling(wording)],
    )
    assert (term in like.matched_terms, like.asked_content_share > 0) == (
        stands,
        stands,
    )


def test_words_learned_are_no_wording_of_the_entrys_own() -> None:
    """They tell how sure an entry is; in the order they would draw other queries."""
    terms, query = (
        SimilarityTerms.from_terms(["退款", "多久"]),
        [Wording.from_spelling("退款多久")],
    )
    like = compare_wordings(
        query,
        terms,
        [Wording.from_spelling("发票多久寄"), *analyze_learned_wordings("退款多久")],
    )
    assert (like.matched_terms, like.own_matched_terms) == ({"退款", "多久"}, {"多久"})
    assert like.learned_letter_coverage > like.letter_coverage
