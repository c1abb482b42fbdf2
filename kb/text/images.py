"""Decode uploaded pictures in a process of its own, with little memory, no secrets.

A user chooses the bytes that a decoder in C reads: a fault there ends that process
and not the site. This file also runs as a script, and imports nothing of kb.
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

ONE_MILLION = 1_000_000
MAX_MEMORY_BYTES = 140 * ONE_MILLION  # bytes, the interpreter included
MAX_CPU_SECONDS = 5  # of the processor
DECODE_TIMEOUT_SECONDS = 20  # of the clock, on a busy machine
MAX_IMAGE_PIXELS = 25 * ONE_MILLION  # pixels: 100 MB when decoded
MAX_WEBP_PIXELS = 6 * ONE_MILLION  # its decoder needs twenty bytes a pixel
# A progressive JPEG is in memory as a whole between its passes.
MAX_PROGRESSIVE_PIXELS = 16 * ONE_MILLION
ACCEPTED_IMAGE_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")  # no other decoder runs
MAX_SHOWN_SIZE = (1600, 8000)  # pixels: twice what a page shows, and a long screenshot
MAX_SHOWN_PIXELS = 6 * ONE_MILLION
SCALE_STRIP_ROWS = 64  # rows that are in memory twice
WEBP_QUALITY = 86  # at which letters in screenshots stay sharp
EXIT_BROKEN_IMAGE, EXIT_IMAGE_TOO_LARGE = 3, 4  # how the process ends, else with 0
_decode_semaphore = BoundedSemaphore()  # one at a time, so that many do not add up


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """A picture that this module encoded; width and height in pixels."""

    body: bytes
    width: int
    height: int


class BrokenImageError(Exception):
    """The bytes are no picture of an accepted format, or not a whole one."""


class ImageTooLargeError(Exception):
    """The picture has `width` × `height` pixels; `max_pixels` are allowed."""

    def __init__(self, width: int, height: int, max_pixels: int) -> None:
        super().__init__(width, height, max_pixels)
        self.width, self.height, self.max_pixels = width, height, max_pixels


def convert_to_webp(body: bytes) -> EncodedImage:
    """Return the first frame of `body` as WebP, upright, without metadata.

    It is scaled down to MAX_SHOWN_SIZE and MAX_SHOWN_PIXELS. Raises BrokenImageError
    or ImageTooLargeError.
    """
    environment = {k: v for k, v in os.environ.items() if k == "LD_LIBRARY_PATH"}
    with _decode_semaphore:
        try:
            process = subprocess.run(  # noqa: S603 - our own file, by our own Python
                build_decoder_command(),
                input=body,
                capture_output=True,
                env=environment,
                timeout=DECODE_TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise BrokenImageError from None
    head, _, webp = process.stdout.partition(b"\n")
    numbers = [int(number) for number in head.split()]
    if process.returncode == EXIT_IMAGE_TOO_LARGE:
        raise ImageTooLargeError(*numbers)
    if process.returncode:
        raise BrokenImageError
    return EncodedImage(webp, *numbers)


def build_decoder_command() -> list[str]:
    return [sys.executable, "-I", __file__]


# The process ----------------------------------------------------------------------


def main() -> int:
    """Read a picture from stdin, write "width height", LF and the WebP to stdout.

    Returns the exit code.
    """
    _limit_resources()
    Image.MAX_IMAGE_PIXELS = None  # _decode_image checks, and names the size
    try:
        image = _decode_image(sys.stdin.buffer.read())
        webp = BytesIO()
        metadata = {"exif": b"", "xmp": b"", "icc_profile": b""}
        image.save(webp, "WEBP", quality=WEBP_QUALITY, method=2, **metadata)
    except ImageTooLargeError as error:
        numbers = f"{error.width} {error.height} {error.max_pixels}\n"
        sys.stdout.buffer.write(numbers.encode())
        return EXIT_IMAGE_TOO_LARGE
    # What a decoder raises on bytes that are not what they claim to be.
    except (
        *(OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError),
        *(OverflowError, AttributeError, MemoryError, struct.error, zlib.error),
    ):
        return EXIT_BROKEN_IMAGE
    sys.stdout.buffer.write(b"%d %d\n" % image.size + webp.getvalue())
    return 0


def _limit_resources() -> None:
    """Limit memory, processor time and files; not every system obeys each limit."""
    for limit, value in (
        (resource.RLIMIT_DATA, MAX_MEMORY_BYTES),
        (resource.RLIMIT_CPU, MAX_CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))


def _decode_image(body: bytes) -> Image.Image:
    with Image.open(BytesIO(body), formats=ACCEPTED_IMAGE_FORMATS) as opened:
        (width, height), max_pixels = opened.size, _get_max_pixels(opened)
        if width * height > max_pixels:
            raise ImageTooLargeError(width, height, max_pixels)
        is_rotated = opened.getexif().get(ExifTags.Base.Orientation, 1) >= 5  # noqa: PLR2004
        target = _fit_size(
            opened.size, MAX_SHOWN_SIZE[::-1] if is_rotated else MAX_SHOWN_SIZE
        )
        opened.draft("RGB", target)  # a JPEG is decoded smaller at once
        try:
            opened.load()
            return ImageOps.exif_transpose(_scale_image(opened, target))
        except MemoryError:
            raise ImageTooLargeError(width, height, width * height // 2) from None


def _get_max_pixels(opened: Image.Image) -> int:
    if opened.format == "WEBP":
        return MAX_WEBP_PIXELS
    return (
        MAX_PROGRESSIVE_PIXELS if opened.info.get("progressive") else MAX_IMAGE_PIXELS
    )


def _fit_size(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """Return `size` in its proportions, no larger than `box` and MAX_SHOWN_PIXELS."""
    width, height = size
    ratio = max(
        width / box[0], height / box[1], sqrt(width * height / MAX_SHOWN_PIXELS), 1
    )
    return max(1, round(width / ratio)), max(1, round(height / ratio))


def _scale_image(image: Image.Image, target: tuple[int, int]) -> Image.Image:
    """Return `image` as RGB or RGBA at the size `target`.

    Its width is scaled a strip at a time, then its height at once: the whole picture
    is never twice in memory.
    """
    mode = "RGBA" if image.has_transparency_data else "RGB"
    width, height = image.size
    factor = max(1, min(width // target[0], height // target[1]))
    narrow = Image.new(mode, (target[0], -(-height // factor)))
    for top in range(0, height, SCALE_STRIP_ROWS * factor):
        box = (0, top, width, min(top + SCALE_STRIP_ROWS * factor, height))
        part = image.crop(box).convert(mode)
        part = part.reduce(factor) if factor > 1 else part
        size = (target[0], part.height)
        narrow.paste(part.resize(size, Image.Resampling.LANCZOS), (0, top // factor))
    narrow.info = image.info
    image.close()
    return narrow.resize(target, Image.Resampling.LANCZOS)


if __name__ == "__main__":
    sys.exit(main())
