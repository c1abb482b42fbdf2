"""Keep what was computed within a number of bytes, for all segments of a process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Generic, TypeVar
from weakref import WeakSet

V = TypeVar("V")


class Cache:
    """One budget in bytes, shared by any number of shelves.

    What is kept is young or old. When the young take half of the budget they
    become the old, and what was old and nobody asked for since goes: nearly the
    least recently used, without a lock or a list to keep in order at a look.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._spent = 0
        self._rooms: WeakSet[Room] = WeakSet()
        self._shelves: WeakSet[Shelf[object]] = WeakSet()
        self._lock = Lock()

    def reserve(self, size: int) -> Room | None:
        """Take bytes off the budget while what is returned lives.

        Half of the budget stays: None says that there is no room.
        """
        with self._lock:
            if self._reserved() + size > self.budget / 2:
                return None
            room = Room(size)
            self._rooms.add(room)
            return room

    def _reserved(self) -> int:
        return sum(room.size for room in self._rooms)

    def put(self, shelf: Shelf[V], items: Iterable[tuple[object, V, int]]) -> None:
        with self._lock:
            self._shelves.add(shelf)  # type: ignore[arg-type]
            most = (self.budget - self._reserved()) / 2
            for key, value, size in items:
                shelf.young[key] = value, size
                self._spent += size
                if self._spent > most:
                    for kept in self._shelves:
                        kept.old, kept.young = kept.young, {}
                    self._spent = 0

    @property
    def size(self) -> int:
        """The bytes that are kept now."""
        with self._lock:
            return self._reserved() + sum(
                size
                for shelf in self._shelves
                for _, size in {**shelf.old, **shelf.young}.values()
            )


class Room:
    """Bytes of a cache that nobody else may take."""

    def __init__(self, size: int) -> None:
        self.size = size


class Shelf(Generic[V]):
    """What a cache keeps for one owner; it goes with its owner."""

    def __init__(self, cache: Cache) -> None:
        self.young: dict[object, tuple[V, int]] = {}
        self.old: dict[object, tuple[V, int]] = {}
        self._cache = cache

    def get(self, keys: Sequence[object]) -> list[V | None]:
        """Return the value of each key, None where none is kept."""
        young = self.young
        found = [young.get(key) for key in keys]
        for at, known in enumerate(found):
            if known is None and (known := self.old.get(keys[at])) is not None:
                self._cache.put(self, [(keys[at], *known)])
                found[at] = known
        return [known and known[0] for known in found]

    def put(self, items: Iterable[tuple[object, V, int]]) -> None:
        """Keep values, each with its key and its size in bytes."""
        self._cache.put(self, items)
