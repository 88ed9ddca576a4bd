"""How much one visitor may send in a quarter of an hour. Counted in the database, like sign-ins, so that no other server is needed.

Questions, calls of a person and erasures are counted apart: whoever has asked much still reaches a person and still has all erased.

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
"""Questions. A town hall's own kiosk, a school or a mobile operator show one network address for many people."""
CALLS_PER_CONVERSATION, CALLS_PER_NETWORK, CALLS_PER_ORGANISATION = 120, 600, 6000
"""What is for a person: asking for one, and writing to them. From one network as few as questions: each call may send a mail."""
ERASURES_PER_NETWORK, ERASURES_PER_ORGANISATION = 1200, 12000
"""As many as conversations can be begun: each is erased once."""


class TooManyMessages(BocageError):
    """Too many messages from this conversation, network or for this organisation; wait."""

    code = "trop-de-messages"


def count_message(address: str, conversation: Conversation | None = None) -> None:
    """Count one message to the machine from ``address``. Raises ``TooManyMessages``."""
    if not _taken("assistant", address, conversation, (PER_CONVERSATION, PER_NETWORK, PER_ORGANISATION)):
        raise TooManyMessages(
            "Beaucoup de questions en peu de temps : la machine en reprend dans un quart d’heure. "
            "Vous pouvez toujours demander une personne, ou appeler la collectivité ; en danger, appelez le 112."
        )


def count_call(address: str, conversation: Conversation | None = None) -> None:
    """Count one call of a person, or one message to them, from ``address``. Raises ``TooManyMessages``."""
    if not _taken("assistant appel", address, conversation, (CALLS_PER_CONVERSATION, CALLS_PER_NETWORK, CALLS_PER_ORGANISATION)):
        raise TooManyMessages(
            "Beaucoup de messages en peu de temps. Attendez un quart d’heure, ou appelez la collectivité ; en danger, appelez le 112."
        )


def count_erasure(address: str) -> None:
    """Count one erasure from ``address``. Raises ``TooManyMessages``."""
    if not _taken("assistant effacement", address, None, (0, ERASURES_PER_NETWORK, ERASURES_PER_ORGANISATION)):
        raise TooManyMessages("Beaucoup d’effacements en peu de temps depuis ce réseau. Attendez un quart d’heure, puis recommencez.")


def _taken(what: str, address: str, conversation: Conversation | None, most: tuple[int, int, int]) -> bool:
    """Count one ``what`` for the conversation, the network and the organisation; false at the first that has none left.

    The narrowest first: what one visitor is refused takes nothing from all the others.
    """
    network = salted_hmac("bocage.assistant", network_of(address), algorithm="sha256").hexdigest()[:32]
    keys = [(f"{what} adresse {network}", most[1]), (f"{what} organisation {current_organisation_id()}", most[2])]
    if conversation is not None:
        keys.insert(0, (f"{what} conversation {conversation.pk}", most[0]))
    with transaction.atomic():
        return all(take(key, limit) for key, limit in keys)
