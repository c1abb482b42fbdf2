"""A customer asks: answers are offered first, the question is stored once, and answered on its own page."""

from __future__ import annotations

import re
from html import unescape
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from PIL import Image

from kb.models import (
    AnswerVersion,
    Channel,
    Entry,
    Inquiry,
    InquiryAttachment,
    Module,
    Question,
    Site,
    User,
)
from kb.publishing import sites
from kb.questions import inquiries, to_entries, triage
from kb.web.faq import ask_form
from tests.conftest import MakeEntry, MakeQuestion

pytestmark = pytest.mark.django_db
TEXT = "我的快递显示签收了可是没有收到怎么办"
Status = Question.Status


@pytest.fixture(autouse=True)
def _a_person_took_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask_form, "MIN_FORM_SECONDS", -1)


def fields(page: Any) -> dict[str, str]:
    """Return the hidden fields of the form on `page`."""
    found = re.findall(r'type="hidden" name="(\w+)" value="(.*?)"', page.text)
    return {name: unescape(value) for name, value in found}


def ask(client: Client | None = None, words: str = "", **sent: Any) -> Any:
    client = client or Client(enforce_csrf_checks=True)
    form = fields(client.get("/ask/", {"q": words} if words else {}))
    return client.post("/ask/", form | {"text": TEXT, "send": "1"} | sent)


def png(side: int = 40) -> SimpleUploadedFile:
    made = BytesIO()
    Image.new("RGB", (side, side), "red").save(made, "PNG")
    return SimpleUploadedFile("我的 照片.png", made.getvalue(), "image/png")


@pytest.fixture
def asked(db: None) -> Inquiry:
    ask(contact="kid@example.com")
    return Inquiry.objects.get()


def own_page(inquiry: Inquiry, **more: Any) -> Any:
    return Client().get(f"/q/{inquiry.token}/", **more)


# Answers first --------------------------------------------------------------------


def test_a_question_is_searched_before_it_is_stored(make_entry: MakeEntry) -> None:
    entry = make_entry("快递显示签收但没收到怎么办？", "先问门卫，再联系客服。")
    first = Client().get("/ask/")
    assert "下一步" in first.text
    assert 'name="contact"' not in first.text
    sent = fields(first) | {"text": TEXT}
    second = Client().post("/ask/", sent)
    assert entry.get_absolute_url() in second.text
    assert "还是没解决" in second.text
    assert 'name="contact"' in second.text
    assert TEXT in second.text
    assert not Question.objects.exists()


def test_a_search_without_results_links_to_the_ask_page_with_its_words(
    make_entry: MakeEntry,
) -> None:
    make_entry()
    page = Client().get("/search/", {"q": "榴莲承包"}).text
    (link,) = re.findall(r'href="(/ask/\?q=[^"]+)"', page)
    form = Client().get(link)
    assert ">榴莲承包</textarea>" in form.text
    assert fields(form)["words"] == "榴莲承包"


def test_answers_are_offered_while_typing(make_entry: MakeEntry) -> None:
    entry = make_entry("快递显示签收但没收到怎么办？", "先问门卫。")
    make_entry("快递显示签收内部怎么办？", audience="internal")
    part = Client().get("/ask/near/", {"q": "快递签收没收到"})
    assert entry.get_absolute_url() in part.text
    assert "内部" not in part.text
    assert "<html" not in part.text
    assert Client().get("/ask/near/").text.strip() == ""


def test_an_entry_without_an_answer_is_not_offered(
    make_entry: MakeEntry, agent: User
) -> None:
    made = make_entry(
        "快递显示签收但没收到怎么办？", answer="", audience="internal", replies=["亲"]
    )
    client = Client()
    client.force_login(agent)
    assert made.question not in client.get("/ask/near/", {"q": "快递签收"}).text


# Storing a question ------------------------------------------------------------------


