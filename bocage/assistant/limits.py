"""How much one visitor may send in a quarter of an hour. Counted in the database, like sign-ins, so that no other server is needed.

The network address is kept only as a keyed fingerprint, and thrown away with its window.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.crypto import salted_hmac

from bocage.assistant.models import Conversation
from bocage.contract.errors import BocageError
from bocage.organisations.tenancy import current_organisation_id
from bocage.organisations.throttle import network_of, take

PER_CONVERSATION, PER_NETWORK, PER_ORGANISATION = 40, 600, 6000
"""A town hall's own kiosk, a school or a mobile operator show one network address for many people."""


class TooManyMessages(BocageError):
    """Too many messages from this conversation, network or for this organisation; wait."""

    code = "trop-de-messages"


def count_message(address: str, conversation: Conversation | None = None) -> None:
    """Count one message from ``address``. Raises ``TooManyMessages``."""
    owner = current_organisation_id()
    network = salted_hmac("bocage.assistant", network_of(address), algorithm="sha256").hexdigest()[:32]
    keys = [(f"assistant adresse {network}", PER_NETWORK), (f"assistant organisation {owner}", PER_ORGANISATION)]
    if conversation is not None:
        keys.append((f"assistant conversation {conversation.pk}", PER_CONVERSATION))
    with transaction.atomic():
        taken = [take(key, most) for key, most in keys]
    if not all(taken):
        raise TooManyMessages("Beaucoup de messages en peu de temps. Attendez un quart d’heure, ou appelez la collectivité.")
