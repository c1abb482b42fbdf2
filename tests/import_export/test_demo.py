"""The demo library is complete, and loaded only into an unused data folder."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from kb.import_export import demo
from kb.index import sync
from kb.index.engines import get_engine
from kb.library import replies
from kb.models import Category, Entry, Question, Reply, User
from kb.operations.installation import shell_commands
from kb.text.placeholders import blanks

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _new_folder(settings: Any, tmp_path: Path) -> None:
    """The demo library is loaded only into an unused folder."""
    settings.DATA_DIR, settings.MEDIA_ROOT = tmp_path, tmp_path / "media"


@pytest.fixture
def library() -> tuple[int, int]:
    sync.rebuild_index()
    return demo.load_demo_library()


def test_the_demo_library_is_large_enough_to_work_with(
    library: tuple[int, int],
) -> None:
    assert Entry.objects.count() == library[0] >= 80
    assert Question.objects.count() == library[1] >= 200
    assert Category.objects.filter(parent=None).count() >= 10
    assert Question.objects.awaiting_triage().count() >= 20
    for entry in Entry.objects.prefetch_related("replies", "phrasings"):
        assert entry.answer
        assert 1 <= len(entry.replies.all()) <= 3
        assert 2 <= len(entry.phrasings.all()) <= 5


def test_most_replies_have_blanks(library: tuple[int, int]) -> None:
    bodies = list(Entry.objects.values_list("replies__body", flat=True))
    assert sum(bool(blanks.list_blank_names(body)) for body in bodies) > len(bodies) / 2


def test_setting_up_twice_loads_once_and_shows_passwords_once() -> None:
    first, second = StringIO(), StringIO()
    call_command("kb_setup", stdout=first)
    count = Entry.objects.count()
    call_command("kb_setup", stdout=second)
    assert Entry.objects.count() == count
    assert set(get_engine().load_digests()) == set(
        Entry.objects.searchable().values_list("pk", flat=True)
    )
    password = first.getvalue().split("kefu", 1)[1].split()[0]
    assert User.objects.get(username="kefu").check_password(password)
    assert "kefu" not in second.getvalue()


def test_a_site_without_demo_stays_empty_and_says_how_to_log_in() -> None:
    out = StringIO()
    call_command("kb_setup", no_demo=True, stdout=out)
    assert (
        f"{shell_commands.format_manage_command('createsuperuser')}\n" in out.getvalue()
    )
    assert not Entry.objects.exists()
    assert not User.objects.exists()


def test_demo_accounts_have_private_content() -> None:
    """Private content is created by the functions of the pages: other users do not find it."""
    call_command("kb_setup", stdout=StringIO())
    agent, editor = (User.objects.get(username=n) for n in ("kefu", "bianji"))
    assert [r.title for r in replies.search_private_replies("催派送", user=agent)] == [
        "催派送"
    ]
    assert [r.title for r in replies.search_private_replies("zzg", user=agent)] == [
        "转主管前的安抚"
    ]
    assert replies.search_private_replies("催派送", user=editor) == []
    assert replies.list_waiting_reply_proposals().count() == 1
    assert Reply.objects.filter(text__contains="茶山路 18 号").exists()
    assert Entry.objects.with_validity("soon").count() == 1
