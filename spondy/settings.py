"""All settings, from the environment; a wrong value stops the start with a sentence."""

from __future__ import annotations

import os
import re
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlparse

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent


def env(name: str, default: str = "") -> str:
    return os.environ.get(name, default).strip()


def env_bool(name: str, default: bool) -> bool:
    text = env(name).lower()
    if not text:
        return default
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is {text!r}; say 1 or 0.")


def env_int(name: str, default: int) -> int:
    text = env(name)
    try:
        return int(text) if text else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {text!r}; say a whole number.") from None


def env_list(name: str, default: list[str]) -> list[str]:
    text = env(name)
    return [part.strip() for part in text.split(",") if part.strip()] if text else default


def env_secret(name: str, made_at: Path) -> str:
    """Take a secret from NAME, from the file NAME_FILE names, or from `made_at`, made once with mode 0600."""
    if env(name):
        return env(name)
    named = env(f"{name}_FILE")
    path = Path(named) if named else made_at
    if named and not path.is_file():
        raise ImproperlyConfigured(f"{name}_FILE names {named}, which is not a file.")
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            pass  # another process of the same start was first
        else:
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_urlsafe(48))
    text = path.read_text().strip()
    if len(text) < 32:
        raise ImproperlyConfigured(f"{path} holds a {name} shorter than 32 characters.")
    return text


def database(url: str) -> dict[str, Any]:
    parts = urlparse(url)
    if parts.scheme == "sqlite":
        name = unquote(parts.path[1:] if parts.path.startswith("//") or not parts.path.startswith("/") else parts.path)
        pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": name,
            # IMMEDIATE: a transaction that will write takes the lock at once, so nobody meets "database is locked".
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": pragmas},
            # A file, not memory: threads of the live server and the worker process must see it.
            "TEST": {"NAME": env("SPONDY_TEST_DATABASE", str(DATA_DIR / "test.sqlite3"))},
        }
    if parts.scheme in {"postgres", "postgresql"}:
        options = dict(parse_qsl(parts.query))
        strange = set(options) - {"sslmode", "sslrootcert", "connect_timeout", "application_name"}
        if strange:
            raise ImproperlyConfigured(f"DATABASE_URL has options this program does not know: {', '.join(strange)}.")
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
            "OPTIONS": options,
            "CONN_HEALTH_CHECKS": True,
            "CONN_MAX_AGE": 60,
        }
    raise ImproperlyConfigured(f"DATABASE_URL begins with {parts.scheme!r}; use sqlite:/// or postgres://.")


DATA_DIR = Path(env("SPONDY_DATA_DIR", str(BASE_DIR / "var"))).resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)

for unknown in ("STORAGE_URL", "EMAIL_URL"):
    if env(unknown) or env(f"{unknown}_FILE"):
        raise ImproperlyConfigured(f"{unknown} is set, but this version cannot use it yet; take it away.")

DEBUG = env_bool("DEBUG", False)
DEMO = env_bool("SPONDY_DEMO", False)
SECRET_KEY = env_secret("SECRET_KEY", DATA_DIR / "secret.key")
PSEUDONYM_KEY = env_secret("SPONDY_PSEUDONYM_KEY", DATA_DIR / "pseudonym.key")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS", [])
BEHIND_TLS = env_bool("SPONDY_TLS", False)
VERSION = next(iter(re.findall(r"^## v?(\S+)", (BASE_DIR / "CHANGELOG.md").read_text(), re.M)), "0")

# The desk freezes an analysis plan with a study; statistics stand above it, so they are named here.
ANALYSIS_PLANS = "analytics.plans"

INSTALLED_APPS = [
    "annotation",
    "analytics",
    "spondy.demo",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "axes",
]
MIDDLEWARE = [
    "csp.middleware.CSPMiddleware",  # first, so that static files carry the policy too
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "annotation.web.uncached.uncached",
    "spondy.errors.DomainErrors",
    "axes.middleware.AxesMiddleware",  # last, as its documentation asks: it turns a closed sign-in into its answer
]
ROOT_URLCONF = "spondy.urls"
WSGI_APPLICATION = "spondy.wsgi.application"
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
            "builtins": ["annotation.web.bundle"],
        },
    },
]

