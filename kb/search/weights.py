"""The numbers that rank results, read once from weights.toml beside this module."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from kb.text.chinese.term_weights import TermWeights

WEIGHTS_FILE = Path(__file__).with_name("weights.toml")
Section = TypeVar("Section")


class WeightsError(ValueError):
    """weights.toml lacks a name, has an unknown one, or a value that is no number."""


@dataclass(frozen=True, slots=True)
class QueryWeights:
    """Weights of clauses beside a typed word, which weighs 1, and two limits."""

    bigram: float
    hyphen_part: float
    phonetic: float
    typed_form: float
    min_phonetic_share: float
    min_idf_documents: int


@dataclass(frozen=True, slots=True)
class FieldWeight:
    """BM25F of one field: `boost` times its frequency, `b` of its length norm."""

    boost: float
    b: float


@dataclass(frozen=True, slots=True)
class TextFieldWeights:
    """The field group of all texts of an entry."""

    k1: float
    boost: float
    question: FieldWeight
    phrasings: FieldWeight
    answer: FieldWeight
    forms: FieldWeight
    picked: FieldWeight
    picked_staff: FieldWeight
    keywords: FieldWeight
    replies: FieldWeight


@dataclass(frozen=True, slots=True)
class QuestionFieldWeights:
    """The field group of the ways to ask alone."""

    k1: float
    boost: float
    question: FieldWeight
    phrasings: FieldWeight


@dataclass(frozen=True, slots=True)
class FieldGroupWeights:
    text: TextFieldWeights
    question: QuestionFieldWeights


@dataclass(frozen=True, slots=True)
class FeatureWeights:
    """Shares from 0 to 1; `certain_rare_terms` counts terms weighted by idf."""

    phonetic_credit: float
    min_correction_coverage: float
    full_coverage: float
    min_core_coverage: float
    certain_rare_terms: float


@dataclass(frozen=True, slots=True)
class RankingWeights:
    """Coefficients of features beside ln(engine score), and thresholds."""

    indel_ratio_squared: float
    query_coverage: float
    letter_coverage: float
    single_place: float
    exact_match: float
    min_score_share: float
    min_question_coverage: float


@dataclass(frozen=True, slots=True)
class ConfidenceWeights:
    """Coefficients of a logistic regression, and bounds of its result."""

    intercept: float
    query_coverage: float
    wording_coverage: float
    rare_term_coverage: float
    asked_content_share: float
    learned_letter_coverage: float
    answer_coverage: float
    threshold: float
    max_carrier_only: float
    min_full_match: float


@dataclass(frozen=True, slots=True)
class DuplicateWeights:
    threshold: float


@dataclass(frozen=True, slots=True)
class Weights:
    """The content of weights.toml. `version` is raised when code that ranks changes."""

    version: int
    term_weights: TermWeights
    query: QueryWeights
    fields: FieldGroupWeights
    features: FeatureWeights
    ranking: RankingWeights
    confidence: ConfidenceWeights
    duplicates: DuplicateWeights


def read_weights(path: Path = WEIGHTS_FILE) -> Weights:
    """Return the weights in the file at `path`.

    Raises WeightsError, naming the place, where a name is unknown or missing or a
    value is no number; OSError and tomllib.TOMLDecodeError where it cannot be read.
    """
    return _parse_section(Weights, tomllib.loads(path.read_text("utf-8")), "")


def hash_weights(path: Path = WEIGHTS_FILE) -> str:
    """Return 16 hex digits that change with the bytes of the file."""
    return hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest()


def _parse_section(section: type[Section], values: Any, place: str) -> Section:
    """Return a `section`, a dataclass, of the table `values` at `place`."""
    if not isinstance(values, Mapping):
        raise WeightsError(f"{WEIGHTS_FILE.name}: {place} must be a table")
    names = {field.name for field in fields(section)}  # type: ignore[arg-type]
    for problem, wrong in (
        ("missing", names - values.keys()),
        ("unknown", values.keys() - names),
    ):
        if wrong:
            listed = ", ".join(f"{place}{name}" for name in sorted(wrong))
            raise WeightsError(f"{WEIGHTS_FILE.name}: {problem} {listed}")
    types = get_type_hints(section)
    return section(
        **{
            name: _parse_value(types[name], values[name], f"{place}{name}")
            for name in names
        }
    )


def _parse_value(kind: type[Any], value: Any, place: str) -> Any:
    if kind not in (int, float):
        return _parse_section(kind, value, f"{place}.")
    if isinstance(value, bool) or not isinstance(value, (int, kind)):
        raise WeightsError(f"{WEIGHTS_FILE.name}: {place} must be a number")
    return kind(value)


WEIGHTS, WEIGHTS_HASH = read_weights(), hash_weights()
