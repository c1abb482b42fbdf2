"""Pictures: every upload is converted to WebP or refused."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from kb.library import pictures
from kb.models import Inquiry, InquiryAttachment, Picture, User
from kb.web.faq import ask_form
from tests.conftest import MakeEntry

HERE = Path(__file__).parent.parent / "bad_inputs" / "images"
UPLOAD = "/admin/kb/picture/upload/"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


def image(kind: str = "PNG", size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(buffer, kind, **options)
    return buffer.getvalue()


def store(body: bytes, alt: str = "红色的方块", by: User | None = None) -> Picture:
    return pictures.store_picture(ContentFile(body, "a.png"), alt=alt, by=by)


def open_image(picture: Picture) -> Image.Image:
    with default_storage.open(picture.name) as file:
        return Image.open(BytesIO(file.read()))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_picture_is_stored_as_webp_with_its_size_in_the_name(
    kind: str, editor: User
) -> None:
    picture = store(image(kind), by=editor)
    assert (picture.width, picture.height, picture.created_by) == (40, 30, editor)
    assert picture.name.endswith("-40x30.webp")
    assert open_image(picture).format == "WEBP"
    assert picture.build_markdown() == f"![红色的方块]({picture.url})"


def test_same_picture_is_stored_once_under_a_secret_name(
    settings: Any,
) -> None:
    first = store(image())
    assert store(image(), alt="又一次") == first
    assert default_storage.listdir("")[1] == [first.name]
    Picture.objects.all().delete()
    settings.SECRET_KEY = "another key"
    assert store(image()).name != first.name


def test_metadata_of_the_upload_is_dropped() -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "GPS 31.2N 121.5E", 6  # a word, and lying on its side
    picture = store(image("JPEG", exif=exif, comment=b"CANARY", icc_profile=b"CANARY"))
    assert (picture.width, picture.height) == (30, 40)  # upright
    with default_storage.open(picture.name) as file:
        body = file.read()
    assert b"CANARY" not in body
    assert b"GPS" not in body
    assert not open_image(picture).getexif()


def test_transparency_is_preserved() -> None:
    buffer = BytesIO()
    Image.new("RGBA", (9, 9), (0, 0, 0, 0)).save(buffer, "PNG")
    assert open_image(store(buffer.getvalue())).convert("RGBA").getpixel((4, 4)) == (
        0,
        0,
        0,
        0,
    )


def test_large_picture_is_scaled_down() -> None:
    picture = store(image("JPEG", (4000, 2000)))
    assert (picture.width, picture.height) == (1600, 800)


@pytest.mark.parametrize("alt", ["", "  ", "\u200b", "长" * 201])
def test_picture_needs_alt_text(alt: str) -> None:
    with pytest.raises(ValidationError) as refused:
        store(image(), alt=alt)
    assert "替代文字" in str(refused.value.message_dict["alt"])
    assert not Picture.objects.exists()


def refused_bodies() -> Iterator[Any]:
    png = image()
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    yield pytest.param(b"", id="empty")
    yield pytest.param(b"not an image", id="text")
    yield pytest.param(svg, id="svg")
    yield pytest.param(b"GIF89a<script>alert(1)</script>", id="gif-script")
    yield pytest.param(png[:-30], id="truncated")
    yield pytest.param(png[:20], id="header-alone")
    yield pytest.param(image("BMP"), id="bmp")
    yield pytest.param(image("TIFF"), id="tiff")
    yield pytest.param(image("ICO", (16, 16)), id="ico")
    yield pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", id="eps")
    yield pytest.param(bytes(2 * 1024 * 1024 + 1), id="too-many-bytes")
    yield pytest.param(image(size=(5001, 5001)), id="too-many-pixels")
    yield pytest.param(image("JPEG", (60000, 2000)), id="wide-bomb")


@pytest.mark.parametrize("body", list(refused_bodies()))
def test_broken_upload_is_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises(ValidationError) as refused:
        store(body)
    (message,) = refused.value.message_dict["file"]
    assert "图片" in message
    assert not Picture.objects.exists()
    assert not default_storage.exists("") or default_storage.listdir("")[1] == []


def load_hostile_cases() -> list[dict[str, str]]:
    lines = (HERE / "images.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize(
    "case", load_hostile_cases(), ids=lambda case: ascii(case["id"])
)
def test_a_hostile_file_is_re_encoded_or_refused(case: dict[str, str]) -> None:
    _probe(base64.b64decode(case["base64"]), case["id"])


def iterate_hostile_files(shared: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of every hostile image there is."""
    listed = shared / "bad_inputs" / "inputs.jsonl"
    cases = [json.loads(line) for line in listed.read_text("utf-8").splitlines()]
    files = [case for case in cases if case["kind"] == "images"]
    assert files, "the corpus has no images"
    for case in files:
        yield case["id"], (listed.parent / case["file"]).read_bytes()


def test_all_hostile_files_are_re_encoded_or_refused(shared: Path) -> None:
    for name, body in iterate_hostile_files(shared):
        _probe(body, name)


def test_the_upload_takes_all_hostile_files(
    client: Client, editor: User, shared: Path
) -> None:
    client.force_login(editor)
    for name, body in iterate_hostile_files(shared):
        file = SimpleUploadedFile(Path(name).name or "x", body)
        answer = client.post(UPLOAD, {"file": file, "alt": "图"})
        data = answer.json()
        assert (answer.status_code, "markdown" in data) in {(200, True), (400, False)}
        assert answer.status_code == 200 or re.search("图片|文件", data["error"]), name
    stored_names = {row.name for row in Picture.objects.all()}
    assert stored_names == set(default_storage.listdir("")[1])


