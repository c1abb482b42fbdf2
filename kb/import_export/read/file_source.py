"""Where the rows of a file come from, when neither the file nor its user says so."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePath

from kb.text.chinese import normalize

MAX_SOURCE_CHARS = 50  # characters, as in the models
# What a browser, a file manager or our own download adds to the name of a copy.
_COPY_SUFFIX = re.compile(
    r"(?:[\s_-]*(?:\(\d{1,3}\)|(?:-\s*)?(?:副本|拷贝|复制|copy)(?:\s*\d{1,3})?)"
    r"|\.refused)$"
)


def derive_file_source(name: str) -> str:
    """Return the source that a file's name stands for: its stem, without signs of a copy.

    「FAQ (1).xlsx」, 「faq - 副本.csv」 and 「faq.xlsx」 are one source. Empty where the
    rows come from no file.
    """
    stem = unicodedata.normalize(
        "NFKC", PurePath(normalize.clean_single_line(name)).stem
    )
    source = normalize.clean_single_line(stem).casefold()
    while (shorter := _COPY_SUFFIX.sub("", source).strip()) != source and shorter:
        source = shorter
    return "" if source == "-" else source[:MAX_SOURCE_CHARS].strip()
