"""A wrong setting stops the start with one line that names it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

SHOW = "from config import settings as s; print(s.HTTPS, s.LOGGING['root']['level'])"


def start(
    folder: Path, *command: str, **given: str
) -> subprocess.CompletedProcess[str]:
    """Run Python with an environment of the site's own and `given`."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    own = {"DATA_DIR": str(folder), "SECRET_KEY": "of this test alone"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=settings.BASE_DIR,
        env=kept | own | given,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_HOSTS", "http://faq.example.com"),
        ("ALLOWED_HOSTS", "faq.example.com www.example.com"),
        ("ALLOWED_HOSTS", "faq.example.com:8000"),
        ("BEHIND_PROXY", "nginx"),
        ("CACHE_URL", "elsewhere://here"),
        ("CSRF_TRUSTED_ORIGINS", "faq.example.com"),
        ("DATABASE_URL", "faq.db"),
        ("DATABASE_URL", "mysql://user@host/name"),
        ("DATABASE_URL", "postgres://user@host"),
        ("DATABASE_URL", "sqlite:////no/such/folder/faq.db"),
        ("DEBUG", "perhaps"),
        ("HTTPS", "2"),
        ("KB_ENGINE", "lucene"),
        ("LOG_LEVEL", "LOUD"),
        ("PORT", "eighty"),
        ("PORT", "65536"),
        ("SEARCH_CACHE_MB", "lots"),
        ("SELF_APPROVAL", "maybe"),
        ("SECRET_KEY_FILE", "/no/such/file"),
        ("TRUSTED_PROXY_COUNT", "-1"),
        ("WEB_CONCURRENCY", "0"),
        ("WEB_CONCURRENCY", "many"),
    ],
)
def test_a_wrong_value_is_told_in_one_line(
    tmp_path: Path, name: str, value: str
) -> None:
    stopped = start(tmp_path, "-c", SHOW, **{name: value})
    assert stopped.returncode == 1
    assert stopped.stdout == ""
    (line,) = stopped.stderr.splitlines()
    assert line.startswith("config: ")
    assert name in line


def test_an_empty_value_is_the_default_and_never_less_secure(tmp_path: Path) -> None:
    names = "ALLOWED_HOSTS CACHE_URL DATABASE_URL DEBUG HTTPS LOG_LEVEL PORT SITE_NAME"
    started = start(tmp_path, "-c", SHOW, **dict.fromkeys(names.split(), ""))
    assert started.stdout == "True INFO\n", started.stderr


def test_a_level_may_be_written_small(tmp_path: Path) -> None:
    assert start(tmp_path, "-c", SHOW, LOG_LEVEL="debug").stdout == "True DEBUG\n"


def test_a_database_that_does_not_answer_is_told_in_one_line(tmp_path: Path) -> None:
    stopped = start(
        tmp_path, "manage.py", "kb_setup", DATABASE_URL=f"sqlite:///{tmp_path}"
    )
    assert stopped.returncode == 1
    (line,) = stopped.stderr.splitlines()
    assert "DATABASE_URL" in line
