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

from kb.text.chinese.normalize import simplify_characters
from kb.text.privacy import person_names, postal_addresses

PERSONAL_DATA_MASK = "***"  # holds no letter, so that no search can match it
KIND_IDENTITY_CARD, KIND_BANK_CARD, KIND_MOBILE, KIND_LANDLINE = (
    "身份证号",
    "银行卡号",
    "手机号",
    "固定电话",
)
KIND_EMAIL, KIND_PLATE, KIND_DOCUMENT, KIND_ORDER_NUMBER = (
    "邮箱",
    "车牌号",
    "证件号",
    "单号",
)
KIND_WECHAT, KIND_QQ, KIND_PERSON_NAME, KIND_ADDRESS, KIND_LONG_NUMBER = (
    "微信号",
    "QQ 号",
    "姓名",
    "地址",
    "长数字",
)
PERSONAL_DATA_KINDS = (
    KIND_IDENTITY_CARD,
    KIND_BANK_CARD,
    KIND_MOBILE,
    KIND_LANDLINE,
    KIND_EMAIL,
    KIND_PLATE,
    KIND_DOCUMENT,
    KIND_WECHAT,
    KIND_QQ,
    KIND_ORDER_NUMBER,
    KIND_PERSON_NAME,
    KIND_ADDRESS,
    KIND_LONG_NUMBER,
)
# A long number may be an error code as well: it is masked, but nothing is refused for it.
CERTAIN_PERSONAL_DATA_KINDS = tuple(
    kind for kind in PERSONAL_DATA_KINDS if kind != KIND_LONG_NUMBER
)


# The names of kinds in the setting MASK_IN_QUESTIONS.
PERSONAL_DATA_KINDS_BY_SETTING = {
    "identity_card": (KIND_IDENTITY_CARD,),
    "bank_card": (KIND_BANK_CARD,),
    "phone": (KIND_MOBILE, KIND_LANDLINE),
    "email": (KIND_EMAIL,),
    "document": (KIND_DOCUMENT,),
    "plate": (KIND_PLATE,),
    "chat_id": (KIND_WECHAT, KIND_QQ),
    "order_number": (KIND_ORDER_NUMBER, KIND_LONG_NUMBER),
    "name": (KIND_PERSON_NAME,),
    "address": (KIND_ADDRESS,),
}


class PersonalData(NamedTuple):
    """One find: its kind, and the characters text[start:end]."""

    kind: str
    start: int
    end: int


def find_personal_data(
    text: str, kinds: Collection[str] = PERSONAL_DATA_KINDS
) -> list[PersonalData]:
    """Return what in `text` identifies a person, in order, without overlaps.

    Full-width letters and 繁體 count as their plain forms.
    """
    if not _CANDIDATE_PATTERN.search(text):
        return []
    spelling = fold_width_and_script(text)
    finds = [*_find_personal_numbers(spelling), *_find_labeled_data(spelling)]
    if KIND_PERSON_NAME in kinds:
        finds += [
            PersonalData(KIND_PERSON_NAME, *span)
            for span in person_names.find_person_names(spelling)
        ]
    if KIND_ADDRESS in kinds:
        spans = postal_addresses.find_postal_addresses(spelling)
        finds += [PersonalData(KIND_ADDRESS, *span) for span in spans]
    return _merge_overlaps(find for find in finds if find.kind in kinds)


def fold_width_and_script(text: str) -> str:
    """Return `text` with half-width letters, in 简体; its length stays the same."""
    return simplify_characters(text.translate(_load_full_width_table()))


def mask_personal_data(text: str, kinds: Collection[str] = PERSONAL_DATA_KINDS) -> str:
    """Return `text` with PERSONAL_DATA_MASK in place of data of these `kinds`.

    A text that is masked already stays as it is.
    """
    for _ in range(_MAX_MASK_PASSES):
        finds = find_personal_data(text, kinds)
        if not finds:
            break
        text = _replace_with_mask(text, finds)
    return text


