"""The WSGI application; dictionaries are loaded here, once, before forking."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

from kb.text import segment  # noqa: E402  (needs the configured cache folder)

segment.warm()
