"""Two real workers on a SQLite file that is removed, replaced and locked."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.real_site import Answer, RealSite

TRIES = 12  # requests that surely reach every worker
pytestmark = pytest.mark.xdist_group("sqlite")  # one site for all of them


@pytest.fixture(scope="module")
def site() -> Iterator[RealSite]:
    with tempfile.TemporaryDirectory(prefix="kb-file-") as name:
        made = RealSite(Path(name) / "site", DB_LOCK_SECONDS="1")
        made.prepare()
        made.start()
        yield made
        made.stop()


@pytest.fixture
def database(site: RealSite) -> Iterator[Path]:
    """Return where the file is; afterwards it is the one of before."""
    path = site.folder / "kb.sqlite3"
    for _ in range(TRIES):
        assert site.get("/").status == 200
    yield path
    assert site.capture("恢复之后").status == 302


def captures(site: RealSite) -> list[Answer]:
    return [site.capture("丢不得的话") for _ in range(TRIES)]


def test_addresses_are_printed_when_they_answer(site: RealSite) -> None:
    site.wait_for(lambda: "客服话术台" in site.log.read_text())
    assert f"http://127.0.0.1:{site.port}/console/" in site.log.read_text()
    assert site.get("/").status == 200


def test_nothing_is_written_into_a_file_that_was_removed(
    site: RealSite, database: Path
) -> None:
    aside = database.with_name("aside.sqlite3")
    database.rename(aside)
    refused = captures(site)
    assert {one.status for one in refused} == {503}
    assert all("数据库文件被移走或换过" in one.text for one in refused)
    assert all("丢不得的话" in one.text for one in refused)
    assert {site.get("/").status for _ in range(TRIES)} == {200}  # from memory
    assert not database.exists()  # nor is an empty one made
    aside.rename(database)


def test_threads_are_never_split_between_two_files(
    site: RealSite, database: Path
) -> None:
    aside, other = (database.with_name(name) for name in ("aside.db", "other.db"))
    with (
        closing(sqlite3.connect(database)) as now,
        closing(sqlite3.connect(other)) as copy,
    ):
        now.backup(copy)
    before = other.read_bytes()
    database.rename(aside)
    other.rename(database)
    assert {one.status for one in captures(site)} == {503}
    assert database.read_bytes() == before
    aside.rename(database)


def test_a_lock_that_is_held_is_waited_for_briefly(
    site: RealSite, database: Path
) -> None:
    with closing(sqlite3.connect(database)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = site.capture("丢不得的话")
        assert (refused.status, "数据库正忙" in refused.text) == (503, True)
        assert refused.seconds < 3
        assert site.get(site.entry).status == 200
        other.rollback()


def test_the_log_has_no_traceback(site: RealSite) -> None:
    assert "kb.system.outages database_replaced" in site.log.read_text()
    assert "Traceback" not in site.log.read_text()
