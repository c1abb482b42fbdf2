"""Personal data in a text: found by kind and place, and masked.

This is the only place that decides what personal data is. Everything that stores,
shows or publishes what a customer wrote asks here. All patterns are bounded or
possessive, so that the time grows with the length of the text and no faster.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import cache
from typing import NamedTuple

from kb.text import names, places
from kb.text.normalize import simplified

MASK = "***"  # holds no letter, so that no search can match it
IDENTITY, CARD, MOBILE, LANDLINE = "身份证号", "银行卡号", "手机号", "固定电话"
EMAIL, PLATE, DOCUMENT, ORDER = "邮箱", "车牌号", "证件号", "单号"
WECHAT, QQ, NAME, ADDRESS, NUMBER = "微信号", "QQ 号", "姓名", "地址", "长数字"
KINDS = (
    IDENTITY,
    CARD,
    MOBILE,
    LANDLINE,
    EMAIL,
    PLATE,
    DOCUMENT,
    WECHAT,
    QQ,
    ORDER,
    NAME,
    ADDRESS,
    NUMBER,
)
# A long number may be an error code as well: it is masked, but nothing is refused for it.
CERTAIN_KINDS = tuple(kind for kind in KINDS if kind != NUMBER)


# The names by which a setting calls kinds: MASK_IN_QUESTIONS.
SETTING_KINDS = {
    "identity_card": (IDENTITY,),
    "bank_card": (CARD,),
    "phone": (MOBILE, LANDLINE),
    "email": (EMAIL,),
    "document": (DOCUMENT,),
    "plate": (PLATE,),
    "chat_id": (WECHAT, QQ),
    "order_number": (ORDER, NUMBER),
    "name": (NAME,),
    "address": (ADDRESS,),
}


class PersonalData(NamedTuple):
    """One find: its kind, and the characters text[start:end]."""

    kind: str
    start: int
    end: int


def find_personal_data(text: str, kinds: Collection[str] = KINDS) -> list[PersonalData]:
    """Return what in `text` tells who somebody is, in order, without overlaps.

    Full-width letters and 繁體 count as their plain forms.
    """
    if not _MAY_HOLD.search(text):
        return []
    spelling = plain(text)
    finds = [*_find_numbers(spelling), *_find_labelled(spelling)]
    if NAME in kinds:
        finds += [PersonalData(NAME, *span) for span in names.find_names(spelling)]
    if ADDRESS in kinds:
        spans = places.find_addresses(spelling)
        finds += [PersonalData(ADDRESS, *span) for span in spans]
    return _without_overlaps(find for find in finds if find.kind in kinds)


def plain(text: str) -> str:
    """Return `text` with half-width letters, in 简体; its length stays the same."""
    return simplified(text.translate(_plain_letters()))


def mask_personal_data(text: str, kinds: Collection[str] = KINDS) -> str:
    """Return `text` with MASK in the place of personal data of these `kinds`.

    What is masked already stays as it is.
    """
    for _ in range(_PASSES):
        finds = find_personal_data(text, kinds)
        if not finds:
            break
        text = _cover(text, finds)
    return text


def offer_as_phrasing(text: str) -> str:
    """Return `text` as others might ask it: what only says who somebody is goes.

    Of 我叫张三，电话138…，退款没到账 the last part stays. Where no other part says
    anything, all of it is returned, masked.
    """
    masked = mask_personal_data(text)
    if MASK not in masked:
        return text
    parts = _CLAUSE.split(masked)  # clauses and marks, in turns
    kept = [
        _NUMBERED.sub("", clause) + mark
        for clause, mark in zip(parts[::2], [*parts[1::2], ""], strict=True)
        if MASK not in clause or _INTRODUCTION.sub("", clause)
    ]
    told = "".join(kept).strip(_MARKS).removeprefix(MASK).strip(_MARKS)
    return told if len(told) >= _SHORTEST_PHRASING else masked


_MARKS = " ,，、;；。:："
_CLAUSE = re.compile(r"([,，、;；。\s]+)")
_NUMBERED = re.compile(
    r"(?:订单号?|单号|运单号?|快递单?号?|手机号?码?|电话号?码?|卡号|编号)[是为]?\*{3}的?(?=.{4})"
)
_INTRODUCTION = re.compile(
    r"\*{3}|姓名|名字|收货人?|收件人?|联系人?|电话号?码?|手机号?码?|号码|订单号?|单号|运单号?|快递|物流"
    r"|身份证号?码?|地址|微信号?|QQ号?|邮箱|卡号|银行卡|账号|车牌号?|户名|我叫|我姓|我是|我的|本人|您好|你好"
    r"|女士|先生|小姐|亲|[我叫是为在住的号:：=]"
)
_SHORTEST_PHRASING = 2


def _cover(text: str, finds: Collection[PersonalData]) -> str:
    """Put one MASK for each stretch of finds without anything between."""
    parts: list[str] = []
    end = 0
    for find in finds:
        if find.start > end or not parts:
            parts += [text[end : find.start], MASK]
        end = find.end
    return "".join([*parts, text[end:]])


mask = mask_personal_data  # the name that older code calls it by


# Numbers and addresses of mail ------------------------------------------------------

_GAP = r"[ .()\-–—_·]"
_NO_DIGIT_BEFORE = r"(?<!\d)(?<!\d\.)"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_HARMLESS = "|".join(
    (
        r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}",
        r"(?<![0-9A-Za-z])0[xX][0-9A-Fa-f]++",
        rf"(?<![\d.]){_OCTET}(?:\.{_OCTET}){{3}}(?![\d.])",  # an address of a computer
        r"(?<!\d)(?:19|20)\d\d(?P<dash>[-./])(?:0?[1-9]|1[0-2])(?P=dash)"
        r"(?:0?[1-9]|[12]\d|3[01])(?!\d)",  # a date
        r"(?<!\d)[48]00(?:-?\d{7}|[- ]\d{3}[- ]\d{4}|[- ]\d{4}[- ]\d{3})(?!\d)",
        r"(?<![\d.])\d{1,6}\.\d++(?![\d.])",
        r"(?<!\d)\d{5,}+(?= ?(?:元|块|万|亿|%|字节|[KMGTkmgt][Bb]|毫秒|秒|积分))",
    )
)
_PATTERNS = {
    EMAIL: r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}",
    IDENTITY: rf"{_NO_DIGIT_BEFORE}[1-9]\d{{5}}[ -]?(?:19|20)\d{{6}}[ -]?\d{{3}}[\dXx]"
    r"(?![- ]?\d)(?![A-Za-z])",
    CARD: rf"{_NO_DIGIT_BEFORE}[3-6]\d{{3}}(?:[- ]?\d{{4}}){{2,3}}(?:[- ]?\d{{1,4}}){{0,2}}"
    r"(?![- ]?\d)",
    MOBILE: rf"(?<![\d.])(?:\(?\+?86\)?[- ]?|0086[- ]?)?\(?(?:"
    rf"1[3-9]\d{_GAP}{{0,2}}\d{{4}}{_GAP}{{0,2}}\d{{4}}"
    rf"|1[3-9]\d{{2}}{_GAP}\d{{4}}{_GAP}\d{{3}}"
    rf"|1[3-9]\d{_GAP}\d{{3}}{_GAP}(?:\d{{5}}|\d{{3}}{_GAP}\d{{2}})"
    rf"|1{_GAP}[3-9](?:{_GAP}\d){{9}}"
    r")(?!-?\d)",
    LANDLINE: rf"{_NO_DIGIT_BEFORE}\(?0(?:10|2\d|[3-9]\d{{2}})(?:\) ?|[- ])[2-9]\d{{6,7}}"
    r"(?:(?:-| ?转 ?)\d{1,6})?(?!\d)",
    "abroad": r"(?<!\d)\+\d{1,3}(?:[- ]?\d{2,4}){2,5}(?!\d)",
    "grouped": rf"{_NO_DIGIT_BEFORE}(?:\d{{4}}(?: \d{{4}}){{2,}}+"
    r"|09\d\d(?: \d{3}){2}|\d{3,5}(?:-\d{3,8})++)(?!\d)",
    "run": rf"{_NO_DIGIT_BEFORE}\d{{7,}}+[Xx]?",
    "spelled": r"[〇零○一二三四五六七八九幺]{10,18}",
}
_GROUPS = {f"k{place}": kind for place, kind in enumerate(_PATTERNS)}
_NUMBERS = re.compile(
    f"(?P<harmless>{_HARMLESS})|"
    + "|".join(f"(?P<{group}>{_PATTERNS[kind]})" for group, kind in _GROUPS.items())
)
LONG_NUMBER, NAMED_NUMBER = 7, 10  # digits: of what is masked, of what is surely an id
_PASSES = (
    4  # what stood beside a find may only now be one: 1 2 3 beside a masked number
)
_YEAR = re.compile("(?:19|20)[0-9]{2}")


def _find_numbers(spelling: str) -> Iterator[PersonalData]:
    for match in _NUMBERS.finditer(spelling):
        group = _group_of(match)
        if group == "harmless":
            continue
        if kind := _kind_of_number(_GROUPS[group], match[0]):
            yield PersonalData(kind, match.start(), match.end())


def _group_of(match: re.Match[str]) -> str:
    given = match.groupdict()
    return next(name for name, part in given.items() if part and name != "dash")


def _kind_of_number(pattern: str, written: str) -> str:
    """Return the kind of what `pattern` has found; "" is nobody's."""
    digits = re.sub(r"[^\dXx]", "", written).upper()
    if pattern in {MOBILE, LANDLINE, EMAIL}:
        return pattern
    if pattern == IDENTITY and is_identity(digits):
        return IDENTITY
    if pattern in {CARD, "run", "grouped"} and is_card(digits):
        return CARD
    if pattern == "abroad":
        return MOBILE if len(digits) > LONG_NUMBER else ""
    return _kind_of_long_number(pattern, written, len(digits))