def remove_personal_clauses(text: str) -> str:
    """Return `text` as others might ask it, without clauses that identify a person.

    Of 我叫张三，电话138…，退款没到账 the last clause stays. Where no other clause is
    left, all of the text is returned, masked.
    """
    masked = mask_personal_data(text)
    if PERSONAL_DATA_MASK not in masked:
        return text
    parts = _CLAUSE_PATTERN.split(masked)  # clauses and marks, in turns
    clauses = [
        _MASKED_NUMBER_PATTERN.sub("", clause) + mark
        for clause, mark in zip(parts[::2], [*parts[1::2], ""], strict=True)
        if PERSONAL_DATA_MASK not in clause or _INTRODUCTION_PATTERN.sub("", clause)
    ]
    rest = (
        "".join(clauses)
        .strip(_CLAUSE_MARKS)
        .removeprefix(PERSONAL_DATA_MASK)
        .strip(_CLAUSE_MARKS)
    )
    return rest if len(rest) >= _MIN_PHRASING_CHARS else masked


_CLAUSE_MARKS = " ,，、;；。:："
_CLAUSE_PATTERN = re.compile(r"([,，、;；。\s]+)")
_MASKED_NUMBER_PATTERN = re.compile(
    r"(?:订单号?|单号|运单号?|快递单?号?|手机号?码?|电话号?码?|卡号|编号)[是为]?\*{3}的?(?=.{4})"
)
_INTRODUCTION_PATTERN = re.compile(
    r"\*{3}|姓名|名字|收货人?|收件人?|联系人?|电话号?码?|手机号?码?|号码|订单号?|单号|运单号?|快递|物流"
    r"|身份证号?码?|地址|微信号?|QQ号?|邮箱|卡号|银行卡|账号|车牌号?|户名|我叫|我姓|我是|我的|本人|您好|你好"
    r"|女士|先生|小姐|亲|[我叫是为在住的号:：=]"
)
_MIN_PHRASING_CHARS = 2


def _replace_with_mask(text: str, finds: Collection[PersonalData]) -> str:
    """Put one mask for each run of finds that touch."""
    parts: list[str] = []
    end = 0
    for find in finds:
        if find.start > end or not parts:
            parts += [text[end : find.start], PERSONAL_DATA_MASK]
        end = find.end
    return "".join([*parts, text[end:]])


mask = mask_personal_data  # the name that older code calls it by


# Numbers and mail addresses --------------------------------------------------------

