"""What a setting may hold: each function reads one kind of value, or refuses it with a sentence that never repeats a password."""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import tempfile
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from zoneinfo import ZoneInfo

from bocage.contract.errors import InvalidSetting

_RESERVED = "Dans un mot de passe, écrivez # comme %23, / comme %2F, ? comme %3F, @ comme %40 et % comme %25."
_POSTGRESQL = f"Forme attendue : postgresql://compte:mot-de-passe@serveur:5432/base?sslmode=require. {_RESERVED}"
_HOST = re.compile(r"\*|\.?[a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\]", re.IGNORECASE)
_DATABASE_HOST = re.compile(r"[\w.:,/-]*")
_DASK = re.compile(r"(tcp|tls)://[^\s/@]+:\d+")


def folder_of(path: Path) -> Path:
    """``path``, made for this account alone if it is not there yet. Raises ``InvalidSetting``."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidSetting(
            f"BOCAGE_HOME : le dossier « {path} » ne peut pas servir ({error.strerror}). Donnez un dossier où ce compte peut écrire."
        ) from None
    return path


def private_umask(home: Path) -> int:
    """The permissions to withhold from new files: all from other accounts, and from the group unless ``home`` is shared with it."""
    return 0o007 | (0o070 & ~home.stat().st_mode)


def secret_key_in(home: Path) -> str:
    """The secret key kept in ``home``, made at the first start. Raises ``InvalidSetting``."""
    path = home / "secret_key"
    try:
        if not path.exists():
            _write_key(path)
        key = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSetting(
            f"La clé « {path} » ne peut être ni lue ni écrite ({error}). Vérifiez les droits et la place sur le disque, "
            "ou donnez BOCAGE_SECRET_KEY."
        ) from None
    if not key.strip():
        raise InvalidSetting(
            f"La clé « {path} » est vide. Remettez celle d’une sauvegarde, ou supprimez ce fichier : une autre sera faite, "
            "et chacun se connectera de nouveau."
        )
    return key


def _write_key(path: Path) -> None:
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".secret_key-")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(64))
            file.flush()
            os.fsync(file.fileno())
        # A link is made whole or not at all, and two first starts at once agree on one key.
        Path(path).hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink(missing_ok=True)


def database_of(url: str, home: Path) -> dict[str, Any]:
    """Django's database dict for ``url``: SQLite (write-ahead log, immediate transactions) or PostgreSQL. Raises ``InvalidSetting``."""
    if url.startswith(("postgres://", "postgresql://")):
        return _postgresql(url)
    # « sqlite:///relative » and « sqlite:////absolute », as elsewhere.
    name = unquote(url.removeprefix("sqlite:///")) if url else str(home / "bocage.sqlite3")
    if url and not url.startswith("sqlite:///"):
        raise InvalidSetting("BOCAGE_DATABASE_URL ne commence ni par postgresql:// ni par sqlite:///.")
    if not name or "?" in url or "#" in url:
        raise InvalidSetting(
            "BOCAGE_DATABASE_URL : après sqlite:/// il faut le chemin d’un fichier, sans paramètre ; # s’écrit %23, et ? s’écrit %3F."
        )
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": name,
        # Opening a file, its journal and Django's functions costs each page some milliseconds.
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


def _postgresql(url: str) -> dict[str, Any]:
    """The dict for PostgreSQL, every parameter of the address included, as PostgreSQL's own library reads it."""
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except ImportError:
        raise InvalidSetting("BOCAGE_DATABASE_URL désigne PostgreSQL : faites d’abord « pip install 'bocage[postgres]' ».") from None
    try:
        given = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except (ProgrammingError, UnicodeError):
        raise InvalidSetting(
            f"BOCAGE_DATABASE_URL : PostgreSQL ne connaît pas cette adresse, ou un de ses paramètres. {_POSTGRESQL}"
        ) from None
    ports = given.get("port", "")
    faults = {
        "un # y est écrit tel quel": "#" in url,
        "le nom de la base manque": not given.get("dbname") and "service" not in given,
        "le nom de la base contient / ou @": not {"/", "@"}.isdisjoint(given.get("dbname", "")),
        "le nom du serveur ne se lit pas": not _DATABASE_HOST.fullmatch(given.get("host", "")),
        "le port n’est pas un nombre de 1 à 65535": bool(ports) and not all(_is_port(port) for port in ports.split(",")),
    }
    if fault := next((said for said, found in faults.items() if found), None):
        raise InvalidSetting(f"BOCAGE_DATABASE_URL : {fault}. {_POSTGRESQL}")
    return {
        "ENGINE": "django.db.backends.postgresql",
        **{upper: given.pop(name, "") for upper, name in _NAMES.items()},
        "OPTIONS": given,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


_NAMES = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}