def _kind_of_long_number(pattern: str, written: str, length: int) -> str:
    years = all(map(_YEAR.fullmatch, re.split("[- ]", written)))
    if years or (pattern == "grouped" and length < NAMED_NUMBER):
        return ""
    return ORDER if length >= NAMED_NUMBER or pattern == "spelled" else NUMBER


_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643
_SUMS = "10X98765432"
_IDENTITY_LENGTH = 18
_CARD_LENGTHS = range(15, 20)


def is_identity(number: str) -> bool:
    """Tell whether `number` is an identity number, by date and check digit."""
    if len(number) != _IDENTITY_LENGTH or not number[:17].isdecimal():
        return False
    month, day = int(number[10:12]), int(number[12:14])
    total = sum(int(n) * w for n, w in zip(number[:17], _WEIGHTS, strict=True))
    dated = 1 <= month <= 12 and 1 <= day <= 31  # noqa: PLR2004
    return dated and _SUMS[total % 11] == number[17]


def is_card(number: str) -> bool:
    """Tell whether digits are the number of a bank card, by beginning and Luhn."""
    if len(number) not in _CARD_LENGTHS or len(set(number)) == 1:
        return False
    if not number.isdecimal():
        return False
    known = re.match("62|4|5[1-5]|3[47]|35|60", number)
    return bool(known) and _luhn(number)


