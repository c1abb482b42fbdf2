"""Postal addresses in a text: 省 市 区 路 号 栋 室 in a row."""

from __future__ import annotations

import re
from collections.abc import Iterator

Span = tuple[int, int]
_LETTERS = "[㐀-鿿A-Za-z0-9-](?<![的了吗呢我你您他她们是])"
_ENDS = (
    "(?:[省州盟旗](?!内|外)|自治区|市(?![场面值民值]|政府|中心)|区(?![别分块域间号])|县(?!级)|镇(?!定)|乡(?!愁)|村(?!委)"
    "|路(?![由径过线程])|[街大]道|街(?![拍舞])|巷|弄|胡同|花园|公寓|大厦|广场|家园|苑"
    "|号楼|号院|号(?![码线召称角位段主召机])|栋|幢|座(?![椅位机谈])|单元(?!格|测)|室(?![内外友])|楼(?![主盘层])|层(?![面次级]))"
)
_PART = re.compile(f"(?P<name>(?:{_LETTERS}){{1,10}}?)(?P<end>{_ENDS})[ ,，]{{0,2}}+")
_CHAIN = re.compile(f"(?>(?:{_LETTERS}){{1,10}}?{_ENDS}[ ,，]{{0,2}}+){{2,12}}+")
_ROOM = re.compile(r"[A-Za-z]?\d{1,5}(?:-\d{1,5}){0,3}(?![\dA-Za-z年月日点个元])")
_DOOR = re.compile("[0-9]|^[A-Za-z一二三四五六七八九十甲乙丙丁东西南北]{1,3}$")
_PROVINCE = re.compile(
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南"
    "|四川|贵州|云南|陕西|甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
_LEAD = re.compile(
    "改成|改为|改到|换成|换到|寄到|寄往|寄去|送到|送往|送去|发到|发往|配送到|地址|住址|住在|位于|家在|人在|我在"
    "|在|到|是|为|至|从|去|往|住|请|把|的|我|你|您|有|于"
)
_TOLD = re.compile(
    "(?:(?:地址|住址)[^，。；！？,;!?]{0,10}|(?:家住|住在|寄到|寄往|送到|发到|寄去)[^，。；！？,;!?]{0,4})$"
)
_GENERIC = re.compile(
    "^(?:[省市区县镇乡村路街]|选择|所在|所属|哪个?|什么|不同|各|全|本|外|同|跨|该|每个?|其他|其它|城|农|行政|上级|辖|"
    "服务|工作|开发|地|多|直辖|自治|小|社|园|校|景|商|高新|经济|保税)+$"
)
_DOORS = frozenset(
    {"号", "号楼", "号院", "栋", "幢", "座", "单元", "室", "楼", "层", "弄"}
)
_HOMES = frozenset({"栋", "幢", "单元", "室"})
_FEWEST_LEVELS = 3


def find_addresses(spelling: str) -> Iterator[Span]:
    """Yield where addresses stand in a plain, simplified text."""
    for chain in _CHAIN.finditer(spelling):
        parts = list(_PART.finditer(spelling, chain.start(), chain.end()))
        start = _begin(parts[0])
        before = spelling[max(0, chain.start() - 16) : start]
        if not _is_address(parts, before):
            continue
        last = parts[-1]
        end = last.end("end")
        if last["end"] in _DOORS or last["end"] in {"区", "园", "苑", "花园", "家园"}:
            room = _ROOM.match(spelling, end)
            end = room.end() if room else end
        yield start, end


def _begin(part: re.Match[str]) -> int:
    """Return where the first part of an address begins, without what leads up to it."""
    name = part["name"]
    if province := list(_PROVINCE.finditer(part[0])):
        return part.start() + province[0].start()
    leads = [lead.end() for lead in _LEAD.finditer(name) if lead.end() < len(name)]
    return part.start("name") + max([*leads, len(name) - 6, 0])


def _is_address(parts: list[re.Match[str]], before: str) -> bool:
    doors = homes = levels = 0
    for part in parts:
        name = part.string[max(_begin(part), part.start()) : part.end("name")]
        if part["end"] in _DOORS and _DOOR.search(name):
            if levels or part["end"] != "号" or doors:
                doors += 1
            homes += part["end"] in _HOMES and name[-1].isdecimal()
        elif part["end"] not in _DOORS and not _GENERIC.match(name):
            levels += 1
    if doors and levels and any(letter.isdecimal() for letter in _said(parts)):
        return True
    if doors > 1 and homes:
        return True
    told = bool(_TOLD.search(before))
    named = bool(_PROVINCE.search(parts[0][0]))
    return levels >= _FEWEST_LEVELS - told and (told or named)


def _said(parts: list[re.Match[str]]) -> str:
    return parts[0].string[parts[0].start() : parts[-1].end()]
