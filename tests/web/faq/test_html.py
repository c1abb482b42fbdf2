"""Public pages are valid HTML."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from justhtml import StrictModeError

from kb.models import (
    Announcement,
    Category,
    Inquiry,
    Tag,
)
from kb.publishing import page_views
from kb.questions import triage
from kb.web.faq import ask_form, view_decorators, votes
from tests.conftest import MakeEntry
from tests.markup import faults

pytestmark = pytest.mark.django_db
PICTURE = f"/media/{'0a' * 16}-800x600.webp"
LONG = f"""三天到账。

## 怎么申请

1. 打开订单
   ![订单页]({PICTURE})
2. 点退款

> [!警告]
> 不要把验证码给别人。

## 多久到账

| 方式 | 时间 |
|---|---|
| 微信 | 一天 |

## 没到账怎么办

联系客服。
"""


@pytest.fixture
def shelf(db: None) -> Category:
    made: Category = Category.objects.create(name="售后")
    return made


@pytest.mark.parametrize("prefix", ["", "/zh-hant", "/en"])
def test_every_page_is_valid_html(
    client: Client, make_entry: MakeEntry, shelf: Category, prefix: str
) -> None:
    made = make_entry("退款多久到账？", LONG, category=shelf)
    made.tags.add(tag := Tag.objects.create(name="退款"))
    page_views.count_page_view(made.pk)
    page_views.flush_page_views()
    pages = ["/", "/search/", "/search/?q=退款", "/search/?q=麒麟臂", "/ask/"]
    pages += [f"/search/?tag={tag.pk}", made.get_absolute_url(), "/q/999/"]
    pages += [shelf.get_absolute_url(), f"/q/{made.pk}/{made.slug}/?q=退款"]
    pages += ["/ask/?q=退款", "/embed/", "/embed/?q=退款", f"/embed/?entry={made.pk}"]
    for address in pages:
        assert faults(client.get(f"{prefix}{address}").text) == [], address
    for part in ("/suggest/?q=退款", "/ask/near/?q=退款"):
        assert faults(client.get(f"{prefix}{part}").text, fragment=True) == [], part


@pytest.mark.parametrize("prefix", ["", "/zh-hant", "/en"])
def test_every_response_to_a_form_is_valid_html(
    client: Client, make_entry: MakeEntry, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask_form, "MIN_FORM_SECONDS", -1)
    made, now = make_entry("退款多久到账？", LONG), timezone.now()
    Announcement.objects.create(
        title="退款延迟",
        body="**周五**恢复。",
        audience="public",
        starts_at=now - timedelta(hours=1),
        ends_at=now + timedelta(hours=1),
        entry=made,
    )
    token, vote = votes.make_vote_token(made), f"{prefix}/vote/{made.pk}/"
    for sent in ({"helpful": "no"}, {"helpful": "yes"}, {"helpful": "no", "part": "1"}):
        page = client.post(vote, {"token": token, **sent}).text
        assert faults(page, fragment="part" in sent) == [], sent
    assert faults(client.post(vote, {}).text) == []
    ask, stamp = f"{prefix}/ask/", ask_form.make_form_stamp()
    for given in ({}, {"text": "退款"}, {"text": "退款", "send": "1"}):
        assert faults(client.post(ask, given).text) == [], given
    own = client.post(ask, {"text": "退款", "send": "1", "stamp": stamp}, follow=True)
    assert faults(own.text) == []
    inquiry = Inquiry.objects.get()
    triage.answer_question(inquiry.question, answer="见 https://example.com/a", by=None)
    assert faults(client.get(f"{prefix}/q/{inquiry.token}/").text) == []
    assert faults(client.get(f"{prefix}/").text) == []
    monkeypatch.setattr(view_decorators, "throttle_request", lambda *_: 9)
    assert faults(client.get(f"{prefix}/search/").text) == []


@pytest.mark.parametrize(
    "wrong",
    [
        *(
            "<p>x</i></p>",
            '<p id="a">x</p><p id="a">y</p>',
            "<span><div>x</div></span>",
        ),
        *("<ul><p>x</p></ul>", "<div><li>x</li></div>", '<label for="b">x</label>'),
        *('<a href="/"><button>x</button></a>', '<img src="/a.png">', "<p>a</div>"),
        '<a href="#no">x</a>',
    ],
)
def test_the_validator_reports_invalid_html(wrong: str) -> None:
    try:
        found = faults(f"<main>{wrong}</main>", fragment=True)
    except StrictModeError as fault:
        found = [str(fault)]
    assert found
