"""The desk suggests the words of customers without their personal data."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from kb import usage
from kb.index import sync
from kb.models import Entry, Pick, Question, SearchGap, SearchSide, User
from kb.text.chinese import normalize
from tests.admin_forms import read_form
from tests.conftest import MakeEntry, MakeQuestion

pytestmark = pytest.mark.django_db
TEXT = "我叫张伟,电话13812345678,订单20261130998877,退款没到账"
ANSWER = "亲，您的退款三天到，会打到 13812345678 那个账户。"


@pytest.fixture
def entry(make_entry: MakeEntry) -> Entry:
    return make_entry("退款多久到账？", "三天。")


@pytest.fixture
def question(make_question: MakeQuestion) -> Question:
    return make_question(TEXT, ANSWER)


def phrasings(entry: Entry) -> list[str]:
    return list(entry.phrasings.values_list("text", flat=True))


def suggestions(words: str) -> str:
    """Return what autocomplete suggests to a customer who types `words`."""
    sync.sync_all_marks()
    return Client().get(f"/suggest/?q={quote(words)}").text


def test_inbox_suggests_a_phrasing_without_personal_data(
    desk: Client, entry: Entry, question: Question
) -> None:
    page = desk.get("/desk/inbox/").text
    assert 'name="phrasing" maxlength="200" value="退款没到账"' in page
    assert "data-review" in page
    assert "原话里的姓名、单号、其他个人信息已经去掉" in page
    for value in ("13812345678", "张伟"):
        assert f'value="{value}' not in page
    form = page[page.index('id="new"') :]
    assert "13812345678" not in form.split("</form>")[0]
    assert "会打到 *** 那个账户" in form


def test_words_without_personal_data_are_merged_at_once(
    desk: Client, entry: Entry, make_question: MakeQuestion
) -> None:
    make_question("退款啥时候到")
    page = desk.get("/desk/inbox/").text
    assert 'value="退款啥时候到"' in page
    assert "data-review " not in page


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (TEXT, "相似问法里有姓名「张伟」、手机号「13812345678」"),
        ("***退款没到账", "相似问法里还有 ***"),
    ],
)
def test_the_inbox_refuses_personal_data_and_keeps_what_was_typed(
    desk: Client, entry: Entry, question: Question, typed: str, message: str
) -> None:
    sent = {"entry": entry.pk, "phrasing": typed}
    answer = desk.post(f"/desk/inbox/{question.pk}/merge/", sent)
    assert answer.status_code == 400
    assert message in answer.text
    assert f'value="{typed}"' in answer.text
    question.refresh_from_db()
    assert question.status == Question.Status.ANSWERED
    assert phrasings(entry) == []
    assert "张伟" not in suggestions("我叫")


def test_phrasing_with_personal_data_must_be_reviewed_first(
    desk: Client, entry: Entry, question: Question
) -> None:
    answer = desk.post(f"/desk/inbox/{question.pk}/merge/", {"entry": entry.pk})
    assert answer.status_code == 400
    assert 'value="退款没到账"' in answer.text
    assert phrasings(entry) == []


def test_reviewed_phrasing_is_merged(
    desk: Client, entry: Entry, question: Question
) -> None:
    sent = {"entry": entry.pk, "phrasing": "退款没到账"}
    desk.post(f"/desk/inbox/{question.pk}/merge/", sent)
    assert phrasings(entry) == ["退款没到账"]
    assert "也这么问" in suggestions("退款没")


@pytest.mark.parametrize("name", ["question", "phrasing"])
def test_a_new_entry_refuses_personal_data_at_its_field(
    desk: Client, question: Question, name: str
) -> None:
    sent = {
        "new-question": "退款没到账怎么办？",
        "new-phrasing": "",
        "new-answer": "三天到账。",
        "new-audience": "public",
        "do": "publish",
        f"new-{name}": "我叫张伟，退款没到账",
    }
    answer = desk.post(f"/desk/inbox/{question.pk}/new/", sent)
    assert answer.status_code in {200, 400}
    assert "里有姓名「张伟」" in answer.text
    assert 'value="我叫张伟，退款没到账"' in answer.text
    assert not Entry.objects.exists()


def test_masked_answer_may_be_a_draft_but_not_published(
    desk: Client, question: Question, make_entry: MakeEntry
) -> None:
    sent = {
        "new-question": "退款没到账怎么办？",
        "new-answer": "会打到 *** 那个账户。",
        "new-reply": "三天到账。",
        "new-audience": "public",
        "do": "publish",
    }
    where = f"/desk/inbox/{question.pk}/new/"
    assert "FAQ 答案里还有 ***" in desk.post(where, sent).text
    assert not Entry.objects.exists()
    desk.post(where, sent | {"do": "draft"})
    assert Entry.objects.get().status == Entry.Status.DRAFT


def test_search_for_an_entry_puts_no_customer_text_into_the_url(
    desk: Client, entry: Entry, question: Question
) -> None:
    sent = {"q": "退款", "phrasing": "退款没到账"}
    answer = desk.post(f"/desk/inbox/{question.pk}/merge/", sent)
    assert "phrasing" not in answer["Location"]
    answer = desk.post(f"/desk/inbox/{question.pk}/merge/", sent | {"phrasing": "钱呢"})
    assert 'value="钱呢"' in desk.get(answer["Location"]).text


# Gaps ------------------------------------------------------------------------------


@pytest.fixture
def gap(db: None) -> SearchGap:
    return SearchGap.objects.create(
        words="李雷13987654321退款没到账", side=SearchSide.PUBLIC
    )


def settle(desk: Client, gap: SearchGap, **sent: Any) -> Any:
    return desk.post(f"/desk/gaps/{gap.pk}/", {"do": "phrasing", **sent})


def test_gap_suggests_a_phrasing_without_personal_data(
    desk: Client, entry: Entry, gap: SearchGap
) -> None:
    page = desk.get(f"/desk/gaps/?gap={gap.pk}").text
    assert 'name="phrasing" maxlength="200" value="退款没到账"' in page
    assert "李雷" not in page
    assert "13987654321" not in page
    assert "data-review" in page


def test_a_gap_refuses_personal_data_and_keeps_what_was_typed(
    desk: Client, entry: Entry, gap: SearchGap
) -> None:
    answer = settle(desk, gap, entry=entry.pk, phrasing="我叫李雷，退款没到账")
    assert answer.status_code == 400
    assert "相似问法里有姓名「李雷」" in answer.text
    assert 'value="我叫李雷，退款没到账"' in answer.text
    assert phrasings(entry) == []
    gap.refresh_from_db()
    assert gap.status == SearchGap.Status.OPEN
    assert settle(desk, gap, entry=entry.pk, phrasing=" ").status_code == 400


def test_gap_adds_the_phrasing_of_the_editor(
    desk: Client, entry: Entry, gap: SearchGap
) -> None:
    looked = settle(desk, gap, do="look", q="退款", phrasing="钱呢")
    assert 'value="钱呢"' in desk.get(looked["Location"]).text
    answer = settle(desk, gap, entry=entry.pk, phrasing="退款怎么还没到账")
    assert answer.status_code == 302
    assert phrasings(entry) == ["退款怎么还没到账"]


# Learned words -----------------------------------------------------------------------


@pytest.fixture
def learned(entry: Entry) -> str:
    """Return the key of words, with a name, after which three people used the entry."""
    words = "客服小林退款没到账"
    for person in "abc":
        pick = Pick(entry=entry, side=SearchSide.PUBLIC, person=person, kind="copied")
        pick.words, pick.words_key = words, normalize.compute_spelling_key(words)
        pick.save()  # stored before names were masked
    usage.refresh_evidence()
    return normalize.compute_spelling_key(words)


def test_phrasing_proposal_is_suggested_without_personal_data(
    desk: Client, entry: Entry, learned: str
) -> None:
    page = desk.get("/desk/phrasings/").text
    assert "小林" not in page
    assert 'name="phrasing" maxlength="200" value="客服***退款没到账"' in page
    where = f"/desk/phrasings/{entry.pk}/"
    sent = {"do": "accept", "words": learned}
    for typed, message in (
        ("客服***退款没到账", "相似问法里还有 ***"),
        ("客服小林 退款没到账", "相似问法里有姓名「小林」"),
    ):
        answer = desk.post(where, sent | {"phrasing": typed})
        assert answer.status_code == 400
        assert message in answer.text
        assert f'value="{typed}"' in answer.text
    desk.post(where, sent | {"phrasing": "退款没到账"})
    assert phrasings(entry) == ["退款没到账"]
    assert "现在没有建议" in desk.get("/desk/phrasings/").text


# The form of an entry ------------------------------------------------------------------


def test_stored_personal_data_is_not_suggested(entry: Entry) -> None:
    entry.phrasings.create(text=TEXT)
    sync.mark_stale([entry.pk])
    assert "张伟" not in suggestions("我叫张伟")


def test_entry_form_names_the_line_with_personal_data(
    client: Client, lead: User, entry: Entry
) -> None:
    entry.phrasings.create(text="我叫王小明")  # saved before: it may stay
    client.force_login(lead)
    where = f"/admin/kb/entry/{entry.pk}/change/"
    sent = read_form(client, where)
    sent["phrasings"] = "我叫王小明\n退款没到账\n我叫张伟"
    answer = client.post(where, sent)
    assert "第 3 行里有姓名「张伟」" in answer.text
    assert "第 1 行里有" not in answer.text
    assert "退款没到账\n我叫张伟" in answer.text.replace("\r\n", "\n")
    assert phrasings(entry) == ["我叫王小明"]
    answer = client.post(where, sent | {"phrasings": "我叫王小明\n退款没到账"})
    assert answer.status_code == 302
    assert phrasings(entry) == ["我叫王小明", "退款没到账"]
