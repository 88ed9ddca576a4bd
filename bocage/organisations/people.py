"""People: creating accounts, giving and taking roles, passwords, signing in. Every change is journalled where it matters."""

from __future__ import annotations

import secrets
import unicodedata

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.dispatch import Signal

from bocage.contract.errors import BocageError
from bocage.journal.services import record
from bocage.organisations.membership import Membership, Permission, Role, organisations_of, permissions_of
from bocage.organisations.models import Organisation, User
from bocage.organisations.tenancy import current_organisation_id, organisation_context
from bocage.organisations.throttle import TooManyAttempts, count_attempt, forgive

__all__ = ["TooManyAttempts"]

role_revoked = Signal()
"""Sent by ``revoke`` once a role of ``user`` is gone from the organisation in context, in the same transaction.

Rooms that this one must not know answer it: what the person was doing for somebody must not wait for them.
"""


class InvalidPerson(BocageError):
    """A name, an address or a password that cannot be taken."""

    code = "compte-invalide"


class LastAdministrator(BocageError):
    """An organisation keeps at least one administrator."""

    code = "dernier-administrateur"


class NotAllowed(BocageError):
    """An administrator asked for what their role does not cover."""

    code = "action-refusee"


def normal_email(email: str) -> str:
    """One spelling per address: trimmed, NFKC, lower case."""
    return unicodedata.normalize("NFKC", email.strip()).lower()


def create_person(email: str, name: str, password: str | None = None) -> User:
    """A new account; without ``password`` it can only sign in through the identity provider. Raises ``InvalidPerson``."""
    email, name = normal_email(email), " ".join(name.split())
    if not name:
        raise InvalidPerson("Le nom manque. Écrivez le prénom et le nom.")
    if len(name) > 200:
        raise InvalidPerson(f"Le nom compte {len(name)} caractères ; la limite est 200.")
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
    """Give ``user`` a role in the organisation in context, or change the function of one held.

    Raises ``InvalidPerson``, or ``NotAllowed`` to an administrator who manages the organisation from outside and would let themselves in.
    """
    if role not in Role.values:
        raise InvalidPerson(f"« {role} » n’est pas un rôle. Rôles possibles : {', '.join(Role.values)}.")
    title = " ".join(title.split())
    if len(title) > 120:
        raise InvalidPerson(f"La fonction compte {len(title)} caractères ; la limite est 120.")
    if by is not None and by == user and Permission.VOIR not in permissions_of(by, _here()):
        raise NotAllowed(
            "Vous administrez cette collectivité sans en lire le contenu : un autre administrateur doit vous y donner un rôle."
        )
    with transaction.atomic():
        membership, _ = Membership.objects.update_or_create(
            user=user, role=role, defaults={"title": title}, create_defaults={"title": title, "organisation_id": current_organisation_id()}
        )
        record("membre.role_donne", by, personne=user.pk, nom=user.name, role=role, fonction=title)
    return membership


def invite(email: str, name: str, role: str, title: str = "", by: User | None = None, local: bool = True) -> tuple[Membership, str]:
    """Give a role to the person of that address, whose account is made, or opened again, when needed.

    With ``local`` a new account gets a provisional password, returned to be shown once; without, the person signs in through the identity
    provider. The second value is empty when no password was made.
    """
    with transaction.atomic():
        user = User.objects.filter(email=normal_email(email), is_active=True).first()
        password = _provisional() if local and user is None else ""
        user = user or open_account(email, name, password or None, by, provisional=bool(password))
        return grant(user, role, title, by), password


def open_account(email: str, name: str, password: str | None, by: User | None = None, provisional: bool = False) -> User:
    """A new account, or a closed one opened again with ``password`` in the place of the old one. Raises ``InvalidPerson``."""
    with transaction.atomic():
        user: User = User.objects.filter(email=normal_email(email), is_active=False).first() or create_person(email, name)
        user.is_active = True
        user.password_is_provisional = provisional
        if password is None:
            user.set_unusable_password()
        else:
            set_password(user, password)
        user.save()
        record("membre.compte_ouvert", by, personne=user.pk, nom=user.name)
    return user


