"""The files of the default engine: locks, generations, damage, several processes."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from whoosh.index import open_dir
from whoosh.query import Or, Term

from kb.index.engines import (
    Document,
    EngineUnavailableError,
    FieldGroup,
    WeightedField,
    write_lock,
)
from kb.index.engines.impact_cache import CacheShelf, ImpactCache
from kb.index.engines.pack_file import ARRAY_DTYPES, Pack, PackWriter
from kb.index.engines.whoosh import WhooshEngine
from tests.searching import QUESTIONS, ask, doc, put


def test_a_missing_index_is_unavailable_not_empty(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailableError, match="kb_index rebuild"):
        ask(WhooshEngine(tmp_path / "none"), "退款")


def test_an_index_of_another_format_is_unavailable(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path)
    engine.replace_index([doc(1, "退款")])
    folder = next(tmp_path.glob("generation-*"))
    folder.rename(tmp_path / "generation-0-old")
    (tmp_path / "CURRENT").write_text("generation-0-old")
    with pytest.raises(EngineUnavailableError, match="old index"):
        ask(WhooshEngine(tmp_path), "退款")


# Whoosh leaves the files open in which it stumbled.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("pattern", ["*.seg", "*.toc"])
def test_a_damaged_index_is_unavailable(tmp_path: Path, pattern: str) -> None:
    WhooshEngine(tmp_path).replace_index([doc(1, "退款")])
    for file in tmp_path.rglob(pattern):
        file.write_bytes(file.read_bytes()[:20])
    with pytest.raises(EngineUnavailableError):
        ask(WhooshEngine(tmp_path), "退款")


def test_a_rebuild_repairs_a_damaged_index(tmp_path: Path) -> None:
    WhooshEngine(tmp_path).replace_index([doc(1, "退款")])
    for file in tmp_path.rglob("*.toc"):
        file.write_bytes(b"")
    WhooshEngine(tmp_path).replace_index([doc(2, "退款")])
    assert ask(WhooshEngine(tmp_path), "退款").ids == (2,)


def test_another_writer_means_unavailable_not_wrong(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path)
    engine.replace_index([])
    other = WhooshEngine(tmp_path, lock_timeout_seconds=0)
    with (
        engine.open_writer(),
        pytest.raises(EngineUnavailableError),
        other.open_writer(),
    ):
        pass


def test_a_writer_waits_for_its_turn(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path, lock_timeout_seconds=30)
    engine.replace_index([])
    started = threading.Event()

    def write() -> None:
        started.set()
        put(WhooshEngine(tmp_path, lock_timeout_seconds=30), doc(2, "退款"))

    with engine.open_writer() as changes:
        thread = threading.Thread(target=write)
        thread.start()
        started.wait()
        changes.documents.append(doc(1, "退款"))
    thread.join()
    assert ask(engine, "退款").ids == (1, 2)


def _die_while_writing(path: Path) -> None:
    with WhooshEngine(path).open_writer() as changes:
        changes.documents.append(doc(2, "退款"))
        os._exit(9)


def test_a_writer_that_dies_leaves_no_lock_and_no_trace(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path, lock_timeout_seconds=0)
    engine.replace_index([doc(1, "退款")])
    child = multiprocessing.get_context("fork").Process(
        target=_die_while_writing, args=(tmp_path,)
    )
    child.start()
    child.join()
    assert child.exitcode == 9
    put(engine, doc(3, "退款"))
    assert ask(engine, "退款").ids == (1, 3)


def test_another_process_sees_a_commit_at_its_next_search(tmp_path: Path) -> None:
    writer, reader = WhooshEngine(tmp_path), WhooshEngine(tmp_path)
    writer.replace_index([doc(1, "退款")])
    assert ask(reader, "退款").ids == (1,)
    put(writer, doc(2, "退款"))
    assert ask(reader, "退款").ids == (1, 2)


def test_deleted_documents_of_a_segment_do_not_hide_others(tmp_path: Path) -> None:
    """A large segment is not merged: its deleted documents stay in the file."""
    engine = WhooshEngine(tmp_path)
    engine.replace_index(
        doc(i, f"订单{'海外' if i == 7 else ''}查询") for i in range(1, 400)
    )
    with engine.open_writer() as changes:
        changes.deleted_ids |= {7, 8}
    newcomer = WhooshEngine(tmp_path)
    assert ask(newcomer, "海外").ids == ()
    assert ask(newcomer, "查询").total == 397


def test_old_generations_are_removed(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path)
    for _ in range(3):
        engine.replace_index([doc(1, "退款")])
    assert len(list(tmp_path.glob("generation-*"))) == 1


def test_only_the_owner_may_read_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    WhooshEngine(folder).replace_index([])
    assert folder.stat().st_mode & 0o077 == 0


def test_threads_find_the_same_while_another_writes(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path, lock_timeout_seconds=30)
    engine.replace_index([doc(i, q) for i, q in enumerate(QUESTIONS, 1)])
    wrong: list[object] = []

    def read() -> None:
        for words in QUESTIONS * 3:
            try:
                if not ask(engine, words).ids:
                    wrong.append(words)
            except Exception as error:  # noqa: BLE001
                wrong.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for id in range(100, 110):
        put(engine, doc(id, "海外仓发货"))
    for thread in threads:
        thread.join()
    assert wrong == []


def test_cached_impacts_stay_within_one_budget(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path, cache_mb=1)
    engine.replace_index(doc(i, q * 9) for i, q in enumerate(QUESTIONS * 60, 1))
    for id, words in enumerate(QUESTIONS, 9_000):
        put(engine, doc(id, words))
        assert ask(engine, words).ids
    assert len(engine._loaded_segments) > 1
    assert 0 < engine.impact_cache.used_bytes <= 1 << 20


def test_shelves_of_a_cache_share_its_budget() -> None:
    cache = ImpactCache(1000)
    shelves: list[CacheShelf[int]] = [CacheShelf(cache), CacheShelf(cache)]
    for key in range(200):
        shelves[key % 2].store_values([(key, key, 30)])
        assert shelves[0].get_values([0]) == [0]  # a value that is read stays
        assert cache.used_bytes <= 1000
    assert shelves[1].get_values([199, 1]) == [199, None]


def test_old_generations_are_released_from_memory(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path)
    engine.replace_index([doc(1, "退款")])
    assert ask(engine, "退款").ids == (1,)
    (segment,) = engine._loaded_segments.values()
    old = [
        weakref.ref(held)
        for held in (engine._get_latest_snapshot(), segment, segment.pack)
    ]
    engine.replace_index([doc(2, "退款")])
    assert ask(engine, "退款").ids == (2,)
    del segment
    gc.collect()
    assert [reference() for reference in old] == [None, None, None]


def test_many_small_commits_leave_few_segments(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path)
    engine.replace_index([])
    for id in range(150):
        put(engine, doc(id % 100, f"订单{'海外' if id > 100 else ''}"))
    assert ask(engine, "订单").total == 100
    assert ask(engine, "海外").total == 49
    assert len(list(tmp_path.rglob("*.seg"))) <= 3


def test_whoosh_finds_the_same_by_its_own_searcher(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path)
    engine.replace_index(doc(i, q, q * 2) for i, q in enumerate(QUESTIONS * 9, 1))
    put(engine, doc(500, "海外退款"))
    with engine.open_writer() as changes:
        changes.deleted_ids.add(3)
    with open_dir(
        engine.index_folder.read_live_generation().folder
    ).searcher() as searcher:
        for term in ("退款", "怎么", "海外"):
            query = Or([Term("question", term), Term("answer", term)])
            theirs = {hit["id"] for hit in searcher.search(query, limit=None)}
            assert theirs == set(ask(engine, term, limit=999).ids)
        lexicon = list(searcher.reader().lexicon("question"))
        assert lexicon == sorted(lexicon)
        assert "退款".encode() in lexicon
        assert searcher.reader().doc_frequency("question", "海外") == 1


def test_tables_of_groups_of_one_query_are_dropped(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path)
    engine.replace_index([doc(1, "退款")])
    groups = [
        FieldGroup((WeightedField("question", 1.0, 0.5),), k1=1.2) for _ in range(20)
    ]
    for group in groups:
        assert ask(engine, "退款", groups=(group,)).ids == (1,)
    (segment,) = engine._loaded_segments.values()
    assert len(segment._impact_scale._impact_tables) < len(groups)


# Damage --------------------------------------------------------------------------


def _damaged(
    tmp_path: Path, change: Callable[[bytearray, int], None], step: int
) -> set[str]:
    """Return results of searches in an index with one byte changed after another."""
    WhooshEngine(tmp_path).replace_index(
        doc(i, q, q) for i, q in enumerate(QUESTIONS, 1)
    )
    (file,) = tmp_path.rglob("*.seg")
    whole = file.read_bytes()
    said = set()
    for at in range(0, len(whole), step):
        data = bytearray(whole)
        change(data, at)
        file.unlink()  # a file that is mapped must not shrink
        file.write_bytes(data)
        try:
            ask(WhooshEngine(tmp_path), QUESTIONS[at % len(QUESTIONS)])
            said.add("found")
        except EngineUnavailableError:
            said.add("unavailable")
    return said


def test_a_flipped_bit_is_no_crash(tmp_path: Path) -> None:
    def flip(data: bytearray, at: int) -> None:
        data[at] ^= 1 << at % 8

    assert _damaged(tmp_path, flip, 11) == {"found", "unavailable"}


def test_a_flipped_bit_of_small_arrays_is_noticed(tmp_path: Path) -> None:
    WhooshEngine(tmp_path).replace_index([doc(1, "退款")])
    (file,) = tmp_path.rglob("*.seg")
    data = bytearray(file.read_bytes())
    data[0] ^= 1  # of the first id
    file.write_bytes(data)
    with pytest.raises(EngineUnavailableError, match="ids changed on disk"):
        ask(WhooshEngine(tmp_path), "退款")


def test_a_file_cut_short_is_unavailable(tmp_path: Path) -> None:
    def cut(data: bytearray, at: int) -> None:
        del data[at:]

    assert _damaged(tmp_path, cut, 97) == {"unavailable"}


def test_postings_of_no_document_are_unavailable(tmp_path: Path) -> None:
    WhooshEngine(tmp_path).replace_index([doc(1, "退款")])
    engine = WhooshEngine(tmp_path)
    engine._get_latest_snapshot()
    (segment,) = engine._loaded_segments.values()
    segment.pack.docs = np.full_like(segment.pack.docs, 1 << 31)
    with pytest.raises(EngineUnavailableError, match="damaged"):
        ask(engine, "退款")


def test_postings_beyond_the_end_are_damage(tmp_path: Path) -> None:
    WhooshEngine(tmp_path).replace_index([doc(1, "退款")])
    (file,) = tmp_path.rglob("*.seg")
    pack, other = Pack(file), tmp_path / "other"
    arrays = {name: getattr(pack, name) for name in ARRAY_DTYPES}
    arrays["spans"] = arrays["spans"] + 1
    shapes = {name: array.shape for name, array in arrays.items()}
    with PackWriter(other, pack.fields, shapes) as writer:
        for name, array in arrays.items():
            writer.write_part(name, array)
    with pytest.raises(ValueError, match="beyond the end"):
        Pack(other)


def test_a_full_disk_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = WhooshEngine(tmp_path)
    engine.replace_index([doc(1, "退款")])

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("kb.index.engines.pack_file.PackWriter.write_part", full)
        with pytest.raises(EngineUnavailableError, match="No space"):
            put(engine, doc(2, "退款"))
        with pytest.raises(EngineUnavailableError, match="No space"):
            engine.replace_index([doc(2, "退款")])
    assert ask(engine, "退款").ids == (1,)
    put(engine, doc(3, "退款"))
    assert ask(engine, "退款").ids == (1, 3)
    assert len(list(tmp_path.glob("generation-*"))) == 1


# Rebuilds ------------------------------------------------------------------------


def _described(item: tuple[int, str]) -> Document:
    id, question = item
    if question == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if question == "raise":
        raise LookupError(question)
    return doc(id, question)


def test_several_processes_make_the_same_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.index.engines.packing_pool.POOL_BATCH_ITEMS", 7)
    items = list(enumerate(QUESTIONS * 5, 1))
    one, many = WhooshEngine(tmp_path / "one"), WhooshEngine(tmp_path / "many")
    one.replace_index(items, _described)
    many.replace_index(iter(items), _described, processes=2)
    (file,), (other) = (list((tmp_path / n).rglob("*.seg")) for n in ("one", "many"))
    assert [file.read_bytes()] == [path.read_bytes() for path in other]
    assert many.load_digests() == one.load_digests()
    assert not list(tmp_path.rglob("piece-*"))


@pytest.mark.parametrize(
    ("failure", "error"), [("kill", EngineUnavailableError), ("raise", LookupError)]
)
def test_a_process_that_fails_leaves_the_old_index(
    tmp_path: Path, failure: str, error: type[Exception]
) -> None:
    engine = WhooshEngine(tmp_path)
    engine.replace_index([doc(1, "退款")])
    with pytest.raises(error):
        engine.replace_index([(2, "退款"), (3, failure)], _described, processes=2)
    assert ask(WhooshEngine(tmp_path), "退款").ids == (1,)
    assert len(list(tmp_path.glob("generation-*"))) == 1
    engine.replace_index([(2, "退款")], _described, processes=2)
    assert ask(engine, "退款").ids == (2,)


def test_a_second_rebuild_stops(tmp_path: Path) -> None:
    engine, other = (
        WhooshEngine(tmp_path),
        WhooshEngine(tmp_path, lock_timeout_seconds=0),
    )

    def items() -> Iterator[Document]:
        yield doc(1, "退款")
        with pytest.raises(EngineUnavailableError, match="another rebuild"):
            other.replace_index([doc(2, "退款")])

    engine.replace_index(items())
    assert ask(other, "退款").ids == (1,)


def _die_while_rebuilding(path: Path) -> None:
    def items() -> Iterator[tuple[int, str]]:
        yield from enumerate(QUESTIONS, 1)
        os._exit(9)

    WhooshEngine(path).replace_index(items(), _described, processes=2)


def test_a_rebuild_that_dies_leaves_no_lock(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path)
    engine.replace_index([doc(1, "退款")])
    child = multiprocessing.get_context("fork").Process(
        target=_die_while_rebuilding, args=(tmp_path,)
    )
    child.start()
    child.join()
    assert child.exitcode == 9
    put(engine, doc(2, "退款"))
    assert ask(engine, "退款").ids == (1, 2)
    lock = tmp_path / "REBUILD"
    with write_lock.hold_lock(
        lock, timeout_seconds=30
    ):  # its own processes end with it, soon
        pass
    engine.replace_index([doc(3, "退款")])
    assert ask(engine, "退款").ids == (3,)
    assert len(list(tmp_path.glob("generation-*"))) == 1


def test_changes_during_a_rebuild_are_reported_before_the_swap(tmp_path: Path) -> None:
    """Else they would be lost with a process that dies in between."""
    engine = WhooshEngine(tmp_path)
    engine.replace_index([doc(1, "退款")])

    def items() -> Iterator[Document]:
        yield doc(1, "退款")
        put(WhooshEngine(tmp_path), doc(2, "退款"))

    def die(ids: set[int]) -> None:
        assert ids == {2}
        raise LookupError("the database went away")

    with pytest.raises(LookupError):
        engine.replace_index(items(), missed=die)
    assert ask(engine, "退款").ids == (1, 2)
