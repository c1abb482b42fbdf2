"""Decoding files: the encoding is certain, or the file is refused with the reason."""

from __future__ import annotations

import codecs
from collections import Counter
from functools import cache

from django.core.exceptions import ValidationError

# The encodings that a user may name.
CODECS_BY_NAME = {
    "utf-8": "utf-8-sig",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "big5": "cp950",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "utf-32": "utf-32",
}
_ENCODING_ADVICE = "请在 Excel 里另存为「CSV UTF-8」，或指明编码。"
# The most frequent characters of Chinese, simplified and traditional. Text in the right
# encoding has many of them, text in a wrong one few.
_COMMON_CHARACTERS = frozenset(
    "的一是不了人我在有他这这這中大来來上国國个個到说說们們为為子和你地出道也时時年得就那要"
    "下以生会會自着著去之过過家学學对對可她里裡后後小么麼心多天而能好都然没沒日于於起还還发發"
    "成事只作当當想看文无無开開手用主行方又如前所本见見经經头頭面公同三已老从從动動两兩长長"
    "问問题題答案怎什退货貨款订訂单單请請点點击擊号號码碼账帳户戶密登录錄客服服务務费費支付"
)


def decode_file(data: bytes, encoding: str = "") -> tuple[str, str]:
    """Return the text of `data` and the name of its encoding.

    Raises ValidationError when the encoding is not certain.
    """
    if encoding:
        return _decode_named(data, encoding), encoding
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise ValidationError(f"文件是 UTF-32 编码，不能直接导入。{_ENCODING_ADVICE}")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decode_strictly(data, "utf-16"), "UTF-16"
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _decode_gb18030(data), "GB18030"
    if data.count(0) * 4 > len(data):
        raise _make_unknown_encoding_error()
    if _is_utf7(data):
        raise ValidationError(f"文件像是 UTF-7 编码，不能直接导入。{_ENCODING_ADVICE}")
    return text, "UTF-8"


def _decode_named(data: bytes, encoding: str) -> str:
    name = CODECS_BY_NAME.get(encoding.strip().lower().replace("_", "-"))
    if name is None:
        known = "、".join(CODECS_BY_NAME)
        raise ValidationError(f"不支持编码「{encoding[:20]}」，可用：{known}。")
    return _decode_strictly(data, name)


def _decode_strictly(data: bytes, name: str) -> str:
    try:
        return data.decode(name).removeprefix("\ufeff")
    except (UnicodeDecodeError, UnicodeError):
        shown = name.removesuffix("-sig").upper()
        raise ValidationError(f"文件不是完整的 {shown} 编码，没有导入。") from None


def _decode_gb18030(data: bytes) -> str:
    if line := _find_utf8_line(data):
        raise ValidationError(
            f"无法识别编码：第 {line} 行是 UTF-8，其他行不是。{_ENCODING_ADVICE}"
        )
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        raise _make_unknown_encoding_error() from None
    if b"\0" in data or not _is_chinese(text):
        raise _make_unknown_encoding_error()
    if _is_big5(data, text):
        raise ValidationError(f"文件像是 Big5 编码，不能直接导入。{_ENCODING_ADVICE}")
    return text


def _make_unknown_encoding_error() -> ValidationError:
    return ValidationError(
        f"无法识别编码：不是 UTF-8、UTF-16（带 BOM）或 GB18030。{_ENCODING_ADVICE}"
    )


def _find_utf8_line(data: bytes) -> int:
    """Return the number of the first line that is UTF-8 in a file that is not, or 0."""
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.isascii():
            continue
        try:
            text = line.decode("utf-8-sig")
        except UnicodeDecodeError:
            continue
        if _count_common_characters(text) > _count_common_characters(
            line.decode("gb18030", "replace")
        ):
            return number
    return 0


def _is_big5(data: bytes, text: str) -> bool:
    """Return whether `data` has more common characters as Big5 than as GB18030 `text`."""
    try:
        rival = data.decode("cp950")
    except UnicodeDecodeError:
        return False
    return _count_common_characters(rival) > _count_common_characters(text)


def _is_utf7(data: bytes) -> bool:
    """Return whether the header is Chinese when its +letters- are decoded as UTF-7."""
    header = data.split(b"\n", 1)[0]
    if b"+" not in header or not header.isascii():
        return False
    try:
        text = header.decode("utf-7")
    except UnicodeDecodeError:
        return False
    return sum(c in _load_everyday_characters() for c in text) > 1


def _is_chinese(text: str) -> bool:
    """Return whether a third of the letters are on the first level of GB 2312.

    Western and Japanese files decode as GB18030 too, but into rare characters.
    """
    letters = Counter(text)
    foreign = {c: n for c, n in letters.items() if not c.isascii() and c.isalpha()}
    everyday = sum(n for c, n in foreign.items() if c in _load_everyday_characters())
    return everyday * 3 >= sum(foreign.values())


@cache
def _load_everyday_characters() -> frozenset[str]:
    """Return the 3,755 characters of the first level of GB 2312."""
    pairs = (bytes((a, b)) for a in range(0xB0, 0xD8) for b in range(0xA1, 0xFF))
    return frozenset(pair.decode("gb2312", "ignore") for pair in pairs) - {""}


def _count_common_characters(text: str) -> int:
    return sum(n for c, n in Counter(text).items() if c in _COMMON_CHARACTERS)
