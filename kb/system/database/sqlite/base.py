"""SQLite for requests: the file is never created, and never another one than before.

A connection that met an error is dropped, so that the site heals: one that was opened
while the file could not be written stays read-only for ever.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db.backends.sqlite3 import base

from kb.system.database import sqlite_file, time_limits
from kb.system.database.errors import DatabaseReplacedError

COMMAND_LOCK_SECONDS = 60  # a command has time, and nobody watches it wait


class DatabaseWrapper(base.DatabaseWrapper):
    """Time limits apply while `limits.is_serving()`, the watch with `files.guard`."""

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        if self.is_in_memory_db():
            return params
        if sqlite_file.file_guard.is_on:  # never make the file
            params["database"] = f"file:{quote(str(params['database']))}?mode=rw"
        serving = time_limits.is_serving()
        seconds = settings.KB_DB_LOCK_SECONDS if serving else COMMAND_LOCK_SECONDS
        params.setdefault("timeout", seconds)
        return params

    def connect(self) -> None:
        self._require_known_file()
        super().connect()

    def cursor(self) -> Any:
        self._require_known_file()
        return super().cursor()

    def _require_known_file(self) -> None:
        """Raise DatabaseReplaced where the file is not the one that we began with."""
        if not sqlite_file.file_guard.is_on or self.is_in_memory_db():
            return
        try:
            sqlite_file.file_guard.check_file(self.settings_dict["NAME"])
        except DatabaseReplacedError:
            if not self.in_atomic_block:
                self.close()
            raise

    def is_usable(self) -> bool:
        """Django asks this after an error, before the next request."""
        return not self.errors_occurred
