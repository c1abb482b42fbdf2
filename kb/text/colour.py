"""A site's accent colour: readable as text on every ground, in light and dark."""

from __future__ import annotations

import re
from collections.abc import Iterable

HEX_COLOUR_PATTERN = re.compile(r"#[0-9a-f]{6}")
MIN_TEXT_CONTRAST = 4.5  # contrast of text, WCAG 2.2 AA
# As static/base/tokens.css has them: the page, cards, hover.
LIGHT_BACKGROUNDS = ("#f7f7f5", "#ffffff", "#eeeeeb")
DARK_BACKGROUNDS = ("#131519", "#1b1e24", "#262a32")
QUIET_INK_COLOURS = ("#575d66", "#a4abb6")  # light and dark; text on accent-soft
WHITE, BLACK = "#ffffff", "#000000"
DARK_ACCENT_CONTRAST = 6.0  # of the accent in the dark theme, where 4.5 looks dim
SRGB_LINEAR_LIMIT = 0.04045  # below it sRGB is linear
MAX_MIX_STEPS = 50  # of a walk from a colour to white or black


def compute_contrast(one: str, other: str) -> float:
    """Return the contrast of two colours "#rrggbb", from 1 to 21 (WCAG 2.2)."""
    low, high = sorted((_compute_luminance(one), _compute_luminance(other)))
    return (high + 0.05) / (low + 0.05)


def find_weakest_contrast(
    colour: str, grounds: Iterable[str] = LIGHT_BACKGROUNDS
) -> float:
    """Return the contrast of `colour` on the ground where it is read worst."""
    return min(compute_contrast(colour, ground) for ground in grounds)


def find_nearest_readable_colour(colour: str) -> str:
    """Return the colour nearest to `colour` that can be read on light pages."""
    return _mix_until_readable(colour, BLACK, LIGHT_BACKGROUNDS, MIN_TEXT_CONTRAST)


def build_accent_tokens(accent: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the tokens of the accent by name, for light pages and for dark ones."""
    light, dark = (
        find_nearest_readable_colour(accent),
        _mix_until_readable(accent, WHITE, DARK_BACKGROUNDS, DARK_ACCENT_CONTRAST),
    )
    return (
        {
            "accent": light,
            "accent-strong": mix_colours(light, BLACK, 0.2),
            "accent-ink": WHITE,
            "accent-soft": _mix_until_readable(
                mix_colours(light, WHITE, 0.88),
                WHITE,
                (light, QUIET_INK_COLOURS[0]),
                MIN_TEXT_CONTRAST,
            ),
        },
        {
            "accent": dark,
            "accent-strong": mix_colours(dark, WHITE, 0.35),
            "accent-ink": mix_colours(dark, BLACK, 0.88),
            "accent-soft": _mix_until_readable(
                mix_colours(dark, DARK_BACKGROUNDS[1], 0.8),
                BLACK,
                (dark, QUIET_INK_COLOURS[1]),
                MIN_TEXT_CONTRAST,
            ),
        },
    )


def mix_colours(colour: str, other: str, share: float) -> str:
    """Return `colour` with a `share` from 0 to 1 of `other`."""
    pairs = zip(_split_channels(colour), _split_channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _mix_until_readable(
    colour: str, goal: str, grounds: Iterable[str], least: float
) -> str:
    """Return the first colour on the way to `goal` that can be read on `grounds`."""
    grounds = tuple(grounds)
    steps = (
        mix_colours(colour, goal, step / MAX_MIX_STEPS)
        for step in range(MAX_MIX_STEPS + 1)
    )
    return next(c for c in steps if find_weakest_contrast(c, grounds) >= least)


def _compute_luminance(colour: str) -> float:
    red, green, blue = (
        _linearize_channel(channel / 255) for channel in _split_channels(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linearize_channel(value: float) -> float:
    return (
        value / 12.92
        if value <= SRGB_LINEAR_LIMIT
        else ((value + 0.055) / 1.055) ** 2.4
    )


def _split_channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
