"""Private replies: own ones are for their owner only, team ones for the team."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb import search
from kb.index import sync
from kb.index.engines import get_engine
from kb.library import entries
from kb.models import (
    ROLE_AGENT,
    ROLE_EDITOR,
    ROLE_LEAD,
    Entry,
    Reader,
    Reply,
    Team,
    User,
    Validity,
)
from tests.conftest import MakeEntry

pytestmark = pytest.mark.django_db
MINE, FOREIGN = "鳯龘专属", "麤靐密语"  # words that no other text contains


@pytest.fixture
def teams() -> tuple[Team, Team]:
    return Team.objects.create(name="售后组"), Team.objects.create(name="售前组")


@pytest.fixture
def people(
    teams: tuple[Team, Team], make_user: Callable[..., User]
) -> dict[str, Reader]:
    ours, theirs = teams
    return {
        "anonymous": AnonymousUser(),
        "stranger": make_user("stranger", team=ours),
        "alone": make_user("alone", ROLE_AGENT),
        "ours": make_user("ours", ROLE_AGENT, team=ours),
        "theirs": make_user("theirs", ROLE_AGENT, team=theirs),
        "editor": make_user("bianji", ROLE_EDITOR, is_staff=True),
        "lead": make_user("zhuguan", ROLE_LEAD, team=ours, is_staff=True),
        "root": make_user("root", is_superuser=True, is_staff=True),
    }


def write_all(entry: Entry, people: dict[str, Any], teams: Any) -> dict[str, Reply]:
    replies_by_kind = {"shared": Reply.objects.create(entry=entry, body="共用")}
    for name, user in people.items():
        if name != "anonymous":
            replies_by_kind[f"of {name}"] = Reply.objects.create(
                entry=entry, owner=user, title="我的", body="个人"
            )
    for team in teams:
        replies_by_kind[f"team {team}"] = Reply.objects.create(
            team=team, title="t", body="团队"
        )
    return replies_by_kind


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("anonymous", set()),
        ("stranger", set()),
        ("alone", {"shared", "of alone"}),
        ("ours", {"shared", "of ours", "team 售后组"}),
        ("theirs", {"shared", "of theirs", "team 售前组"}),
        ("editor", {"shared", "of editor"}),
        ("lead", {"shared", "of lead", "team 售后组"}),
        ("root", {"shared", "of root"}),
    ],
)
def test_users_read_own_team_and_shared_replies(
    make_entry: MakeEntry, people: Any, teams: Any, name: str, seen: set[str]
) -> None:
    replies_by_kind = write_all(make_entry(), people, teams)
    found = set(Reply.objects.readable_by(people[name]))
    assert {key for key, reply in replies_by_kind.items() if reply in found} == seen


def test_the_queryset_and_the_row_agree_on_replies(
    make_entry: MakeEntry, people: Any, teams: Any
) -> None:
    for status, audience in product(Entry.Status.values, Entry.Audience.values):
        entry = make_entry(f"{status} {audience}", status=status, audience=audience)
        write_all(entry, people, teams)
    for name, reader in people.items():
        seen = set(Reply.objects.readable_by(reader))
        assert seen == {r for r in Reply.objects.all() if r.is_readable_by(reader)}, (
            name
        )


@pytest.mark.parametrize(
    "columns",
    [
        {"entry": None},
        {"entry": None, "owner": "agent"},
        {"owner": "agent", "team": "team", "title": "t"},
        {"tone": "loud"},
    ],
)
def test_the_database_refuses_a_reply_of_no_kind(
    make_entry: MakeEntry, agent: User, teams: Any, columns: dict[str, Any]
) -> None:
    owners = {"agent": agent, "team": teams[0]}
    given_ = {k: owners.get(v, v) if v else v for k, v in columns.items()}
    with pytest.raises(IntegrityError), transaction.atomic():
        Reply.objects.create(**{"entry": make_entry(), "body": "亲", **given_})


def test_team_with_replies_cannot_be_deleted(teams: Any) -> None:
    Reply.objects.create(team=teams[0], title="t", body="团队")
    with pytest.raises(ProtectedError):
        teams[0].delete()


def test_deleting_a_user_deletes_own_replies(make_user: Any) -> None:
    user = make_user("left", ROLE_AGENT)
    Reply.objects.create(owner=user, title="t", body="个人")
    user.delete()
    assert not Reply.objects.exists()


# The index and the pages --------------------------------------------------------------


@pytest.fixture
def foreign(make_entry: MakeEntry, people: Any, teams: Any) -> Entry:
    """An entry with an own and a team reply that `alone` must not see."""
    entry = make_entry(replies=["亲，质量问题我们承担。"])
    mine = people["ours"]
    Reply.objects.create(
        entry=entry, owner=mine, title=MINE, keywords=MINE, body=f"个人 {MINE}"
    )
    Reply.objects.create(
        entry=entry, team=teams[1], title=FOREIGN, keywords=FOREIGN, body=FOREIGN
    )
    sync.sync_all_marks()
    return entry


def test_private_replies_are_not_in_the_index(foreign: Entry) -> None:
    before = get_engine().load_digests()[foreign.pk]
    Reply.objects.exclude(owner=None, team=None).delete()
    sync.sync_all_marks()
    assert get_engine().load_digests()[foreign.pk] == before


@pytest.mark.parametrize("name", ["alone", "editor", "lead", "root"])
@pytest.mark.parametrize("word", [MINE, FOREIGN, MINE[:2], FOREIGN[:2]])
def test_search_does_not_match_foreign_private_replies(
    people: Any, foreign: Entry, name: str, word: str
) -> None:
    user = people[name]
    found = search.search_entries(word, user=user)
    assert (found.hits, found.total, found.near_hits, found.did_you_mean) == (
        (),
        0,
        (),
        "",
    )
    assert search.suggest_entries(word, user=user) == ()
    assert search.find_duplicate_entries(word, user=user) == ()


def test_no_page_shows_a_foreign_private_reply(people: Any, foreign: Entry) -> None:
    pages = [
        reverse("console:home"),
        reverse("console:home", query={"q": "退货运费"}),
        reverse("console:home", query={"entry": foreign.pk, "fragment": "preview"}),
        reverse("api:agent-search", query={"q": "退货运费"}),
        reverse("api:agent-entry", args=[foreign.pk]),
        reverse("desk:drafts"),
        reverse("admin:kb_entry_change", args=[foreign.pk]),
        reverse("admin:kb_entry_changelist", query={"q": MINE}),
        reverse("admin:kb_entry_changelist", query={"q": FOREIGN}),
        foreign.get_absolute_url(),
    ]
    for name in ("alone", "editor", "lead", "root", "anonymous"):
        client = Client()
        if name != "anonymous":
            client.force_login(people[name])
        for url in pages:
            page = client.get(url).text.replace(f'value="{MINE}"', "")
            page = page.replace(f'value="{FOREIGN}"', "")
            assert MINE not in page, (name, url)
            assert FOREIGN not in page, (name, url)


def test_admin_search_does_not_match_foreign_private_replies(
    people: Any, foreign: Entry
) -> None:
    client = Client()
    client.force_login(people["editor"])
    where = reverse("admin:kb_entry_changelist")
    for word in (MINE, FOREIGN):
        assert client.get(where, {"q": word}).context["cl"].result_count == 0
    assert client.get(where, {"q": "质量问题我们"}).context["cl"].result_count == 1


def test_saving_an_entry_in_the_admin_keeps_private_replies(
    people: Any, foreign: Entry
) -> None:
    client = Client()
    client.force_login(people["editor"])
    form = client.get(reverse("admin:kb_entry_change", args=[foreign.pk])).context
    sets = [inline.formset for inline in form["inline_admin_formsets"]]
    replies = [row for row in sets if row.model is Reply]
    bodies = [form.instance.body for row in replies for form in row.initial_forms]
    assert bodies == ["亲，质量问题我们承担。"]


def test_a_foreign_reply_is_not_counted_as_copied(people: Any, foreign: Entry) -> None:
    client = Client()
    client.force_login(people["alone"])
    for reply in Reply.objects.filter(entry=foreign):
        sent = {"q": "退货", "entry": foreign.pk, "reply": reply.pk}
        status = client.post(reverse("console:pick"), sent).status_code
        assert status == (204 if reply.is_shared else 400)


def test_own_replies_are_listed_with_the_shared_ones(
    people: Any, foreign: Entry
) -> None:
    client = Client()
    client.force_login(people["ours"])
    page = client.get(reverse("console:home"), {"entry": foreign.pk}).text
    assert f"个人 {MINE}" in page
    assert FOREIGN not in page


def test_private_reply_does_not_make_an_entry_publishable(
    make_entry: MakeEntry, agent: User
) -> None:
    entry = make_entry(answer="", audience="internal", status="draft")
    Reply.objects.create(entry=entry, owner=agent, title="t", body="个人")
    with pytest.raises(ValidationError, match="没有 FAQ 答案也没有话术"):
        entries.publish_entry(entry, by=None)


# In force -----------------------------------------------------------------------------


offsets = st.none() | st.integers(-20, 20).map(lambda days: timedelta(days=days))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    begins=offsets,
    lasts=st.none() | st.integers(1, 30).map(lambda days: timedelta(days=days)),
    status=st.sampled_from(Entry.Status.values),
    audience=st.sampled_from(Entry.Audience.values),
)
def test_the_queryset_and_the_row_agree_on_what_is_in_force(
    people: Any, begins: Any, lasts: Any, status: str, audience: str
) -> None:
    now = timezone.now() + timedelta(minutes=1)
    entry = Entry(question="促销", answer="九折", status=status, audience=audience)
    entry.valid_from = now + begins if begins is not None else None
    entry.valid_until = (entry.valid_from or now) + lasts if lasts else None
    entry.save()
    try:
        for name, reader in people.items():
            seen = Entry.objects.visible_to(reader).filter(pk=entry.pk).exists()
            assert seen == entry.is_visible_to(reader), name
        states = [
            state
            for state in Validity.values
            if Entry.objects.with_validity(state).filter(pk=entry.pk).exists()
        ]
        assert states == [entry.validity.value]
    finally:
        entry.delete()


def test_customers_see_entries_in_force_and_staff_see_a_mark(
    make_entry: MakeEntry, agent: User, client: Client
) -> None:
    now = timezone.now()
    day = timedelta(days=1)
    expired = make_entry("上月活动规则", valid_until=now - day)
    coming = make_entry("下月活动规则", valid_from=now + day)
    running = make_entry("本月活动规则", valid_from=now - day, valid_until=now + day)
    for entry, public in ((expired, False), (coming, False), (running, True)):
        status = client.get(entry.get_absolute_url(), follow=True).status_code
        assert status == (200 if public else 404)
    seen = {hit.entry.question: hit.entry.validity.label for hit in find(agent)}
    assert seen == {
        "上月活动规则": "已过期",
        "下月活动规则": "未生效",
        "本月活动规则": "即将过期",
    }
    assert [hit.entry for hit in find(AnonymousUser())] == [running]


def find(user: Reader) -> Any:
    return search.search_entries("活动规则", user=user).hits


def test_an_end_before_the_beginning_is_refused(make_entry: MakeEntry) -> None:
    now = timezone.now()
    with pytest.raises(ValidationError, match="失效时间要在生效时间之后"):
        make_entry(valid_from=now, valid_until=now)
    entry = make_entry()
    with pytest.raises(IntegrityError), transaction.atomic():
        Entry.objects.filter(pk=entry.pk).update(valid_from=now, valid_until=now)
