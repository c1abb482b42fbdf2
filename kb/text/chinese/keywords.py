"""Keywords as people type them, split at spaces and commas of any kind."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kb.text.chinese import normalize

# Words in quotation marks stay together; all else ends at a blank or a comma of any kind.
_KEYWORD_PATTERN = re.compile(
    r'"([^"\r\n]+)"|“([^”\r\n]+)”|「([^」\r\n]+)」|([^\s,，、;；|｜"“”「」]+)'
)


def split_keywords(text: str) -> list[str]:
    """Return the keywords of `text` in their order, each once."""
    found = (
        next(filter(None, match.groups())) for match in _KEYWORD_PATTERN.finditer(text)
    )
    return list(dict.fromkeys(filter(None, map(normalize.clean_single_line, found))))


def join_keywords(keywords: Iterable[str]) -> str:
    """Return a text, one keyword a line, that `split_keywords` splits alike."""
    return "\n".join(
        keyword if split_keywords(keyword) == [keyword] else f'"{keyword}"'
        for keyword in keywords
    )
