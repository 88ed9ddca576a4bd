"""People: creating accounts, giving and taking roles, signing in with a limit on attempts. Every change is journalled."""

from __future__ import annotations

import unicodedata
from datetime import timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from bocage.contract.errors import BocageError
from bocage.journal.services import record
from bocage.organisations.membership import Membership, Role
from bocage.organisations.models import SignInAttempt, User

_WINDOW = timedelta(minutes=15)
_PER_ACCOUNT, _PER_ADDRESS = 5, 50


class InvalidPerson(BocageError):
    """A name, an address or a password that cannot be taken."""

    code = "compte-invalide"


class TooManyAttempts(BocageError):
    """Too many failed sign-ins for this account or from this network address; wait."""

    code = "trop-de-tentatives"


class LastAdministrator(BocageError):
    """An organisation keeps at least one administrator."""

    code = "dernier-administrateur"


def normal_email(email: str) -> str:
    """One spelling per address: trimmed, NFKC, lower case."""
    return unicodedata.normalize("NFKC", email.strip()).lower()


def create_person(email: str, name: str, password: str | None = None) -> User:
    """A new account; without ``password`` it can only sign in through the identity provider. Raises ``InvalidPerson``."""
    email, name = normal_email(email), " ".join(name.split())
    if not name:
        raise InvalidPerson("Le nom manque. Écrivez le prénom et le nom.")
    try:
        validate_email(email)
    except ValidationError:
        raise InvalidPerson(f"« {email} » n’est pas une adresse électronique. Exemple : nadia.legoff@brenoux.example") from None
    user = User(email=email, name=name)
    if User.objects.filter(email=email).exists():
        raise InvalidPerson(f"Un compte existe déjà pour {email}. Donnez-lui un rôle au lieu de le créer.")
    if password is None:
        user.set_unusable_password()
    else:
        set_password(user, password)
    user.save()
    return user


def set_password(user: User, password: str) -> None:
    """Check ``password`` against the rules and set it on ``user`` (not saved). Raises ``InvalidPerson`` with every rule that fails."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidPerson(" ".join(error.messages)) from None
    user.set_password(password)


def grant(user: User, role: str, title: str = "", by: User | None = None) -> Membership:
    """Give ``user`` a role in the organisation in context, or change the title of one held."""
    with transaction.atomic():
        membership = Membership.objects.filter(user=user, role=role).first() or Membership(user=user, role=Role(role))
        membership.title = title.strip()
        membership.save()
        record("membre.role_donne", by, personne=user.pk, nom=user.name, role=role, fonction=membership.title)
    return membership


def revoke(membership: Membership, by: User | None = None) -> None:
    """Take a role away. Raises ``LastAdministrator`` when nobody would be left to manage members."""
    with transaction.atomic():
        if membership.role == Role.ADMINISTRATEUR and Membership.objects.filter(role=Role.ADMINISTRATEUR).count() == 1:
            raise LastAdministrator(f"{membership.user.name} est seul administrateur. Nommez-en un autre avant de retirer ce rôle.")
        record("membre.role_retire", by, personne=membership.user_id, nom=membership.user.name, role=membership.role)
        membership.delete()


def sign_in(email: str, password: str, address: str) -> User | None:
    """The person, or None when the pair is wrong. Raises ``TooManyAttempts`` beyond five failures an account (fifty an address) in 15 minutes."""
    email = normal_email(email)
    keys = ((f"compte {email}"[:255], _PER_ACCOUNT), (f"adresse {address}"[:255], _PER_ADDRESS))
    since = timezone.now() - _WINDOW
    for key, most in keys:
        if SignInAttempt.objects.filter(key=key, since__gt=since, failures__gte=most).exists():
            raise TooManyAttempts("Trop de tentatives. Attendez un quart d’heure, ou demandez à un administrateur de changer votre mot de passe.")
    user = User.objects.filter(email=email, is_active=True).first()
    # The hash is computed for unknown accounts too: the time taken says nothing.
    right = user.check_password(password) if user else not User().set_password(password) and False
    if right:
        SignInAttempt.objects.filter(key=keys[0][0]).delete()
        return user
    for key, _ in keys:
        _count_failure(key, since)
    return None


def _count_failure(key: str, since: object) -> None:
    now = timezone.now()
    attempt, created = SignInAttempt.objects.get_or_create(key=key, defaults={"failures": 1, "since": now})
    if created:
        return
    if attempt.since <= since:  # type: ignore[operator]
        SignInAttempt.objects.filter(pk=attempt.pk).update(failures=1, since=now)
    else:
        SignInAttempt.objects.filter(pk=attempt.pk).update(failures=F("failures") + 1)
