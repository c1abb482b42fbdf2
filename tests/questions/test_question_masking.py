"""Personal data in questions is masked before it is stored, at every intake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from kb.models import Question, User
from kb.questions import inquiries, intake
from kb.text.privacy import personal_data
from tests.test_settings import start

SAID = (
    "我叫张伟，电话13812345678，邮箱a@b.cn，卡6222021234567890128，订单20261130998877"
)
MASKED = "我叫张伟，电话***，邮箱***，卡***，订单20261130998877"


@pytest.mark.django_db
def test_asking_masks_phone_mail_and_cards() -> None:
    assert intake.record_question(SAID).text == MASKED
    assert (
        intake.record_question("身份证11010519491231002X丢了").text == "身份证***丢了"
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kinds", "stored"),
    [
        ([], "我叫张伟，电话13812345678"),
        (["name"], "我叫***，电话13812345678"),
        (["name", "phone"], "我叫***，电话***"),
    ],
)
def test_setting_selects_the_kinds_of_data(
    settings: Any, kinds: list[str], stored: str
) -> None:
    settings.KB_MASK_IN_QUESTIONS = kinds
    assert intake.record_question("我叫张伟，电话13812345678").text == stored


@pytest.mark.django_db
def test_what_customers_ask_on_the_site_is_masked() -> None:
    details = inquiries.SubmittedInquiry(form_key="k", origin="https://faq.example.com")
    inquiry = inquiries.submit_inquiry(SAID, details=details)
    assert inquiry.question.text == MASKED
    assert inquiry.contact == "13812345678"  # for a call back
    details = inquiries.SubmittedInquiry(
        form_key="l", origin="https://faq.example.com", contact="a@example.com"
    )
    assert inquiries.submit_inquiry(SAID, details=details).contact == "a@example.com"
    details = inquiries.SubmittedInquiry(form_key="m", origin="https://faq.example.com")
    assert (
        inquiries.submit_inquiry("发票寄到 b@example.com", details=details).contact
        == ""
    )


@pytest.mark.django_db
def test_the_console_masks(client: Client, agent: User) -> None:
    client.force_login(agent)
    sent = {"text": SAID, "answer": "", "channel": "wechat"}
    client.post("/console/capture/", sent)
    assert Question.objects.get().text == MASKED


@pytest.mark.django_db
def test_import_masks_and_recognizes_the_row(tmp_path: Path) -> None:
    file = tmp_path / "问题.csv"
    file.write_text(f"问题,回答\n{SAID.replace(',', '，')},好\n", "utf-8")
    for _ in range(2):
        call_command("kb_import", "questions", str(file))
    assert Question.objects.get().text == MASKED


@pytest.mark.django_db
def test_the_admin_masks(client: Client, lead: User) -> None:
    question = intake.record_question("怎么退款", answer="好")
    client.force_login(lead)
    where = f"/admin/kb/question/{question.pk}/change/"
    page = client.get(where)
    form = page.context["adminform"].form
    sent = {name: form[name].value() or "" for name in form.fields}
    moment = question.asked_at
    sent |= {
        "text": SAID,
        "asked_at_0": moment.strftime("%Y-%m-%d"),
        "asked_at_1": moment.strftime("%H:%M:%S"),
    }
    assert client.post(where, sent).status_code == 302
    question.refresh_from_db()
    assert question.text == MASKED


def test_every_name_in_the_setting_is_valid() -> None:
    every = {
        kind
        for kinds in personal_data.PERSONAL_DATA_KINDS_BY_SETTING.values()
        for kind in kinds
    }
    assert every == set(personal_data.PERSONAL_DATA_KINDS)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", ["identity_card", "bank_card", "phone", "email"]),
        ("none", []),
        ("phone, NAME", ["phone", "name"]),
        ("all", list(personal_data.PERSONAL_DATA_KINDS_BY_SETTING)),
    ],
)
def test_the_environment_lists_kinds(
    tmp_path: Path, given: str, expected: list[str]
) -> None:
    show = "from config import settings as s; print(','.join(s.KB_MASK_IN_QUESTIONS))"
    done = start(tmp_path, "-c", show, MASK_IN_QUESTIONS=given)
    assert done.stdout.strip() == ",".join(expected)
