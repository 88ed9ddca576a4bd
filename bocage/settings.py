"""One table of settings: name, default, meaning. Each is read from the environment, or from the file named by NAME_FILE.

This module is also Django's settings module: below the table, Django's own names are derived from it. ``docs/settings.md`` lists the
same table; a test keeps the two together.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bocage.contract.errors import InvalidSetting
from bocage.setting_values import (
    check_oidc,
    dask_of,
    database_of,
    folder_of,
    hosts_of,
    mail_of,
    private_umask,
    proxy_of,
    secret_key_in,
    time_zone_of,
)

_SOURCE_ROOT = Path(__file__).resolve().parent.parent
_DEFAULT_HOME = (_SOURCE_ROOT if (_SOURCE_ROOT / "pyproject.toml").exists() else Path.cwd()) / "var"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the server."""

    name: str
    default: str
    meaning: str


SETTINGS: tuple[Setting, ...] = (
    Setting("BOCAGE_HOME", str(_DEFAULT_HOME), "Folder of the database file, deposits and the generated secret key."),
    Setting("BOCAGE_SECRET_KEY", "", "Secret that signs sessions and tokens. Empty: generated once into BOCAGE_HOME/secret_key."),
    Setting(
        "BOCAGE_DATABASE_URL", "", "postgresql://user:password@host/name?sslmode=require, or sqlite:///path. Empty: SQLite in BOCAGE_HOME."
    ),
    Setting("BOCAGE_ALLOWED_HOSTS", "127.0.0.1,localhost", "Host names under which the portal answers, comma separated."),
    Setting("BOCAGE_HTTPS", "", "1 when the portal is served over HTTPS by a proxy: secure cookies, HSTS, redirect."),
    Setting("BOCAGE_TRUSTED_PROXY", "", "Address of the proxy whose X-Forwarded-For and X-Forwarded-Proto are believed, as 127.0.0.1."),
    Setting("BOCAGE_DEMO", "", "1 on a demonstration server: its people sign in with one click. Never on a real one."),
    Setting("BOCAGE_OIDC_ISSUER", "", "Issuer address of the OpenID Connect provider, as ProConnect gives it. Empty: local accounts only."),
    Setting("BOCAGE_OIDC_CLIENT_ID", "", "Identifier that the provider gave to this portal."),
    Setting("BOCAGE_OIDC_CLIENT_SECRET", "", "Secret that the provider gave to this portal."),
    Setting("BOCAGE_OIDC_ALGORITHM", "RS256", "Signature of the provider's tokens and user information: RS256, ES256 or PS256."),
    Setting("BOCAGE_SMTP_URL", "", "smtp://user:password@host:port; smtps:// for TLS, smtp+tls:// for STARTTLS. Empty: no mail is sent."),
    Setting("BOCAGE_MAIL_FROM", "", "Address that mails come from. Needed with BOCAGE_SMTP_URL."),
    Setting("BOCAGE_TIME_ZONE", "Europe/Paris", "Time zone of organisations that do not choose their own."),
    Setting("BOCAGE_UPLOAD_MB", "20", "Largest file that people may deposit, in MB."),
    Setting("BOCAGE_RUN_SECONDS", "300", "Time budget of one engine, in seconds."),
    Setting("BOCAGE_RUN_MEMORY_MB", "3000", "Memory limit of one engine, in MB."),
    Setting("BOCAGE_WORKERS", "2", "Processes that one engine may use."),
    Setting("BOCAGE_DASK", "", "tcp://host:port of a Dask scheduler that engines use instead of local processes."),
    Setting("BOCAGE_USECASES_PATH", "", "Folders, separated as in PATH, whose sub-folders are private use cases."),
    Setting("BOCAGE_LLM_URL", "", "Address of an OpenAI-compatible server, ending in /v1. Empty: no language model, nothing needs one."),
    Setting("BOCAGE_LLM_MODEL", "", "Name of the model to ask it for."),
    Setting("BOCAGE_LLM_KEY", "", "Key of that server, if it wants one."),
    Setting("BOCAGE_LLM_JOULES_PER_TOKEN", "0", "Energy of one token on that server, in joules. 0: not known, and said so."),
    Setting("BOCAGE_EMBEDDINGS_URL", "", "Address of an OpenAI-compatible server of sentence vectors, ending in /v1. Empty: Bocage’s own."),
    Setting("BOCAGE_EMBEDDINGS_MODEL", "", "Name of the model to ask it for. After a change: bocage assistant train."),
    Setting("BOCAGE_EMBEDDINGS_KEY", "", "Key of that server, if it wants one."),
    Setting("BOCAGE_EMBEDDINGS_PREFIX", "", "Put before each text, for models that want it, as « query: ». After a change: train again."),
    Setting("BOCAGE_DONNEES", "", "Folder of the benchmarks' data sets. Empty: ../shared/data beside the source."),
)


