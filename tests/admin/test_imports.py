"""Import in the admin: nothing is written before the preview is confirmed."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from kb.admin.imports import import_views
from kb.import_export.read import uploads
from kb.models import Entry, IndexQueue, Question, User
from tests.conftest import MakeEntry
from tests.importing import confirm, slowest, spent

pytestmark = pytest.mark.django_db
TABLES = sorted((Path(__file__).parent.parent / "bad_inputs" / "tables").iterdir())
FOLDER = Path(settings.DATA_DIR) / "imports"
ROWS = "问题,答案,可见范围\n怎么退,点<b>退货</b>,\n=1+1,二,公幵\n"
GOOD = "问题,答案\n怎么退,点退货\n怎么换,点换货\n"


@pytest.fixture(autouse=True)
def _empty_folder() -> Iterator[None]:
    """Begin without the uploads of other tests, and leave none."""
    for path in FOLDER.glob("*"):
        path.unlink()
    yield
    for path in FOLDER.glob("*"):
        path.unlink()


@pytest.fixture
def staff(client: Client, editor: User) -> Client:
    client.force_login(editor)
    return client


def upload(
    client: Client, data: str | bytes, name: str = "faq.csv", **more: Any
) -> Any:
    raw = data.encode() if isinstance(data, str) else data
    file = SimpleUploadedFile(name, raw)
    fields = {"kind": "entries", "status": "draft", "file": file, **more}
    return client.post(reverse("admin:kb_import"), fields)


def body(response: Any) -> str:
    return str(response.content.decode())


def test_it_shows_what_would_happen_and_does_it_on_confirmation(
    staff: Client, editor: User
) -> None:
    preview = upload(staff, GOOD, source="旧库").url
    page = body(staff.get(preview))
    assert "共 2 行：新建 2 行" in page
    assert "确认导入 2 行" in page
    assert not Entry.objects.exists()
    done = confirm(staff, preview)
    assert "导入完成：共 2 行：新建 2 行" in body(done)
    made = Entry.objects.get(question="怎么退")
    assert (made.status, made.source, made.created_by) == ("draft", "旧库", editor)
    assert list(FOLDER.iterdir()) == []


def test_refused_rows_come_first_escaped_and_can_be_downloaded(staff: Client) -> None:
    preview = upload(staff, ROWS + "<img src=x onerror=alert(1)>,b,公幵\n").url
    page = body(staff.get(preview))
    numbers = re.findall(r"<td>(\d+)</td>", page)
    assert numbers == ["3", "4", "2"]
    assert "可见范围「公幵」：不认识这个值" in page
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
    file = staff.get(f"{preview}refused.csv")
    assert file["Content-Disposition"] == 'attachment; filename="faq.refused.csv"'
    assert "'=1+1,二,公幵" in body(file)


def test_refused_rows_are_skipped_only_when_asked_to(staff: Client) -> None:
    preview = upload(staff, ROWS).url
    assert "有 1 行不能导入，没有写入" in body(confirm(staff, preview))
    assert not Entry.objects.exists()
    assert "新建 1 行" in body(confirm(staff, preview, skip_bad="on"))
    assert Entry.objects.count() == 1


def test_what_changed_since_the_preview_is_shown_before_it_is_written(
    staff: Client, make_entry: MakeEntry
) -> None:
    preview = upload(staff, GOOD, status="published").url
    page = body(staff.get(preview))
    seen = re.search(r'name="fingerprint" value="(\w+)"', page)
    assert seen
    entry = make_entry("怎么退", answer="旧")
    stale = body(staff.post(preview, {"fingerprint": seen[1]}, follow=True))
    assert "预览以后，库里相关的内容有了变化" in stale
    assert "新建 1 行，修改 1 行" in stale
    entry.refresh_from_db()
    assert entry.answer == "旧"
    assert Entry.objects.count() == 1
    confirm(staff, preview)
    entry.refresh_from_db()
    assert (entry.answer, entry.status) == ("点退货", "published")


def test_a_changed_preview_is_not_confirmed(staff: Client) -> None:
    preview = upload(staff, GOOD).url
    assert "请再看一遍" in body(staff.post(preview, follow=True))
    assert not Entry.objects.exists()


def test_a_page_does_not_wait_until_a_long_file_can_be_searched_for(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_views, "MAX_AWAITED_ROWS", 1)
    preview = upload(staff, "问题,答案\n甲,一\n乙,二\n").url
    assert "几分钟内陆续可以搜到" in body(confirm(staff, preview))
    assert IndexQueue.objects.count() == Entry.objects.count() == 2


def test_a_second_click_on_confirm_imports_nothing(staff: Client) -> None:
    preview = upload(staff, GOOD).url
    confirm(staff, preview)
    assert "已失效" in body(staff.post(preview, follow=True))
    assert Entry.objects.count() == 2


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        ("答案\nb\n", "a.csv", "缺少「标准问题」列"),
        ("", "a.csv", "文件是空的"),
        ("问题,答案\n", "a.csv", "没有数据"),
        ("问题,答案\na,b\n", "a.yaml", "只能导入 CSV 和 XLSX"),
        ("问题,答案\na,b\n" * 800_000, "a.csv", "超过 10 MB"),
    ],
)
def test_a_wrong_file_is_refused_beside_its_field(
    staff: Client, data: str, name: str, reason: str
) -> None:
    response = upload(staff, data, name)
    assert response.status_code == 200
    assert reason in body(response)
    assert not FOLDER.exists() or list(FOLDER.iterdir()) == []


@pytest.mark.parametrize(
    "field",
    [{"kind": "users"}, {"status": "retired"}, {"encoding": "rot13"}, {"file": ""}],
)
def test_forged_fields_are_refused(staff: Client, field: dict[str, str]) -> None:
    response = upload(staff, GOOD, **field)
    assert (response.status_code, "errorlist" in body(response)) == (200, True)


# Who may -----------------------------------------------------------------------


def test_import_pages_need_the_permission(
    client: Client, agent: User, make_user: Callable[..., User]
) -> None:
    address = reverse("admin:kb_import")
    assert client.get(address).status_code == 302
    helper = make_user("helper", is_staff=True)
    client.force_login(helper)
    assert client.get(address).status_code == 403
    assert upload(client, GOOD).status_code == 403
    helper.user_permissions.add(Permission.objects.get(codename="import_question"))
    client.force_login(helper)
    assert "条目</option>" not in body(client.get(address))
    assert "errorlist" in body(upload(client, GOOD))
    client.force_login(agent)
    assert client.get(address).status_code in {302, 403}


def test_publishing_needs_its_permission(
    client: Client, make_user: Callable[..., User], make_entry: MakeEntry
) -> None:
    helper = make_user("helper", is_staff=True)
    helper.user_permissions.add(Permission.objects.get(codename="import_entry"))
    client.force_login(helper)
    assert "errorlist" in body(upload(client, GOOD, status="published"))
    preview = upload(client, "问题,答案,状态\na,b,已发布\n").url
    assert "您没有发布和下线的权限" in body(client.get(preview))
    confirm(client, preview, skip_bad="on")
    assert not Entry.objects.exists()


def test_an_editor_may_publish_by_import(staff: Client) -> None:
    confirm(staff, upload(staff, GOOD, status="published").url)
    assert set(Entry.objects.values_list("status", flat=True)) == {"published"}


def test_a_right_that_is_taken_away_stops_the_import(
    staff: Client, editor: User
) -> None:
    preview = upload(staff, GOOD).url
    editor.groups.clear()
    assert staff.post(preview).status_code == 403
    assert not Entry.objects.exists()


def test_questions_are_imported_too(staff: Client) -> None:
    data = "客户问题,客服回答\n怎么退,点退货\n"
    confirm(staff, upload(staff, data, kind="questions").url)
    assert Question.objects.awaiting_triage().count() == 1


# The file in between -----------------------------------------------------------


def test_the_file_is_private_and_belongs_to_its_session(
    staff: Client, make_user: Callable[..., User]
) -> None:
    preview = upload(staff, GOOD).url
    assert stat.S_IMODE(FOLDER.stat().st_mode) == 0o700
    (file,) = FOLDER.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.name in preview
    other = Client()
    other.force_login(make_user("other", "主管", is_staff=True))
    assert "已失效" in body(other.get(preview, follow=True))
    assert "已失效" in body(other.post(preview, follow=True))
    assert other.get(f"{preview}refused.csv").status_code == 404
    assert not Entry.objects.exists()


def test_a_new_upload_replaces_the_one_before(staff: Client) -> None:
    first = upload(staff, GOOD).url
    upload(staff, GOOD)
    assert len(list(FOLDER.iterdir())) == 1
    assert "已失效" in body(staff.get(first, follow=True))


def test_forgotten_files_do_not_stay(staff: Client) -> None:
    upload(staff, GOOD)
    (old,) = FOLDER.iterdir()
    with time_machine.travel(old.stat().st_mtime + uploads.UPLOAD_LIFETIME_SECONDS + 1):
        uploads.store_upload(b"x")
    assert not old.exists()


def test_a_token_is_no_path(staff: Client) -> None:
    (FOLDER.parent / "aside").write_text("不是上传的")
    uploads.delete_upload(uploads.store_upload(b"x"))
    for token in ("..", "x", "../aside", "a" * 33, "é" * 32):
        with pytest.raises(Exception, match="已失效"):
            uploads.load_upload(token)
    assert staff.get(reverse("admin:kb_import_preview", args=["x"])).status_code == 302


# Hostile files, and a page without script ---------------------------------------


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_hostile_files_get_a_preview_or_a_reason(staff: Client, path: Path) -> None:
    try_file(staff, path)


@pytest.mark.data
def test_all_hostile_files_get_a_preview_or_a_reason(
    staff: Client, shared: Path
) -> None:
    lines = (shared / "bad_inputs" / "inputs.jsonl").read_text().splitlines()
    files = [
        c["file"] for c in map(json.loads, lines) if c["kind"] in {"csvs", "xlsxs"}
    ]
    for file in files:
        try_file(staff, shared / "bad_inputs" / file)


def try_file(client: Client, path: Path) -> None:
    began = spent()
    sent = upload(client, path.read_bytes(), path.name)
    assert sent.status_code in {200, 302}, path
    page = client.get(sent.url) if sent.status_code == 302 else sent
    if page.status_code == 302:  # of no heading that is known: it asks what they are
        page = client.get(page["Location"])
        assert "columns" in page.request["PATH_INFO"], path
    assert page.status_code == 200, path
    assert ("errorlist" in body(page)) == (sent.status_code == 200), path
    assert spent() - began < slowest(path), path
    assert not Entry.objects.exists()


def test_the_pages_keep_the_strict_policy(staff: Client) -> None:
    preview = upload(staff, GOOD).url
    for address in (reverse("admin:kb_import"), preview):
        page = body(staff.get(address))
        assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=", page), address


def test_a_preview_uses_a_constant_number_of_queries(
    staff: Client, django_assert_max_num_queries: Any
) -> None:
    rows = "".join(f"问{n},答\n" for n in range(300))
    preview = upload(staff, "问题,答案\n" + rows).url
    with django_assert_max_num_queries(20):
        page = body(staff.get(preview))
    assert "另有 100 行没有列出" in page
