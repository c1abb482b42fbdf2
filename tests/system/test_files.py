"""A file is there whole or not at all; what a full disk once damaged is mended."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from kb.import_export.read import uploads
from kb.library import pictures
from kb.models import Picture, User
from kb.system.files import has_content, remove_leftovers, write_file_atomically
from tests.library.test_pictures import image


def full(*args: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_file_takes_its_name_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_file_atomically(path, b"one")
    write_file_atomically(path, b"another", mode=0o640)
    assert has_content(path, b"another")
    assert not has_content(path, b"another!")
    assert not has_content(tmp_path / "nothing", b"")
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("call", ["fsync", "replace", "chmod"])
def test_a_full_disk_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"before")
    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="No space"):
        write_file_atomically(path, b"after" * 1000)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_kill_left_over_goes_after_an_hour(tmp_path: Path) -> None:
    old, fresh, other = (tmp_path / n for n in (".a.x.part", ".b.y.part", "c.webp"))
    for path in (old, fresh, other):
        path.write_bytes(b"half")
    for path in (old, other):
        os.utime(path, (time.time() - 7200,) * 2)
    assert remove_leftovers(tmp_path) == 1
    assert sorted(tmp_path.iterdir()) == [fresh, other]


# Pictures ------------------------------------------------------------------------


@pytest.fixture
def _own_folder(settings: Any, tmp_path: Path, db: None) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


def keep() -> Picture:
    return pictures.store_picture(
        ContentFile(image(size=(400, 300)), "a.png"), alt="红色", by=None
    )


def cut(picture: Picture) -> Path:
    path = Path(default_storage.path(picture.name))
    path.write_bytes(path.read_bytes()[:-20])
    return path


@pytest.mark.usefixtures("_own_folder")
@pytest.mark.parametrize("has_row", [True, False])
def test_uploading_a_damaged_picture_again_mends_it(has_row: bool) -> None:
    picture = keep()
    body = Path(default_storage.path(picture.name)).read_bytes()
    path = cut(picture)
    if not has_row:  # the first upload failed before there was one
        picture.delete()
    assert keep().name == picture.name
    assert path.read_bytes() == body


@pytest.mark.usefixtures("_own_folder")
def test_a_damaged_picture_is_not_served_for_a_year(client: Client) -> None:
    picture = keep()
    served = client.get(picture.url)
    assert (served.status_code, len(served.getvalue())) == (200, picture.size)
    cut(picture)
    refused = client.get(picture.url)
    assert refused.status_code == 404
    assert "immutable" not in refused.headers.get("Cache-Control", "")


@pytest.mark.usefixtures("_own_folder")
def test_a_damaged_picture_is_named_in_the_list(client: Client, editor: User) -> None:
    picture = keep()
    client.force_login(editor)
    assert "文件损坏" not in client.get("/admin/kb/picture/").text
    cut(picture)
    assert "文件损坏或丢失" in client.get("/admin/kb/picture/").text
    assert pictures.is_picture_file_intact(keep())


@pytest.mark.usefixtures("_own_folder")
def test_a_picture_that_finds_no_room_leaves_nothing_and_says_so(
    client: Client, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(editor)
    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        sent = {"file": ContentFile(image(), "a.png"), "alt": "红色"}
        refused = client.post("/admin/kb/picture/upload/", sent)
        assert refused.status_code == 400
        assert "磁盘满了" in refused.json()["error"]
    assert not Picture.objects.exists()
    assert default_storage.listdir("")[1] == []
    sent = {"file": ContentFile(image(), "a.png"), "alt": "红色"}
    assert client.post("/admin/kb/picture/upload/", sent).status_code == 200
    assert pictures.is_picture_file_intact(Picture.objects.get())


def test_an_uploaded_table_is_kept_whole_or_not_at_all(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATA_DIR = tmp_path
    assert uploads.load_upload(uploads.store_upload(b"a,b\n1,2\n")) == b"a,b\n1,2\n"
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ValidationError, match="磁盘满了"):
        uploads.store_upload(b"c,d\n")
    assert len(list((tmp_path / "imports").iterdir())) == 1