def _luhn(number: str) -> bool:
    doubled = [int(n) * (1 + place % 2) for place, n in enumerate(reversed(number))]
    return sum(n - 9 * (n > 9) for n in doubled) % 10 == 0  # noqa: PLR2004


# What is said to be somebody's --------------------------------------------------------

_SEPARATOR = r"(?:号码|号|码|ID|id|帐号|账号)?\s{0,2}(?:是|为|:|=)?\s{0,2}"
_SOFTWARE = (
    r"(?!(?i:iphone|ipad|android|windows|harmony|macos|linux|app|pay|api|jsapi|sdk|web"
    r"|h5|pc|native|html|http|v\d|version|wechat|weixin|qq|cloud|server|open))"
)
_WORD = r"[A-Za-z0-9][A-Za-z0-9_-]{4,39}+"
_LABELLED = {
    WECHAT: rf"(?:微信|薇信|威信|V信|v信|(?<![A-Za-z])(?:WX|wx|VX|vx|Vx))"
    rf"(?P<sign>{_SEPARATOR}){_SOFTWARE}(?P<wechat>[A-Za-z][A-Za-z0-9_-]{{5,19}}+)",
    QQ: rf"(?:(?<![A-Za-z])(?:QQ|qq|Qq)|扣扣|企鹅号){_SEPARATOR}(?P<qq>[1-9]\d{{4,10}}+)(?!\.)",
    DOCUMENT: rf"(?:身份证|护照|通行证|军官证|居住证|驾驶证|驾照|社保卡?|医保卡?|学生证|学籍|工作证)"
    rf"{_SEPARATOR}(?P<document>{_WORD})",
    ORDER: rf"(?:订单|运单|快递单?|物流单?|面单|工单|单号|流水|交易|会员卡?|取件|提货|卡号)"
    rf"{_SEPARATOR}(?P<order>{_WORD})",
    PLATE: r"(?P<plate>[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
    r"[A-HJ-NP-Z][·• -]?[A-HJ-NP-Z0-9]{5,6}+)(?![A-Za-z0-9])",
}
_LABELLED_PATTERNS = {kind: re.compile(told) for kind, told in _LABELLED.items()}
_FEWEST_DIGITS = 3  # of an id that is told by the word before it
_HAN = re.compile("[㐀-鿿]")
_CAR = re.compile("车牌|车号|牌照|车辆|开车|车子")


