"""Mail through a real SMTP server on the loopback: it leaves after the commit, is tried again, and no request hangs on it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler
from django.utils import timezone

from bocage.assistant import configuration, conversations, inbox, mail, upkeep
from bocage.assistant.documents import Audience
from bocage.assistant.models import Conversation, Handover, OutgoingMail
from bocage.contract import french
from bocage.contract.errors import InvalidSetting
from bocage.setting_values import mail_of

pytestmark = pytest.mark.django_db


class Post(MessageHandler):
    """Keeps what it receives; refuses while ``refuses`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.received: list = []
        self.refuses = ""

    async def handle_DATA(self, server, session, envelope):
        if self.refuses:
            return self.refuses
        return await super().handle_DATA(server, session, envelope)

    def handle_message(self, message) -> None:
        self.received.append(message)


@pytest.fixture
def post(settings) -> Iterator[Post]:
    handler = Post()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    for name, value in mail_of(f"smtp://127.0.0.1:{port}", "ne-pas-repondre@brenoux.example").items():
        setattr(settings, name, value)
    # pytest-django keeps mails in memory by default: here they leave.
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.ALLOWED_HOSTS = ["portail.brenoux.example"]
    yield handler
    controller.stop()


def text(message) -> str:
    return message.get_payload(decode=True).decode()


def request(service: str = "accueil") -> Conversation:
    conversation = conversations.begin(Audience.CITIZENS)
    conversations.ask(conversation, "SECRET : je veux parler à quelqu’un, 06 12 34 56 78")
    conversations.choose_service(conversation, service)
    return conversation


def again() -> None:
    OutgoingMail.objects.update(next_at=timezone.now() - timedelta(seconds=1))


def test_the_service_is_told_where_to_answer_and_nothing_of_what_was_said(served, post):
    conversation = request()
    assert not post.received, "a page never waits for a mail server"
    assert mail.send_due() == 1
    (sent,) = post.received
    assert sent["To"] == "accueil@brenoux.example" and sent["From"] == "ne-pas-repondre@brenoux.example"
    assert f"http://portail.brenoux.example/pays-de-brenoux/boite/{conversation.pk}/" in text(sent)
    assert "SECRET" not in str(sent) + text(sent) and "06 12" not in text(sent)
    assert Handover.objects.get().notified_at and not OutgoingMail.objects.exists()
    assert mail.send_due() == 0, "sent once"


def test_a_server_that_is_away_loses_nothing_and_is_tried_again(served, settings):
    for name, value in mail_of("smtp://127.0.0.1:9", "a@brenoux.example").items():
        setattr(settings, name, value)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    conversation = request()
    assert mail.send_due() == 0
    held = OutgoingMail.objects.get()
    assert held.attempts == 1 and "refused" in held.error.lower() and held.next_at > timezone.now()
    assert conversation.state == "file" and inbox.waiting_count() == 1
    assert mail.send_due() == 0 and OutgoingMail.objects.get().attempts == 1, "not before its time"


def test_a_refusal_is_tried_again_until_it_passes(served, post):
    request()
    post.refuses = "451 try later"
    for attempt in (1, 2):
        again()
        mail.send_due()
        assert OutgoingMail.objects.get().attempts == attempt
    post.refuses = ""
    again()
    assert mail.send_due() == 1 and len(post.received) == 1


def test_after_three_days_it_is_given_up_and_the_inbox_says_so(served, post):
    request()
    post.refuses = "550 no such user"
    OutgoingMail.objects.update(created_at=timezone.now() - timedelta(days=4))
    mail.send_due()
    held = OutgoingMail.objects.get()
    assert held.next_at is None and "550" in held.error
    assert mail.send_due() == 0 and inbox.waiting_count() == 1


def test_without_a_mail_server_nothing_is_written_to_send(served, settings):
    settings.MAIL_ENABLED = False
    request()
    assert not OutgoingMail.objects.exists() and inbox.waiting_count() == 1


def test_without_a_mail_server_what_was_already_waiting_stays_here(served, post, settings):
    request()
    for name, value in mail_of("", "").items():
        setattr(settings, name, value)
    assert mail.send_due() == 0 and not post.received
    assert settings.EMAIL_BACKEND.endswith("dummy.EmailBackend"), "nothing else that sends mail reaches a server by default"
    assert OutgoingMail.objects.get().attempts == 0


def test_a_service_without_an_address_gets_its_requests_in_the_inbox_only(served, post):
    configuration.change(None, ["citoyens"], 30, 60, [{"name": "Accueil"}, {"name": "Autre"}], [])
    request()
    assert mail.send_due() == 0 and inbox.waiting_count() == 1


def test_a_broken_promise_is_told_once_more(served, post):
    request()
    mail.send_due()
    Handover.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    for _ in range(3):
        upkeep.time_out()
    assert mail.send_due() == 1
    assert "En retard" in str(post.received[-1]["Subject"]) or "=?utf-8?" in str(post.received[-1]["Subject"])
    assert "au-delà du délai promis" in text(post.received[-1])


@pytest.mark.parametrize("zone", ["Indian/Reunion", "America/Cayenne", "Pacific/Noumea"])
def test_overseas_the_first_mail_and_the_reminder_give_the_hour_of_the_commune(served, post, zone):
    served.time_zone = zone
    served.save()
    request()
    OutgoingMail.objects.all().delete()
    asked, due = datetime(2026, 1, 14, 21, 58, tzinfo=UTC), datetime(2026, 1, 15, 6, 0, tzinfo=UTC)
    Handover.objects.update(requested_at=asked, due_at=due)
    mail.to_service(Handover.objects.get(), configuration.configuration().default_service)
    upkeep.time_out()
    assert mail.send_due() == 2
    here, promised = (moment.astimezone(ZoneInfo(zone)) for moment in (asked, due))
    for sent in post.received:
        assert f"Demandée le {french.day(here, year=True)} à {french.hour(here)}." in text(sent)
        assert f"« Nous vous répondrons ici au plus tard le {french.day(promised)} à {french.hour(promised)}. »" in text(sent)


def test_a_citizen_who_agreed_is_told_of_the_first_answer_only(served, post, nadia):
    conversation = request()
    conversations.give_contact(conversation, "jeanne@orange.example", True)
    inbox.take(conversation, nadia)
    inbox.write(conversation, nadia, "REPONSE confidentielle")
    inbox.write(conversation, nadia, "Et ceci.")
    mail.send_due()
    (sent,) = [m for m in post.received if m["To"] == "jeanne@orange.example"]
    assert f"/assistant/{conversation.secret}/" in text(sent) and "REPONSE" not in text(sent)


@pytest.mark.parametrize("contact", ["02 99 00 00 00", "a@b.example, c@d.example", "x@y.example\r\nBcc: z@z.example"])
def test_a_contact_that_is_not_one_address_gets_no_mail(served, post, nadia, contact):
    conversation = request()
    conversations.give_contact(conversation, contact, True)
    inbox.take(conversation, nadia)
    inbox.write(conversation, nadia, "Bonjour")
    mail.send_due()
    assert [m["To"] for m in post.received] == ["accueil@brenoux.example"]


def test_erased_before_it_left_the_mail_does_not_leave(served, post):
    conversations.erase(request())
    assert mail.send_due() == 0 and not post.received


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"), [("smtp://h", 25, 0, 0), ("smtps://h", 465, 0, 1), ("smtp+tls://u:p%40@h:2525", 2525, 1, 0)]
)
def test_the_address_of_the_server(url, port, tls, ssl):
    found = mail_of(url, "a@b.example")
    assert (found["EMAIL_PORT"], found["EMAIL_USE_TLS"], found["EMAIL_USE_SSL"]) == (port, bool(tls), bool(ssl))
    assert found["EMAIL_HOST_PASSWORD"] == ("p@" if "p%40" in url else "")


@pytest.mark.parametrize(
    ("url", "sender"), [("http://h", "a@b.example"), ("smtp://", "a@b.example"), ("smtp://h:x", "a@b"), ("smtp://h", "")]
)
def test_half_a_setting_is_refused(url, sender):
    with pytest.raises(InvalidSetting):
        mail_of(url, sender)
