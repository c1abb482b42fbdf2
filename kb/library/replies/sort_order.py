"""In which order the replies of an entry stand: what fits the customer comes first."""

from __future__ import annotations

from collections.abc import Iterable

from kb.models import Reply


def sort_by_fit(
    replies: Iterable[Reply], *, channel: str = "", segment: int | None = None
) -> list[Reply]:
    """Return `replies`, those made for `channel` and `segment` first, misfits last.

    Of those that fit alike, one's own stand before the team's, and these before
    the shared; then the editors' order decides.
    """

    def get_sort_key(reply: Reply) -> tuple[int, int, int, int]:
        fits = _score_fit(reply.channel, channel) + _score_fit(
            reply.segment_id, segment
        )
        kind = 0 if reply.owner_id else 1 if reply.team_id else 2
        return -fits, kind, reply.order, reply.pk or 0

    return sorted(replies, key=get_sort_key)


def _score_fit(made_for: object, asked: object) -> int:
    """Return 1 for what was made for it, 0 for what suits all, -1 for a misfit."""
    if not asked or not made_for:
        return 0
    return 1 if made_for == asked else -1
