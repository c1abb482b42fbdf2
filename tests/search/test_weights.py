"""weights.toml: read strictly, used by ranking, and part of the stamp of relevance tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kb.search.scope import PUBLIC_FIELD_GROUPS, STAFF_FIELD_GROUPS
from kb.search.weights import (
    WEIGHTS,
    WEIGHTS_FILE,
    WEIGHTS_HASH,
    WeightsError,
    hash_weights,
    read_weights,
)

TEXT = WEIGHTS_FILE.read_text("utf-8")


def write(folder: Path, text: str) -> Path:
    path = folder / "weights.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_file_is_read_into_every_group(tmp_path: Path) -> None:
    text = TEXT.replace("rare_term_coverage = 7.0", "rare_term_coverage = 6")
    weights = read_weights(write(tmp_path, text))
    assert weights.confidence.rare_term_coverage == 6.0
    assert weights.fields.text.keywords.boost == WEIGHTS.fields.text.keywords.boost
    assert isinstance(weights.query.min_idf_documents, int)


@pytest.mark.parametrize(
    ("pattern", "replacement", "place"),
    [
        (r"\nphonetic = .*", "", "missing query.phonetic"),
        (r"\n\[query\]", "\n[query]\nphonetics = 1", "unknown query.phonetics"),
        (r"boost = 8.0, b = 0.0", "boost = 8.0", "missing fields.text.keywords.b"),
        (r"intercept = -5.0", 'intercept = "-5"', "confidence.intercept must be"),
        (r"threshold = 0.75", "threshold = true", "duplicates.threshold must be"),
        (r"min_idf_documents = 100", "min_idf_documents = 9.5", "min_idf_documents"),
        (r"version = 1", "version = 1\nnotes = 2", "unknown notes"),
        (r"keywords = \{.*\}", "keywords = 8", "keywords. must be a table"),
    ],
)
def test_a_broken_file_is_refused_and_the_place_is_named(
    tmp_path: Path, pattern: str, replacement: str, place: str
) -> None:
    text, count = re.subn(pattern, replacement, TEXT)
    assert count == 1
    with pytest.raises(WeightsError, match=place):
        read_weights(write(tmp_path, text))


def test_every_number_in_the_file_changes_the_hash(tmp_path: Path) -> None:
    raised = TEXT.replace("version = 1", "version = 2")
    assert hash_weights(write(tmp_path, TEXT)) == WEIGHTS_HASH
    assert hash_weights(write(tmp_path, raised)) != WEIGHTS_HASH


def test_customers_match_no_fields_of_agents() -> None:
    public = {field.name for group in PUBLIC_FIELD_GROUPS for field in group.fields}
    staff = {field.name for group in STAFF_FIELD_GROUPS for field in group.fields}
    assert public.isdisjoint({"picked_staff", "keywords", "replies"})
    assert staff >= {"picked_staff", "keywords", "replies"}
    assert "picked" not in staff
