"""The settings of the site, read from the environment; secure by default."""

from __future__ import annotations

import re
from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config.database import (
    read_database_settings,
    read_lock_seconds,
    read_statement_seconds,
)
from config.environment import (
    ANY_ORIGIN_PATTERN,
    HOST_PATTERN,
    ORIGIN_PATTERN,
    env,
    make_private_folder,
    read_bind_address,
    read_cache_settings,
    read_choice,
    read_choices,
    read_list,
    read_log_level,
    read_on_off,
    read_rate,
    read_secret_key,
    read_time_zone,
    read_whole_number,
    stop_with_message,
)

BASE_DIR = Path(__file__).resolve().parent.parent


def _make_engine_settings(name: str, data_dir: Path) -> dict[str, object]:
    engines: dict[str, dict[str, object]] = {
        "whoosh": {
            "BACKEND": "kb.index.engines.whoosh.WhooshEngine",
            "PATH": data_dir / "index",
            "CACHE_MB": read_whole_number("SEARCH_CACHE_MB", 128, 1, 65_536),
        },
        "memory": {"BACKEND": "kb.index.engines.memory.MemoryEngine"},
    }
    if name not in engines:
        stop_with_message(
            f"KB_ENGINE must be one of {', '.join(engines)}, not {name!r}"
        )
    return engines[name]


# Data, database, caches -------------------------------------------------------

DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / "data"))).resolve()
# Before the folder is created: DATA_DIR may be wrong.
SECRET_KEY = read_secret_key(DATA_DIR)
make_private_folder(DATA_DIR)
DEBUG = read_on_off("DEBUG", default=False)
ALLOWED_HOSTS = read_list("ALLOWED_HOSTS", HOST_PATTERN, "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = read_list("CSRF_TRUSTED_ORIGINS", ORIGIN_PATTERN)
# Used by config/gunicorn.py; read here so that every command reports invalid values.
read_bind_address()
read_whole_number("WEB_CONCURRENCY", 2, 1, 64)

if not re.match("sqlite://|postgres(ql)?://", env.str("DATABASE_URL", "sqlite://")):
    stop_with_message("DATABASE_URL must begin with sqlite:// or postgres://")
try:
    DATABASES = {"default": read_database_settings(DATA_DIR)}
except (ImproperlyConfigured, ValueError, KeyError) as error:
    stop_with_message(f"DATABASE_URL cannot be understood: {error}")

CACHES = {"default": read_cache_settings(DATA_DIR)}

KB_DB_LOCK_SECONDS = read_lock_seconds(DATABASES["default"])
KB_DB_STATEMENT_SECONDS = read_statement_seconds()

# Search and pages ------------------------------------------------------------

KB_ENGINE = _make_engine_settings(env.str("KB_ENGINE", "whoosh"), DATA_DIR)
KB_JIEBA_CACHE = make_private_folder(DATA_DIR / "jieba")
KB_HANT = read_choice("HANT_WORDS", "tw", "tw", "hk")  # 網路 (tw) or 網絡 (hk)
KB_PAGE_CACHE_MB = read_whole_number("PAGE_CACHE_MB", 32, 1, 4096)  # of each process
# For how long a CDN may serve public pages without revalidation.
KB_CDN_SECONDS = read_whole_number("CDN_SECONDS", 0, 0, 86_400)
# Whether authors may publish their own text. auto: only while no other user could.
KB_SELF_APPROVAL = read_choice("SELF_APPROVAL", "auto", "auto", "on", "off")
KB_QUEUE_FACTS = True  # usage facts are written outside of requests

# Personal data ---------------------------------------------------------------

# The kinds of personal data that are masked in a question before it is stored.
KB_MASK_IN_QUESTIONS = read_choices(
    "MASK_IN_QUESTIONS",
    "identity_card,bank_card,phone,email",
    "identity_card",
    "bank_card",
    "phone",
    "email",
    "document",
    "plate",
    "chat_id",
    "order_number",
    "name",
    "address",
)
# For how many days data is kept; 0 is for ever.
KB_RETENTION_DAYS = {
    # Questions and their answers: unused ones are deleted, the others are masked.
    "questions": read_whole_number("RETENTION_QUESTIONS_DAYS", 730, 0, 36_500),
    # Contact, pictures, page and comment of who asked on the site.
    "inquiries": read_whole_number("RETENTION_INQUIRIES_DAYS", 180, 0, 36_500),
    # Searches, and the searched words on copies.
    "searches": read_whole_number("RETENTION_SEARCHES_DAYS", 90, 0, 36_500),
    # The searched words and the note of votes; the votes themselves stay.
    "votes": read_whole_number("RETENTION_VOTES_DAYS", 365, 0, 36_500),
    # Text that was typed and never saved: forms of entries, answers to questions.
    "drafts": read_whole_number("RETENTION_DRAFTS_DAYS", 30, 0, 36_500),
    # The trash of the admin.
    "deleted": read_whole_number("RETENTION_DELETED_DAYS", 30, 0, 36_500),
    # Attempts of new agents (新人练习).
    "practice": read_whole_number("RETENTION_PRACTICE_DAYS", 730, 0, 36_500),
    # The rows by which an import can be undone.
    "imports": read_whole_number("RETENTION_IMPORTS_DAYS", 90, 0, 36_500),
    # The audit log (操作记录).
    "audit": read_whole_number("RETENTION_AUDIT_DAYS", 730, 0, 36_500),
    # How often an entry was opened, by day; no person is stored.
    "page_views": read_whole_number("RETENTION_PAGE_VIEWS_DAYS", 90, 0, 36_500),
}
# Hours between the preview of an import and the moment its file is deleted.
KB_RETENTION_UPLOADS_HOURS = read_whole_number("RETENTION_UPLOADS_HOURS", 12, 1, 720)
# Runs of the relevance tests (搜索验收) that are kept, the latest.
KB_MAX_RELEVANCE_RUNS = read_whole_number("MAX_RELEVANCE_RUNS", 100, 1, 10_000)
# Hours for which the entries related to one are not searched for again.
KB_RELATED_ENTRIES_HOURS = read_whole_number("RELATED_ENTRIES_HOURS", 24, 1, 720)
# Days before its end in which an entry is marked 即将过期.
KB_EXPIRING_SOON_DAYS = read_whole_number("EXPIRING_SOON_DAYS", 7, 1, 365)
# Seconds in which an agent may take an answer back; the customer sees it afterwards.
KB_ANSWER_RECALL_SECONDS = read_whole_number("ANSWER_RECALL_SECONDS", 10, 1, 600)
# Replies of one person, and of one team. All of them are looked through in a search.
KB_MAX_PRIVATE_REPLIES = read_whole_number("MAX_PRIVATE_REPLIES", 500, 1, 1000)
KB_SITE_NAME = env.str("SITE_NAME", "帮助中心")

# The application -------------------------------------------------------------

INSTALLED_APPS = [
    "kb.apps.KbConfig",
    "kb.apps.KbAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.sitemaps",
    "tree_queries",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "kb.publishing.locale_prefix.LocalePrefixMiddleware",
    "kb.accounts.sessions.SlidingSessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "kb.system.outages.OutageMiddleware",
    "kb.publishing.sites.SiteMiddleware",
    "kb.accounts.audit_log.AuditRequestMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

AUTH_USER_MODEL = "kb.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in {
        "UserAttributeSimilarityValidator": {},
        "MinimumLengthValidator": {"min_length": 12},
        "CommonPasswordValidator": {},
        "NumericPasswordValidator": {},
    }.items()
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "console:home"
LOGOUT_REDIRECT_URL = "faq:home"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("zh-hant", "繁體中文"), ("en", "English")]
TIME_ZONE = read_time_zone()
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.storage.StaticFilesStorage"},
}
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = "map jpg jpeg png gif webp gz br woff2".split()
MEDIA_URL = "/media/"  # served by kb.web.faq, or by a proxy from the folder
MEDIA_ROOT = DATA_DIR / "media"
KB_PICTURE_MB = read_whole_number("PICTURE_MB", 2, 1, 20)
KB_MAX_INQUIRY_PICTURES = read_whole_number("MAX_INQUIRY_PICTURES", 3, 1, 10)
FILE_UPLOAD_PERMISSIONS = 0o640
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440  # bytes
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000

