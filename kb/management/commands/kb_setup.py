"""Bring a site up: tables, demo library when there is nothing, index, addresses."""

from __future__ import annotations

import argparse
import secrets
from typing import Any

from django.contrib.auth.models import Group
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError

from kb import demo, faces, index, vocabulary, wording
from kb.engines import EngineUnavailable, get_engine
from kb.management.command import KbCommand
from kb.models import AGENT, EDITOR, LEAD, WRITER, Entry, Question, Segment, User

SEGMENTS = ("新客", "老客", "高净值", "企业客户")  # where none are kept yet
ACCOUNTS = {  # username: name, group, whether it may enter the admin
    "kefu": ("小茶", AGENT, False),
    "zhuangao": ("小禾", WRITER, True),
    "bianji": ("阿萝", EDITOR, True),
    "zhuguan": ("陈姐", LEAD, True),
    "admin": ("管理员", None, True),
}


class Command(KbCommand):
    help = "建表、首次装入演示数据、备好索引，打印地址和演示账号。"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--no-demo", action="store_true", help="不装演示数据")

    def handle(self, port: int, no_demo: bool, **options: Any) -> None:
        try:
            call_command("migrate", verbosity=0, interactive=False)
        except OperationalError as error:
            reason = " ".join(str(error).split())
            raise CommandError(f"数据库不能用，请检查 DATABASE_URL：{reason}") from None
        loaded = vocabulary.load_starter()
        wording.load_starter()
        if not Segment.objects.exists():
            rows = enumerate(SEGMENTS)
            Segment.objects.bulk_create(Segment(name=n, position=i) for i, n in rows)
        self._prepare_index(loaded)
        if said := faces.catch_up():
            self.stdout.write(f"繁體版本已备好：{said} 条。")
        passwords = {} if no_demo or _in_use() else self._load_demo()
        self._print_addresses(port)
        self._print_accounts(passwords)

    def _load_demo(self) -> dict[str, str]:
        self.stdout.write("数据库是空的，正在装入演示数据……")
        entries, questions = demo.load()
        self.stdout.write(f"演示数据：{entries} 个条目，{questions} 个问题。")
        index.sync_all()
        passwords = {name: _make_account(name) for name in ACCOUNTS}
        agent, lead = (User.objects.get(username=n) for n in ("kefu", "zhuguan"))
        demo.furnish(agent=agent, lead=lead)
        return passwords

    def _prepare_index(self, loaded: int) -> None:
        """Rebuild an index that is missing, old or damaged; catch up otherwise."""
        if loaded:
            self.stdout.write(f"自带词汇：{loaded} 条同义词、词和停用词。")
        try:
            get_engine().digests()
        except EngineUnavailable:
            count = index.rebuild(processes=index.processes())
            self.stdout.write(f"索引已建好：{count} 条。")
        else:
            if loaded:
                index.audit()  # new words cut an old library anew
            index.sync_all()

    def _print_addresses(self, port: int) -> None:
        site = f"http://127.0.0.1:{port}"
        self.stdout.write(f"\n  自助 FAQ    {site}/")
        self.stdout.write(f"  客服话术台  {site}/console/")
        self.stdout.write(f"  管理后台    {site}/admin/\n")

    def _print_accounts(self, passwords: dict[str, str]) -> None:
        if not User.objects.exists():
            self.stdout.write("  还没有账号，请先建一个：manage.py createsuperuser\n")
            return
        if not passwords:
            self.stdout.write(
                "  用已有账号登录；忘了密码：manage.py changepassword 用户名\n"
            )
            return
        self.stdout.write("  演示账号（密码只显示这一次）：")
        for username, password in passwords.items():
            group = ACCOUNTS[username][1] or "全部权限"
            self.stdout.write(f"    {username:<8} {password}   {group}")
        self.stdout.write("")


def _in_use() -> bool:
    return Entry.objects.exists() or Question.objects.exists() or User.objects.exists()


def _make_account(username: str) -> str:
    """Make a demo account and return its random password."""
    name, group, staff = ACCOUNTS[username]
    password = secrets.token_urlsafe(12)
    user = User.objects.create_user(
        username, password=password, name=name, is_staff=staff, is_superuser=not group
    )
    if group:
        user.groups.add(Group.objects.get(name=group))
    return password