def test_a_question_is_in_the_inbox_with_its_search_and_page(db: None) -> None:
    module = Module.objects.create(name="物流", offered=True)
    answer = ask(words="快递丢了", contact=" 138-0000-1234 ", module=str(module.pk))
    assert answer.status_code == 302
    assert answer.cookies == {}
    made = Inquiry.objects.select_related("question").get()
    assert answer["Location"] == f"/q/{made.token}/"
    question = made.question
    assert (question.text, question.channel) == (TEXT, Channel.WEB)
    assert (question.status, question.module) == (Status.OPEN, module)
    assert (made.words, made.contact) == ("快递丢了", "138-0000-1234")
    assert made.origin == "http://testserver"
    assert made.site == Site.objects.get()


def test_the_site_of_a_question_is_stored(settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".example.com"]
    shop = Site.objects.create(name="乙店", host="b.example.com")
    ask(Client(headers={"host": "b.example.com"}))
    made = Inquiry.objects.get()
    assert (made.site, made.origin) == (shop, "http://b.example.com")


def test_a_question_is_stored_without_any_site(db: None) -> None:
    Site.objects.all().delete()
    assert ask().status_code == 302
    inquiry = Inquiry.objects.select_related("question").get()
    assert inquiry.site is None
    triage.answer_question(inquiry.question, answer="好了", by=None)
    rated = Client().post(f"/q/{inquiry.token}/rate/", {"score": "5"})
    assert rated.status_code == 302


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"text": ""}, "请写下您的问题"),
        ({"text": " \u200b\n "}, "请写下您的问题"),
        ({"text": "问" * 2001}, "最多 2000 字"),
        ({"contact": "随便"}, "请填手机号或邮箱"),
        ({"contact": "12345"}, "请填手机号或邮箱"),
        ({"contact": "a@b"}, "请填手机号或邮箱"),
        ({"contact": "a@b.com\nBcc: c@d.com"}, "请填手机号或邮箱"),
        ({"contact": "１３８００００１２３４"}, ""),
        ({"module": "999"}, "没有这个选项"),
        ({"module": "x' OR 1"}, "没有这个选项"),
        ({"module": "9" * 40}, "没有这个选项"),
        ({"website": "http://spam.example"}, "要留空"),
        ({"stamp": ""}, "已经失效"),
        ({"stamp": "x:y:z"}, "已经失效"),
    ],
)
def test_errors_are_named_and_typed_text_is_kept(
    db: None, sent: dict[str, Any], said: str
) -> None:
    Module.objects.create(name="秘密模块")
    answer = ask(**sent)
    if not said:  # full-width digits are digits, normalised
        assert Inquiry.objects.get().contact == "13800001234"
        return
    assert answer.status_code == 400
    assert said in answer.text
    assert "秘密模块" not in answer.text
    assert not Question.objects.exists()
    if "text" not in sent:
        assert TEXT in answer.text
    again = ask(stamp=fields(answer)["stamp"])
    assert again.status_code == 302


def test_a_hidden_module_cannot_be_chosen(db: None) -> None:
    hidden = Module.objects.create(name="秘密模块")
    refused, unknown = ask(module=str(hidden.pk)), ask(module="424242")
    assert refused.status_code == unknown.status_code == 400
    assert not Question.objects.exists()


def test_a_form_is_refused_when_too_fast_or_too_old(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask_form, "MIN_FORM_SECONDS", 2)
    assert "太快了" in ask().text
    monkeypatch.setattr(ask_form, "MIN_FORM_SECONDS", -1)
    monkeypatch.setattr(ask_form, "MAX_FORM_SECONDS", -1)
    assert "太久了" in ask().text
    assert not Question.objects.exists()


def test_a_form_that_is_sent_twice_stores_one_question(db: None) -> None:
    client = Client()
    form = fields(client.get("/ask/")) | {"text": TEXT, "send": "1"}
    one, other = (client.post("/ask/", form) for _ in range(2))
    assert one["Location"] == other["Location"]
    assert Question.objects.count() == 1


def test_a_cross_site_post_is_refused(db: None) -> None:
    client = Client(headers={"Sec-Fetch-Site": "cross-site"})
    assert ask(client).status_code == 400
    assert not Question.objects.exists()


