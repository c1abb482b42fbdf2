"""The default source of the rows of a file, derived from its name."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePath

from kb.text.chinese import normalize

MAX_SOURCE_CHARS = 50  # as in the models
# What browsers, file managers and our download of refused rows add to a name.
_COPY_SUFFIX = re.compile(
    r"(?:[\s_-]*(?:\(\d{1,3}\)|(?:-\s*)?(?:副本|拷贝|复制|copy)(?:\s*\d{1,3})?)"
    r"|\.refused)$"
)


def derive_file_source(name: str) -> str:
    """Return the stem of a file name without the suffixes of copies.

    「FAQ (1).xlsx」, 「faq - 副本.csv」 and 「faq.xlsx」 have the same source. Standard input,
    named "-", has none.
    """
    stem = unicodedata.normalize(
        "NFKC", PurePath(normalize.clean_single_line(name)).stem
    )
    source = normalize.clean_single_line(stem).casefold()
    while (shorter := _COPY_SUFFIX.sub("", source).strip()) != source and shorter:
        source = shorter
    return "" if source == "-" else source[:MAX_SOURCE_CHARS].strip()
