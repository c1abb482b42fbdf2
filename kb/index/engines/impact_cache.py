"""Keep what was computed within a number of bytes, for all segments of a process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Generic, TypeVar
from weakref import WeakSet

V = TypeVar("V")


class ImpactCache:
    """One budget in bytes, shared by any number of shelves.

    What is kept is young or old. When the young take half of the budget they
    become the old, and what was old and nobody asked for since goes: nearly the
    least recently used, without a lock or a list to keep in order at a look.
    """

    def __init__(self, budget: int) -> None:
        self.budget_bytes = budget
        self._young_bytes = 0
        self._reservations: WeakSet[CacheReservation] = WeakSet()
        self._shelves: WeakSet[CacheShelf[object]] = WeakSet()
        self._lock = Lock()

    def reserve_bytes(self, size: int) -> CacheReservation | None:
        """Take bytes off the budget while what is returned lives.

        Half of the budget stays: None says that there is no room.
        """
        with self._lock:
            if self._sum_reserved_bytes() + size > self.budget_bytes / 2:
                return None
            room = CacheReservation(size)
            self._reservations.add(room)
            return room

    def _sum_reserved_bytes(self) -> int:
        return sum(room.size_bytes for room in self._reservations)

    def store_values(
        self, shelf: CacheShelf[V], items: Iterable[tuple[object, V, int]]
    ) -> None:
        with self._lock:
            self._shelves.add(shelf)  # type: ignore[arg-type]
            most = (self.budget_bytes - self._sum_reserved_bytes()) / 2
            for key, value, size in items:
                shelf.young_values[key] = value, size
                self._young_bytes += size
                if self._young_bytes > most:
                    for kept in self._shelves:
                        kept.old_values, kept.young_values = kept.young_values, {}
                    self._young_bytes = 0

    @property
    def used_bytes(self) -> int:
        """The bytes that are kept now."""
        with self._lock:
            return self._sum_reserved_bytes() + sum(
                size
                for shelf in self._shelves
                for _, size in {**shelf.old_values, **shelf.young_values}.values()
            )


class CacheReservation:
    """Bytes of a cache that nobody else may take."""

    def __init__(self, size: int) -> None:
        self.size_bytes = size


class CacheShelf(Generic[V]):
    """What a cache keeps for one owner; it goes with its owner."""

    def __init__(self, cache: ImpactCache) -> None:
        self.young_values: dict[object, tuple[V, int]] = {}
        self.old_values: dict[object, tuple[V, int]] = {}
        self._cache = cache

    def get_values(self, keys: Sequence[object]) -> list[V | None]:
        """Return the value of each key, None where none is kept."""
        young = self.young_values
        found = [young.get(key) for key in keys]
        for at, known in enumerate(found):
            if known is None and (known := self.old_values.get(keys[at])) is not None:
                self._cache.store_values(self, [(keys[at], *known)])
                found[at] = known
        return [known and known[0] for known in found]

    def store_values(self, items: Iterable[tuple[object, V, int]]) -> None:
        """Keep values, each with its key and its size in bytes."""
        self._cache.store_values(self, items)