_DIGIT_GAP_REGEX = r"[ .()\-–—_·]"
_NO_DIGIT_BEFORE_REGEX = r"(?<!\d)(?<!\d\.)"
_IP_OCTET_REGEX = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_HARMLESS_NUMBER_REGEX = "|".join(
    (
        r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}",
        r"(?<![0-9A-Za-z])0[xX][0-9A-Fa-f]++",
        rf"(?<![\d.]){_IP_OCTET_REGEX}(?:\.{_IP_OCTET_REGEX}){{3}}(?![\d.])",  # an IP address
        r"(?<!\d)(?:19|20)\d\d(?P<dash>[-./])(?:0?[1-9]|1[0-2])(?P=dash)"
        r"(?:0?[1-9]|[12]\d|3[01])(?!\d)",  # a date
        r"(?<!\d)[48]00(?:-?\d{7}|[- ]\d{3}[- ]\d{4}|[- ]\d{4}[- ]\d{3})(?!\d)",
        r"(?<![\d.])\d{1,6}\.\d++(?![\d.])",
        r"(?<!\d)\d{5,}+(?= ?(?:元|块|万|亿|%|字节|[KMGTkmgt][Bb]|毫秒|秒|积分))",
    )
)
_NUMBER_REGEXES = {
    KIND_EMAIL: r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}",
    KIND_IDENTITY_CARD: rf"{_NO_DIGIT_BEFORE_REGEX}[1-9]\d{{5}}[ -]?(?:19|20)\d{{6}}[ -]?\d{{3}}[\dXx]"
    r"(?![- ]?\d)(?![A-Za-z])",
    KIND_BANK_CARD: rf"{_NO_DIGIT_BEFORE_REGEX}[3-6]\d{{3}}(?:[- ]?\d{{4}}){{2,3}}(?:[- ]?\d{{1,4}}){{0,2}}"
    r"(?![- ]?\d)",
    KIND_MOBILE: rf"(?<![\d.])(?:\(?\+?86\)?[- ]?|0086[- ]?)?\(?(?:"
    rf"1[3-9]\d{_DIGIT_GAP_REGEX}{{0,2}}\d{{4}}{_DIGIT_GAP_REGEX}{{0,2}}\d{{4}}"
    rf"|1[3-9]\d{{2}}{_DIGIT_GAP_REGEX}\d{{4}}{_DIGIT_GAP_REGEX}\d{{3}}"
    rf"|1[3-9]\d{_DIGIT_GAP_REGEX}\d{{3}}{_DIGIT_GAP_REGEX}(?:\d{{5}}|\d{{3}}{_DIGIT_GAP_REGEX}\d{{2}})"
    rf"|1{_DIGIT_GAP_REGEX}[3-9](?:{_DIGIT_GAP_REGEX}\d){{9}}"
    r")(?!-?\d)",
    KIND_LANDLINE: rf"{_NO_DIGIT_BEFORE_REGEX}\(?0(?:10|2\d|[3-9]\d{{2}})(?:\) ?|[- ])[2-9]\d{{6,7}}"
    r"(?:(?:-| ?转 ?)\d{1,6})?(?!\d)",
    "abroad": r"(?<!\d)\+\d{1,3}(?:[- ]?\d{2,4}){2,5}(?!\d)",
    "grouped": rf"{_NO_DIGIT_BEFORE_REGEX}(?:\d{{4}}(?: \d{{4}}){{2,}}+"
    r"|09\d\d(?: \d{3}){2}|\d{3,5}(?:-\d{3,8})++)(?!\d)",
    "run": rf"{_NO_DIGIT_BEFORE_REGEX}\d{{7,}}+[Xx]?",
    "spelled": r"[〇零○一二三四五六七八九幺]{10,18}",
}
_KIND_BY_GROUP = {f"k{place}": kind for place, kind in enumerate(_NUMBER_REGEXES)}
_NUMBERS_PATTERN = re.compile(
    f"(?P<harmless>{_HARMLESS_NUMBER_REGEX})|"
    + "|".join(
        f"(?P<{group}>{_NUMBER_REGEXES[kind]})"
        for group, kind in _KIND_BY_GROUP.items()
    )
)
MIN_LONG_NUMBER_DIGITS = 7  # a number this long is masked
MIN_ORDER_NUMBER_DIGITS = 10  # a number this long is certainly an id
# Digits beside a find may be one only now: 1 2 3 beside a masked number.
_MAX_MASK_PASSES = 4
_YEAR_PATTERN = re.compile("(?:19|20)[0-9]{2}")


def _find_personal_numbers(spelling: str) -> Iterator[PersonalData]:
    for match in _NUMBERS_PATTERN.finditer(spelling):
        group = _get_matched_group(match)
        if group == "harmless":
            continue
        if kind := _classify_number(_KIND_BY_GROUP[group], match[0]):
            yield PersonalData(kind, match.start(), match.end())


def _get_matched_group(match: re.Match[str]) -> str:
    groups = match.groupdict()
    return next(name for name, part in groups.items() if part and name != "dash")