# Security --------------------------------------------------------------------

# Turn it off only where no other machine can connect, as `make run` does.
HTTPS = read_on_off("HTTPS", default=True)
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
if read_on_off("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
NUM_PROXIES = read_whole_number("TRUSTED_PROXY_COUNT", 0, 0, 10)
# Hours since the last request after which a login ends; see kb.accounts.sessions.
SESSION_COOKIE_AGE = read_whole_number("SESSION_HOURS", 8, 1, 720) * 3600  # seconds
SESSION_SAVE_EVERY_REQUEST = False
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# The API ---------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.SessionAuthentication"
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
# Rate limits of a client, and of all clients with one address; see kb.system.throttling.
# Colleagues in an office, and customers of a mobile carrier, share an address.
KB_RATES = {
    scope: (
        read_rate(f"RATE_{scope.upper()}", client_rate),
        read_rate(f"RATE_{scope.upper()}_ALL", address_rate),
    )
    for scope, client_rate, address_rate in (
        ("search", "120/min", "1200/min"),
        ("suggest", "480/min", "4800/min"),
        ("read", "480/min", "4800/min"),
        ("vote", "10/min", "30/min"),
        ("ask", "5/min", "20/min"),  # questions that are sent
        ("ask_day", "30/day", "200/day"),
        ("ask_page", "120/min", "1200/min"),  # the form, before it is sent
        ("ask_near", "480/min", "4800/min"),  # answers shown while a question is typed
        ("agent", "1200/min", "off"),  # by account, for any address
    )
}
SPECTACULAR_SETTINGS = {
    "TITLE": "帮助中心 API",
    "DESCRIPTION": "公开的 FAQ 搜索与阅读；客服登录后可读话术。",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# Origins of pages that may embed the widget; with *, they may only read.
KB_WIDGET_ORIGINS = read_list("WIDGET_ORIGINS", ANY_ORIGIN_PATTERN)

# Mail: off without EMAIL_URL ---------------------------------------------------

KB_MAIL = bool(env.str("EMAIL_URL", ""))
try:
    vars().update(env.email_url("EMAIL_URL", "dummymail://"))
except (ImproperlyConfigured, ValueError, KeyError) as error:
    stop_with_message(f"EMAIL_URL cannot be understood: {error}")
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", "")
if KB_MAIL and "@" not in DEFAULT_FROM_EMAIL:
    stop_with_message(
        "EMAIL_FROM must be the address that mail comes from: help@example.com"
    )

# Logging ---------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": read_log_level()},
}
