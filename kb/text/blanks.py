"""The {{blanks}} of a reply: find them, fill them in one pass, tell what is left.

    {{订单号}}              asked for, and missed when it stays empty
    {{客户称呼=亲}}         what stands behind = is sent unless something is given
    {{快递公司|顺丰|中通}}  one of these; {{快递公司=顺丰|顺丰|中通}} has a default
    {{备注?}}               may stay empty: then nothing is sent in its place
    {{回电时间:日期}}       a date; a name that ends in 日期 is one by itself

static/console/blanks.js keeps the same rules; tests/blank_cases.json proves it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

LONGEST_NAME = 30  # characters
MOST_CHOICES = 20
HELP = (
    "纯文本。要客服填的地方写成 {{订单号}}；给默认值 {{客户称呼=亲}}；"
    "几选一 {{快递公司|顺丰|中通}}；可以不填 {{备注?}}；填日期 {{回电时间:日期}}。"
)
KINDS = {"date": "date", "日期": "date", "text": "text", "文字": "text"}
_MARKS = "{}|｜=＝:：?？"
_NAME = rf"[^{_MARKS}>\s](?:[^{_MARKS}\n\r]*[^{_MARKS}\s])?"
_REST = r"[^{}|｜\n\r]*"
# Full-width marks count, too: editors type them with an input method.
SLOT = re.compile(
    rf"\{{\{{[ \t]*(?P<name>{_NAME})[ \t]*(?P<optional>[?？])?"
    rf"(?:[ \t]*[:：](?P<kind>[^{_MARKS}\n\r]*))?"
    rf"(?:[=＝](?P<default>{_REST}))?(?P<choices>(?:[|｜]{_REST})*)\}}\}}"
)
DATE = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")


@dataclass(frozen=True, slots=True)
class Blank:
    """Something that an agent fills in; `kind` is text, choice or date."""

    name: str
    kind: str = "text"
    default: str = ""
    choices: tuple[str, ...] = ()
    optional: bool = False

    def worth(self, value: str) -> str:
        """Return what is sent for `value`, or the default; maybe nothing.

        A value that is none of the choices, or no date, counts as not given: the
        agent may have given it to another blank of this name.
        """
        given = value.strip()
        if self.kind == "choice":
            return given if given in self.choices else self.default
        if self.kind == "date":
            return _spoken(given) or _spoken(self.default)
        return given or self.default

    def written(self, value: str) -> str:
        """Return what stands in the text: a blank that was missed is marked."""
        return self.worth(value) or ("" if self.optional else f"〔{self.name}〕")

    @property
    def says_more(self) -> bool:
        return self != Blank(self.name, _kind_of(self.name, ""))


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a reply: plain text, or a blank."""

    text: str
    blank: Blank | None = None

    @property
    def name(self) -> str:
        return self.blank.name if self.blank else ""


def pieces(body: str) -> list[Piece]:
    """Cut `body` into plain text and blanks, in order; joined they are `body`.

    Of several blanks with one name all are as the first that says more than that.
    """
    cut = list(_cut(body))
    known: dict[str, Blank] = {}
    for blank in (p.blank for p in cut if p.blank):
        if blank.name not in known or not known[blank.name].says_more:
            known[blank.name] = blank
    return [Piece(p.text, known[p.name]) if p.blank else p for p in cut]


def fields(body: str) -> list[Blank]:
    """Return the blanks of `body`, each once, in order."""
    found = (piece.blank for piece in pieces(body))
    return list(dict.fromkeys(blank for blank in found if blank))


def names(body: str) -> list[str]:
    """Return the names of the blanks of `body`, each once, in order."""
    return [blank.name for blank in fields(body)]


def shown(body: str) -> str:
    """Return `body` as it is read before it is filled, its blanks as 〔name〕."""
    return "".join(f"〔{p.name}〕" if p.blank else p.text for p in pieces(body))


def fill(body: str, values: Mapping[str, str]) -> str:
    """Return `body` with its blanks replaced by `values`.

    One pass: a value that looks like a blank stays what it is.
    """
    return "".join(
        p.blank.written(values.get(p.name, "")) if p.blank else p.text
        for p in pieces(body)
    )


def expand(body: str, texts: Mapping[str, str]) -> str:
    """Return `body` with text that may hold blanks itself in place of some blanks.

    That is the library's or an agent's own text, never a customer's value; once.
    """
    return "".join(texts.get(p.name) or p.text for p in pieces(body))