def revoke(membership: Membership, by: User | None = None) -> None:
    """Take a role away; ``role_revoked`` tells it. Without a role anywhere the account is closed, and its sessions end at once.

    Raises ``LastAdministrator`` when nobody would be left to manage members.
    """
    with transaction.atomic():
        if membership.role == Role.ADMINISTRATEUR:
            _check_not_last(membership)
        record("membre.role_retire", by, personne=membership.user_id, nom=membership.user.name, role=membership.role)
        membership.delete()
        role_revoked.send(Membership, user=membership.user)
        _close_without_role(membership.user, by)


def remove_person(user: User, by: User | None = None) -> None:
    """Take every role held here away, all or none (``revoke``)."""
    with transaction.atomic():
        for membership in Membership.objects.filter(user=user).select_related("user"):
            revoke(membership, by)


def renew_password(user: User, by: User) -> str:
    """A new provisional password for ``user``, returned to be shown once; every session of ``user`` ends.

    Raises ``NotAllowed`` unless ``by`` is an administrator, in their own right, wherever ``user`` holds a role: whoever sets a password
    could sign in with it.
    """
    needed = {Permission.ADMINISTRER, Permission.VOIR}
    if not all(needed <= permissions_of(by, organisation) for organisation in organisations_of(user)):
        raise NotAllowed(
            f"Le compte de {user.name} sert aussi ailleurs, ou vous administrez cette collectivité sans en lire le contenu. "
            "L’exploitant du serveur peut changer ce mot de passe : bocage user password."
        )
    password = _provisional()
    replace_password(user, password, by, provisional=True)
    return password


def change_password(user: User, current: str, new: str) -> None:
    """Change one's own password; other sessions end. Raises ``InvalidPerson``, or ``TooManyAttempts``."""
    count_attempt(user.email, None)
    if not user.check_password(current):
        raise InvalidPerson("Le mot de passe actuel ne convient pas.")
    forgive(user.email, None)
    if new == current:
        raise InvalidPerson("Le nouveau mot de passe est celui d’avant. Choisissez-en un autre.")
    replace_password(user, new, user)


def replace_password(user: User, password: str, by: User | None = None, provisional: bool = False) -> None:
    """Set the password of ``user`` and journal it wherever ``user`` holds a role. Raises ``InvalidPerson``."""
    set_password(user, password)
    user.password_is_provisional = provisional
    with transaction.atomic():
        user.save(update_fields=["password", "password_is_provisional"])
        for organisation in organisations_of(user):
            with organisation_context(organisation):
                record("membre.mot_de_passe_change", by, personne=user.pk, nom=user.name)


def get_person(email: str) -> User:
    """The person of that address. Raises ``InvalidPerson``."""
    user = User.objects.filter(email=normal_email(email)).first()
    if user is None:
        raise InvalidPerson(f"Aucun compte n’existe pour {normal_email(email)}. Créez-le : bocage user add")
    return user


def sign_in(email: str, password: str, address: str) -> User | None:
    """The person, or None when the pair is wrong. Raises ``TooManyAttempts`` (see ``throttle.py``).

    ``address`` is the network address of the visitor: behind a proxy, the server must be told to trust that proxy, or all share one count.
    """
    email = normal_email(email)
    count_attempt(email, address)
    user = User.objects.filter(email=email, is_active=True).first()
    # The hash is computed for unknown accounts too: the time taken says nothing.
    right = user.check_password(password) if user else not User().set_password(password) and False
    if not right:
        return None
    forgive(email, address)
    return user


def _here() -> Organisation:
    return Organisation.objects.select_related("administered_by").get(pk=current_organisation_id())


def _close_without_role(user: User, by: User | None) -> None:
    # Locked: of two organisations that take the last two roles away at once, the second one sees what the first one did.
    account = User.objects.select_for_update().get(pk=user.pk)
    if not account.is_active or organisations_of(account).exists():
        return
    account.is_active = False
    account.save(update_fields=["is_active"])
    record("membre.compte_ferme", by, personne=account.pk, nom=account.name)


def _check_not_last(membership: Membership) -> None:
    # Locked, so that two administrators who remove each other at once do not both succeed.
    held = Membership.objects.select_for_update(of=("self",)).filter(role=Role.ADMINISTRATEUR).select_related("user")
    others = [other for other in held if other.user.is_active and other.pk != membership.pk]
    if others or _here().administered_by_id:
        return
    raise LastAdministrator(f"{membership.user.name} est seul administrateur. Nommez-en un autre avant de retirer ce rôle.")


def _provisional() -> str:
    """Four groups of four letters and digits that are not mistaken for one another: 78 bits."""
    return "-".join("".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(4)) for _ in range(4))
