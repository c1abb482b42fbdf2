"""What the demo's people keep for themselves: a team, replies of their own, a snippet."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from kb import entries, replies
from kb.models import Channel, Entry, Reply, Segment, Snippet, Team, User

ADDRESS = "浙江省杭州市余杭区茶山路 18 号 3 号仓，退货组收，0571-5555 0118"
PRIVATE = "{{客户称呼}}，您这笔退款我已经走加急通道，今天 18:00 前到账，到账后我第一时间打给您。"
CALM = "{{客户称呼}}，让您等这么久真的抱歉。我已经把情况完整交给主管，{{回电时间}}前一定给您回电。"
HURRY = "亲，刚帮您催过{{快递公司}}，今天会派送，到了我给您留言。"


@transaction.atomic
def furnish(*, agent: User, lead: User) -> None:
    """Give the demo's people what makes the console theirs, through the stages."""
    team = Team.objects.create(name="售后组")
    for person in (agent, lead):
        person.team = team
        person.save(update_fields=["team"])
    replies.put(Snippet(name="退货地址", body=ADDRESS))
    _vary()
    calm = Reply(
        team=team, label="团队", title="转主管前的安抚", keywords="zzg", body=CALM
    )
    calm.tone = Reply.Tone.SOOTHING
    replies.keep(calm, by=lead)
    hurry = Reply(owner=agent, label="我的", title="催派送", keywords="cps", body=HURRY)
    replies.propose(replies.keep(hurry, by=agent), by=agent)
    freight = _entry("return-freight")
    replies.copy_of(freight, reply=freight.replies.shared().first(), by=agent)


def _vary() -> None:
    """Let an entry speak to its customers, one include a snippet, one end soon."""
    address = _entry("return-address").replies.shared().first()
    if address is not None:
        address.body = address.body.replace("{{退货地址}}", "{{> 退货地址}}")
        address.full_clean()
        address.save()
    Reply.objects.create(
        entry=_entry("return-refund-time"),
        label="高净值",
        tone=Reply.Tone.FORMAL,
        segment=Segment.objects.get_or_create(name="高净值")[0],
        channel=Channel.WECHAT,
        order=9,
        body=PRIVATE,
    )
    live = _entry("promo-live-code")
    until = timezone.now() + timedelta(days=5)
    entries.revise(live, by=None, based_on=live.version, valid_until=until)


def _entry(key: str) -> Entry:
    return Entry.objects.get(source="demo", external_id=key)
