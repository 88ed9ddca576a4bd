"""Mail to the services, and to the citizen who agreed to it. Written as rows with the fact, sent by the worker, tried again until it works.

A mail says that somebody waits and where to answer: never what was written, never a name, since mail passes through many hands.
"""

from __future__ import annotations

import logging
import smtplib
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from bocage.assistant.configuration import Service
from bocage.assistant.models import Conversation, Handover, OutgoingMail
from bocage.assistant.promise import promised
from bocage.contract import french
from bocage.organisations.models import Organisation
from bocage.organisations.tenancy import across, organisation_context

log = logging.getLogger(__name__)

_LEASE = timedelta(minutes=5)
_GIVE_UP_AFTER = timedelta(days=3)
_LONGEST_PAUSE_MIN = 60
_BATCH = 20


def to_service(handover: Handover, service: Service, late: bool = False) -> None:
    """Tell ``service`` that somebody waits; nothing where no mail can be sent or the service gave no address."""
    if not settings.MAIL_ENABLED or not service.email:
        return
    organisation = handover.organisation
    # The worker that reminds works for every organisation: no time zone is in force there.
    asked = timezone.localtime(handover.requested_at, ZoneInfo(organisation.time_zone))
    what = "attend encore une réponse, au-delà du délai promis" if late else "demande à parler à quelqu’un"
    lines = [
        f"Une personne {what} ({service.name}).",
        f"Demandée le {french.day(asked, year=True)} à {french.hour(asked)}. Nous lui avons dit : « {promised(handover.due_at, asked)} »",
        "",
        f"Pour répondre : {_address('web:inbox_conversation', organisation, conversation_id=handover.conversation_id)}",
        "",
        "Ce message ne contient pas la question : elle est dans la boîte de l’assistant.",
    ]
    subject = f"[{organisation.name}] {'En retard : une' if late else 'Une'} personne attend une réponse"
    _put(handover, service.email, subject, lines)


def to_citizen(handover: Handover, conversation: Conversation) -> None:
    """Tell the citizen that a person has answered, if they agreed to it and left an e-mail address."""
    if not settings.MAIL_ENABLED or conversation.consent_at is None or not _is_email(conversation.contact):
        return
    organisation = handover.organisation
    lines = [
        f"Une personne de {organisation.name} vous a répondu.",
        "",
        f"Lire la réponse : {_address('web:assistant_talk', organisation, key=conversation.secret)}",
        "",
        "Cette adresse ouvre votre conversation : ne la transmettez pas. Vous pouvez l’y effacer.",
    ]
    _put(handover, conversation.contact, f"[{organisation.name}] Une réponse vous attend", lines)


def send_due(limit: int = _BATCH) -> int:
    """Send the mails whose time has come, of any organisation; returns how many left. A failure is written and tried again later.

    Without BOCAGE_SMTP_URL none leaves: those that were waiting when it was taken away go on waiting.
    """
    if not settings.MAIL_ENABLED:
        return 0
    now = timezone.now()
    with across():
        due = list(OutgoingMail.across_organisations.filter(next_at__lte=now).select_related("organisation").order_by("next_at")[:limit])
    sent = 0
    for row in due:
        with organisation_context(row.organisation):
            # Claimed for a while: two workers do not send the same mail, and a worker that dies gives it back.
            if not OutgoingMail.objects.filter(pk=row.pk, next_at=row.next_at).update(next_at=now + _LEASE):
                continue
            try:
                with get_connection() as server:
                    EmailMessage(row.subject, row.body, settings.DEFAULT_FROM_EMAIL, [row.recipient], connection=server).send()
            except (OSError, smtplib.SMTPException, ValueError) as error:
                _postpone(row, error)
                if isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException):
                    # The server is away: the others would wait as long for nothing.
                    break
            else:
                sent += 1
                with transaction.atomic():
                    if row.handover_id:
                        Handover.objects.filter(pk=row.handover_id, notified_at=None).update(notified_at=timezone.now())
                    OutgoingMail.objects.filter(pk=row.pk).delete()
    return sent


def portal_address(path: str) -> str:
    """``path`` with the first host name of BOCAGE_ALLOWED_HOSTS before it; alone where that is no name."""
    host = next(iter(settings.ALLOWED_HOSTS), "")
    if not host or host.startswith((".", "*")):
        return path
    return f"{'https' if settings.HTTPS else 'http'}://{host}{path}"


def _address(name: str, organisation: Organisation, **parameters: object) -> str:
    return portal_address(reverse(name, kwargs={"organisation": organisation.slug, **parameters}))


def _put(handover: Handover, recipient: str, subject: str, lines: list[str]) -> None:
    OutgoingMail(
        handover=handover, recipient=recipient, subject=" ".join(subject.split())[:200], body="\n".join(lines), next_at=timezone.now()
    ).save()


def _postpone(row: OutgoingMail, error: Exception) -> None:
    attempts = row.attempts + 1
    now = timezone.now()
    given_up = now - row.created_at > _GIVE_UP_AFTER
    pause = timedelta(minutes=min(2 ** (attempts - 1), _LONGEST_PAUSE_MIN))
    said = f"{type(error).__name__} : {error}"[:300].replace("\x00", "")
    OutgoingMail.objects.filter(pk=row.pk).update(attempts=attempts, error=said, next_at=None if given_up else now + pause)
    log.warning("mail %s not sent (attempt %s): %s", row.pk, attempts, type(error).__name__)


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True