def test_the_form_for_customers_takes_all_hostile_files(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask_form, "MIN_FORM_SECONDS", -1)
    for name, body in iterate_hostile_files(shared):
        cache.clear()  # so that no request is throttled
        file = SimpleUploadedFile(Path(name).name or "x", body)
        sent = {
            "text": name,
            "send": "1",
            "stamp": ask_form.make_form_stamp(),
            "pictures": file,
        }
        before = Inquiry.objects.count()
        answer = Client().post("/ask/", sent)
        taken = answer.status_code == 302
        assert taken or (answer.status_code, "第 1 张" in answer.text) == (400, True)
        assert Inquiry.objects.count() == before + taken, name
    assert {bytes(row.body)[8:12] for row in InquiryAttachment.objects.all()} == {
        b"WEBP"
    }


def _probe(body: bytes, name: str) -> None:
    message = ""
    try:
        picture = pictures.store_picture(ContentFile(body, name), alt="图", by=None)
    except ValidationError as refused:
        message = str(refused)
    if message:
        assert "图片" in message
        return
    assert open_image(picture).format == "WEBP"
    assert re.fullmatch(r"[0-9a-f]{32}-\d+x\d+\.webp", picture.name)
    with default_storage.open(picture.name) as file:
        assert b"<script" not in file.read()


# Serving -----------------------------------------------------------------------


def test_picture_is_public_and_cached_for_a_year(client: Client) -> None:
    picture = store(image())
    answer = client.get(picture.url)
    assert b"".join(answer)[8:12] == b"WEBP"
    assert answer["Content-Type"] == "image/webp"
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert not answer.cookies
    again = client.get(picture.url, headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "name",
    [
        f"{'0' * 32}-1x1.webp",
        "../secret_key",
        "..%2fsecret_key",
        "",
        "a.svg",
        f"{'0' * 32}-1x1.webp/",
        f"{'0' * 32}-1x1.webp%00",
    ],
)
def test_no_other_file_of_the_folder_is_served(client: Client, name: str) -> None:
    (Path(default_storage.path("")).parent / "secret_key").write_text("s3cret")
    assert client.get(f"/media/{name}").status_code == 404


# The editor's upload -----------------------------------------------------------


def post_upload(client: Client, body: bytes | None = None, **data: Any) -> Any:
    file = SimpleUploadedFile("退货👍;\r\n.png", body or image(), "text/html")
    return client.post(UPLOAD, {"file": file, "alt": "点“退款”[1]"} | data)


def test_an_editor_gets_the_markdown_to_insert(client: Client, editor: User) -> None:
    client.force_login(editor)
    data = post_upload(client).json()
    picture = Picture.objects.get()
    assert picture.created_by == editor
    assert data["markdown"] == rf"![点“退款”\[1\]]({picture.url})"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"alt": ""}, "替代文字"),
        ({"alt": "x" * 300}, "替代文字"),
        ({"alt": "\x00"}, ""),
        ({"file": ""}, "没有收到图片"),
        ({"file": SimpleUploadedFile("a.svg", b"<svg/>")}, "打不开"),
    ],
)
def test_a_refused_upload_says_why(
    client: Client, editor: User, data: dict[str, Any], words: str
) -> None:
    client.force_login(editor)
    answer = post_upload(client, **data)
    assert answer.status_code == 400
    assert words in answer.json()["error"]
    assert not Picture.objects.exists()


def test_only_editors_upload(client: Client, agent: User, make_user: Any) -> None:
    assert post_upload(client).status_code == 302
    client.force_login(agent)
    assert post_upload(client).status_code in {302, 403}
    client.force_login(make_user("looker", is_staff=True))
    assert post_upload(client).status_code == 403
    assert client.get(UPLOAD).status_code == 405
    assert not Picture.objects.exists()


def test_upload_needs_a_csrf_token(editor: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(editor)
    assert post_upload(strict).status_code == 403


def test_picture_can_be_uploaded_without_javascript(
    client: Client, editor: User
) -> None:
    client.force_login(editor)
    page = reverse("admin:kb_picture_add")
    file = SimpleUploadedFile("a.png", image(), "image/png")
    done = client.post(page, {"file": file, "alt": "图一"}, follow=True)
    picture = Picture.objects.get()
    assert picture.created_by == editor
    assert picture.build_markdown() in done.content.decode()
    bad = SimpleUploadedFile("a.png", b"nothing", "image/png")
    again = client.post(page, {"file": bad, "alt": "图二"})
    assert "打不开" in again.content.decode()
    shown = client.get(reverse("admin:kb_picture_change", args=[picture.pk]))
    assert picture.url in shown.content.decode()


def test_picture_in_use_cannot_be_deleted(
    client: Client, editor: User, make_entry: MakeEntry
) -> None:
    picture = store(image())
    entry = make_entry(answer=f"点这里：\n\n{picture.build_markdown()}")
    with pytest.raises(ValidationError, match="1 个条目"):
        pictures.delete_picture(picture)
    client.force_login(editor)
    delete = reverse("admin:kb_picture_delete", args=[picture.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    entry.answer = "没有图了。"
    entry.save()
    assert client.post(delete, {"post": "yes"}).status_code == 302
    assert not Picture.objects.exists()


def test_file_is_deleted_with_its_row(
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    picture = store(image())
    with django_capture_on_commit_callbacks(execute=True):
        pictures.delete_picture(picture)
    assert not default_storage.exists(picture.name)


def test_answer_with_a_picture_without_alt_text_is_refused(
    make_entry: MakeEntry,
) -> None:
    picture = store(image())
    with pytest.raises(ValidationError, match="替代文字"):
        make_entry(answer=f"看图：![]({picture.url})")
