"""A limit on failed sign-ins, per account and per network address, in the database: no other server is needed.

An attempt is counted before the password is looked at, by one conditional UPDATE, so that a hundred attempts at once do not all pass.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from bocage.contract.errors import BocageError
from bocage.organisations.models import SignInAttempt

WINDOW = timedelta(minutes=15)
PER_ACCOUNT, PER_ADDRESS = 5, 50


class TooManyAttempts(BocageError):
    """Too many failed sign-ins for this account or from this network address; wait."""

    code = "trop-de-tentatives"


def count_attempt(email: str, address: str | None) -> None:
    """Count an attempt that starts; without ``address`` (the person is signed in already) on the account alone.

    Raises ``TooManyAttempts`` when the account or the network address has none left. A closed address closes no account any more, and a
    closed account costs the address nothing: whoever insists on one does not shut the others out.
    """
    if address is not None and not take(_network_key(address), PER_ADDRESS):
        raise _too_many()
    if not take(_account_key(email), PER_ACCOUNT):
        if address is not None:
            _give_back(_network_key(address))
        raise _too_many()


def forgive(email: str, address: str | None) -> None:
    """The attempt succeeded: the account starts afresh, the address gets its attempt back. Old counts are thrown away."""
    SignInAttempt.objects.filter(key=_account_key(email)).delete()
    if address is not None:
        _give_back(_network_key(address))
    forget_old()


def forget_old() -> None:
    """Throw away the counts whose window is over."""
    SignInAttempt.objects.filter(since__lte=timezone.now() - WINDOW).delete()


def network_of(address: str) -> str:
    """The network that counts as one visitor: an IPv6 subscriber holds 2⁶⁴ addresses."""
    return _network(address)


def _too_many() -> TooManyAttempts:
    return TooManyAttempts("Trop de tentatives. Attendez un quart d’heure, ou demandez à un administrateur de changer votre mot de passe.")


def _give_back(key: str) -> None:
    SignInAttempt.objects.filter(key=key, failures__gt=0).update(failures=F("failures") - 1)


def _account_key(email: str) -> str:
    return f"compte {email}"[:255]


def _network_key(address: str) -> str:
    return f"adresse {_network(address)}"[:255]


def _network(address: str) -> str:
    """An IPv6 subscriber holds 2⁶⁴ addresses: they count as one."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))


def take(key: str, most: int) -> bool:
    """Count one use of ``key`` in the running window; false when ``most`` were counted already."""
    now = timezone.now()
    since = now - WINDOW
    if _increment(key, most, since):
        return True
    if SignInAttempt.objects.filter(key=key, since__lte=since).update(failures=1, since=now):
        return True
    try:
        with transaction.atomic():
            SignInAttempt.objects.create(key=key, failures=1, since=now)
        return True
    except IntegrityError:
        # It is full, or another attempt has created it in the meantime: only the second may go on.
        return _increment(key, most, since)


def _increment(key: str, most: int, since: datetime) -> bool:
    return bool(SignInAttempt.objects.filter(key=key, since__gt=since, failures__lt=most).update(failures=F("failures") + 1))