def missed(body: str, values: Mapping[str, str]) -> list[str]:
    """Return the names of what must be given and is not."""
    return [
        blank.name
        for blank in fields(body)
        if not blank.optional and not blank.worth(values.get(blank.name, ""))
    ]


# What editors get wrong ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong from `start` to `end` of a body, and how the place is shown."""

    start: int
    end: int
    shown: str
    why: str

    def __str__(self) -> str:
        return f"「{self.shown}」{self.why}"


def faults(body: str) -> list[str]:
    """Return, in Chinese, what is wrong with each blank that is none.

    {{> name}} is somebody else's: a snippet.
    """
    return [str(fault) for fault in flaws(body)]


def flaws(body: str) -> list[Fault]:
    """Return the same with the places."""
    slots = list(SLOT.finditer(body))
    spoilt = [Fault(*m.span(), m[0], why) for m in slots if (why := _wrong(m))]
    spoilt += [
        Fault(*m.span(), f"{{{m[0]}}}", "多了花括号。")
        for m in slots
        if _braced(body, m)
    ]
    ends = [0, *chain.from_iterable(m.span() for m in slots), len(body)]
    between = zip(ends[::2], ends[1::2], strict=True)
    return spoilt + [fault for a, b in between for fault in _strays(body, a, b)]


def _braced(body: str, slot: re.Match[str]) -> bool:
    """Tell whether one brace too many stands before or behind; two are strays."""
    before, after = body[: slot.start()][-2:], body[slot.end() :][:2]
    one_before = before.endswith("{") and before != "{{"
    return one_before or (after.startswith("}") and after != "}}")


def _strays(body: str, start: int, end: int) -> Iterator[Fault]:
    for match in _STRAY.finditer(body, start, end):
        what = match[0]
        short = what if len(what) <= LONGEST_NAME else f"{what[:LONGEST_NAME]}…"
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
        yield Fault(*match.span(), short, why)


_STRAY = re.compile(
    r"\{\{[^{}\n]*\}\}|\{\{[^{}\n]{0,40}|\}\}|[｛]{2}[^｛｝\n]{0,40}[｝]{0,2}|[｝]{2}"
)


def _wrong(match: re.Match[str]) -> str:
    """Return why what looks like a blank is none; nothing when it is one."""
    choices, default = _choices(match), (match["default"] or "").strip()
    kind = _kind_of(match["name"], match["kind"])
    reasons = {
        f"名称太长，最多 {LONGEST_NAME} 个字。": len(match["name"]) > LONGEST_NAME,
        "冒号后面只能写“日期”或“文字”。": not kind,
        "等号后面没有默认值。": match["default"] is not None and not default,
        "有空着或重复的选项。": len(set(filter(None, choices))) < len(choices),
        "至少要有两个选项。": len(choices) == 1,
        f"选项太多，最多 {MOST_CHOICES} 个。": len(choices) > MOST_CHOICES,
        "默认值不在选项里。": bool(choices and default and default not in choices),
        "日期不能再列选项。": bool(choices and match["kind"] and kind == "date"),
        "日期的默认值要写成 2026-01-31 这样。": bool(
            kind == "date" and not choices and default and not _spoken(default)
        ),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _cut(body: str) -> Iterator[Piece]:
    end = 0
    for match in SLOT.finditer(body):
        if _wrong(match):
            continue
        if match.start() > end:
            yield Piece(body[end : match.start()])
        yield Piece(match[0], _blank(match))
        end = match.end()
    if end < len(body):
        yield Piece(body[end:])


def _blank(match: re.Match[str]) -> Blank:
    choices = _choices(match)
    return Blank(
        name=match["name"],
        kind="choice" if choices else _kind_of(match["name"], match["kind"]),
        default=(match["default"] or "").strip(),
        choices=choices,
        optional=bool(match["optional"]),
    )


def _choices(match: re.Match[str]) -> tuple[str, ...]:
    return tuple(part.strip() for part in re.split("[|｜]", match["choices"])[1:])


def _kind_of(name: str, kind: str | None) -> str:
    """Return the kind that is written, or goes without saying; nothing if unknown."""
    if kind:
        return KINDS.get(kind.strip().lower(), "")
    return "date" if name.endswith("日期") else "text"


def _spoken(date: str) -> str:
    """Return a date as it is said to a customer; nothing when it is none."""
    found = DATE.fullmatch(date)
    return f"{found[1]}年{int(found[2])}月{int(found[3])}日" if found else ""
