"""Keep pictures: decoded with suspicion, encoded anew, named by their content."""

from __future__ import annotations

import hashlib
import hmac
import struct
import zlib
from io import BytesIO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from PIL import Image, ImageOps

from kb.models import Entry, Picture, User
from kb.models.picture import LONGEST_ALT
from kb.text import normalize

LARGEST_FILE = 5 * 1024 * 1024  # bytes
LARGEST_IMAGE = 25_000_000  # pixels: 100 MB when decoded
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")  # decoders that may see an upload at all
SHOWN = (1600, 8000)  # pixels: twice what a page shows, and a long screenshot
QUALITY = 86  # at which letters in screenshots stay sharp
# What a decoder raises on bytes that are not what they claim to be.
_BROKEN = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError),
    *(OverflowError, AttributeError, struct.error, zlib.error),
)
_BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)

Image.MAX_IMAGE_PIXELS = LARGEST_IMAGE


def keep(upload: File[bytes], *, alt: str, by: User | None) -> Picture:
    """Return the picture made of `upload`; the same bytes are the same picture.

    The first frame as WebP, upright, at most SHOWN, without EXIF or any other
    word of the original. Raises ValidationError for "alt" or "file".
    """
    words = normalize.line(alt)
    if not words or len(words) > LONGEST_ALT:
        told = f"请写替代文字：一句话说清图里有什么，最多 {LONGEST_ALT} 字。"
        raise ValidationError({"alt": told})
    image = _checked(upload)
    body = _encoded(image)
    name = _name(body, image)
    _store(name, body)
    picture, _ = Picture.objects.get_or_create(
        name=name,
        defaults={
            "alt": words,
            "width": image.width,
            "height": image.height,
            "size": len(body),
            "created_by": by,
        },
    )
    return picture


def encode(upload: File[bytes]) -> bytes:
    """Return `upload` as `keep` would store it; raises ValidationError for "file"."""
    return _encoded(_checked(upload))


def uses(picture: Picture) -> int:
    """Return how many entries show `picture`."""
    return Entry.objects.filter(answer__contains=picture.name).count()


@transaction.atomic
def drop(picture: Picture) -> None:
    """Delete a picture that no entry shows, and its file once that is sure."""
    if count := uses(picture):
        raise ValidationError(f"还有 {count} 个条目在用这张图片，不能删除。")
    name = picture.name
    picture.delete()
    transaction.on_commit(lambda: default_storage.delete(name))


def _refused(told: str) -> ValidationError:
    return ValidationError({"file": told})


def _checked(upload: File[bytes]) -> Image.Image:
    if not upload.size or upload.size > LARGEST_FILE:
        limit = LARGEST_FILE // 1024 // 1024
        raise _refused(f"图片不能是空的，也不能超过 {limit} MB。")
    return _decoded(upload)


def _decoded(upload: File[bytes]) -> Image.Image:
    """Return the first frame, upright and no larger than SHOWN."""
    try:
        with Image.open(upload, formats=FORMATS) as opened:
            if opened.width * opened.height > LARGEST_IMAGE:
                raise Image.DecompressionBombError
            opened.draft("RGB", SHOWN)  # a JPEG is decoded smaller at once
            upright = ImageOps.exif_transpose(opened)
            wanted = "RGBA" if upright.has_transparency_data else "RGB"
            image = upright.convert(wanted)
    except _BOMB:
        limit = LARGEST_IMAGE // 10_000
        raise _refused(f"图片太大：宽乘高最多 {limit} 万像素，请缩小后再传。") from None
    except _BROKEN:
        told = "这个文件打不开：只收 PNG、JPEG、GIF、WebP 图片，而且要完整。"
        raise _refused(told) from None
    image.thumbnail(SHOWN, Image.Resampling.LANCZOS)
    return image


def _encoded(image: Image.Image) -> bytes:
    made = BytesIO()
    nothing = {"exif": b"", "xmp": b"", "icc_profile": b""}
    image.save(made, "WEBP", quality=QUALITY, method=2, **nothing)
    return made.getvalue()


def _name(body: bytes, image: Image.Image) -> str:
    """Return a name of the content that only we can make: drafts show pictures, too."""
    key = settings.SECRET_KEY.encode()
    digest = hmac.new(key, body, hashlib.blake2b).hexdigest()[:32]
    return f"{digest}-{image.width}x{image.height}.webp"


def _store(name: str, body: bytes) -> None:
    if default_storage.exists(name):
        return
    kept = default_storage.save(name, ContentFile(body))
    if kept != name:  # somebody stored the same bytes meanwhile
        default_storage.delete(kept)