def read_setting(name: str, environ: Mapping[str, str] = os.environ) -> str:
    """The value of setting ``name``: the environment's, else the content of the file ``<name>_FILE``, else the default."""
    setting = next(s for s in SETTINGS if s.name == name)
    if environ.get(name):
        return environ[name]
    file = environ.get(f"{name}_FILE")
    if file:
        try:
            # A byte-order mark, which Windows puts, is no part of a secret.
            return Path(file).read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidSetting(
                f"{name}_FILE désigne « {file} », qui ne se lit pas ({error}). Corrigez le chemin ou les droits."
            ) from None
    return setting.default


def read_int(name: str, environ: Mapping[str, str] = os.environ) -> int:
    """The whole, positive number of setting ``name``. Raises ``InvalidSetting``."""
    text = read_setting(name, environ)
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise InvalidSetting(f"{name} vaut « {text[:40]} » ; il faut un nombre entier, de 1 à 999 999 999.")
    return int(text)


def read_number(name: str, environ: Mapping[str, str] = os.environ) -> float:
    """The number, zero or more, of setting ``name``. Raises ``InvalidSetting``."""
    text = read_setting(name, environ).replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < 1e9:
        raise InvalidSetting(f"{name} vaut « {text} » ; il faut un nombre, zéro ou plus.")
    return value


