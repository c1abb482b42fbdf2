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
        ("BIND", "localhost"),
        ("BIND", "127.0.0.1:9000"),
        ("BIND", "unix:relative.socket"),
        ("CACHE_URL", "elsewhere://here"),
        ("CACHE_URL", "memcache://127.0.0.1:11211"),  # it would hold pickles
        ("CACHE_URL", "dbcache://table"),
        ("CSRF_TRUSTED_ORIGINS", "faq.example.com"),
        ("DATABASE_URL", "faq.db"),
        ("DATABASE_URL", "mysql://user@host/name"),
        ("DATABASE_URL", "postgres://user@host"),
        ("DATABASE_URL", "sqlite:////no/such/folder/faq.db"),
        ("DEBUG", "perhaps"),
        ("HTTPS", "2"),
        ("KB_ENGINE", "lucene"),
        ("LOG_LEVEL", "LOUD"),
        ("MASK_IN_QUESTIONS", "phone,shoe_size"),
        ("PORT", "eighty"),
        ("PORT", "65536"),
        ("RATE_SEARCH", "lots"),
        ("RATE_SEARCH", "0/min"),
        ("RATE_ASK_DAY", "5/fortnight"),
        ("RATE_VOTE_ALL", "60"),
        ("RETENTION_QUESTIONS_DAYS", "two years"),
        ("SEARCH_CACHE_MB", "lots"),
        ("SELF_APPROVAL", "maybe"),
        ("SECRET_KEY_FILE", "/no/such/file"),
        ("TIME_ZONE", "Beijing"),
        ("TIME_ZONE", "../../etc/passwd"),
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
    names = (
        "ALLOWED_HOSTS BIND CACHE_URL DATABASE_URL DEBUG HTTPS LOG_LEVEL PORT SITE_NAME"
    )
    names += " RATE_SEARCH RATE_SEARCH_ALL TIME_ZONE"
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


def show(folder: Path, what: str, **given: str) -> str:
    """Return an expression of the settings, as a start with `given` has it."""
    started = start(folder, "-c", f"from config import settings as s; {what}", **given)
    assert started.returncode == 0, started.stderr
    return started.stdout.strip()


def test_rates_and_the_time_zone_come_from_the_environment(tmp_path: Path) -> None:
    shown = show(
        tmp_path,
        "print(s.TIME_ZONE, s.KB_RATES['search'], s.KB_RATES['vote'])",
        TIME_ZONE="Asia/Taipei",
        RATE_SEARCH="30/min",
        RATE_SEARCH_ALL="900/hour",
        RATE_VOTE="off",
    )
    assert shown == "Asia/Taipei ('30/min', '900/hour') ('', '30/min')"


@pytest.mark.parametrize(
    ("bind", "port", "address"),
    [
        ("", "", "127.0.0.1:8000"),
        ("0.0.0.0", "8080", "0.0.0.0:8080"),
        ("::", "", "[::]:8000"),
        ("[::1]", "", "[::1]:8000"),
        ("unix:/run/kb.sock", "", "unix:/run/kb.sock"),
    ],
)
def test_where_to_listen_comes_from_the_environment(
    tmp_path: Path, bind: str, port: str, address: str
) -> None:
    program = (
        "from config.environment import read_bind_address; print(read_bind_address())"
    )
    started = start(tmp_path, "-c", program, BIND=bind, PORT=port)
    assert started.stdout.strip() == address


def test_gunicorn_believes_no_header_of_a_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether one stands in front is said by BEHIND_PROXY alone."""
    program = (
        "from gunicorn.app.wsgiapp import WSGIApplication as A; import sys;"
        " sys.argv = ['gunicorn', '-c', 'config/gunicorn.py', 'config.wsgi'];"
        " c = A().cfg; print(c.bind, c.forwarded_allow_ips, c.secure_scheme_headers)"
    )
    started = start(tmp_path, "-c", program, FORWARDED_ALLOW_IPS="*", BIND="::1")
    assert started.stdout.strip() == "['[::1]:8000'] [] {}", started.stderr
