"""The contract of the search port, for every engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kb.index.engines import (
    Clause,
    Document,
    Engine,
    EngineHits,
    FieldGroup,
    Query,
    WeightedField,
)
from kb.index.engines.memory import MemoryEngine
from kb.index.engines.whoosh import WhooshEngine
from tests.searching import EVERYONE, PUBLIC, QUESTIONS, STAFF, TEXTS, ask, doc, put


@pytest.fixture(params=["memory", "whoosh", "whoosh that keeps nothing"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    made: Engine = MemoryEngine()
    if request.param != "memory":
        kept = 0 if "nothing" in request.param else 128
        made = WhooshEngine(tmp_path, cache_mb=kept)
    made.replace_index([])
    return made


def test_finds_a_word_inside_a_chinese_sentence(engine: Engine) -> None:
    put(engine, doc(1, "如何申请退款"), doc(2, "发票抬头怎么改"))
    assert ask(engine, "退款").ids == (1,)


def test_any_term_may_match(engine: Engine) -> None:
    put(engine, doc(1, "如何申请退款"), doc(2, "发票抬头怎么改"))
    assert set(ask(engine, "退款 发票").ids) == {1, 2}


def test_a_question_match_outranks_an_answer_match(engine: Engine) -> None:
    put(engine, doc(1, "账户", "退款"), doc(2, "退款", "账户"))
    assert ask(engine, "退款").ids == (2, 1)


def test_groups_add_up(engine: Engine) -> None:
    heading = FieldGroup((WeightedField("question", 1.0, 0.9),), k1=1.2, boost=2.0)
    put(engine, doc(1, "发票", "退款"), doc(2, "退款", "发票"), doc(3, "账户", "退款"))
    one = ask(engine, "退款", groups=(TEXTS,)).scores
    other = ask(engine, "退款", groups=(heading,)).scores
    both = ask(engine, "退款", groups=(TEXTS, heading))
    assert both.ids == (2, 1, 3)
    assert both.scores[0] == pytest.approx(one[0] + other[0], rel=1e-4)


def test_a_minimum_share_of_the_query_must_match(engine: Engine) -> None:
    put(engine, doc(1, "退款"), doc(2, "发票"), doc(3, "退款发票海外"))
    clauses = (Clause("退款", 2.0), Clause("发票", 1.0), Clause("海外", 1.0))
    query = Query(clauses, (TEXTS,), EVERYONE, min_match_share=0.5)
    assert set(engine.search(query).ids) == {1, 3}
    assert engine.search(query).total == 2
    assert engine.search(replace(query, min_match_share=1.0)).ids == (3,)


def test_documents_that_do_not_fit_do_not_count_in_idf(engine: Engine) -> None:
    """Else scores would reveal words of entries that a reader may not see."""
    put(engine, doc(1, "退款"), doc(2, "发票"))
    before = ask(engine, "退款 发票")
    put(engine, *(doc(i, "退款", "", STAFF) for i in range(10, 50)))
    after = ask(engine, "退款 发票")
    assert after.ids == before.ids
    assert after.scores == pytest.approx(before.scores, rel=0.05)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("iphnoe", ("iphone",)),
        ("iphne", ("iphone",)),
        ("wfii", ("wifi",)),
        ("wifa", ()),  # of four letters one may not be another
        ("kuberentse", ("kubernetes",)),
        ("iphone", ()),
        ("退款", ()),
        ("", ()),
    ],
)
def test_a_misspelled_word_is_corrected_by_indexed_words(
    engine: Engine, typed: str, meant: tuple[str, ...]
) -> None:
    put(engine, doc(1, "iphone 怎么退款"), doc(2, "wifi 断了", "kubernetes"))
    assert engine.suggest_spellings(typed) == meant


def test_document_frequencies_count_fitting_documents_only(engine: Engine) -> None:
    put(engine, doc(1, "退款"), doc(2, "退款", "发票"), doc(3, "发票", "", STAFF))
    clauses = (Clause("退款", 1.0), Clause("发票", 1.0), Clause("海外", 1.0))
    public = Query(clauses, (TEXTS,), EVERYONE)
    assert engine.count_documents_per_clause(public) == (2, 1, 0)
    staff = Query(clauses, (TEXTS,), (frozenset({STAFF}),))
    assert engine.count_documents_per_clause(staff) == (0, 1, 0)


def test_match_clauses_returns_the_clauses_of_each_document(engine: Engine) -> None:
    put(engine, doc(1, "退款"), doc(2, "退款", "发票"), doc(3, "退款", "", STAFF))
    clauses = (
        Clause("退款", 1.0),
        Clause("发票", 1.0),
        Clause("退款", 1.0, is_bigram=True),
    )
    query = Query(clauses, (TEXTS,), EVERYONE)
    assert engine.match_clauses(query, [2, 9, 1, 3]).tolist() == [
        [True, True, True],
        [False, False, False],
        [True, False, True],
        [False, False, False],
    ]


def test_replaced_and_deleted_documents_match_no_clause(engine: Engine) -> None:
    query = Query((Clause("退款", 1.0), Clause("发票", 1.0)), (TEXTS,), EVERYONE)
    assert engine.match_clauses(query, [1, 2]).tolist() == [[False] * 2] * 2
    put(engine, doc(2, "退款"), doc(1, "退款"), doc(3, "发票"))
    put(engine, doc(1, "发票"))
    with engine.open_writer() as changes:
        changes.deleted_ids.add(3)
    matches = engine.match_clauses(query, [1, 2, 3]).tolist()
    assert matches == [[False, True], [True, False], [False, False]]


def test_count_documents_counts_fitting_documents(engine: Engine) -> None:
    assert engine.count_documents(EVERYONE) == 0
    put(engine, doc(1, "退款"), doc(2, "发票"), doc(3, "退款", "", STAFF))
    assert engine.count_documents(EVERYONE) == 2
    assert engine.count_documents((frozenset({PUBLIC, STAFF}),)) == 3


def test_a_rare_word_outranks_a_common_one(engine: Engine) -> None:
    put(engine, *(doc(i, "订单查询") for i in range(1, 6)), doc(9, "海外订单"))
    assert ask(engine, "订单 海外").ids[0] == 9


def test_a_short_question_outranks_a_long_one(engine: Engine) -> None:
    put(engine, doc(1, "退款以后优惠券和积分还有运费险怎么处理"), doc(2, "退款"))
    assert ask(engine, "退款").ids == (2, 1)


def test_equal_scores_are_ordered_by_id(engine: Engine) -> None:
    put(engine, doc(3, "退款"), doc(1, "退款"), doc(2, "退款"))
    assert ask(engine, "退款", limit=2).ids == (1, 2)


def test_an_audience_finds_no_documents_of_another(engine: Engine) -> None:
    put(engine, doc(1, "退款", "", STAFF))
    assert ask(engine, "退款").total == 0
    assert ask(engine, "退款", frozenset({PUBLIC, STAFF})).ids == (1,)


def test_every_group_of_labels_must_be_met(engine: Engine) -> None:
    put(engine, doc(1, "退款", "", PUBLIC, "category=1"), doc(2, "退款"))
    assert ask(engine, "退款", *EVERYONE, frozenset({"category=1"})).ids == (1,)
    assert ask(engine, "退款", *EVERYONE, frozenset()).ids == ()


def test_a_field_outside_the_groups_is_not_searched(engine: Engine) -> None:
    put(engine, doc(1, "退款", "赔付"))
    question = (FieldGroup((WeightedField("question", 1.0, 0.6),), k1=1.2),)
    assert ask(engine, "赔付", groups=question).ids == ()


def test_a_later_document_overwrites_an_earlier(engine: Engine) -> None:
    put(engine, doc(1, "退款"))
    put(engine, doc(1, "发票"))
    assert (ask(engine, "退款").ids, ask(engine, "发票").ids) == ((), (1,))


def test_deleted_documents_are_not_found(engine: Engine) -> None:
    put(engine, doc(1, "退款"), doc(2, "退款"))
    with engine.open_writer() as changes:
        changes.deleted_ids |= {1, 99}
    assert ask(engine, "退款") == EngineHits((2,), ask(engine, "退款").scores, 1)


def test_documents_deleted_from_a_large_segment_leave_the_others(
    engine: Engine,
) -> None:
    """A large segment is not merged: its deleted documents stay in the file."""
    engine.replace_index(
        doc(i, f"订单{'海外' if i == 7 else ''}查询") for i in range(1, 400)
    )
    assert ask(engine, "海外").ids == (7,)
    with engine.open_writer() as changes:
        changes.deleted_ids |= {7, 8}
    assert ask(engine, "海外").ids == ()
    assert ask(engine, "查询").total == 397
    put(engine, doc(8, "海外"))
    assert ask(engine, "海外").ids == (8,)


def test_replace_drops_documents_that_are_not_among_the_items(engine: Engine) -> None:
    put(engine, doc(1, "退款"))
    engine.replace_index([doc(2, "退款")])
    assert ask(engine, "退款").ids == (2,)


def test_total_counts_beyond_the_limit(engine: Engine) -> None:
    put(engine, *(doc(i, "退款") for i in range(1, 6)))
    hits = ask(engine, "退款", limit=2)
    assert (len(hits.ids), hits.total) == (2, 5)


def test_an_error_while_writing_changes_nothing(engine: Engine) -> None:
    put(engine, doc(1, "退款"))
    with pytest.raises(RuntimeError), engine.open_writer() as changes:
        changes.documents.append(doc(1, "发票"))
        raise RuntimeError
    assert (ask(engine, "退款").ids, ask(engine, "发票").ids) == ((1,), ())


def test_an_error_among_the_documents_keeps_the_old_index(engine: Engine) -> None:
    put(engine, doc(1, "退款"))

    def broken() -> Iterator[Document]:
        yield doc(2, "退款")
        raise LookupError("the database went away")

    with pytest.raises(LookupError):
        engine.replace_index(broken())
    assert ask(engine, "退款").ids == (1,)


def test_items_are_described(engine: Engine) -> None:
    engine.replace_index(
        ["退款", "电子发票"], lambda question: doc(len(question), question)
    )
    assert ask(engine, "发票").ids == (4,)


def test_changes_during_a_replacement_are_found_and_reported(engine: Engine) -> None:
    engine.replace_index([doc(1, "退款"), doc(2, "退款")])
    missed: list[set[int]] = []

    def items() -> Iterator[Document]:
        yield doc(1, "退款")
        put(engine, doc(3, "发票"))
        with engine.open_writer() as changes:
            changes.deleted_ids.add(2)
        assert ask(engine, "发票").ids == (3,)

    engine.replace_index(items(), missed=missed.append)
    assert ask(engine, "退款 发票").ids == (1,)
    engine.replace_index([], missed=missed.append)
    assert missed == [{2, 3}, set()]


def test_digests_are_of_all_documents(engine: Engine) -> None:
    one, two = doc(1, "退款"), doc(2, "发票")
    put(engine, one, two)
    put(engine, one)
    assert engine.load_digests() == {1: one.digest, 2: two.digest}


def test_a_document_without_any_term_is_indexed(engine: Engine) -> None:
    put(engine, Document(1, frozenset({PUBLIC})))
    assert set(engine.load_digests()) == {1}
    assert ask(engine, "退款").total == 0


def test_both_engines_compute_the_same_scores(tmp_path: Path) -> None:
    library = [doc(i, q, q * 2) for i, q in enumerate(QUESTIONS, 1)]
    memory, whoosh = MemoryEngine(), WhooshEngine(tmp_path)
    for engine in (memory, whoosh):
        engine.replace_index(library)
    for words in QUESTIONS:
        expected, found = ask(memory, words), ask(whoosh, words)
        assert found.ids == expected.ids
        assert found.scores == pytest.approx(expected.scores, rel=1e-5)


def test_the_best_of_many_are_the_same(tmp_path: Path) -> None:
    """Most scores are cut before sorting: none of the best, and none that ties."""
    texts = [f"{QUESTIONS[n % 12]}{QUESTIONS[n % 7]}" for n in range(700)]
    library = [doc(n, text, text * (n % 5)) for n, text in enumerate(texts, 1)]
    memory, whoosh = MemoryEngine(), WhooshEngine(tmp_path)
    for engine in (memory, whoosh):
        engine.replace_index(library)
    for words in QUESTIONS:
        expected, found = ask(memory, words, limit=5), ask(whoosh, words, limit=5)
        assert found.total == expected.total > 100
        assert found.scores == pytest.approx(expected.scores, rel=1e-5)
        assert len(found.ids) == 5


def test_both_engines_count_high_frequencies_alike(tmp_path: Path) -> None:
    """A posting stores a frequency up to 255; a higher one takes several."""
    library = [doc(1, "退款", "退款" * 700), doc(2, "退款", "退款" * 255), doc(3, "退")]
    memory, whoosh = MemoryEngine(), WhooshEngine(tmp_path)
    for engine in (memory, whoosh):
        engine.replace_index(library)
    expected, found = ask(memory, "退款"), ask(whoosh, "退款")
    assert found.ids == expected.ids
    assert found.scores == pytest.approx(expected.scores, rel=1e-5)


def test_segments_score_as_one_index_does(tmp_path: Path) -> None:
    library = [doc(i, q, q * 2) for i, q in enumerate(QUESTIONS, 1)]
    whole, grown = WhooshEngine(tmp_path / "a"), WhooshEngine(tmp_path / "b")
    whole.replace_index(library)
    grown.replace_index(library[:8])
    for document in library[8:]:
        put(grown, document)
    for words in QUESTIONS:
        found, expected = ask(grown, words), ask(whole, words)
        # A segment keeps average lengths that are off by little (segments.DRIFT).
        assert found.scores == pytest.approx(expected.scores, rel=0.05)
        assert found.ids[0] == expected.ids[0]
        assert set(found.ids) == set(expected.ids)