def _classify_number(pattern: str, written: str) -> str:
    """Return the kind of a number that `pattern` matched, "" if it is not personal."""
    digits = re.sub(r"[^\dXx]", "", written).upper()
    if pattern in {KIND_MOBILE, KIND_LANDLINE, KIND_EMAIL}:
        return pattern
    if pattern == KIND_IDENTITY_CARD and is_identity_card_number(digits):
        return KIND_IDENTITY_CARD
    if pattern in {KIND_BANK_CARD, "run", "grouped"} and is_bank_card_number(digits):
        return KIND_BANK_CARD
    if pattern == "abroad":
        return KIND_MOBILE if len(digits) > MIN_LONG_NUMBER_DIGITS else ""
    return _classify_long_number(pattern, written, len(digits))


def _classify_long_number(pattern: str, written: str, length: int) -> str:
    years = all(map(_YEAR_PATTERN.fullmatch, re.split("[- ]", written)))
    if years or (pattern == "grouped" and length < MIN_ORDER_NUMBER_DIGITS):
        return ""
    return (
        KIND_ORDER_NUMBER
        if length >= MIN_ORDER_NUMBER_DIGITS or pattern == "spelled"
        else KIND_LONG_NUMBER
    )


# Weights of the check digit: GB 11643-1999.
_IDENTITY_DIGIT_WEIGHTS = tuple(map(int, "7 9 10 5 8 4 2 1 6 3 7 9 10 5 8 4 2".split()))
_IDENTITY_CHECK_DIGITS = "10X98765432"
_IDENTITY_CARD_DIGITS = 18
_BANK_CARD_DIGITS = range(15, 20)


def is_identity_card_number(number: str) -> bool:
    """Return whether `number` is an identity number, by date and check digit."""
    if len(number) != _IDENTITY_CARD_DIGITS or not number[:17].isdecimal():
        return False
    month, day = int(number[10:12]), int(number[12:14])
    total = sum(
        int(n) * w for n, w in zip(number[:17], _IDENTITY_DIGIT_WEIGHTS, strict=True)
    )
    has_date = 1 <= month <= 12 and 1 <= day <= 31  # noqa: PLR2004
    return has_date and _IDENTITY_CHECK_DIGITS[total % 11] == number[17]


def is_bank_card_number(number: str) -> bool:
    """Return whether digits are the number of a bank card, by beginning and Luhn."""
    if len(number) not in _BANK_CARD_DIGITS or len(set(number)) == 1:
        return False
    if not number.isdecimal():
        return False
    prefix = re.match("62|4|5[1-5]|3[47]|35|60", number)
    return bool(prefix) and _is_luhn_valid(number)


def _is_luhn_valid(number: str) -> bool:
    doubled = [int(n) * (1 + place % 2) for place, n in enumerate(reversed(number))]
    return sum(n - 9 * (n > 9) for n in doubled) % 10 == 0  # noqa: PLR2004


# Data named by the word before it -------------------------------------------------------

