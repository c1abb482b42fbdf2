"""Content of the demo accounts: a team, private replies, a snippet."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from kb.library import entries, replies
from kb.models import Channel, CustomerSegment, Entry, Reply, Snippet, Team, User

RETURN_ADDRESS_TEXT = "浙江省杭州市余杭区茶山路 18 号 3 号仓，退货组收，0571-5555 0118"
VIP_REFUND_TEXT = "{{客户称呼}}，您这笔退款我已经走加急通道，今天 18:00 前到账，到账后我第一时间打给您。"
CALMING_TEXT = "{{客户称呼}}，让您等这么久真的抱歉。我已经把情况完整交给主管，{{回电时间}}前一定给您回电。"
HURRY_DELIVERY_TEXT = "亲，刚帮您催过{{快递公司}}，今天会派送，到了我给您留言。"


@transaction.atomic
def create_personal_content(*, agent: User, lead: User) -> None:
    """Create a team, private replies and a snippet for the demo accounts."""
    team = Team.objects.create(name="售后组")
    for user in (agent, lead):
        user.team = team
        user.save(update_fields=["team"])
    replies.save_snippet(Snippet(name="退货地址", body=RETURN_ADDRESS_TEXT))
    _vary_entries()
    calm = Reply(
        team=team,
        label="团队",
        title="转主管前的安抚",
        keywords="zzg",
        body=CALMING_TEXT,
    )
    calm.tone = Reply.Tone.SOOTHING
    replies.save_private_reply(calm, by=lead)
    hurry = Reply(
        owner=agent,
        label="我的",
        title="催派送",
        keywords="cps",
        body=HURRY_DELIVERY_TEXT,
    )
    replies.propose_reply(replies.save_private_reply(hurry, by=agent), by=agent)
    freight = _get_demo_entry("return-freight")
    replies.copy_to_own_replies(
        freight, reply=freight.replies.shared().first(), by=agent
    )


def _vary_entries() -> None:
    """Add an included snippet, a reply for a segment and a channel, and an end date."""
    address = _get_demo_entry("return-address").replies.shared().first()
    if address is not None:
        address.body = address.body.replace("{{退货地址}}", "{{> 退货地址}}")
        address.full_clean()
        address.save()
    Reply.objects.create(
        entry=_get_demo_entry("return-refund-time"),
        label="高净值",
        tone=Reply.Tone.FORMAL,
        segment=CustomerSegment.objects.get_or_create(name="高净值")[0],
        channel=Channel.WECHAT,
        order=9,
        body=VIP_REFUND_TEXT,
    )
    live = _get_demo_entry("promo-live-code")
    until = timezone.now() + timedelta(days=5)
    entries.update_entry(live, by=None, based_on=live.version, valid_until=until)


def _get_demo_entry(key: str) -> Entry:
    return Entry.objects.get(source="demo", external_id=key)
