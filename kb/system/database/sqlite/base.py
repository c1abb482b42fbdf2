"""SQLite backend: never creates the file of a running site, and detects another one.

A connection is closed after an error, because one that was opened while the file was
not writable would stay read-only for ever.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db.backends.sqlite3 import base

from kb.system.database import sqlite_file, time_limits
from kb.system.database.errors import DatabaseReplacedError

COMMAND_LOCK_SECONDS = 60  # commands may wait longer for a lock than requests


class DatabaseWrapper(base.DatabaseWrapper):
    """Time limits apply if `time_limits.is_serving()`, the check of the file if it is on."""

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        if self.is_in_memory_db():
            return params
        if sqlite_file.file_guard.is_on:  # never create the file
            params["database"] = f"file:{quote(str(params['database']))}?mode=rw"
        is_serving = time_limits.is_serving()
        seconds = settings.KB_DB_LOCK_SECONDS if is_serving else COMMAND_LOCK_SECONDS
        params.setdefault("timeout", seconds)
        return params

    def connect(self) -> None:
        self._require_known_file()
        super().connect()

    def cursor(self) -> Any:
        self._require_known_file()
        return super().cursor()

    def _require_known_file(self) -> None:
        """Raise DatabaseReplacedError if the file is not the one of the start."""
        if not sqlite_file.file_guard.is_on or self.is_in_memory_db():
            return
        try:
            sqlite_file.file_guard.check_file(self.settings_dict["NAME"])
        except DatabaseReplacedError:
            if not self.in_atomic_block:
                self.close()
            raise

    def is_usable(self) -> bool:
        """Return False after an error; Django then opens a new connection."""
        return not self.errors_occurred
