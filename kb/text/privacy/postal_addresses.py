"""Postal addresses in a text: 省 市 区 路 号 栋 室 in a row."""

from __future__ import annotations

import re
from collections.abc import Iterator

AddressSpan = tuple[int, int]
_ADDRESS_LETTERS_REGEX = "[㐀-鿿A-Za-z0-9-](?<![的了吗呢我你您他她们是])"
_LEVEL_SUFFIX_REGEX = (
    "(?:[省州盟旗](?!内|外)|自治区|市(?![场面值民值]|政府|中心)|区(?![别分块域间号])|县(?!级)|镇(?!定)|乡(?!愁)|村(?!委)"
    "|路(?![由径过线程])|[街大]道|街(?![拍舞])|巷|弄|胡同|花园|公寓|大厦|广场|家园|苑"
    "|号楼|号院|号(?![码线召称角位段主召机])|栋|幢|座(?![椅位机谈])|单元(?!格|测)|室(?![内外友])|楼(?![主盘层])|层(?![面次级]))"
)
_PART_PATTERN = re.compile(
    f"(?P<name>(?:{_ADDRESS_LETTERS_REGEX}){{1,10}}?)(?P<end>{_LEVEL_SUFFIX_REGEX})[ ,，]{{0,2}}+"
)
_CHAIN_PATTERN = re.compile(
    f"(?>(?:{_ADDRESS_LETTERS_REGEX}){{1,10}}?{_LEVEL_SUFFIX_REGEX}[ ,，]{{0,2}}+){{2,12}}+"
)
_ROOM_PATTERN = re.compile(
    r"[A-Za-z]?\d{1,5}(?:-\d{1,5}){0,3}(?![\dA-Za-z年月日点个元])"
)
_DOOR_PATTERN = re.compile("[0-9]|^[A-Za-z一二三四五六七八九十甲乙丙丁东西南北]{1,3}$")
_PROVINCE_PATTERN = re.compile(
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南"
    "|四川|贵州|云南|陕西|甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
_LEAD_IN_PATTERN = re.compile(
    "改成|改为|改到|换成|换到|寄到|寄往|寄去|送到|送往|送去|发到|发往|配送到|地址|住址|住在|位于|家在|人在|我在"
    "|在|到|是|为|至|从|去|往|住|请|把|的|我|你|您|有|于"
)
_ANNOUNCED_PATTERN = re.compile(
    "(?:(?:地址|住址)[^，。；！？,;!?]{0,10}|(?:家住|住在|寄到|寄往|送到|发到|寄去)[^，。；！？,;!?]{0,4})$"
)
_GENERIC_NAME_PATTERN = re.compile(
    "^(?:[省市区县镇乡村路街]|选择|所在|所属|哪个?|什么|不同|各|全|本|外|同|跨|该|每个?|其他|其它|城|农|行政|上级|辖|"
    "服务|工作|开发|地|多|直辖|自治|小|社|园|校|景|商|高新|经济|保税)+$"
)
_DOOR_SUFFIXES = frozenset(
    {"号", "号楼", "号院", "栋", "幢", "座", "单元", "室", "楼", "层", "弄"}
)
_HOME_SUFFIXES = frozenset({"栋", "幢", "单元", "室"})
_MIN_ADDRESS_LEVELS = 3


def find_postal_addresses(spelling: str) -> Iterator[AddressSpan]:
    """Yield (start, end) of addresses in a folded 简体 text."""
    for chain in _CHAIN_PATTERN.finditer(spelling):
        parts = list(_PART_PATTERN.finditer(spelling, chain.start(), chain.end()))
        start = _find_address_start(parts[0])
        before = spelling[max(0, chain.start() - 16) : start]
        if not _is_address(parts, before):
            continue
        last = parts[-1]
        end = last.end("end")
        if last["end"] in _DOOR_SUFFIXES or last["end"] in {
            "区",
            "园",
            "苑",
            "花园",
            "家园",
        }:
            room = _ROOM_PATTERN.match(spelling, end)
            end = room.end() if room else end
        yield start, end


def _find_address_start(part: re.Match[str]) -> int:
    """Return where the first part of an address begins, after words such as 寄到."""
    name = part["name"]
    if province := list(_PROVINCE_PATTERN.finditer(part[0])):
        return part.start() + province[0].start()
    leads = [
        lead.end() for lead in _LEAD_IN_PATTERN.finditer(name) if lead.end() < len(name)
    ]
    return part.start("name") + max([*leads, len(name) - 6, 0])


def _is_address(parts: list[re.Match[str]], before: str) -> bool:
    doors = homes = levels = 0
    for part in parts:
        name = part.string[
            max(_find_address_start(part), part.start()) : part.end("name")
        ]
        if part["end"] in _DOOR_SUFFIXES and _DOOR_PATTERN.search(name):
            if levels or part["end"] != "号" or doors:
                doors += 1
            homes += part["end"] in _HOME_SUFFIXES and name[-1].isdecimal()
        elif part["end"] not in _DOOR_SUFFIXES and not _GENERIC_NAME_PATTERN.match(
            name
        ):
            levels += 1
    if doors and levels and any(letter.isdecimal() for letter in _join_parts(parts)):
        return True
    if doors > 1 and homes:
        return True
    is_announced = bool(_ANNOUNCED_PATTERN.search(before))
    has_province = bool(_PROVINCE_PATTERN.search(parts[0][0]))
    min_levels = _MIN_ADDRESS_LEVELS - is_announced
    return levels >= min_levels and (is_announced or has_province)


def _join_parts(parts: list[re.Match[str]]) -> str:
    return parts[0].string[parts[0].start() : parts[-1].end()]