DATABASES = {"default": database(env("DATABASE_URL", f"sqlite:///{DATA_DIR / 'spondy.sqlite3'}"))}

REDIS_URL = env("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A killed worker's message comes back soon; how long a task may run is the job's lease, not this timeout.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True

TEXT_SEARCH = env_bool("SPONDY_TEXT_SEARCH", True)  # where tesseract is installed
JOB_LEASE_S = env_int("SPONDY_JOB_LEASE_S", 20)
FRAME_LIFETIME_S = env_int("SPONDY_FRAME_LIFETIME_S", 3600)

# The ways in. An inbox that is set to nothing, and a receiver without peers, are switched off.
INBOX = os.environ.get("SPONDY_INBOX", str(DATA_DIR / "inbox")).strip()
INBOX_SETTLE_S = env_int("SPONDY_INBOX_SETTLE_S", 10)
# What the import page sends at a time; a proxy in front has to take that much.
UPLOAD_PIECE = min(max(env_int("SPONDY_UPLOAD_PIECE", 8 * 1024**2), 64 * 1024), 32 * 1024**2)
RECEIVER: dict[str, Any] = {
    "AE": env("SPONDY_RECEIVER_AE", "SPONDY"),
    "ADDRESS": env("SPONDY_RECEIVER_ADDRESS", "127.0.0.1"),
    "PORT": env_int("SPONDY_RECEIVER_PORT", 11112),
    "PEERS": env("SPONDY_RECEIVER_PEERS"),
    "TLS_CERT": env("SPONDY_RECEIVER_TLS_CERT"),
    "TLS_KEY": env("SPONDY_RECEIVER_TLS_KEY"),
    "TLS_CA": env("SPONDY_RECEIVER_TLS_CA"),
}

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": DATA_DIR / "store"}},
    # Vite already hashes names; Django's second hash would load the entry twice (docs/decisions/0009).
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_IMMUTABLE_FILE_TEST = r"^.+-[A-Za-z0-9_-]{8}\.[a-z]+$"

# Axes first: a closed sign-in does not even look at the password.
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = env_int("SPONDY_SIGN_IN_TRIES", 10)
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
# Name and address together: a stranger elsewhere cannot lock a reader out of a reading.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HTTP_RESPONSE_CODE = 429
AXES_LOCKOUT_CALLABLE = "spondy.errors.too_many_tries"
AXES_CLIENT_IP_CALLABLE = "spondy.errors.address_of"
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False  # `manage axes_reset_username` opens a sign-in again
AXES_VERBOSE = False
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/accounts/login/"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = env_int("SPONDY_SESSION_AGE_S", 12 * 3600)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
if BEHIND_TLS:
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'", "'wasm-unsafe-eval'"],
        "worker-src": ["'self'"],
        "connect-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "style-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "spondy.errors.problem",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Spondy",
    "DESCRIPTION": "Blinded reader studies: the doors of reader, coordinator and analyst as JSON.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000
LANGUAGE_CODE = "en-gb"
TIME_ZONE = env("TZ", "UTC")
USE_TZ = True
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    # A hundred lines for each figure whose letters go into a PDF.
    "loggers": {"fontTools": {"level": "WARNING"}},
}

# Which task carries out which kind of job: doors start work by its kind and never import a task.
JOB_TASKS = {
    "import": "annotation.tasks.sort_delivery",
    "import_study": "annotation.tasks.take_study",
    "text": "annotation.tasks.look_for_text",
    "mask": "annotation.tasks.mask_series",
    "purge": "annotation.tasks.purge",
    "phantom": "spondy.demo.tasks.add_phantom_case",
    "practice": "spondy.demo.tasks.make_practice_study",
    "reference": "spondy.demo.tasks.make_reference_study",
    "reference_images": "spondy.demo.tasks.draw_reference_images",
    "analyse": "analytics.tasks.analyse",
    "analyse_tables": "analytics.tasks.analyse_tables",
}
# Kinds that wait while anything else is to be done; 0 is first, 9 last (the steps of the Redis transport).
JOB_PRIORITY = {"text": 9}
