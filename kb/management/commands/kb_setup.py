"""Set up a site: tables, index, and for an empty site the demo library and accounts."""

from __future__ import annotations

import argparse
import secrets
import socket
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError

from kb.import_export import demo
from kb.index import sync
from kb.index.engines import EngineUnavailableError, get_engine
from kb.language import style_rules, vocabulary
from kb.management.base_command import KbCommand
from kb.models import (
    ROLE_AGENT,
    ROLE_EDITOR,
    ROLE_LEAD,
    ROLE_WRITER,
    CustomerSegment,
    Entry,
    Question,
    User,
)
from kb.operations.installation import (
    previous_use,
    private_files,
    problems,
    setup_lock,
    shell_commands,
)
from kb.publishing import translations
from kb.system.database import sqlite_file

SETUP_WAIT_SECONDS = 60  # for another set-up to end
DEFAULT_SEGMENTS = ("新客", "老客", "高净值", "企业客户")  # if there are none
# {username: (name, group, whether it may enter the admin)}
DEMO_ACCOUNTS = {
    "kefu": ("小茶", ROLE_AGENT, False),
    "zhuangao": ("小禾", ROLE_WRITER, True),
    "bianji": ("阿萝", ROLE_EDITOR, True),
    "zhuguan": ("陈姐", ROLE_LEAD, True),
    "admin": ("管理员", None, True),
}


class Command(KbCommand):
    help = "建表、首次装入演示数据、备好索引，打印演示账号。"
    requires_system_checks = ()  # this command fixes what they report

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, help="接着要在这个端口启动网站：被占用就什么也不做"
        )
        parser.add_argument("--no-demo", action="store_true", help="不装演示数据")
        parser.add_argument(
            "--wait",
            type=float,
            default=SETUP_WAIT_SECONDS,
            help="另一个 kb_setup 正在运行时等它几秒",
        )

    def handle(
        self, port: int | None, no_demo: bool, wait: float, **options: Any
    ) -> None:
        if exposed := private_files.find_exposed_paths():
            raise CommandError(private_files.explain_exposed_paths(exposed))
        _require_free_port(port)
        try:
            with setup_lock.hold_setup_lock(wait):
                self._set_up(no_demo)
        except setup_lock.SetupRunningError:
            raise CommandError("另一个 kb_setup 正在运行，请等它结束再试。") from None
        except OperationalError as error:
            reason = " ".join(str(error).split())
            raise CommandError(f"数据库不能用，请检查 DATABASE_URL：{reason}") from None
        _require_free_port(port)  # the other set-up may have started a site
        if port is None:
            self._print_next_steps()

    def _set_up(self, no_demo: bool) -> None:
        path, folder = private_files.get_sqlite_path(), Path(settings.DATA_DIR)
        if (
            path
            and path.is_file()
            and (fault := sqlite_file.find_file_fault(path, folder))
        ):
            raise CommandError(fault[1])
        has_database = path is None or path.is_file()
        if has_database and (unknown := problems.find_unknown_migrations()):
            raise CommandError(problems.explain_unknown_migrations(unknown))
        traces = previous_use.find_previous_use()
        with previous_use.mark_first_setup(traces):
            passwords = self._create_missing(traces, no_demo)
            sqlite_file.write_progress_record(path, folder)
        self._print_accounts(passwords)

    def _create_missing(self, traces: list[str], no_demo: bool) -> dict[str, str]:
        """Create what is missing; return {username: password} of new demo accounts."""
        call_command("migrate", verbosity=0, interactive=False)
        loaded = vocabulary.install_starter_vocabulary()
        style_rules.load_starter_rules()
        if not CustomerSegment.objects.exists():
            rows = enumerate(DEFAULT_SEGMENTS)
            CustomerSegment.objects.bulk_create(
                CustomerSegment(name=n, position=i) for i, n in rows
            )
        self._prepare_index(loaded)
        if count := translations.refresh_outdated_translations():
            self.stdout.write(f"繁體版本已备好：{count} 条。")
        if no_demo or _is_in_use():
            return {}
        if traces:
            self.stdout.write(previous_use.explain_previous_use(traces))
            return {}
        return self._load_demo()

    def _load_demo(self) -> dict[str, str]:
        self.stdout.write("数据库是空的，正在装入演示数据……")
        entries, questions = demo.load_demo_library()
        self.stdout.write(f"演示数据：{entries} 个条目，{questions} 个问题。")
        sync.sync_all_marks()
        passwords = {name: _create_account(name) for name in DEMO_ACCOUNTS}
        agent, lead = (User.objects.get(username=n) for n in ("kefu", "zhuguan"))
        demo.create_personal_content(agent=agent, lead=lead)
        return passwords

    def _prepare_index(self, loaded: int) -> None:
        """Rebuild an index that is missing, outdated or damaged; update it otherwise."""
        if loaded:
            self.stdout.write(f"自带词汇：{loaded} 条同义词、词和停用词。")
        try:
            get_engine().load_digests()
        except EngineUnavailableError:
            count = sync.rebuild_index(processes=sync.choose_process_count())
            self.stdout.write(f"索引已建好：{count} 条。")
        else:
            if loaded:
                sync.audit_indexed_entries()  # new words change the segmentation of entries
            sync.sync_all_marks()

    def _print_next_steps(self) -> None:
        """Print the commands that are still needed, and the one that starts the site."""
        self.stdout.write("  接下来运行：")
        for problem in problems.find_setup_problems():
            if problem.command:
                self.stdout.write(f"    {problem.command}")
        self.stdout.write(f"    {shell_commands.format_serve_command()}\n")

    def _print_accounts(self, passwords: dict[str, str]) -> None:
        if not User.objects.exists():
            self.stdout.write("  还没有账号。请在另一个终端窗口建一个：")
            self.stdout.write(
                f"    {shell_commands.format_manage_command('createsuperuser')}\n"
            )
            return
        if not passwords:
            reset = shell_commands.format_manage_command("changepassword", "用户名")
            self.stdout.write(f"  用已有账号登录；忘了密码：{reset}\n")
            return
        self.stdout.write("  演示账号（密码只显示这一次）：")
        for username, password in passwords.items():
            group = DEMO_ACCOUNTS[username][1] or "全部权限"
            self.stdout.write(f"    {username:<8} {password}   {group}")
        self.stdout.write("")


def _require_free_port(port: int | None) -> None:
    """Raise CommandError if another program listens on `port`."""
    if port is None:
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise CommandError(
                f"端口 {port} 已被占用，什么都没有改。"
                f"网站可能已经在运行；要换一个端口：make run PORT={port + 1}"
            ) from None


def _is_in_use() -> bool:
    return Entry.objects.exists() or Question.objects.exists() or User.objects.exists()


def _create_account(username: str) -> str:
    """Create a demo account; return its random password."""
    name, group, is_staff = DEMO_ACCOUNTS[username]
    password = secrets.token_urlsafe(12)
    user = User.objects.create_user(
        username,
        password=password,
        name=name,
        is_staff=is_staff,
        is_superuser=not group,
    )
    if group:
        user.groups.add(Group.objects.get(name=group))
    return password
