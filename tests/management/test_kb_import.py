"""kb_import prints what happens to each row, and refuses in one line."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from kb import search
from kb.index import sync
from kb.models import Entry, IndexQueue, Question, User
from tests.conftest import MakeEntry
from tests.importing import slowest, spent

pytestmark = pytest.mark.django_db
TABLES = sorted((Path(__file__).parent.parent / "bad_inputs" / "tables").iterdir())
KINDS = ["entries", "questions"]
BASE_DIR: Path = settings.BASE_DIR
Texts = tuple[str, str]


def run(kind: str, file: object, *options: str) -> Texts:
    """Return what the command prints; raises CommandError."""
    out, err = io.StringIO(), io.StringIO()
    call_command("kb_import", kind, str(file), *options, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def refusal(kind: str, file: object, *options: str) -> str:
    with pytest.raises(CommandError) as caught:
        run(kind, file, *options)
    return str(caught.value)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "faq.csv"
    path.write_text(
        "问题,答案,可见范围\n怎么退,点退货,\n=1+1,二,公幵\n能开票吗,能,公开\n"
    )
    return path


def test_a_dry_run_tells_every_row_and_writes_nothing(
    table: Path, make_entry: MakeEntry
) -> None:
    make_entry("怎么退", answer="点退货")
    make_entry("能开票吗", answer="不能")
    with pytest.raises(CommandError, match="有 1 行不能导入，没有写入任何内容"):
        run("entries", table, "--dry-run")
    out, _ = run("entries", table, "--dry-run", "--skip-bad")
    assert out.splitlines() == [
        "来源：faq（文件名，可以用 --source 另写）。",
        "编码 UTF-8，分隔符是逗号。",
        "第 2 行　不变　怎么退",
        "第 3 行　拒绝　=1+1（可见范围「公幵」：不认识这个值，可以写：公开、内部、"
        "仅内部、public、internal）",
        "第 4 行　修改　能开票吗（答案）",
        "其中 1 行改动已发布的内容，导入后马上生效：第 4 行。",
        "共 3 行：新建 0 行，修改 1 行，不变 1 行，拒绝 1 行。",
        "这是试运行，没有写入任何内容。",
    ]
    assert set(Entry.objects.values_list("answer", flat=True)) == {"点退货", "不能"}


def test_bad_rows_stop_all_or_go_to_a_file(table: Path, tmp_path: Path) -> None:
    assert "--skip-bad" in refusal("entries", table)
    assert not Entry.objects.exists()
    out, _ = run("entries", table, "--skip-bad")
    assert "完成：写入 2 行" in out
    assert "第 3 行　拒绝　=1+1" in out
    assert "第 2 行" not in out
    rejects = tmp_path / "faq.refused.csv"
    assert rejects.read_bytes().startswith("\ufeff行号,原因,问题".encode())
    assert rejects.read_text().splitlines()[1].endswith(",'=1+1,二,公幵")
    other = tmp_path / "坏的.csv"
    run("entries", table, "--skip-bad", "--rejects", str(other))
    assert other.read_bytes() == rejects.read_bytes()


def test_rejects_that_cannot_be_written_stop_all(table: Path, tmp_path: Path) -> None:
    before = table.read_bytes()
    assert "不能是要导入的文件" in refusal(
        "entries", table, "--skip-bad", "--rejects", str(table)
    )
    assert "找不到" in refusal(
        "entries", table, "--skip-bad", "--rejects", str(tmp_path / "无" / "a.csv")
    )
    assert table.read_bytes() == before
    assert not Entry.objects.exists()


def test_options_hold_where_the_file_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("编号,问题,答案\n1,a,b\n")
    run("entries", path, "--source", "旧库", "--status", "draft")
    entry = Entry.objects.get()
    assert (entry.source, entry.status, entry.audience) == ("旧库", "draft", "public")
    new = ("--source", "新库", "--duplicates", "new")
    run("entries", path, *new, "--audience", "internal")
    entry = Entry.objects.get(source="新库")
    assert (entry.status, entry.audience) == ("published", "internal")
    assert "只用于 entries" in refusal("questions", path, "--status", "draft")


def test_a_file_without_a_header_is_read_by_the_columns_that_are_named(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("fh,亲今天发货,物流\nzk,亲没有折扣,售前\n".encode("gbk"))
    columns = ("--columns", "标准问题，话术,")
    assert "缺少「标准问题」列" in refusal("entries", path)
    assert "缺少「答案」或「话术」列" in refusal("entries", path, "--columns", "问题,,")
    run("entries", path, *columns)
    assert [str(entry) for entry in Entry.objects.order_by("pk")] == ["fh", "zk"]


def test_questions_go_to_the_inbox(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("客户问题\t客服回答\t渠道\n怎么退\t点退货\t千牛\n", "utf-16")
    run("questions", path)
    assert Question.objects.awaiting_triage().get().channel == "qianniu"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("没有.csv", "找不到"),
        (".", "是文件夹"),
        ("a\0b.csv", "出错"),
        ("坏\udcff.csv", "找不到"),
    ],
)
def test_a_file_that_is_none_is_one_sentence(
    tmp_path: Path, name: str, reason: str
) -> None:
    sentence = refusal("entries", f"{tmp_path}/{name}")
    assert reason in sentence
    assert "\n" not in sentence


def test_progress_is_shown_where_it_is_asked_for(table: Path) -> None:
    _, quiet = run("entries", table, "--skip-bad", "--dry-run")
    assert quiet == ""
    _, loud = run("entries", table, "--skip-bad", "--progress")
    assert loud.splitlines()[:2] == ["查重 3/3", "核对 3/3"]


# In a process of its own -------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a site of its own, with tables and an index."""
    kept = {"PATH": os.environ["PATH"], "SECRET_KEY": "x", "HTTPS": "off"}
    env = kept | {"DATA_DIR": str(tmp_path / "data")}
    manage(env, "kb_setup", "--no-demo")
    return env