def _find_labelled(spelling: str) -> Iterator[PersonalData]:
    for kind, pattern in _LABELLED_PATTERNS.items():
        for match in pattern.finditer(spelling):
            start, end = match.span(str(match.lastgroup))
            if _is_labelled(kind, spelling, match, start, end):
                named = IDENTITY if match[0].startswith(IDENTITY[:3]) else kind
                yield PersonalData(named, start, end)


def _is_labelled(
    kind: str, spelling: str, match: re.Match[str], start: int, end: int
) -> bool:
    said = spelling[start:end]
    digits = sum(letter.isdecimal() for letter in said)
    if kind == WECHAT:
        mine = spelling[max(0, match.start() - 3) : match.start()].endswith(
            ("加我", "我的", "我", "加")
        )
        return bool(match["sign"].strip()) or mine or digits > 0 or "_" in said
    if kind == PLATE:
        before = spelling[max(0, start - 8) : start]
        loose = not before or not _HAN.match(before[-1])
        return digits > 1 and (loose or bool(_CAR.search(before)))
    return kind == QQ or digits >= _FEWEST_DIGITS


# Between ------------------------------------------------------------------------------

_MAY_HOLD = re.compile(r"\d{2}|\d[ .\-–—_·]\d|[@＠A-Za-z\uff21-\uff5a㐀-鿿]")


@cache
def _plain_letters() -> dict[int, str]:
    """Return the table of full-width letters and marks, one for one."""
    wide = map(chr, (*range(0xFF01, 0xFF5F), 0x3000))
    return {ord(letter): unicodedata.normalize("NFKC", letter) for letter in wide}


def _without_overlaps(
    finds: Collection[PersonalData] | Iterator[PersonalData],
) -> list[PersonalData]:
    """Return finds in order; of two that overlap, the kind that is named first."""
    rank = {kind: place for place, kind in enumerate(KINDS)}
    kept: list[PersonalData] = []
    for find in sorted(finds, key=lambda find: (find.start, -find.end)):
        if not kept or find.start >= kept[-1].end:
            kept.append(find)
            continue
        first, second = sorted((kept[-1], find), key=lambda one: rank[one.kind])
        end = max(first.end, second.end)
        kept[-1] = PersonalData(first.kind, min(first.start, second.start), end)
    return kept
