"""Store pictures: uploads are decoded, encoded anew as WebP and named by their content.

Encoding anew drops metadata and whatever else a hostile file may carry.
"""

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
RIFF_HEADER_BYTES = 12  # "RIFF", length in 4 bytes, "WEBP"


def store_picture(upload: File[bytes], *, alt: str, by: User | None) -> Picture:
    """Convert `upload` to WebP, store it and return its row.

    Only the first frame is stored, upright, scaled down as `images.convert_to_webp`
    does it, without EXIF or other metadata. An image that is stored already returns
    its existing row. Raises ValidationError for "alt" or "file".
    """
    alt_text = normalize.clean_single_line(alt)
    if not alt_text or len(alt_text) > MAX_ALT_TEXT_CHARS:
        message = f"请写替代文字：一句话说清图里有什么，最多 {MAX_ALT_TEXT_CHARS} 字。"
        raise ValidationError({"alt": message})
    image = _convert_upload(upload)
    name = _build_file_name(image)
    _write_picture_file(name, image.body)
    picture, _ = Picture.objects.get_or_create(
        name=name,
        defaults={
            "alt": alt_text,
            "width": image.width,
            "height": image.height,
            "size": len(image.body),
            "created_by": by,
        },
    )
    return picture


def encode_upload(upload: File[bytes]) -> bytes:
    """Return `upload` as WebP without storing it; raises ValidationError for "file"."""
    return _convert_upload(upload).body


def count_picture_uses(picture: Picture) -> int:
    """Return how many entries have `picture` in their answer."""
    return Entry.objects.filter(answer__contains=picture.name).count()


def is_picture_file_intact(picture: Picture) -> bool:
    """Return whether the file of `picture` exists and has the recorded size."""
    try:
        return default_storage.size(picture.name) == picture.size
    except OSError:
        return False


def is_webp_complete(head: bytes, size: int) -> bool:
    """Return whether a WebP file of `size` bytes that begins with `head` is complete.

    The header of a RIFF file holds the length of what follows its first 8 bytes; a
    truncated file is shorter. Format: RFC 9649, section 2.3.
    """
    if len(head) < RIFF_HEADER_BYTES or head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        return False
    return size >= int.from_bytes(head[4:8], "little") + 8


@transaction.atomic
def delete_picture(picture: Picture) -> None:
    """Delete a picture that no entry shows; its file goes after the commit.

    Raises ValidationError while entries still show it.
    """
    if count := count_picture_uses(picture):
        raise ValidationError(f"还有 {count} 个条目在用这张图片，不能删除。")
    name = picture.name
    picture.delete()
    transaction.on_commit(lambda: default_storage.delete(name))


def restore_picture_file(picture: Picture, body: bytes) -> None:
    """Write the file of a deleted picture again. Raises ValidationError."""
    _write_picture_file(picture.name, body)


def _build_file_error(message: str) -> ValidationError:
    return ValidationError({"file": message})


def _convert_upload(upload: File[bytes]) -> images.EncodedImage:
    limit: int = settings.KB_PICTURE_MB
    if not upload.size:
        raise _build_file_error(_("这张图片是空的。"))
    if upload.size > limit * 1024 * 1024:
        message = _("图片有 %(size).1f MB，最多 %(limit)d MB，请缩小后再传。")
        size = upload.size / 1024 / 1024
        raise _build_file_error(message % {"size": size, "limit": limit})
    try:
        return images.convert_to_webp(upload.read())
    except images.ImageTooLargeError as error:
        message = _(
            "图片有 %(width)d × %(height)d 像素，太大了，请缩小到 %(side)d × %(side)d 以内。"
        )
        sizes = {"width": error.width, "height": error.height}
        raise _build_file_error(
            message % (sizes | {"side": isqrt(error.max_pixels)})
        ) from None
    except images.BrokenImageError:
        message = _("这个文件打不开：只收 PNG、JPEG、GIF、WebP 图片，而且要完整。")
        raise _build_file_error(message) from None


def _build_file_name(image: images.EncodedImage) -> str:
    """Return a file name that is derived from the content and cannot be guessed.

    The hash is keyed, because addresses of pictures are public and drafts show
    pictures, too: a copy of an image must not reveal whether it is stored.
    """
    key = settings.SECRET_KEY.encode()
    digest = hmac.new(key, image.body, hashlib.blake2b).hexdigest()[:32]
    return f"{digest}-{image.width}x{image.height}.webp"


def _write_picture_file(name: str, body: bytes) -> None:
    """Write `body` to `name`; an existing file with other content is replaced."""
    path = Path(default_storage.path(name))
    mode: int = settings.FILE_UPLOAD_PERMISSIONS
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.remove_leftovers(path.parent)
        if not files.has_content(path, body):
            files.write_file_atomically(path, body, mode=mode)
    except OSError as error:
        logger.error("a picture could not be written: %s", error)
        message = _(
            "图片没有保存：服务器现在写不了文件，可能是磁盘满了。请稍后再传一次。"
        )
        raise _build_file_error(message) from None