def manage(env: dict[str, str], *words: str, **more: Any) -> Any:
    command = [sys.executable, str(BASE_DIR / "manage.py"), *words]
    return subprocess.run(command, env=env, capture_output=True, check=False, **more)


def test_a_pipe_may_bring_the_file_and_close_early(site: dict[str, str]) -> None:
    rows = "".join(f"问{n},答\n" for n in range(3000))
    data = ("问题,答案\n" + rows).encode("gb18030")
    done = manage(site, "kb_import", "entries", "-", "--dry-run", input=data)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "共 3,000 行：新建 3,000 行" in done.stdout.decode()
    line = f"{sys.executable} manage.py kb_import entries - --dry-run | head -1"
    shell = ["bash", "-o", "pipefail", "-c", line]
    cut = subprocess.run(
        shell, env=site, input=data, capture_output=True, check=False, cwd=BASE_DIR
    )
    assert cut.stderr == b""
    assert cut.stdout.decode() == "编码 GB18030，分隔符是逗号。\n"


def test_refusals_leave_no_traceback_and_a_code(site: dict[str, str]) -> None:
    ascii_only = site | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = manage(ascii_only, "kb_import", "entries", "-", input="题目\n退\n".encode())
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"Traceback" not in done.stderr
    good = "问题,答案\n退,能\n".encode()
    done = manage(ascii_only, "kb_import", "entries", "-", "--dry-run", input=good)
    assert (done.returncode, done.stderr) == (0, b"")
    no_tables = site | {"DATA_DIR": site["DATA_DIR"] + "2"}
    done = manage(no_tables, "kb_import", "questions", "-", input="问题\n退\n".encode())
    assert "数据库还没有准备好" in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


def test_ctrl_c_is_one_line(site: dict[str, str], tmp_path: Path) -> None:
    fifo = tmp_path / "slow.csv"
    os.mkfifo(fifo)
    # Whoever starts the tests in the background has them ignore the signal.
    heed = ["env", "--default-signal=INT", sys.executable]
    command = [*heed, str(BASE_DIR / "manage.py"), "kb_import"]
    child = subprocess.Popen(
        [*command, "entries", str(fifo)], env=site, stderr=subprocess.PIPE, text=True
    )
    with fifo.open("wb"):  # returns when the command has begun to read
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=60)
    assert child.returncode == 130
    assert errors.startswith("CommandError: 已中断")
    assert errors.count("\n") == 1


# Hostile and large files -------------------------------------------------------


def try_file(path: Path, kind: str) -> None:
    """Import `path` into an empty library: rows are in, or one line says why not."""
    Entry.objects.all().delete()
    Question.objects.all().delete()
    began = spent()
    refused = ""
    try:
        run(kind, path)
    except CommandError as error:
        refused = str(error)
    assert spent() - began < slowest(path), path
    assert "\n" not in refused, path
    written = Entry.objects.count() + Question.objects.count()
    assert bool(written) != bool(refused), path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_hostile_files_are_read_or_refused(path: Path, kind: str) -> None:
    try_file(path, kind)


@pytest.mark.data
def test_all_hostile_files_are_read_or_refused(shared: Path) -> None:
    lines = (shared / "bad_inputs" / "inputs.jsonl").read_text().splitlines()
    cases = [json.loads(line) for line in lines]
    files = [case["file"] for case in cases if case["kind"] in {"csvs", "xlsxs"}]
    assert len(files) > 50
    for file in files:
        for kind in KINDS:
            try_file(shared / "bad_inputs" / file, kind)


@pytest.mark.data
def test_a_vendors_faq_goes_in_once(shared: Path, make_user: Any) -> None:
    """2,700 rows in GB18030, indexed, well under a minute; the second time nothing."""
    sync.rebuild_index()
    file = shared / "data" / "cloud_faq" / "import_gb18030.csv"
    began = spent()
    out, _ = run("entries", file, "--source", "cloud")
    assert spent() - began < 60
    assert "新建 2,700 行" in out
    assert not IndexQueue.objects.exists()
    before = list(Entry.objects.values_list("pk", "version", "updated_at"))
    reader: User = make_user("reader")
    hits = search.search_entries("CDN开启HTTPS加速收费吗", user=reader).hits
    assert hits[0].entry.question == "CDN开启HTTPS加速后，会有额外收费吗？"
    again, _ = run("entries", file, "--source", "cloud")
    assert "新建 0 行，修改 0 行，不变 2,700 行，拒绝 0 行" in again
    assert list(Entry.objects.values_list("pk", "version", "updated_at")) == before
    assert not IndexQueue.objects.exists()
