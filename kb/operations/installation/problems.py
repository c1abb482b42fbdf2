"""What is missing before the site can serve pages, each with the command for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.storage import (
    ManifestStaticFilesStorage,
    staticfiles_storage,
)
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from kb.index.engines import EngineUnavailableError, get_engine
from kb.models import LanguageEdition
from kb.operations.installation import private_files, shell_commands
from kb.system.database import sqlite_file

MAX_SHOWN_MIGRATIONS = 3


@dataclass(frozen=True, slots=True)
class SetupProblem:
    """A problem, with the id of its system check. If `is_fatal`, no page works."""

    id: str
    message: str
    command: str = ""
    is_fatal: bool = False

    def __str__(self) -> str:
        return f"{self.message}\n  {self.command}" if self.command else self.message


def find_setup_problems() -> list[SetupProblem]:
    """Return the problems, the most serious first; empty for a site that is set up."""
    return [*find_file_problems(), *_find_database_problems(), *_find_static_problems()]


def find_file_problems() -> Iterator[SetupProblem]:
    """Yield problems of the SQLite file, checked without opening it with Django."""
    path = private_files.get_sqlite_path()
    if path is None:
        return
    fault = sqlite_file.find_file_fault(path, Path(settings.DATA_DIR))
    if fault is None:
        return
    kind, message = fault
    if kind == sqlite_file.FileFault.MISSING:
        yield SetupProblem(
            "kb.E010", f"{message}请先建表：", _get_setup_command(), is_fatal=True
        )
    elif kind == sqlite_file.FileFault.MIXED:
        message += (
            "要用这份副本，请先删掉后来的日志；不然请把原来的数据库放回来。删掉日志："
        )
        command = f"rm {path}-wal {path}-shm"
        yield SetupProblem("kb.E011", message, command, is_fatal=True)
    else:
        yield SetupProblem("kb.E012", f"{message}请用备份恢复。", is_fatal=True)


def _find_database_problems() -> Iterator[SetupProblem]:
    path = private_files.get_sqlite_path()
    if path is not None and not path.is_file():
        return  # connecting would create an empty file
    try:
        if unknown := find_unknown_migrations():
            message = explain_unknown_migrations(unknown)
            yield SetupProblem("kb.E018", message, is_fatal=True)
            return
        missing = _list_unapplied_migrations()
        if missing:
            yield _make_migrations_problem(missing)
            return
        if not LanguageEdition.objects.filter(pk=LanguageEdition.VOCABULARY).exists():
            message = "还没有装入自带的同义词和词汇，搜索会差很多。请运行："
            yield SetupProblem("kb.E015", message, _get_setup_command())
    except DatabaseError as error:
        reason = " ".join(str(error).split())
        yield SetupProblem("kb.E013", f"数据库连不上，请检查 DATABASE_URL：{reason}")
        return
    try:
        get_engine().load_digests()
    except EngineUnavailableError:
        command = shell_commands.format_manage_command("kb_index", "rebuild")
        yield SetupProblem("kb.E016", "搜索索引还没有建好。请运行：", command)


def find_unknown_migrations() -> list[str]:
    """Return the applied migrations of kb that this version does not have, sorted.

    Such a database belongs to another version, and `migrate` may consider it complete:
    the first migration was replaced under the same name before the first release.
    """
    loader = MigrationLoader(connection)
    known = set(loader.disk_migrations)
    for migration in loader.disk_migrations.values():
        known.update(migration.replaces)
    unknown = loader.applied_migrations.keys() - known
    return sorted(name for label, name in unknown if label == "kb")


def explain_unknown_migrations(names: list[str]) -> str:
    return (
        f"数据库是用另一个版本建的：里面有这个版本没有的升级步骤（{_shorten(names)}）。"
        "请用建库的版本打开它；要换到这个版本，先用那个版本的 kb_export 导出，"
        "再建一个新库，用 kb_import 导入。步骤见 docs/moving.md。"
    )


def _shorten(names: list[str]) -> str:
    """Return the first names, with an ellipsis when there are more."""
    more = "……" if len(names) > MAX_SHOWN_MIGRATIONS else ""
    return "、".join(names[:MAX_SHOWN_MIGRATIONS]) + more


def _list_unapplied_migrations() -> list[str]:
    """Return the names of the migrations that are not applied."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def _make_migrations_problem(missing: list[str]) -> SetupProblem:
    """Return the problem of unapplied migrations, fatal without the first one."""
    names = _shorten(missing)
    message = f"数据库还缺 {len(missing)} 个升级步骤（{names}）。请运行："
    is_fatal = "kb.0001_initial" in missing
    return SetupProblem("kb.E014", message, _get_setup_command(), is_fatal=is_fatal)


def _find_static_problems() -> Iterator[SetupProblem]:
    if not isinstance(staticfiles_storage, ManifestStaticFilesStorage):
        return
    try:
        manifest = staticfiles_storage.read_manifest()
    except (OSError, ImproperlyConfigured):
        manifest = None
    if manifest is None:
        message = "还没有收集样式和脚本，每一页都会出错。请运行："
        command = shell_commands.format_manage_command(
            "collectstatic", "--noinput", "-i", "redoc"
        )
        yield SetupProblem("kb.E017", message, command, is_fatal=True)


def _get_setup_command() -> str:
    return shell_commands.format_manage_command("kb_setup", "--no-demo")