def mail_of(url: str, sender: str) -> dict[str, Any]:
    """Django's mail settings for ``url``; without it nothing is sent. Raises ``InvalidSetting``."""
    if not url:
        return {"MAIL_ENABLED": False, "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"}
    parts = _split("BOCAGE_SMTP_URL", url, _RESERVED)
    usual = {"smtp": 25, "smtp+tls": 587, "smtps": 465}.get(parts.scheme)
    if usual is None:
        raise InvalidSetting("BOCAGE_SMTP_URL ne commence ni par smtp://, ni par smtp+tls://, ni par smtps://.")
    if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise InvalidSetting(f"BOCAGE_SMTP_URL : forme attendue smtps://compte:mot-de-passe@serveur:465, et rien après. {_RESERVED}")
    _, address = parseaddr(sender)
    box, _, domain = address.partition("@")
    if not box or not domain or "@" in domain or any(not letter.isprintable() or letter == " " for letter in address):
        raise InvalidSetting(f"BOCAGE_SMTP_URL est donné : BOCAGE_MAIL_FROM doit être une adresse électronique ; lu : « {sender} ».")
    return {
        "MAIL_ENABLED": True,
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or usual,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": 10,
        "DEFAULT_FROM_EMAIL": sender,
    }


def check_oidc(issuer: str, client: str, secret: str, algorithm: str) -> None:
    """Refuse half a configuration of OpenID Connect. Raises ``InvalidSetting``."""
    parts = _split("BOCAGE_OIDC_ISSUER", issuer)
    if not parts.hostname or (parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost")):
        raise InvalidSetting(f"BOCAGE_OIDC_ISSUER vaut « {issuer} » ; il faut une adresse en https://.")
    if not client or not secret:
        raise InvalidSetting("BOCAGE_OIDC_ISSUER est donné : il faut aussi BOCAGE_OIDC_CLIENT_ID et BOCAGE_OIDC_CLIENT_SECRET.")
    if algorithm not in ("RS256", "ES256", "PS256"):
        raise InvalidSetting(f"BOCAGE_OIDC_ALGORITHM vaut « {algorithm} » ; il faut RS256, ES256 ou PS256.")


def hosts_of(text: str) -> list[str]:
    """The host names of a comma-separated list, at least one. Raises ``InvalidSetting``."""
    hosts = [host.strip() for host in text.split(",") if host.strip()]
    wrong = next((host for host in hosts if not _HOST.fullmatch(host)), "" if hosts else text)
    if wrong or not hosts:
        raise InvalidSetting(
            f"BOCAGE_ALLOWED_HOSTS : lu « {wrong} », attendu un nom de machine comme « ia.brenoux.example », sans https://, ni port, ni "
            "barre. Plusieurs noms se séparent par des virgules ; un nom accentué s’écrit sous sa forme en xn--."
        )
    return hosts


def proxy_of(text: str) -> str:
    """The IP address of the trusted proxy in its usual spelling, or nothing. Raises ``InvalidSetting``."""
    if not text:
        return ""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise InvalidSetting(f"BOCAGE_TRUSTED_PROXY : lu « {text} », attendue une seule adresse IP comme 127.0.0.1.") from None


def dask_of(text: str) -> str:
    """The address of the Dask scheduler, or nothing. Raises ``InvalidSetting``."""
    if text and not _DASK.fullmatch(text):
        raise InvalidSetting(f"BOCAGE_DASK : lu « {text} », attendue une adresse comme tcp://machine:8786.")
    return text


def time_zone_of(text: str) -> str:
    """The name of a time zone that this machine knows. Raises ``InvalidSetting``."""
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise InvalidSetting(f"BOCAGE_TIME_ZONE : lu « {text} », attendu un fuseau comme Europe/Paris ou Indian/Reunion.") from None
    return text


def _split(name: str, url: str, advice: str = "") -> SplitResult:
    """The parts of ``url``, whose port is a port. Raises ``InvalidSetting`` without repeating what may hold a password."""
    try:
        parts = urlsplit(url)
        if parts.port != 0:
            return parts
    except ValueError:
        pass
    raise InvalidSetting(f"{name} : le serveur ou le port ne se lit pas ; le port est un nombre de 1 à 65535. {advice}".strip())


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65535
