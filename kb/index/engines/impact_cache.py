"""A cache of computed impacts with one budget in bytes for all segments of a process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Generic, TypeVar
from weakref import WeakSet

V = TypeVar("V")


class ImpactCache:
    """One budget in bytes, shared by any number of CacheShelf.

    Values are young or old. When young values take half of the budget they become
    the old ones, and old values that were not read since are dropped. That is nearly
    least recently used, and a read needs no lock and no ordered list.
    """

    def __init__(self, budget: int) -> None:
        self.budget_bytes = budget
        self._young_bytes = 0
        self._reservations: WeakSet[CacheReservation] = WeakSet()
        self._shelves: WeakSet[CacheShelf[object]] = WeakSet()
        self._lock = Lock()

    def reserve_bytes(self, size: int) -> CacheReservation | None:
        """Take `size` bytes off the budget for the life-time of the returned object.

        Reservations take half of the budget at most: None means that there is no room.
        """
        with self._lock:
            if self._sum_reserved_bytes() + size > self.budget_bytes / 2:
                return None
            reservation = CacheReservation(size)
            self._reservations.add(reservation)
            return reservation

    def _sum_reserved_bytes(self) -> int:
        return sum(reservation.size_bytes for reservation in self._reservations)

    def store_values(
        self, shelf: CacheShelf[V], items: Iterable[tuple[object, V, int]]
    ) -> None:
        """Store (key, value, size in bytes) in `shelf`, and drop old values if needed."""
        with self._lock:
            self._shelves.add(shelf)  # type: ignore[arg-type]
            max_young_bytes = (self.budget_bytes - self._sum_reserved_bytes()) / 2
            for key, value, size in items:
                shelf.young_values[key] = value, size
                self._young_bytes += size
                if self._young_bytes > max_young_bytes:
                    for each in self._shelves:
                        each.old_values, each.young_values = each.young_values, {}
                    self._young_bytes = 0

    @property
    def used_bytes(self) -> int:
        """The bytes of all values and reservations."""
        with self._lock:
            return self._sum_reserved_bytes() + sum(
                size
                for shelf in self._shelves
                for _, size in {**shelf.old_values, **shelf.young_values}.values()
            )


class CacheReservation:
    """Bytes of a budget that values may not use while this object lives."""

    def __init__(self, size: int) -> None:
        self.size_bytes = size


class CacheShelf(Generic[V]):
    """The values that a cache stores for one owner; they go with their owner."""

    def __init__(self, cache: ImpactCache) -> None:
        self.young_values: dict[object, tuple[V, int]] = {}
        self.old_values: dict[object, tuple[V, int]] = {}
        self._cache = cache

    def get_values(self, keys: Sequence[object]) -> list[V | None]:
        """Return [keys] the value of each key, None where none is stored."""
        young = self.young_values
        entries = [young.get(key) for key in keys]
        for at, entry in enumerate(entries):
            if entry is None and (entry := self.old_values.get(keys[at])) is not None:
                self._cache.store_values(self, [(keys[at], *entry)])
                entries[at] = entry
        return [entry and entry[0] for entry in entries]

    def store_values(self, items: Iterable[tuple[object, V, int]]) -> None:
        """Store (key, value, size in bytes)."""
        self._cache.store_values(self, items)
