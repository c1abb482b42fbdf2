"""Keep pictures: decoded with suspicion, encoded anew, named by their content."""

from __future__ import annotations

import hashlib
import hmac
import logging
from math import isqrt
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext as _

from kb.models import Entry, Picture, User
from kb.models.picture import MAX_ALT_TEXT_CHARS
from kb.system import files
from kb.text import images
from kb.text.chinese import normalize

logger = logging.getLogger(__name__)
RIFF_HEADER_BYTES = 12  # bytes that say what a WebP file is and how long


def store_picture(upload: File[bytes], *, alt: str, by: User | None) -> Picture:
    """Return the picture made of `upload`; the same bytes are the same picture.

    The first frame as WebP, upright, at most imaging.SHOWN, without EXIF or any
    other word of the original. Raises ValidationError for "alt" or "file".
    """
    words = normalize.clean_single_line(alt)
    if not words or len(words) > MAX_ALT_TEXT_CHARS:
        told = f"请写替代文字：一句话说清图里有什么，最多 {MAX_ALT_TEXT_CHARS} 字。"
        raise ValidationError({"alt": told})
    made = _convert_upload(upload)
    name = _build_file_name(made)
    _write_picture_file(name, made.body)
    picture, _ = Picture.objects.get_or_create(
        name=name,
        defaults={
            "alt": words,
            "width": made.width,
            "height": made.height,
            "size": len(made.body),
            "created_by": by,
        },
    )
    return picture


def encode_upload(upload: File[bytes]) -> bytes:
    """Return `upload` as `keep` would store it; raises ValidationError for "file"."""
    return _convert_upload(upload).body


def count_picture_uses(picture: Picture) -> int:
    """Return how many entries show `picture`."""
    return Entry.objects.filter(answer__contains=picture.name).count()


def is_picture_file_intact(picture: Picture) -> bool:
    """Return whether the file of `picture` is there and of its size."""
    try:
        return default_storage.size(picture.name) == picture.size
    except OSError:
        return False


def is_webp_complete(head: bytes, size: int) -> bool:
    """Return whether a WebP file of `size` bytes that begins with `head` is whole.

    A file in the RIFF format begins with its length; one that was cut is shorter.
    """
    if len(head) < RIFF_HEADER_BYTES or head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        return False
    return size >= int.from_bytes(head[4:8], "little") + 8


@transaction.atomic
def delete_picture(picture: Picture) -> None:
    """Delete a picture that no entry shows, and its file once that is sure."""
    if count := count_picture_uses(picture):
        raise ValidationError(f"还有 {count} 个条目在用这张图片，不能删除。")
    name = picture.name
    picture.delete()
    transaction.on_commit(lambda: default_storage.delete(name))


def put_back(picture: Picture, body: bytes) -> None:
    """Write the file of a picture that was deleted. Raises ValidationError."""
    _write_picture_file(picture.name, body)


def _build_file_error(told: str) -> ValidationError:
    return ValidationError({"file": told})


def _convert_upload(upload: File[bytes]) -> images.EncodedImage:
    limit: int = settings.KB_PICTURE_MB
    if not upload.size:
        raise _build_file_error(_("这张图片是空的。"))
    if upload.size > limit * 1024 * 1024:
        told = _("图片有 %(size).1f MB，最多 %(limit)d MB，请缩小后再传。")
        size = upload.size / 1024 / 1024
        raise _build_file_error(told % {"size": size, "limit": limit})
    try:
        return images.convert_to_webp(upload.read())
    except images.ImageTooLargeError as large:
        told = _(
            "图片有 %(width)d × %(height)d 像素，太大了，请缩小到 %(side)d × %(side)d 以内。"
        )
        sizes = {"width": large.width, "height": large.height}
        raise _build_file_error(
            told % (sizes | {"side": isqrt(large.max_pixels)})
        ) from None
    except images.BrokenImageError:
        told = _("这个文件打不开：只收 PNG、JPEG、GIF、WebP 图片，而且要完整。")
        raise _build_file_error(told) from None


def _build_file_name(made: images.EncodedImage) -> str:
    """Return a name of the content that only we can make: drafts show pictures, too."""
    key = settings.SECRET_KEY.encode()
    digest = hmac.new(key, made.body, hashlib.blake2b).hexdigest()[:32]
    return f"{digest}-{made.width}x{made.height}.webp"


def _write_picture_file(name: str, body: bytes) -> None:
    """Keep `body` under `name`; a damaged file that is there already is replaced."""
    path = Path(default_storage.path(name))
    mode: int = settings.FILE_UPLOAD_PERMISSIONS
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.remove_leftovers(path.parent)
        if not files.has_content(path, body):
            files.write_file_atomically(path, body, mode=mode)
    except OSError as error:
        logger.error("a picture could not be written: %s", error)
        told = _("图片没有保存：服务器现在写不了文件，可能是磁盘满了。请稍后再传一次。")
        raise _build_file_error(told) from None
