"""The WSGI application; loads dictionaries once, before gunicorn forks workers."""

from __future__ import annotations

import os
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class TolerantRequest(WSGIRequest):
    """A request that ignores an invalid content type.

    Django parses it in the constructor, outside of its error handling, so an unknown
    charset would cause a server error.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        content_type = meta.get("CONTENT_TYPE", "")
        try:
            self.content_type, self.content_params = parse_header_parameters(
                content_type
            )
        except (LookupError, ValueError):
            self.content_type, self.content_params = "", {}


application = get_wsgi_application()
application.request_class = TolerantRequest

from kb.text.chinese import pinyin, tokenizer  # noqa: E402  (needs the configured cache folder)

tokenizer.load_tokenizer_dictionaries()
pinyin.load_pinyin_dictionaries()