def test_asking_is_rate_limited_and_keeps_the_text(db: None) -> None:
    answers = [ask() for _ in range(6)]
    assert [a.status_code for a in answers] == [302] * 5 + [429]
    assert answers[-1]["Retry-After"]
    assert TEXT in answers[-1].text
    assert Question.objects.count() == 5


def test_personal_data_in_the_search_words_is_masked(db: None) -> None:
    ask(words="查 13800001234 的快递")
    assert Inquiry.objects.get().words == "查 *** 的快递"


# Pictures ---------------------------------------------------------------------------


def test_pictures_are_re_encoded_and_visible_to_asker_and_staff_only(
    agent: User,
) -> None:
    assert ask(pictures=[png(), png(60)]).status_code == 302
    inquiry = Inquiry.objects.get()
    bodies = [bytes(e.body) for e in InquiryAttachment.objects.all()]
    assert [b[8:12] for b in bodies] == [b"WEBP"] * 2
    mine = Client().get(f"/q/{inquiry.token}/2.webp")
    assert (mine["Content-Type"], mine.content) == ("image/webp", bodies[1])
    assert "no-store" in mine["Cache-Control"]
    assert mine["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in mine["Content-Security-Policy"]
    staff = f"/desk/asked/{inquiry.question_id}/1.webp"
    assert Client().get(staff).status_code == 302
    client = Client()
    client.force_login(agent)
    assert client.get(staff).content == bodies[0]
    for place in (0, 3, 10**30):
        assert Client().get(f"/q/{inquiry.token}/{place}.webp").status_code == 404


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("a.png", b"<svg onload=alert(1)>", "打不开"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "打不开"),
        ("../../a.php", b"\x89PNG\r\n\x1a\n" + b"x" * 99, "打不开"),
        ("b.png", b"x" * (2 * 1024 * 1024 + 1), "最多 2 MB"),
    ],
)
def test_an_invalid_picture_is_named_by_its_number(
    db: None, name: str, body: bytes, said: str
) -> None:
    answer = ask(pictures=[png(), SimpleUploadedFile(name, body, "image/png")])
    assert answer.status_code == 400
    assert "第 2 张" in answer.text
    assert said in answer.text
    assert not Question.objects.exists()


def test_at_most_three_pictures_are_accepted(db: None) -> None:
    answer = ask(pictures=[png() for _ in range(4)])
    assert (answer.status_code, "最多 3 张" in answer.text) == (400, True)


def test_an_oversized_form_is_not_read(db: None) -> None:
    answer = Client().post(
        "/ask/", {"send": "1"}, headers={"Content-Length": "99999999"}
    )
    assert answer.status_code == 413
    assert "太大了" in answer.text


# The inquiry page -------------------------------------------------------------------


def test_the_inquiry_page_shows_the_progress(asked: Inquiry, agent: User) -> None:
    assert "已收到" in own_page(asked).text
    triage.answer_question(asked.question, answer="请等 3 天\n再联系", by=agent)
    page = own_page(asked).text
    assert "有回复了" in page
    assert "请等 3 天\n再联系" in page
    assert 'name="score"' in page


def test_an_answer_is_shown_in_the_script_of_the_question(
    asked: Inquiry, mail_on: None, django_capture_on_commit_callbacks: Any
) -> None:
    Inquiry.objects.update(language="zh-hant")
    answer = "网络断了就重启，见 https://a.example.com/网络 。"
    with django_capture_on_commit_callbacks(execute=True):
        triage.answer_question(asked.question, answer=answer, by=None)
    answer = "網路斷了就重啟，見 https://a.example.com/网络 。"
    assert answer in str(mail.outbox[0].body)
    page = Client().get(f"/zh-hant/q/{asked.token}/").text
    assert "網路斷了就重啟" in page
    assert quote("/网络") in page
    assert "网络断了就重启" in own_page(asked).text


