"""What is missing before the site can answer, each with the command for it."""

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

from kb.database import files
from kb.engines import EngineUnavailable, get_engine
from kb.installation import commands, private
from kb.models import Edition

SHOWN_MIGRATIONS = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """`id` names it in checks. With `is_fatal` no page would work."""

    id: str
    message: str
    command: str = ""
    is_fatal: bool = False

    def __str__(self) -> str:
        return f"{self.message}\n  {self.command}" if self.command else self.message


def find_problems() -> list[Problem]:
    """Return what is missing, the gravest first; empty for a site that is set up."""
    return [*find_file_problems(), *_find_database_problems(), *_find_static_problems()]


def find_file_problems() -> Iterator[Problem]:
    """Yield what is wrong with the database file; it is not opened by Django."""
    path = private.sqlite_path()
    if path is None:
        return
    fault = files.find_fault(path, Path(settings.DATA_DIR))
    if fault is None:
        return
    kind, message = fault
    if kind == files.FileFault.MISSING:
        yield Problem("kb.E010", f"{message}请先建表：", _setup(), is_fatal=True)
    elif kind == files.FileFault.MIXED:
        message += (
            "要用这份副本，请先删掉后来的日志；不然请把原来的数据库放回来。删掉日志："
        )
        command = f"rm {path}-wal {path}-shm"
        yield Problem("kb.E011", message, command, is_fatal=True)
    else:
        yield Problem("kb.E012", f"{message}请用备份恢复。", is_fatal=True)


def _find_database_problems() -> Iterator[Problem]:
    path = private.sqlite_path()
    if path is not None and not path.is_file():
        return  # looking would make an empty one
    try:
        if unknown := find_unknown_migrations():
            message = explain_unknown_migrations(unknown)
            yield Problem("kb.E018", message, is_fatal=True)
            return
        missing = _unapplied()
        if missing:
            yield _unapplied_problem(missing)
            return
        if not Edition.objects.filter(pk=Edition.VOCABULARY).exists():
            message = "还没有装入自带的同义词和词汇，搜索会差很多。请运行："
            yield Problem("kb.E015", message, _setup())
    except DatabaseError as error:
        reason = " ".join(str(error).split())
        yield Problem("kb.E013", f"数据库连不上，请检查 DATABASE_URL：{reason}")
        return
    try:
        get_engine().digests()
    except EngineUnavailable:
        command = commands.manage("kb_index", "rebuild")
        yield Problem("kb.E016", "搜索索引还没有建好。请运行：", command)


def find_unknown_migrations() -> list[str]:
    """Return the applied migrations of kb that this version does not have, sorted.

    Such a database belongs to another version, and `migrate` may take it for complete:
    the first migration was made anew, under the same name, before the first release.
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
    """Return the first few names, and whether there are more."""
    more = "……" if len(names) > SHOWN_MIGRATIONS else ""
    return "、".join(names[:SHOWN_MIGRATIONS]) + more


def _unapplied() -> list[str]:
    """Return the names of migrations that the database has not seen."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def _unapplied_problem(missing: list[str]) -> Problem:
    """Without the first tables nothing works; without the newest, some pages may."""
    names = _shorten(missing)
    message = f"数据库还缺 {len(missing)} 个升级步骤（{names}）。请运行："
    is_fatal = "kb.0001_initial" in missing
    return Problem("kb.E014", message, _setup(), is_fatal=is_fatal)


def _find_static_problems() -> Iterator[Problem]:
    if not isinstance(staticfiles_storage, ManifestStaticFilesStorage):
        return
    try:
        manifest = staticfiles_storage.read_manifest()
    except (OSError, ImproperlyConfigured):
        manifest = None
    if manifest is None:
        message = "还没有收集样式和脚本，每一页都会出错。请运行："
        command = commands.manage("collectstatic", "--noinput", "-i", "redoc")
        yield Problem("kb.E017", message, command, is_fatal=True)


def _setup() -> str:
    return commands.manage("kb_setup", "--no-demo")
