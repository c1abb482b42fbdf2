"""What in a text tells who somebody is: found by kind, masked, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.text.privacy import personal_data
from kb.text.privacy.personal_data import find_personal_data, mask_personal_data

ID_CARD = "11010519491231002X"
BANK_CARD = "6222021234567890128"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "我叫张某,电话13812345678,订单20261130998877,退款没到账",
            ["姓名 张某", "手机号 13812345678", "单号 20261130998877"],
        ),
        ("打 +86 138-1234-5678", ["手机号 +86 138-1234-5678"]),
        ("１３８ １２３４ ５６７８", ["手机号 １３８ １２３４ ５６７８"]),
        ("1 3 8 1 2 3 4 5 6 7 8", ["手机号 1 3 8 1 2 3 4 5 6 7 8"]),
        ("号码一三八一二三四五六七八", ["单号 一三八一二三四五六七八"]),
        ("+852 6123 4567", ["手机号 +852 6123 4567"]),
        (f"证件{ID_CARD}。", [f"身份证号 {ID_CARD}"]),
        ("身份证110105194912310021", ["身份证号 110105194912310021"]),
        ("护照E12345678丢了", ["证件号 E12345678"]),
        (f"卡 {BANK_CARD}", [f"银行卡号 {BANK_CARD}"]),
        ("单号SF1234567890到哪了", ["单号 SF1234567890"]),
        ("报错80070005怎么办", ["长数字 80070005"]),
        ("写到 a.b+c@mail.example.com.cn", ["邮箱 a.b+c@mail.example.com.cn"]),
        ("邮箱zhang＠qq．com", ["邮箱 zhang＠qq．com"]),
        ("加我微信zhang_san88", ["微信号 zhang_san88"]),
        ("QQ：123456789", ["QQ 号 123456789"]),
        ("车牌沪A12345违章", ["车牌号 沪A12345"]),
        ("我叫王小明昨天下单的", ["姓名 王小明"]),
        ("我叫張偉，在嗎", ["姓名 張偉"]),
        ("姓名：欧阳锋 电话", ["姓名 欧阳锋"]),
        ("名字改成张三丰可以吗", ["姓名 张三丰"]),
        ("收件人李雷电话错了", ["姓名 李雷"]),
        ("我是王小明，订单没发", ["姓名 王小明"]),
        ("我姓欧阳，张女士让我问", ["姓名 欧阳", "姓名 张"]),
        ("户名王芳卡号", ["姓名 王芳"]),
        ("我的名字叫阿卜杜拉·买买提", ["姓名 阿卜杜拉·买买提"]),
        ("夸一下客服小林 特别耐心", ["姓名 小林"]),
        (
            "李雷13987654321洗衣机漏水怎么修",
            ["姓名 李雷", "手机号 13987654321"],
        ),
        (
            "地址改成北京市朝阳区建国路88号3栋2单元502室，谢谢",
            ["地址 北京市朝阳区建国路88号3栋2单元502室"],
        ),
        (
            "请帮我把地址改成浙江省杭州市西湖区文三路478号华星大厦A座1203",
            ["地址 浙江省杭州市西湖区文三路478号华星大厦A座1203"],
        ),
    ],
)
def test_personal_data_is_found_by_kind(text: str, expected: list[str]) -> None:
    found = find_personal_data(text)
    assert [f"{kind} {text[start:end]}" for kind, start, end in found] == expected


@pytest.mark.parametrize(
    "text",
    [
        "姓名怎么改",
        "姓名包含空格怎么办",
        "姓名查询不到",
        "我叫外卖",
        "我叫车没来",
        "收件人电话写错了",
        "收件人信息怎么改",
        "收件人地址写错了",
        "联系人管理在哪",
        "地址错了",
        "收货地址怎么修改",
        "选择省市区的时候没有我们镇",
        "送到市区要几天",
        "微信Android版怎么登录",
        "QQ登录失败",
        "我是安卓手机",
        "我是高级会员",
        "适用于女士吗",
        "背包女士款有吗",
        "先生女士都能用吗",
        "客服小程序打不开",
        "谢谢先生",
        "2024-01-05 10:20 下的单",
        "满300减50，尺码 42 用 iPhone15",
        "有 38 39 40 41 42 码吗",
        "打400-820-8820没人接",
        "192.168.1.100连不上",
        "圆周率3.14159265",
        "额度是10000000元",
        "123456 是验证码",
        "10086 发来的短信",
        "订单号在哪里看",
        "阿里云ECS12345怎么续费",
        "密码显示***",
    ],
)
def test_what_is_nobodys_stays(text: str) -> None:
    assert mask_personal_data(text) == text


def test_a_masked_sentence_can_still_be_read() -> None:
    said = "我叫张伟，电话138 1234 5678，收货地址：杭州市西湖区文三路12号，退款没到账"
    assert mask_personal_data(said) == ("我叫***，电话***，收货地址：***，退款没到账")
    assert mask_personal_data("打 13812345678", kinds=[personal_data.KIND_EMAIL]) == (
        "打 13812345678"
    )


PIECES = (
    "138 1234 5678 1 0 - + （ 我叫 张 伟 姓名： 先生 市 区 路 号 12 栋 a @ b.cn 微信 订单"
    " ， 。 的 是 李 电话 单元 北京 6222 x 欧阳 客服小 *"
).split()


@given(st.lists(st.sampled_from([*PIECES, " "]), max_size=20).map("".join))
def test_what_is_masked_is_masked_once_and_for_all(text: str) -> None:
    masked = mask_personal_data(text)
    assert mask_personal_data(masked) == masked
    assert find_personal_data(masked) == []


HOSTILE = [
    "1",
    "a@",
    "１ ",
    "6222 ",
    "1-",
    "1.",
    "我叫张",
    "姓名：",
    "市",
    "1号",
    "路1号",
]
HOSTILE += [
    "QQ1",
    "订单a1",
    "京A",
    "张先生",
    "一",
    "138 ",
    "阿·",
    "a1b2c3d4-",
    "张三1381234567",
]


@pytest.mark.parametrize("mark", HOSTILE)
def test_a_long_text_of_one_mark_takes_no_time(mark: str) -> None:
    """A pattern that goes back over what it read would take hours here."""
    find_personal_data(mark * (100_000 // len(mark)))


@pytest.mark.parametrize(
    "name", ["cloud_faq", "saas_support_zhcn", "saas_support_zhtw"]
)
def test_real_questions_hold_no_personal_data(shared: Path, name: str) -> None:
    """Error codes may look like long numbers; nothing is refused for those."""
    lines = (shared / "data" / name / "corpus.jsonl").read_text("utf-8").split("\n")
    questions = [json.loads(line)["question"] for line in lines if line]
    assert len(questions) > 2000
    _assert_clean(questions)


@pytest.mark.parametrize("name", ["bank_hant", "cityhall"])
def test_questions_of_a_bank_and_a_city_hold_none_either(name: str) -> None:
    path = Path(__file__).parent.parent / "relevance" / name / "corpus.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
    _assert_clean([text for row in rows for text in (row["question"], *row["similar"])])


def _assert_clean(texts: list[str]) -> None:
    found = [
        (kind, text[start:end])
        for text in texts
        for kind, start, end in find_personal_data(
            text, personal_data.CERTAIN_PERSONAL_DATA_KINDS
        )
    ]
    assert found == []
