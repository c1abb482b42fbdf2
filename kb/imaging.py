"""A picture decoded in a process of its own, which has little memory and no secrets.

Whoever uploads chooses the bytes that a decoder in C reads: what goes wrong there ends
that process, and no site. The file runs as a script, too, and imports nothing of ours.
"""

from __future__ import annotations

import os
import resource
import struct
import subprocess
import sys
import zlib
from dataclasses import dataclass
from io import BytesIO
from math import sqrt
from threading import BoundedSemaphore

from PIL import ExifTags, Image, ImageOps
from PIL import WebPImagePlugin as _WebP  # noqa: F401 - else all plugins are loaded

MEGA = 1_000_000
MEMORY = 140 * MEGA  # bytes, the interpreter included
SECONDS = 5  # of the processor
PATIENCE = 20  # seconds of the clock, on a machine that has much to do
MOST = 25 * MEGA  # pixels: 100 MB when decoded
MOST_WEBP = 6 * MEGA  # its decoder holds every pixel in twenty bytes
MOST_PROGRESSIVE = 16 * MEGA  # a JPEG in several passes is kept whole between them
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")  # decoders that may see an upload at all
SHOWN = (1600, 8000)  # pixels: twice what a page shows, and a long screenshot
MOST_SHOWN = 6 * MEGA
STRIP = 64  # rows that are in memory twice
QUALITY = 86  # at which letters in screenshots stay sharp
BROKEN, TOO_LARGE = 3, 4  # how the process ends, else with 0
_turn = BoundedSemaphore()  # one at a time, so that many do not add up


@dataclass(frozen=True, slots=True)
class Made:
    """A picture that was encoded by us; the size in pixels."""

    body: bytes
    width: int
    height: int


class Broken(Exception):
    """These bytes are no picture that we take, or not a whole one."""


class TooLarge(Exception):
    """It has `width` × `height` pixels, where `most` may be."""

    def __init__(self, width: int, height: int, most: int) -> None:
        super().__init__(width, height, most)
        self.width, self.height, self.most = width, height, most


def convert(body: bytes) -> Made:
    """Return the first frame of `body` as WebP, upright, at most SHOWN, without a word.

    Raises Broken or TooLarge.
    """
    kept = {k: v for k, v in os.environ.items() if k == "LD_LIBRARY_PATH"}
    with _turn:
        try:
            done = subprocess.run(  # noqa: S603 - our own file, by our own Python
                command(),
                input=body,
                capture_output=True,
                env=kept,
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Broken from None
    head, _, made = done.stdout.partition(b"\n")
    told = [int(number) for number in head.split()]
    if done.returncode == TOO_LARGE:
        raise TooLarge(*told)
    if done.returncode:
        raise Broken
    return Made(made, *told)


def command() -> list[str]:
    return [sys.executable, "-I", __file__]


# The process ----------------------------------------------------------------------


def main() -> int:
    """Read a picture, write its size, a line's end and the WebP; return how it ended."""
    _confine()
    Image.MAX_IMAGE_PIXELS = None  # we look ourselves, and say how large it is
    try:
        image = _decoded(sys.stdin.buffer.read())
        made = BytesIO()
        nothing = {"exif": b"", "xmp": b"", "icc_profile": b""}
        image.save(made, "WEBP", quality=QUALITY, method=2, **nothing)
    except TooLarge as refused:
        told = f"{refused.width} {refused.height} {refused.most}\n"
        sys.stdout.buffer.write(told.encode())
        return TOO_LARGE
    # What a decoder raises on bytes that are not what they claim to be.
    except (
        *(OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError),
        *(OverflowError, AttributeError, MemoryError, struct.error, zlib.error),
    ):
        return BROKEN
    sys.stdout.buffer.write(b"%d %d\n" % image.size + made.getvalue())
    return 0


def _confine() -> None:
    """Take away what decoding does not need; some systems count memory their own way."""
    for what, most in (
        (resource.RLIMIT_DATA, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _decoded(body: bytes) -> Image.Image:
    with Image.open(BytesIO(body), formats=FORMATS) as opened:
        (width, height), most = opened.size, _most(opened)
        if width * height > most:
            raise TooLarge(width, height, most)
        lying = opened.getexif().get(ExifTags.Base.Orientation, 1) >= 5  # noqa: PLR2004
        target = _within(opened.size, SHOWN[::-1] if lying else SHOWN)
        opened.draft("RGB", target)  # a JPEG is decoded smaller at once
        try:
            opened.load()
            return ImageOps.exif_transpose(_scaled(opened, target))
        except MemoryError:
            raise TooLarge(width, height, width * height // 2) from None


def _most(opened: Image.Image) -> int:
    if opened.format == "WEBP":
        return MOST_WEBP
    return MOST_PROGRESSIVE if opened.info.get("progressive") else MOST


def _within(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """Return `size` in its proportions, no larger than `box` and MOST_SHOWN."""
    width, height = size
    ratio = max(width / box[0], height / box[1], sqrt(width * height / MOST_SHOWN), 1)
    return max(1, round(width / ratio)), max(1, round(height / ratio))


def _scaled(image: Image.Image, target: tuple[int, int]) -> Image.Image:
    """Return `image` in plain colours at the size `target`.

    Across a strip at a time, then down in one go: it is never twice in memory.
    """
    mode = "RGBA" if image.has_transparency_data else "RGB"
    width, height = image.size
    factor = max(1, min(width // target[0], height // target[1]))
    narrow = Image.new(mode, (target[0], -(-height // factor)))
    for top in range(0, height, STRIP * factor):
        box = (0, top, width, min(top + STRIP * factor, height))
        part = image.crop(box).convert(mode)
        part = part.reduce(factor) if factor > 1 else part
        size = (target[0], part.height)
        narrow.paste(part.resize(size, Image.Resampling.LANCZOS), (0, top // factor))
    narrow.info = image.info
    image.close()
    return narrow.resize(target, Image.Resampling.LANCZOS)


if __name__ == "__main__":
    sys.exit(main())