def test_the_entry_that_answers_is_shown_if_the_public_may_read_it(
    asked: Inquiry, make_entry: MakeEntry
) -> None:
    for audience, shown in (("public", True), ("internal", False)):
        made = make_entry(f"签收没收到 {audience}", audience=audience)
        question = triage.answer_question(asked.question, answer="亲，见说明", by=None)
        to_entries.add_question_to_entry(made, question=question, by=None, phrasing="")
        assert (made.question in own_page(asked).text) is shown
        to_entries.release_question(Question.objects.get(pk=question.pk), by=None)
        Question.objects.update(status=Status.OPEN, answer="")
        asked.question.refresh_from_db()


def test_a_declined_question_is_shown_as_closed(asked: Inquiry, editor: User) -> None:
    triage.decline_question(asked.question, reason="无关：骂人", by=editor)
    page = own_page(asked).text
    assert "这个问题已关闭" in page
    assert "骂人" not in page
    question = triage.reopen_question(Question.objects.get(), by=editor)
    assert question.status == Status.OPEN


def test_the_inquiry_page_is_not_cached_indexed_or_referred(asked: Inquiry) -> None:
    page = own_page(asked)
    assert "no-store" in page["Cache-Control"]
    assert page["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page["X-Robots-Tag"]
    assert page.cookies == {}
    assert len(asked.token) == 32


def test_a_guessed_token_is_404(asked: Inquiry) -> None:
    nothing = Client().get("/q/no-such-page-anywhere-on-this-si/")
    for token in ("A" * 32, asked.token[:-1] + "_", asked.token.swapcase()):
        answer = Client().get(f"/q/{token}/")
        assert answer.status_code == nothing.status_code == 404
        assert answer.content == nothing.content
        assert Client().post(f"/q/{token}/rate/", {"score": "5"}).status_code == 404


def test_contact_and_text_are_on_no_public_page(
    asked: Inquiry, make_entry: MakeEntry
) -> None:
    make_entry()
    for url in (
        "/",
        "/search/?q=快递签收",
        "/suggest/?q=快递",
        "/ask/",
        "/ask/near/?q=快递签收",
    ):
        said = Client().get(url).text
        for secret in ("kid@example.com", asked.token, "没有收到怎么办"):
            assert secret not in said, url
    assert "kid@example.com" not in own_page(asked).text


# Satisfaction -----------------------------------------------------------------------


def test_the_asker_rates_the_answer_and_may_change_the_rating(asked: Inquiry) -> None:
    url = f"/q/{asked.token}/rate/"
    early = Client().post(url, {"score": "5"})
    assert (early.status_code, "收到回复后再评分" in early.text) == (400, True)
    triage.answer_question(asked.question, answer="好了", by=None)
    for score, word in (("2", "打 13800001234 没人接"), ("5", "")):
        client = Client(enforce_csrf_checks=True)
        assert client.post(url, {"score": score, "comment": word}).status_code == 302
        asked.refresh_from_db()
        assert asked.score == int(score)
        assert "1380" not in asked.comment
    assert "谢谢评分" in own_page(asked).text


@pytest.mark.parametrize(
    "score", ["", "0", "6", "-1", "5.0", "５", "1e308", "x", "1; drop"]
)
def test_a_score_is_one_to_five(asked: Inquiry, score: str) -> None:
    triage.answer_question(asked.question, answer="好了", by=None)
    answer = Client().post(f"/q/{asked.token}/rate/", {"score": score})
    assert (answer.status_code, "1 到 5" in answer.text) == (400, True)
    asked.refresh_from_db()
    assert asked.score is None


# Mail -------------------------------------------------------------------------------


@pytest.fixture
def mail_on(settings: Any) -> None:
    settings.KB_MAIL = True
    settings.DEFAULT_FROM_EMAIL = "help@example.com"


def test_without_mail_nothing_is_sent(
    asked: Inquiry, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        triage.answer_question(asked.question, answer="好了", by=None)
    assert mail.outbox == []


def test_an_answer_is_mailed_once_after_the_undo_period(
    asked: Inquiry, mail_on: None, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as waiting:
        question = triage.answer_question(asked.question, answer="等 3 天", by=None)
    assert mail.outbox == []
    for callback in waiting:
        callback()
    (letter,) = mail.outbox
    assert letter.message()["Auto-Submitted"] == "auto-generated"
    assert letter.to == ["kid@example.com"]
    assert letter.from_email == "help@example.com"
    assert "等 3 天" in letter.body
    assert f"http://testserver/q/{asked.token}/" in letter.body
    with django_capture_on_commit_callbacks(execute=True):
        triage.decline_question(question, reason="重复", by=None)
    assert len(mail.outbox) == 1


def test_a_phone_number_gets_no_mail(
    mail_on: None, django_capture_on_commit_callbacks: Any
) -> None:
    ask(contact="13800001234")
    with django_capture_on_commit_callbacks(execute=True):
        triage.answer_question(Question.objects.get(), answer="好了", by=None)
    assert mail.outbox == []


def test_a_failed_mail_is_retried_and_does_not_lose_the_answer(
    asked: Inquiry,
    mail_on: None,
    settings: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 9  # no server listens there
    settings.EMAIL_TIMEOUT = 1
    with django_capture_on_commit_callbacks(execute=True):
        answered = triage.answer_question(asked.question, answer="好了", by=None)
    assert answered.status == Status.ANSWERED
    asked.refresh_from_db()
    assert asked.told_at is None
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    call_command("kb_learn", verbosity=0)
    assert mail.outbox == []  # not again at once: the server may be overloaded
    AnswerVersion.objects.update(mail_after=timezone.now())
    call_command("kb_learn", verbosity=0)
    assert len(mail.outbox) == 1
    call_command("kb_learn", verbosity=0)
    assert len(mail.outbox) == 1


def test_contacts_of_old_questions_are_erased(asked: Inquiry) -> None:
    InquiryAttachment.objects.create(inquiry=asked, body=b"x", place=1)
    triage.answer_question(asked.question, answer="好了", by=None)
    assert inquiries.retry_mail_and_erase_contacts() == (0, 0)
    Question.objects.update(
        asked_at=timezone.now() - inquiries.INQUIRY_RETENTION * 1.01
    )
    assert inquiries.retry_mail_and_erase_contacts() == (0, 1)
    asked.refresh_from_db()
    assert (asked.contact, asked.attachments.count()) == ("", 0)


# At the desk ------------------------------------------------------------------------


def test_an_agent_answers_a_question_at_the_desk(
    asked: Inquiry, client: Client, agent: User
) -> None:
    client.force_login(agent)
    page = client.get("/desk/asked/").text
    for said in (TEXT, "kid@example.com", "网页"):
        assert said in page
    url = f"/desk/asked/{asked.question_id}/"
    empty = client.post(url, {"do": "answer", "answer": "  "})
    assert (empty.status_code, "请写下回复" in empty.text) == (400, True)
    client.post(url, {"do": "answer", "answer": "<b>等</b> 3 天"})
    question = Question.objects.get()
    assert (question.status, question.answer) == (Status.ANSWERED, "<b>等</b> 3 天")
    AnswerVersion.objects.update(visible_from=timezone.now())
    assert "&lt;b&gt;等&lt;/b&gt; 3 天" in own_page(asked).text
    again = client.post(url, {"do": "answer", "answer": "晚了"})
    assert (again.status_code, "晚了" in again.text) == (409, True)
    assert Question.objects.get().answer == "<b>等</b> 3 天"


def test_an_entry_answers_a_question_and_gets_its_phrasing(
    asked: Inquiry, client: Client, editor: User, make_entry: MakeEntry
) -> None:
    entry = make_entry("快递显示签收但没收到怎么办？", "先问**门卫**。")
    secret = make_entry("快递显示签收没收到内部流程", "查监控", audience="internal")
    client.force_login(editor)
    page = client.get("/desk/asked/").text
    assert f'value="fill-{entry.pk}"' in page
    assert f'value="fill-{secret.pk}"' not in page
    url = f"/desk/asked/{asked.question_id}/"
    for forged in (secret.pk, 999_999, "x", "9" * 50):
        client.post(url, {"do": f"fill-{forged}"})
        sent = {"do": "answer", "answer": "亲，查监控", "entry": str(forged)}
        assert client.post(url, sent).status_code == 400
        assert Question.objects.get().status == Status.OPEN
    client.post(url, {"do": "answer", "answer": "亲，先问门卫。", "entry": entry.pk})
    question = Question.objects.get()
    assert (question.status, question.entry) == (Status.SETTLED, entry)
    assert question.answer == "亲，先问门卫。"
    AnswerVersion.objects.update(visible_from=timezone.now())
    assert entry.get_absolute_url() in own_page(asked).text


def test_questions_without_an_asker_are_listed_apart(
    asked: Inquiry, client: Client, agent: User, make_question: MakeQuestion
) -> None:
    old = make_question("很早以前记下的问题", answer="")
    client.force_login(agent)
    assert client.get("/desk/asked/").context["around"] == [asked.question]
    assert client.get("/desk/recorded/").context["around"] == [old]


def test_the_pages_are_in_traditional_script(make_entry: MakeEntry) -> None:
    make_entry("快递显示签收但没收到怎么办？", "先问门卫。")
    part = Client().get("/zh-hant/ask/near/", {"q": "快递签收没收到"})
    assert "快遞顯示簽收" in part.text


def test_editors_see_ratings_but_no_contacts(
    asked: Inquiry, client: Client, editor: User, agent: User
) -> None:
    triage.answer_question(asked.question, answer="好了", by=None)
    inquiries.rate_inquiry(Inquiry.objects.get(), score=2, comment="太慢")
    client.force_login(editor)
    listed = client.get("/admin/kb/inquiry/?satisfied=bad").text
    assert "太慢" in listed
    assert "太慢" not in client.get("/admin/kb/inquiry/?satisfied=good").text
    one = client.get(f"/admin/kb/inquiry/{asked.pk}/change/").text
    assert "kid@example.com" in one
    assert asked.token not in listed + one
    client.force_login(agent)
    assert client.get("/admin/kb/inquiry/").status_code in {302, 403}


def test_spam_is_declined_in_triage(
    asked: Inquiry, client: Client, agent: User, editor: User
) -> None:
    url = f"/desk/asked/{asked.question_id}/"
    client.force_login(agent)
    sent = {"do": "decline", "reason": "无关"}
    assert client.post(url, sent).status_code == 403
    client.force_login(editor)
    assert client.post(url, {"do": "decline"}).status_code == 400
    client.post(url, sent)
    assert Question.objects.get().status == Status.DECLINED


def test_the_desk_needs_a_login_and_the_right(asked: Inquiry, client: Client) -> None:
    assert client.get("/desk/asked/").status_code == 302
    assert client.post(f"/desk/asked/{asked.question_id}/").status_code == 302


def test_the_reader_of_the_inquiry_page_belongs_to_a_site(
    asked: Inquiry, rf: Any
) -> None:
    request = rf.get("/")
    progress = inquiries.get_inquiry_progress(
        asked, reader=sites.get_anonymous_reader(request)
    )
    assert (progress.is_answered, progress.is_closed, progress.entry) == (
        False,
        False,
        None,
    )
    assert isinstance(progress.entry, Entry | None)


def test_first_step_asks_for_the_question_in_a_large_box(
    client: Client, make_entry: MakeEntry
) -> None:
    page = client.get("/ask/").content.decode()
    assert "<h1>想问什么？</h1>" in page
    assert 'name="text" rows="4"' in page
    sent = fields(client.get("/ask/")) | {"text": "退货运费谁出"}
    page = client.post("/ask/", sent).content.decode()
    assert "<h1>提问</h1>" in page
    assert 'name="text" rows="3"' in page