_LABEL_SEPARATOR_REGEX = r"(?:号码|号|码|ID|id|帐号|账号)?\s{0,2}(?:是|为|:|=)?\s{0,2}"
_NOT_SOFTWARE_REGEX = (
    r"(?!(?i:iphone|ipad|android|windows|harmony|macos|linux|app|pay|api|jsapi|sdk|web"
    r"|h5|pc|native|html|http|v\d|version|wechat|weixin|qq|cloud|server|open))"
)
_ID_WORD_REGEX = r"[A-Za-z0-9][A-Za-z0-9_-]{4,39}+"
_LABELED_REGEXES = {
    KIND_WECHAT: rf"(?:微信|薇信|威信|V信|v信|(?<![A-Za-z])(?:WX|wx|VX|vx|Vx))"
    rf"(?P<sign>{_LABEL_SEPARATOR_REGEX}){_NOT_SOFTWARE_REGEX}(?P<wechat>[A-Za-z][A-Za-z0-9_-]{{5,19}}+)",
    KIND_QQ: rf"(?:(?<![A-Za-z])(?:QQ|qq|Qq)|扣扣|企鹅号){_LABEL_SEPARATOR_REGEX}(?P<qq>[1-9]\d{{4,10}}+)(?!\.)",
    KIND_DOCUMENT: rf"(?:身份证|护照|通行证|军官证|居住证|驾驶证|驾照|社保卡?|医保卡?|学生证|学籍|工作证)"
    rf"{_LABEL_SEPARATOR_REGEX}(?P<document>{_ID_WORD_REGEX})",
    KIND_ORDER_NUMBER: rf"(?:订单|运单|快递单?|物流单?|面单|工单|单号|流水|交易|会员卡?|取件|提货|卡号)"
    rf"{_LABEL_SEPARATOR_REGEX}(?P<order>{_ID_WORD_REGEX})",
    KIND_PLATE: r"(?P<plate>[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
    r"[A-HJ-NP-Z][·• -]?[A-HJ-NP-Z0-9]{5,6}+)(?![A-Za-z0-9])",
}
_LABELED_PATTERNS = {kind: re.compile(r) for kind, r in _LABELED_REGEXES.items()}
_MIN_LABELED_DIGITS = 3  # digits of an id that the word before it names
_HAN_PATTERN = re.compile("[㐀-鿿]")
_CAR_WORD_PATTERN = re.compile("车牌|车号|牌照|车辆|开车|车子")


def _find_labeled_data(spelling: str) -> Iterator[PersonalData]:
    for kind, pattern in _LABELED_PATTERNS.items():
        for match in pattern.finditer(spelling):
            start, end = match.span(str(match.lastgroup))
            if _is_labeled_data(kind, spelling, match, start, end):
                named = (
                    KIND_IDENTITY_CARD
                    if match[0].startswith(KIND_IDENTITY_CARD[:3])
                    else kind
                )
                yield PersonalData(named, start, end)


def _is_labeled_data(
    kind: str, spelling: str, match: re.Match[str], start: int, end: int
) -> bool:
    said = spelling[start:end]
    digits = sum(letter.isdecimal() for letter in said)
    if kind == KIND_WECHAT:
        mine = spelling[max(0, match.start() - 3) : match.start()].endswith(
            ("加我", "我的", "我", "加")
        )
        return bool(match["sign"].strip()) or mine or digits > 0 or "_" in said
    if kind == KIND_PLATE:
        before = spelling[max(0, start - 8) : start]
        loose = not before or not _HAN_PATTERN.match(before[-1])
        return digits > 1 and (loose or bool(_CAR_WORD_PATTERN.search(before)))
    return kind == KIND_QQ or digits >= _MIN_LABELED_DIGITS


# Helpers ------------------------------------------------------------------------------

_CANDIDATE_PATTERN = re.compile(r"\d{2}|\d[ .\-–—_·]\d|[@＠A-Za-z\uff21-\uff5a㐀-鿿]")


@cache
def _load_full_width_table() -> dict[int, str]:
    """Return the table of full-width letters and marks, one for one."""
    wide = map(chr, (*range(0xFF01, 0xFF5F), 0x3000))
    return {ord(letter): unicodedata.normalize("NFKC", letter) for letter in wide}


def _merge_overlaps(
    finds: Collection[PersonalData] | Iterator[PersonalData],
) -> list[PersonalData]:
    """Return finds in order; overlapping ones as one, of the kind listed first."""
    rank = {kind: place for place, kind in enumerate(PERSONAL_DATA_KINDS)}
    merged: list[PersonalData] = []
    for find in sorted(finds, key=lambda find: (find.start, -find.end)):
        if not merged or find.start >= merged[-1].end:
            merged.append(find)
            continue
        first, second = sorted((merged[-1], find), key=lambda data: rank[data.kind])
        end = max(first.end, second.end)
        merged[-1] = PersonalData(first.kind, min(first.start, second.start), end)
    return merged
