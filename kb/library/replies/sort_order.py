"""Sort the replies of an entry so that those for the customer at hand come first."""

from __future__ import annotations

from collections.abc import Iterable

from kb.models import Reply


def sort_replies_by_fit(
    replies: Iterable[Reply], *, channel: str = "", segment: int | None = None
) -> list[Reply]:
    """Return `replies`, those for `channel` and `segment` first, for others last.

    Of equal fit own replies come before those of the team, and these before shared
    ones; then the column `order` decides. `segment` is an id.
    """

    def get_sort_key(reply: Reply) -> tuple[int, int, int, int]:
        fits = _score_fit(reply.channel, channel) + _score_fit(
            reply.segment_id, segment
        )
        owner_rank = 0 if reply.owner_id else 1 if reply.team_id else 2
        return -fits, owner_rank, reply.order, reply.pk or 0

    return sorted(replies, key=get_sort_key)


def _score_fit(reply_value: object, wanted: object) -> int:
    """Return 1 for a match, 0 where either is unspecified, -1 for a mismatch."""
    if not wanted or not reply_value:
        return 0
    return 1 if reply_value == wanted else -1
