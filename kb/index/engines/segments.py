"""A segment in memory: documents that never change, their labels and impacts."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import numpy as np

from kb.index.engines.base import FieldGroup, Mask
from kb.index.engines.field_norms import FieldNorms
from kb.index.engines.impact_cache import ImpactCache
from kb.index.engines.impact_tables import (
    CompleteImpactTable,
    ImpactTable,
    LazyImpactTable,
    SegmentImpacts,
    estimate_table_bytes,
)
from kb.index.engines.pack_file import LABEL_KIND, Pack, TermKey, encode_term

# Share by which the average length of a field may change before impacts are recomputed.
MAX_LENGTH_DRIFT_SHARE = 0.1
MAX_IMPACT_TABLES = (
    6  # sets of field groups that are cached: those of readers, and spare
)


class Segment:
    """Documents with numbers 0 to n − 1, shared by all threads.

    Impacts are cached within the budget of `cache`. `token_totals` is {field: terms}.
    """

    def __init__(self, pack: Pack, cache: ImpactCache) -> None:
        self.pack = pack
        self.ids = pack.ids
        self.token_totals = dict(
            zip(pack.fields, pack.lengths.sum(axis=1).tolist(), strict=True)
        )
        self._cache = cache
        self._label_masks: dict[str, Mask] = {}
        self._latin_words: frozenset[str] | None = None
        self._impact_scale = _ImpactScale(pack, {}, cache)

    def update_averages(self, averages: dict[str, float]) -> None:
        """Use {field: average length} of the whole index, if one differs much from those in use."""
        current = self._impact_scale.average_lengths
        if any(
            abs(average - current.get(name, 0.0)) > MAX_LENGTH_DRIFT_SHARE * average
            for name, average in averages.items()
        ):
            self._impact_scale = _ImpactScale(self.pack, averages, self._cache)

    def get_impacts(
        self, groups: tuple[FieldGroup, ...], terms: Sequence[TermKey]
    ) -> SegmentImpacts:
        """Return the impacts of `terms` in each group. Raises ValueError on a damaged pack."""
        return self._impact_scale.get_table(groups).get_impacts(terms)

    def list_latin_words(self) -> frozenset[str]:
        """Return the words in Latin letters, read at first use."""
        if self._latin_words is None:
            self._latin_words = frozenset(self.pack.list_latin_words())
        return self._latin_words

    def get_label_mask(self, label: str) -> Mask:
        """Return [documents] bool: which carry `label`; cached."""
        if (mask := self._label_masks.get(label)) is None:
            mask = np.zeros(len(self.ids), np.bool_)
            (begin,), (end,) = self.pack.find_postings([encode_term(LABEL_KIND, label)])
            mask[self.pack.docs[begin:end]] = True
            self._label_masks[label] = mask
        return mask


class _ImpactScale:
    """The impact tables of a segment for one set of average lengths."""

    def __init__(
        self, pack: Pack, averages: dict[str, float], cache: ImpactCache
    ) -> None:
        self.average_lengths = averages
        self._pack = pack
        self._cache = cache
        self._impact_tables: dict[tuple[FieldGroup, ...], ImpactTable] = {}
        self._table_lock = Lock()

    def get_table(self, groups: tuple[FieldGroup, ...]) -> ImpactTable:
        """Return the table of `groups`, built once by one thread."""
        if (table := self._impact_tables.get(groups)) is None:
            with self._table_lock:
                if (table := self._impact_tables.get(groups)) is None:
                    table = self._build_table(groups)
                    if len(self._impact_tables) >= MAX_IMPACT_TABLES:
                        self._impact_tables.pop(next(iter(self._impact_tables)))
                    self._impact_tables[groups] = table
        return table

    def _build_table(self, groups: tuple[FieldGroup, ...]) -> ImpactTable:
        """Return a table of all impacts if the cache has room, else a lazy one."""
        norms = [
            FieldNorms(self._pack, self.average_lengths, group) for group in groups
        ]
        needed = estimate_table_bytes(self._pack, norms, self._cache.budget_bytes / 2)
        if reservation := self._cache.reserve_bytes(needed):
            return CompleteImpactTable(self._pack, norms, reservation)
        table = LazyImpactTable(self._pack, norms, self._cache)
        table.compute_common_impacts()
        return table
