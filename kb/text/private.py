"""Numbers and addresses in a text that belong to a person: found, and told apart."""

from __future__ import annotations

import re
from collections.abc import Iterator

MOBILE, LANDLINE, IDENTITY = "手机号", "固定电话", "身份证号"
CARD, EMAIL = "银行卡号", "邮箱"
KINDS = (IDENTITY, CARD, MOBILE, LANDLINE, EMAIL)  # what is sought first
_DIGITS = str.maketrans("０１２３４５６７８９Ｘｘ＋－（）＠．　", "0123456789Xx+-()@. ")
_APART = r"(?<![\d.+])(?<!\d[-\s])"
_ENDS = r"(?![-\s]?\d)"
_PATTERNS = {
    IDENTITY: rf"{_APART}[1-9]\d{{5}}\s?(?:19|20)\d{{6}}\s?\d{{3}}[\dXx]{_ENDS}(?![A-Za-z])",
    CARD: rf"{_APART}[3-6]\d{{3}}(?:[-\s]?\d{{4}}){{2,3}}(?:[-\s]?\d{{1,4}}){{0,2}}{_ENDS}",
    MOBILE: rf"(?<![\d.])(?:\+?86[-\s]?)?1[3-9]\d[-\s]?\d{{4}}[-\s]?\d{{4}}{_ENDS}",
    LANDLINE: rf"{_APART}\(?0(?:10|2\d|[3-9]\d{{2}})(?:\)\s?|[-\s])[2-9]\d{{6,7}}{_ENDS}",
    EMAIL: r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{2,63}){1,4}",
}
_ANY = re.compile("|".join(f"(?P<k{n}>{_PATTERNS[k]})" for n, k in enumerate(KINDS)))
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643
_SUMS = "10X98765432"
_CARD_LENGTHS = range(15, 20)


def found(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield (kind, start, end) of what is somebody's, in order.

    Full-width digits count. An identity number must have its check digit
    (GB 11643-1999), a card the one of Luhn (ISO/IEC 7812) and a known beginning.
    """
    if not re.search(r"\d|[@＠]", text):
        return
    for match in _ANY.finditer(text.translate(_DIGITS)):
        kind = KINDS[int((match.lastgroup or "k0")[1:])]
        bare = re.sub(r"[^\dXx]", "", match[0]).upper()
        if kind == IDENTITY and not is_identity(bare):
            continue
        if kind == CARD and not is_card(bare):
            continue
        yield kind, match.start(), match.end()


def is_identity(number: str) -> bool:
    """Tell whether 18 characters are an identity number, by date and check digit."""
    month, day = int(number[10:12]), int(number[12:14])
    total = sum(int(n) * w for n, w in zip(number[:17], _WEIGHTS, strict=True))
    dated = 1 <= month <= 12 and 1 <= day <= 31  # noqa: PLR2004
    return dated and _SUMS[total % 11] == number[17]


def is_card(number: str) -> bool:
    """Tell whether digits are the number of a card that pays."""
    if len(number) not in _CARD_LENGTHS or len(set(number)) == 1:
        return False
    known = re.match("62|4|5[1-5]|3[47]|35|60", number)
    return bool(known) and _luhn(number)


def _luhn(number: str) -> bool:
    doubled = [int(n) * (1 + place % 2) for place, n in enumerate(reversed(number))]
    return sum(n - 9 * (n > 9) for n in doubled) % 10 == 0  # noqa: PLR2004