def read_flag(name: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether setting ``name`` is on: 1, or off: 0 or empty. Raises ``InvalidSetting`` for any other word."""
    text = read_setting(name, environ)
    if text not in ("", "0", "1"):
        raise InvalidSetting(f"{name} vaut « {text} » ; il faut 1 pour oui, 0 ou rien pour non.")
    return text == "1"


HOME = folder_of(Path(read_setting("BOCAGE_HOME")).resolve())
# Here, because every door comes through here before it makes a file: the database, a deposit, the key.
os.umask(private_umask(HOME))
DASK = dask_of(read_setting("BOCAGE_DASK"))
UPLOAD_MB = read_int("BOCAGE_UPLOAD_MB")
RUN_SECONDS = read_int("BOCAGE_RUN_SECONDS")
RUN_MEMORY_MB = read_int("BOCAGE_RUN_MEMORY_MB")
WORKERS = read_int("BOCAGE_WORKERS")

LLM_URL = read_setting("BOCAGE_LLM_URL")
LLM_MODEL = read_setting("BOCAGE_LLM_MODEL")
LLM_KEY = read_setting("BOCAGE_LLM_KEY")
LLM_JOULES_PER_TOKEN = read_number("BOCAGE_LLM_JOULES_PER_TOKEN")
EMBEDDINGS_URL = read_setting("BOCAGE_EMBEDDINGS_URL")
EMBEDDINGS_MODEL = read_setting("BOCAGE_EMBEDDINGS_MODEL")
EMBEDDINGS_KEY = read_setting("BOCAGE_EMBEDDINGS_KEY")
EMBEDDINGS_PREFIX = read_setting("BOCAGE_EMBEDDINGS_PREFIX")

SECRET_KEY = read_setting("BOCAGE_SECRET_KEY") or secret_key_in(HOME)
DEBUG = False
ALLOWED_HOSTS = hosts_of(read_setting("BOCAGE_ALLOWED_HOSTS"))
DATABASES = {"default": database_of(read_setting("BOCAGE_DATABASE_URL"), HOME)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_tasks",
    "django_tasks_db",
    "bocage.organisations",
    "bocage.journal",
    "bocage.deposits",
    "bocage.decisions",
    "bocage.register",
    "bocage.assistant",
    "bocage.api",
    "bocage.web",
]
AUTH_USER_MODEL = "organisations.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
MEDIA_ROOT = HOME / "deposits"
USE_TZ = True
TIME_ZONE = time_zone_of(read_setting("BOCAGE_TIME_ZONE"))
LANGUAGE_CODE = "fr"
USE_I18N = True

ASSISTANT_ANSWERER = "bocage.assistant.answers.answer"
globals().update(mail_of(read_setting("BOCAGE_SMTP_URL"), read_setting("BOCAGE_MAIL_FROM")))
# Faults of pages and warnings, on standard error, without the phone numbers, addresses and keys that they may carry.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"masked": {"()": "bocage.assistant.masking.MaskPersonalData"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "filters": ["masked"], "formatter": "line"}},
    "loggers": {
        "bocage": {"handlers": ["stderr"], "level": "WARNING"},
        "django": {"handlers": ["stderr"], "level": "ERROR"},
    },
}

# --- The portal -------------------------------------------------------------------------------------------------------------------------
ROOT_URLCONF = "bocage.urls"
WSGI_APPLICATION = "bocage.wsgi.application"
HTTPS = read_flag("BOCAGE_HTTPS")
TRUSTED_PROXY = proxy_of(read_setting("BOCAGE_TRUSTED_PROXY"))
DEMO = read_flag("BOCAGE_DEMO")
DEMO_DOMAIN = "@brenoux.example"
OIDC_ISSUER = read_setting("BOCAGE_OIDC_ISSUER")
OIDC_ENABLED = bool(OIDC_ISSUER)
OIDC_RP_CLIENT_ID = read_setting("BOCAGE_OIDC_CLIENT_ID")
OIDC_RP_CLIENT_SECRET = read_setting("BOCAGE_OIDC_CLIENT_SECRET")
OIDC_RP_SIGN_ALGO = read_setting("BOCAGE_OIDC_ALGORITHM")
OIDC_RP_SCOPES = "openid email"
OIDC_USE_PKCE = OIDC_STORE_ID_TOKEN = True
OIDC_TIMEOUT = (5, 10)
if OIDC_ENABLED:
    check_oidc(OIDC_ISSUER, OIDC_RP_CLIENT_ID, OIDC_RP_CLIENT_SECRET, OIDC_RP_SIGN_ALGO)
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    *(["bocage.organisations.oidc.Backend"] if OIDC_ENABLED else []),
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "bocage.web.typography.TypographyMiddleware",
    "bocage.web.refused_forms.RefusedFormMiddleware",
    "bocage.web.sent_text.StorableTextMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "bocage.api.tokens.ApiOrganisationMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "bocage.web.context.portal",
            ],
            "builtins": ["bocage.web.templatetags.bocage"],
        },
    }
]
STATIC_URL = "/static/"
STATIC_ROOT = folder_of(HOME / "static")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "bocage.web.staticfiles.PortalStaticFiles"},
}
WHITENOISE_USE_FINDERS = True
LOGIN_URL = "web:sign_in"
LOGIN_REDIRECT_URL = "web:root"
CSRF_FAILURE_VIEW = "bocage.web.errors.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator", "OPTIONS": {"user_attributes": ("email", "name")}},
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
FILE_UPLOAD_TEMP_DIR = None
FILE_UPLOAD_HANDLERS = [
    "bocage.deposits.uploads.CappedUploads",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "style-src": ["'self'"],
        "script-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        # Signing out is a form, which may lead to the identity provider.
        "form-action": ["'self'", *([f"{urlsplit(OIDC_ISSUER).scheme}://{urlsplit(OIDC_ISSUER).netloc}"] if OIDC_ENABLED else [])],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
SESSION_COOKIE_NAME = "bocage"
SESSION_COOKIE_AGE = 10 * 3600
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
