"""A site as operators run it: gunicorn with two workers, on a database of its own."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from tests import servers

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
GUNICORN = (sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py")
PREPARE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.conf import settings
from django.test import Client
from django.contrib.auth.models import Group
from kb.index import sync
from kb.library import entries
from kb.models import ROLE_AGENT, Category, User
here = Category.objects.create(name="售后")
entry = entries.create_draft("退货运费谁承担？", by=None, answer="质量问题由我们承担。",
    audience="public", category=here)
entries.publish_entry(entry, by=None)
sync.rebuild_index()
user = User.objects.create_user("kefu", password="一壶好茶 2026")
user.groups.add(Group.objects.get(name=ROLE_AGENT))
client = Client()
client.force_login(user)
print(entry.get_absolute_url(), here.get_absolute_url(), entry.pk,
    client.cookies[settings.SESSION_COOKIE_NAME].value)
"""


@dataclass
class Answer:
    status: int  # 0 where there was none
    text: str
    seconds: float
    headers: Mapping[str, str] = field(default_factory=dict)


class RealSite:
    """One entry in one category, an agent who is logged in, and a running server."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.folder = folder
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.port = servers.free_port()
        self.log = folder.parent / f"{folder.name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        kept = {
            name: os.environ[name]
            for name in ("PATH", "HOME", "LANG")
            if name in os.environ
        }
        self.env = kept | {
            "DATA_DIR": str(folder),
            "SECRET_KEY": "only for tests, never served to anybody",
            "DJANGO_SETTINGS_MODULE": "tests.gunicorn_settings",
            "HTTPS": "off",
            "PORT": str(self.port),
            "TRUSTED_PROXY_COUNT": "1",
            **env,
        }

    def prepare(self) -> None:
        """Make the tables, the entry and the agent."""
        values = self.run("-c", PREPARE).split()
        self.entry, self.category, self.entry_id, self.session = values

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            umask=0o077,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def manage(self, *arguments: str) -> str:
        return self.run("manage.py", *arguments)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*GUNICORN, "config.wsgi"],
                cwd=ROOT,
                env=self.env,
                stdout=log,
                stderr=log,
            )
        self.wait_for(lambda: self.process_ended() or self.get("/robots.txt").status)
        assert not self.process_ended(), self.log.read_text()

    def stop(self) -> None:
        """Kill it at once, without waiting for an answer."""
        if not self.process_ended():
            children = self.children()
            assert self.process is not None
            self.process.kill()
            self.process.wait(20)
            for pid in children:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.process = None

    def process_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def children(self) -> list[int]:
        """Return the processes that the master forked, from whichever thread."""
        assert self.process is not None
        lists = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(one) for path in lists for one in path.read_text().split()]

    def wait_for(
        self, condition: Callable[[], object], seconds: float = START_SECONDS
    ) -> float:
        """Wait until `condition` holds; return how many seconds it took."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < seconds, self.log.read_text()[-3000:]
            time.sleep(0.1)
        return time.monotonic() - began

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, None, headers)

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Answer:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        return self.ask("POST", path, urlencode(fields), headers)

    def ask(
        self, method: str, path: str, body: str | None, headers: Mapping[str, str]
    ) -> Answer:
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
        except OSError as error:
            return Answer(0, str(error), time.monotonic() - began)
        finally:
            connection.close()
        taken = time.monotonic() - began
        return Answer(response.status, text, taken, dict(response.getheaders()))

    def capture(self, text: str) -> Answer:
        """Write a question down as the agent."""
        token = "a" * 32
        return self.post(
            "/console/capture/",
            {"text": text, "channel": "wechat", "csrfmiddlewaretoken": token},
            Cookie=f"sessionid={self.session}; csrftoken={token}",
        )


class Postgres:
    """A database server that can be stopped, killed, frozen and started again."""

    def __init__(self, folder: Path) -> None:
        self.home, self.port = folder / "postgres", servers.free_port()
        self.url = f"postgres://kb@127.0.0.1:{self.port}/postgres"
        self.server: subprocess.Popen[bytes] | None = None
        servers.make_cluster(self.home)

    def start(self) -> None:
        command = servers.postgres_command(self.home, self.port)
        self.server = servers.start(
            *command, port=self.port, user=servers.server_user()
        )

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it; SIGINT is PostgreSQL's fast way, SIGQUIT its immediate one."""
        if self.server is not None:
            self.server.send_signal(how)
            self.server.wait(servers.START_SECONDS)
            self.server = None

    def signal_all(self, which: signal.Signals) -> None:
        """Freeze or thaw the server with all of its processes."""
        assert self.server is not None
        pid = self.server.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for one in (pid, *map(int, children)):
            os.kill(one, which)
