"""Pages promise mail only where it is sent, and an answer only where it arrives."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from kb.admin import dashboard
from kb.models import Inquiry, Reply, ReplyFeedback, ReplyProposal, User
from kb.quality import work_queue
from kb.questions import inquiries
from tests.conftest import MakeEntry, MakeQuestion
from tests.quality.test_work_queue import tabs

pytestmark = pytest.mark.django_db
MAIL, PHONE, NOTHING = "kid@example.com", "13800001234", ""


def ask(contact: str) -> Inquiry:
    asked = inquiries.SubmittedInquiry(
        form_key="k", origin="https://x.example", contact=contact
    )
    return inquiries.submit_inquiry("快递没收到怎么办", details=asked)


@pytest.mark.parametrize(
    ("is_on", "contact", "is_promised"),
    [
        (True, MAIL, True),
        (True, PHONE, False),
        (True, NOTHING, False),
        (False, MAIL, False),
        (False, PHONE, False),
        (False, NOTHING, False),
    ],
)
def test_mail_is_promised_only_to_those_who_get_one(
    client: Client,
    agent: User,
    settings: Any,
    is_on: bool,
    contact: str,
    is_promised: bool,
) -> None:
    settings.KB_MAIL = is_on
    inquiry = ask(contact)
    own = Client().get(f"/q/{inquiry.token}/").text
    assert ("发邮件到您留的邮箱" in own) is is_promised
    assert ("本站不发邮件" in own) is (contact == MAIL and not is_on)
    client.force_login(agent)
    desk = client.get("/desk/asked/").text
    assert ("也会收到邮件" in desk) is is_promised


@pytest.mark.parametrize("is_on", [True, False])
def test_the_form_says_whether_mail_is_sent(settings: Any, is_on: bool) -> None:
    settings.KB_MAIL = is_on
    page = Client().get("/ask/?q=快递").text
    assert ("有回复时会发邮件" in page) is is_on
    assert ("本站不发邮件和短信" in page) is not is_on
    english = Client().get("/en/ask/?q=x").text
    assert ("This site sends no e-mail" in english) is not is_on


@pytest.mark.parametrize("is_on", [True, False])
def test_owners_are_promised_mail_where_it_is_sent(
    client: Client, editor: User, settings: Any, is_on: bool
) -> None:
    settings.KB_MAIL = is_on
    client.force_login(editor)
    assert ("收到邮件" in client.get("/desk/due/").text) is is_on


def test_a_question_without_a_return_address_says_so(
    client: Client, agent: User, make_question: MakeQuestion
) -> None:
    question = make_question("千牛上问的", answer="", channel="qianniu")
    client.force_login(agent)
    page = client.get(f"/desk/asked/?question={question.pk}", follow=True).text
    assert "没有回信地址" in page
    assert ">记下答案</button>" in page
    assert ">回复</button>" not in page
    assert "顾客在自己的提问页上看到" not in page
    url = f"/desk/recorded/?question={ask(NOTHING).question_id}"
    page = client.get(url, follow=True).text
    assert ">回复</button>" in page
    assert "没有回信地址" not in page


def test_both_kinds_are_counted_apart(
    client: Client, agent: User, editor: User, make_question: MakeQuestion
) -> None:
    ask(NOTHING)
    for number in range(2):
        make_question(f"导入的{number}", answer="")
    counts = work_queue.count_waiting_work(agent)
    assert (counts["asked"], counts["recorded"]) == (1, 2)
    client.force_login(agent)
    found = tabs(client.get("/desk/asked/"))
    assert (found["待回复"], found["待补答案"]) == ("1", "2")
    cards = {card.label: card for card in dashboard.list_dashboard_cards(editor)}
    assert (cards["待回复"].count, cards["待补答案"].count) == (1, 2)
    assert "没有回信地址" in cards["待补答案"].hint


def test_a_reader_who_left_is_not_shown_as_reading(
    client: Client, agent: User, editor: User, make_entry: MakeEntry
) -> None:
    made = make_entry(replies=["亲"])
    client.force_login(editor)
    for is_active in (True, False):
        User.objects.filter(pk=agent.pk).update(is_active=is_active)
        remark = ReplyFeedback.objects.create(entry=made, reason="wrong", by=agent)
        page = client.post(
            f"/desk/remarks/{remark.pk}/", {"answer": "改了"}, follow=True
        )
        assert ("会在话术台看到" in page.text) is is_active
        reply = Reply.objects.create(owner=agent, title=f"好{is_active}", body="亲")
        proposal = ReplyProposal.objects.create(reply=reply, by=agent)
        sent = {"do": "return", "reason": "重复"}
        page = client.post(f"/desk/proposals/{proposal.pk}/", sent, follow=True)
        assert ("会看到原因" in page.text) is is_active
