"""The desk: where staff answer questions and editors work through what waits."""

from __future__ import annotations

from datetime import timedelta

UNDO_WINDOW = timedelta(hours=12)  # how long ago a decision may be for 撤销 to show
