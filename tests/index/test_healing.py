"""A damaged or restored index is noticed, search is degraded, and a rebuild repairs it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from kb.index import healing, stamps, sync
from kb.index.engines import get_engine, write_lock
from kb.library import entries
from kb.models import Entry, IndexStamp
from kb.search import SearchResults, search_entries
from tests.conftest import MakeEntry

pytestmark = [
    pytest.mark.django_db,
    # Whoosh leaves the files open in which it stumbled.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """Return the folder of a stored index."""
    path = tmp_path / "index"
    whoosh = "kb.index.engines.whoosh.WhooshEngine"
    settings.KB_ENGINE = {"BACKEND": whoosh, "PATH": path, "LOCK_TIMEOUT_SECONDS": 0}
    return path


@pytest.fixture
def entry(folder: Path, make_entry: MakeEntry) -> Entry:
    make_entry("发票抬头怎么改？", answer="在订单里改。")
    return make_entry("退货运费谁承担？", answer="质量问题由我们承担。")


def ask(words: str = "质量问题") -> SearchResults:
    stamps.clear_cached_answers()  # as two seconds do
    return search_entries(words, user=AnonymousUser())


def found() -> list[int]:
    results = ask()
    assert not results.is_degraded
    return [hit.entry.pk for hit in results.hits]


def cut(pattern: str, size: int) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for file in folder.rglob(pattern):
            data = file.read_bytes()[:size]
            file.unlink()  # a file that is mapped must not shrink
            file.write_bytes(data)

    return change


def flip_postings(folder: Path) -> None:
    """Change postings, which are read only when a search needs them."""
    for file in folder.rglob("*.seg"):
        data = bytearray(file.read_bytes())
        at = data.index(b'{"fields"') - 70
        data[at] ^= 255
        file.write_bytes(data)


DAMAGES: dict[str, Callable[[Path], Any]] = {
    "no folder": shutil.rmtree,
    "no CURRENT": lambda folder: (folder / "CURRENT").unlink(),
    "CURRENT cut short": cut("CURRENT", 0),
    "no generation": lambda f: shutil.rmtree(next(f.glob("generation-*"))),
    "contents cut short": cut("*.toc", 20),
    "segments cut short": cut("*.seg", 100),
    "another format": lambda f: (f / "CURRENT").write_text("generation-0-old"),
    "postings changed": flip_postings,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_index_heals(entry: Entry, folder: Path, damage: str) -> None:
    assert found() == [entry.pk]
    assert not healing.rebuild_if_needed()
    DAMAGES[damage](folder)
    get_engine.cache_clear()
    assert healing.rebuild_if_needed()
    assert found() == [entry.pk]
    assert not healing.rebuild_if_needed()


def test_a_missing_index_is_logged_in_one_line(
    entry: Entry, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(folder)
    assert ask().is_degraded
    healing.rebuild_if_needed()
    (line,) = [r.getMessage() for r in caplog.records if r.name == healing.__name__]
    assert line.startswith("index: rebuilt 2 entries in ")
    assert "no index" in line


@pytest.fixture
def older_copy(entry: Entry, folder: Path, tmp_path: Path) -> Path:
    """Return a copy of the index, after which the entry was changed."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    entries.update_entry(
        entry, by=None, based_on=entry.version, answer="都由平台垫付。"
    )
    sync.sync_all_marks()
    assert [hit.entry.pk for hit in ask("平台垫付").hits] == [entry.pk]
    return copy


def restore_picture_file(copy: Path, folder: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)


def test_an_older_copy_of_the_index_is_noticed_and_heals(
    older_copy: Path, folder: Path, entry: Entry
) -> None:
    restore_picture_file(older_copy, folder)
    assert ask("平台垫付").is_degraded
    assert healing.rebuild_if_needed()
    results = ask("平台垫付")
    assert ([h.entry.pk for h in results.hits], results.is_degraded) == (
        [entry.pk],
        False,
    )


def test_a_save_does_not_make_an_older_copy_known(
    older_copy: Path, folder: Path, make_entry: MakeEntry
) -> None:
    restore_picture_file(older_copy, folder)
    stamps.clear_cached_answers()
    sync.mark_stale([1])
    assert sync.sync_marked_entries() == 0
    assert ask("平台垫付").is_degraded


def test_an_older_database_is_noticed_and_heals(entry: Entry) -> None:
    older = IndexStamp.objects.values().get()
    sync.mark_stale([entry.pk])
    sync.sync_marked_entries()
    sync.mark_stale([entry.pk])
    sync.sync_marked_entries()
    IndexStamp.objects.update(**older)
    assert ask().is_degraded
    assert healing.rebuild_if_needed()
    assert found() == [entry.pk]


def test_a_database_that_never_knew_the_index_is_noticed(entry: Entry) -> None:
    IndexStamp.objects.all().delete()
    assert ask().is_degraded
    assert healing.rebuild_if_needed()
    assert IndexStamp.objects.count() == 1


@pytest.mark.parametrize("committed", [True, False])
def test_a_process_that_dies_during_its_commit_causes_no_rebuild(
    entry: Entry, committed: bool
) -> None:
    with get_engine().open_writer() as changes:
        stamp = stamps.begin_commit(changes.stamp)
        changes.stamp = stamp if committed else changes.stamp
    assert found() == [entry.pk]
    assert healing.find_index_problem() == ""


def test_a_table_of_contents_older_than_the_last_commit_is_damage(
    entry: Entry, folder: Path, tmp_path: Path
) -> None:
    (contents,) = folder.rglob("*.toc")
    shutil.copytree(contents.parent, tmp_path / "older")
    sync.mark_stale([entry.pk])
    sync.sync_marked_entries()
    shutil.rmtree(contents.parent)
    shutil.copytree(tmp_path / "older", contents.parent)
    get_engine.cache_clear()
    assert ask().is_degraded
    assert healing.rebuild_if_needed()


def test_one_process_heals_at_a_time(entry: Entry, folder: Path) -> None:
    with write_lock.hold_lock(folder / "REBUILD", 0):
        (folder / "CURRENT").unlink()
        assert not healing.rebuild_if_needed()
    assert healing.rebuild_if_needed()


def test_a_writer_at_work_is_no_damage(entry: Entry) -> None:
    with get_engine().open_writer():
        assert healing.find_index_problem() == ""


def test_a_rebuild_that_fails_leaves_the_index_known(entry: Entry) -> None:
    def fail(sources: object) -> Any:
        raise LookupError

    with pytest.raises(LookupError):
        sync.rebuild_index(fail)
    assert found() == [entry.pk]
    assert IndexStamp.objects.count() == 1


def test_the_database_is_asked_every_two_seconds_at_most(
    entry: Entry, django_assert_num_queries: Any
) -> None:
    engine = get_engine()
    stamps.clear_cached_answers()
    with django_assert_num_queries(1):
        for _ in range(5):
            engine.count_documents(())


def test_an_index_is_trusted_while_the_database_is_down(
    entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    def down(stamp: str) -> bool:
        raise OperationalError

    monkeypatch.setattr(stamps, "_is_stored_stamp", down)
    stamps.clear_cached_answers()
    assert get_engine().count_documents(()) == 2
