"""The {{blanks}} of a reply: find them, fill them in one pass, list missing ones.

    {{订单号}}              required: missing while it is empty
    {{客户称呼=亲}}         the default after = is sent unless a value is given
    {{快递公司|顺丰|中通}}  one of these; {{快递公司=顺丰|顺丰|中通}} has a default
    {{备注?}}               optional: nothing is sent in its place if it is empty
    {{回电时间:日期}}       a date; a name that ends in 日期 is one by itself

static/console/blanks.js keeps the same rules; tests/blank_cases.json proves it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

MAX_BLANK_NAME_CHARS = 30  # characters
MAX_BLANK_CHOICES = 20
BLANKS_HELP_TEXT = (
    "纯文本。要客服填的地方写成 {{订单号}}；给默认值 {{客户称呼=亲}}；"
    "几选一 {{快递公司|顺丰|中通}}；可以不填 {{备注?}}；填日期 {{回电时间:日期}}。"
)
BLANK_KIND_BY_WORD = {"date": "date", "日期": "date", "text": "text", "文字": "text"}
_SYNTAX_MARKS = "{}|｜=＝:：?？"
_NAME_REGEX = rf"[^{_SYNTAX_MARKS}>\s](?:[^{_SYNTAX_MARKS}\n\r]*[^{_SYNTAX_MARKS}\s])?"
_VALUE_REGEX = r"[^{}|｜\n\r]*"
# Full-width marks count, too: editors type them with an input method.
BLANK_PATTERN = re.compile(
    rf"\{{\{{[ \t]*(?P<name>{_NAME_REGEX})[ \t]*(?P<optional>[?？])?"
    rf"(?:[ \t]*[:：](?P<kind>[^{_SYNTAX_MARKS}\n\r]*))?"
    rf"(?:[=＝](?P<default>{_VALUE_REGEX}))?(?P<choices>(?:[|｜]{_VALUE_REGEX})*)\}}\}}"
)
ISO_DATE_PATTERN = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")


@dataclass(frozen=True, slots=True)
class Blank:
    """Something that an agent fills in; `kind` is text, choice or date."""

    name: str
    kind: str = "text"
    default: str = ""
    choices: tuple[str, ...] = ()
    is_optional: bool = False

    def resolve_value(self, value: str) -> str:
        """Return what is sent for `value`, or the default; maybe nothing.

        A value that is none of the choices, or no date, counts as missing: the agent
        may have typed it for another blank of this name.
        """
        value = value.strip()
        if self.kind == "choice":
            return value if value in self.choices else self.default
        if self.kind == "date":
            return _format_chinese_date(value) or _format_chinese_date(self.default)
        return value or self.default

    def render_value(self, value: str) -> str:
        """Return the text in place of the blank; a missing value is marked 〔name〕."""
        return self.resolve_value(value) or (
            "" if self.is_optional else f"〔{self.name}〕"
        )

    @property
    def has_details(self) -> bool:
        return self != Blank(self.name, _resolve_kind(self.name, ""))


@dataclass(frozen=True, slots=True)
class BodyPiece:
    """A stretch of a reply: plain text, or a blank."""

    text: str
    blank: Blank | None = None

    @property
    def name(self) -> str:
        return self.blank.name if self.blank else ""


def split_body(body: str) -> list[BodyPiece]:
    """Cut `body` into plain text and blanks, in order; joined they are `body`.

    Of several blanks with one name all are as the first that says more than that.
    """
    cut = list(_split_at_blanks(body))
    known: dict[str, Blank] = {}
    for blank in (p.blank for p in cut if p.blank):
        if blank.name not in known or not known[blank.name].has_details:
            known[blank.name] = blank
    return [BodyPiece(p.text, known[p.name]) if p.blank else p for p in cut]


def list_blanks(body: str) -> list[Blank]:
    """Return the blanks of `body`, each once, in order."""
    found = (piece.blank for piece in split_body(body))
    return list(dict.fromkeys(blank for blank in found if blank))


def list_blank_names(body: str) -> list[str]:
    """Return the names of the blanks of `body`, each once, in order."""
    return [blank.name for blank in list_blanks(body)]


def render_unfilled(body: str) -> str:
    """Return `body` as it is read before it is filled, its blanks as 〔name〕."""
    return "".join(f"〔{p.name}〕" if p.blank else p.text for p in split_body(body))


def fill_blanks(body: str, values: Mapping[str, str]) -> str:
    """Return `body` with its blanks replaced by `values`.

    One pass: a value that looks like a blank stays what it is.
    """
    return "".join(
        p.blank.render_value(values.get(p.name, "")) if p.blank else p.text
        for p in split_body(body)
    )


def expand_blanks(body: str, texts: Mapping[str, str]) -> str:
    """Return `body` with text that may hold blanks itself in place of some blanks.

    That is the library's or an agent's own text, never a customer's value; once.
    """
    return "".join(texts.get(p.name) or p.text for p in split_body(body))


def list_missing_blanks(body: str, values: Mapping[str, str]) -> list[str]:
    """Return the names of the required blanks without a value."""
    return [
        blank.name
        for blank in list_blanks(body)
        if not blank.is_optional and not blank.resolve_value(values.get(blank.name, ""))
    ]


# What editors get wrong ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BlankFault:
    """What is wrong from `start` to `end` of a body, and how the place is shown."""

    start: int
    end: int
    excerpt: str
    reason: str

    def __str__(self) -> str:
        return f"「{self.excerpt}」{self.reason}"


def describe_blank_faults(body: str) -> list[str]:
    """Return, in Chinese, what is wrong with each invalid blank.

    {{> name}} includes a snippet and is no blank.
    """
    return [str(fault) for fault in find_blank_faults(body)]


def find_blank_faults(body: str) -> list[BlankFault]:
    """Return what is wrong with the blanks of `body`, with the places."""
    slots = list(BLANK_PATTERN.finditer(body))
    faults = [
        BlankFault(*m.span(), m[0], why)
        for m in slots
        if (why := _explain_invalid_blank(m))
    ]
    faults += [
        BlankFault(*m.span(), f"{{{m[0]}}}", "多了花括号。")
        for m in slots
        if _has_stray_brace(body, m)
    ]
    ends = [0, *chain.from_iterable(m.span() for m in slots), len(body)]
    between = zip(ends[::2], ends[1::2], strict=True)
    return faults + [
        fault for a, b in between for fault in _find_stray_braces(body, a, b)
    ]


def _has_stray_brace(body: str, slot: re.Match[str]) -> bool:
    """Return whether there is one brace too many before or after; two are strays."""
    before, after = body[: slot.start()][-2:], body[slot.end() :][:2]
    one_before = before.endswith("{") and before != "{{"
    return one_before or (after.startswith("}") and after != "}}")


def _find_stray_braces(body: str, start: int, end: int) -> Iterator[BlankFault]:
    for match in _STRAY_BRACES_PATTERN.finditer(body, start, end):
        what = match[0]
        short = (
            what
            if len(what) <= MAX_BLANK_NAME_CHARS
            else f"{what[:MAX_BLANK_NAME_CHARS]}…"
        )
        if what.startswith(("{{>", "{{ >")) and what.endswith("}}"):
            continue
        if "｛" in what or "｝" in what:
            why = "请用半角的花括号 {{ }}。"
        elif what.startswith("{{") and what.endswith("}}"):
            why = "写法不对。" if what.strip("{} \t") else "里没有名称。"
        elif what.startswith("{"):
            why = "的花括号没有成对。"
        else:
            why = "前面少了 {{。"
        yield BlankFault(*match.span(), short, why)


_STRAY_BRACES_PATTERN = re.compile(
    r"\{\{[^{}\n]*\}\}|\{\{[^{}\n]{0,40}|\}\}|[｛]{2}[^｛｝\n]{0,40}[｝]{0,2}|[｝]{2}"
)


def _explain_invalid_blank(match: re.Match[str]) -> str:
    """Return why what looks like a blank is none; nothing when it is one."""
    choices, default = _parse_choices(match), (match["default"] or "").strip()
    kind = _resolve_kind(match["name"], match["kind"])
    reasons = {
        f"名称太长，最多 {MAX_BLANK_NAME_CHARS} 个字。": len(match["name"])
        > MAX_BLANK_NAME_CHARS,
        "冒号后面只能写“日期”或“文字”。": not kind,
        "等号后面没有默认值。": match["default"] is not None and not default,
        "有空着或重复的选项。": len(set(filter(None, choices))) < len(choices),
        "至少要有两个选项。": len(choices) == 1,
        f"选项太多，最多 {MAX_BLANK_CHOICES} 个。": len(choices) > MAX_BLANK_CHOICES,
        "默认值不在选项里。": bool(choices and default and default not in choices),
        "日期不能再列选项。": bool(choices and match["kind"] and kind == "date"),
        "日期的默认值要写成 2026-01-31 这样。": bool(
            kind == "date"
            and not choices
            and default
            and not _format_chinese_date(default)
        ),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _split_at_blanks(body: str) -> Iterator[BodyPiece]:
    end = 0
    for match in BLANK_PATTERN.finditer(body):
        if _explain_invalid_blank(match):
            continue
        if match.start() > end:
            yield BodyPiece(body[end : match.start()])
        yield BodyPiece(match[0], _parse_blank(match))
        end = match.end()
    if end < len(body):
        yield BodyPiece(body[end:])


def _parse_blank(match: re.Match[str]) -> Blank:
    choices = _parse_choices(match)
    return Blank(
        name=match["name"],
        kind="choice" if choices else _resolve_kind(match["name"], match["kind"]),
        default=(match["default"] or "").strip(),
        choices=choices,
        is_optional=bool(match["optional"]),
    )


def _parse_choices(match: re.Match[str]) -> tuple[str, ...]:
    return tuple(part.strip() for part in re.split("[|｜]", match["choices"])[1:])


def _resolve_kind(name: str, kind: str | None) -> str:
    """Return the written kind, or that of the name; "" if it is unknown."""
    if kind:
        return BLANK_KIND_BY_WORD.get(kind.strip().lower(), "")
    return "date" if name.endswith("日期") else "text"


def _format_chinese_date(date: str) -> str:
    """Return an ISO date as 2026年1月31日; "" if it is none."""
    found = ISO_DATE_PATTERN.fullmatch(date)
    return f"{found[1]}年{int(found[2])}月{int(found[3])}日" if found else ""
