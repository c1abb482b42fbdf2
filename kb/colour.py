"""A site's accent: readable wherever text of its colour stands, in light and in dark."""

from __future__ import annotations

import re
from collections.abc import Iterable

HEX = re.compile(r"#[0-9a-f]{6}")
LEAST = 4.5  # contrast of text, WCAG 2.2 AA
# As static/base/tokens.css has them: the page, cards, hover.
LIGHT = ("#f7f7f5", "#ffffff", "#eeeeeb")
DARK = ("#131519", "#1b1e24", "#262a32")
SOFT = ("#575d66", "#a4abb6")  # the quiet ink, light and dark: stands on accent-soft
WHITE, BLACK = "#ffffff", "#000000"
CALM = 6.0  # contrast of the accent in the dark, where a bare 4.5 looks dim
DIM = 0.04045  # below it sRGB is linear
STEPS = 50  # of a walk from a colour to white or black


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours "#rrggbb", from 1 to 21 (WCAG 2.2)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def weakest(colour: str, grounds: Iterable[str] = LIGHT) -> float:
    """Return the contrast of `colour` on the ground where it is read worst."""
    return min(contrast(colour, ground) for ground in grounds)


def nearest(colour: str) -> str:
    """Return the colour nearest to `colour` that can be read on light pages."""
    return _walk(colour, BLACK, LIGHT, LEAST)


def tokens(accent: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the tokens of the accent by name, for light pages and for dark ones."""
    light, dark = nearest(accent), _walk(accent, WHITE, DARK, CALM)
    return (
        {
            "accent": light,
            "accent-strong": mix(light, BLACK, 0.2),
            "accent-ink": WHITE,
            "accent-soft": _walk(
                mix(light, WHITE, 0.88), WHITE, (light, SOFT[0]), LEAST
            ),
        },
        {
            "accent": dark,
            "accent-strong": mix(dark, WHITE, 0.35),
            "accent-ink": mix(dark, BLACK, 0.88),
            "accent-soft": _walk(
                mix(dark, DARK[1], 0.8), BLACK, (dark, SOFT[1]), LEAST
            ),
        },
    )


def mix(colour: str, other: str, share: float) -> str:
    """Return `colour` with a `share` from 0 to 1 of `other`."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _walk(colour: str, goal: str, grounds: Iterable[str], least: float) -> str:
    """Return the first colour on the way to `goal` that can be read on `grounds`."""
    grounds = tuple(grounds)
    steps = (mix(colour, goal, step / STEPS) for step in range(STEPS + 1))
    return next(c for c in steps if weakest(c, grounds) >= least)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= DIM else ((value + 0.055) / 1.055) ** 2.4


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
