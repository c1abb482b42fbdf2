"""Settings of the tests, with a data folder that is deleted after the run."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile

os.umask(0o077)  # as manage.py does
_folder = tempfile.mkdtemp(prefix="kb-test-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ |= {
    "DATA_DIR": _folder,
    "SECRET_KEY": "only for tests, never served to anybody",
    "HTTPS": "off",
    "DEBUG": "off",
    "KB_ENGINE": "memory",
    # Playwright's loop runs in the thread of the test, which uses the database.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
}

from config.settings import *  # noqa: E402, F403
from config.settings import CACHES, DATABASES, STORAGES  # noqa: E402

KB_QUEUE_FACTS = False  # tests read the rows right after the request
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"]["BACKEND"] = (
    "django.contrib.staticfiles.storage.StaticFilesStorage"
)
if os.environ.get("CACHE_URL"):
    # One of Redis's sixteen databases a worker: clearing one empties no other.
    _worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    CACHES["default"]["LOCATION"] = re.sub(
        r"/\d+$", f"/{int(_worker) % 16}", str(CACHES["default"]["LOCATION"])
    )
else:
    CACHES["default"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
if not os.environ.get("DATABASE_URL"):
    # A file, as in production: threads of the live server share it.
    DATABASES["default"]["TEST"] = {"NAME": f"{_folder}/test.sqlite3"}
