"""Decoding: in a process that has little memory, no secrets, and may die alone."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from kb.text import images

MOST = 150 * 1024 * 1024  # bytes that are ever in memory
# What the child says of itself when it ends.
WATCHED = """
import json, os, runpy, sys
try:
    runpy.run_path({file!r}, run_name="__main__")
except SystemExit as ended:
    status = open("/proc/self/status").read().split()
    peak = int(status[status.index("VmHWM:") + 1]) * 1024
    print(json.dumps([ended.code, peak, dict(os.environ)]), file=sys.stderr)
"""


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    made = BytesIO()
    image.save(made, kind, **options)
    return made.getvalue()


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Return a picture with something in every corner, quick to make."""
    tile = Image.frombytes("RGB", (64, 64), random.Random(7).randbytes(64 * 64 * 3))
    return tile.resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def huge() -> Iterator[Any]:
    """Yield the largest picture of each kind, and some that are over."""
    wide, tall = noise(5000, 5000), noise(2000, 12_500)
    yield pytest.param(saved(wide, "JPEG"), 0, id="jpeg")
    yield pytest.param(saved(wide.convert("CMYK"), "JPEG"), 0, id="cmyk")
    yield pytest.param(saved(tall, "JPEG", quality=60), 0, id="long-jpeg")
    flat = wide.quantize(8).convert("RGBA")
    yield pytest.param(saved(flat, "PNG"), 0, id="png")
    heavy = saved(wide.convert("RGBA"), "PNG")  # 19 MB of it
    yield pytest.param(heavy, images.EXIT_IMAGE_TOO_LARGE, id="heavy-png")
    yield pytest.param(saved(tall.convert("P"), "PNG"), 0, id="long-palette")
    yield pytest.param(saved(wide.convert("P"), "GIF"), 0, id="gif")
    wide = noise(4000, 4000)
    yield pytest.param(
        saved(wide, "JPEG", progressive=True, subsampling=0), 0, id="progressive"
    )
    yield pytest.param(saved(noise(2000, 3000), "WEBP", method=0), 0, id="webp")
    over = saved(noise(4100, 4100), "JPEG", progressive=True)
    yield pytest.param(over, images.EXIT_IMAGE_TOO_LARGE, id="progressive-over")
    yield pytest.param(
        saved(Image.new("1", (30_000, 30_000)), "PNG"),
        images.EXIT_IMAGE_TOO_LARGE,
        id="bomb",
    )


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="no Linux")
@pytest.mark.parametrize(("body", "ends"), list(huge()))
def test_no_picture_takes_much_memory(body: bytes, ends: int) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", WATCHED.format(file=images.__file__)],
        input=body,
        capture_output=True,
        env={},
        check=False,
    )
    code, peak, _ = json.loads(done.stderr.splitlines()[-1])
    assert code == ends
    assert peak <= MOST


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that lets the child run other code."""

    def run(code: str) -> None:
        command = [sys.executable, "-I", "-c", code]
        monkeypatch.setattr(images, "build_decoder_command", lambda: command)

    return run


def test_the_process_knows_no_secret(
    instead: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "c4n4ry")
    instead("import os; print(1, 1); print(dict(os.environ))")
    assert b"c4n4ry" not in images.convert_to_webp(b"").body


@pytest.mark.parametrize(
    "code",
    [
        "import os; os.kill(os.getpid(), 11)",
        "raise SystemExit(1)",
        "import threading; threading.Event().wait()",
    ],
)
def test_a_decoder_that_dies_or_hangs_refuses_its_picture_alone(
    instead: Any, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "DECODE_TIMEOUT_SECONDS", 0.2)
    instead(code)
    with pytest.raises(images.BrokenImageError):
        images.convert_to_webp(b"")


def test_strips_leave_no_seam() -> None:
    """A picture that is made in parts looks like one that is made at once."""
    whole = noise(3000, 2000)
    made = images.convert_to_webp(saved(whole, "PNG"))
    assert (made.width, made.height) == (1600, 1067)
    at_once = whole.resize((1600, 1067), Image.Resampling.LANCZOS)
    ours = Image.open(BytesIO(made.body)).convert("RGB")
    pairs = zip(
        ours.convert("L").tobytes(), at_once.convert("L").tobytes(), strict=True
    )
    far = [abs(a - b) for a, b in pairs]
    assert sum(far) / len(far) < 4


def test_a_long_screenshot_stays_readable() -> None:
    made = images.convert_to_webp(saved(noise(1080, 7000), "PNG"))
    assert (made.width, made.height) == (962, 6236)
    assert made.width * made.height <= images.MAX_SHOWN_PIXELS
