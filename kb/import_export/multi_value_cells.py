"""Several things in one cell: taken apart and put together so that nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kb.text.chinese import normalize

PHRASING_SEPARATORS = "\n;；|｜"  # between phrasings
TAG_SEPARATORS = "\n;；|｜,，、"  # between tags
CATEGORY_PATH_SEPARATORS = "\n/／>＞›"  # between a category and what stands below it


def split_cell(separators: str, text: str) -> list[str]:
    r"""Return the parts of `text`, each on one line; `\` takes a separator's meaning."""
    found, part, rest = [], "", iter(text)
    for letter in rest:
        if letter == "\\":
            after = next(rest, "")
            part += after if after and after in f"{separators}\\" else letter + after
        elif letter in separators:
            found.append(part)
            part = ""
        else:
            part += letter
    lines = (normalize.clean_single_line(part) for part in [*found, part])
    return [line for line in lines if line]


def join_cell(separators: str, wanted: Iterable[str], by: str = "\n") -> str:
    """Return one text of which `parts` makes the same again."""
    special = re.compile(f"[{re.escape(separators)}\\\\]")
    return by.join(special.sub(r"\\\g<0>", part) for part in wanted)
