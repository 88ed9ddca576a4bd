"""Finding entries of the journal: by event, person, period and words. For the reader's page and its export."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from bocage.journal.models import Entry
from bocage.journal.sentences import KINDS, label

# No entry is older nor newer: days beyond these mean these, since no clock converts the first and the last day that a calendar knows.
_OLDEST, _NEWEST = date(1970, 1, 1), date(2970, 1, 1)


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; days are those of the organisation's clock, both included."""

    event: str = ""
    person: str = ""
    first: date | None = None
    last: date | None = None
    words: str = ""
    zone: str = "Europe/Paris"

    def entries(self) -> QuerySet[Entry]:
        """The entries found, newest first."""
        found = Entry.objects.order_by("-sequence")
        if self.event:
            found = found.filter(event=self.event)
        if self.person:
            found = found.filter(actor_name=self.person)
        if self.first:
            found = found.filter(time__gte=self._bound(_within(self.first)))
        if self.last:
            found = found.filter(time__lt=self._bound(_within(self.last) + timedelta(days=1)))
        for word in self.words.split()[:10]:
            # The label of an event is not in the database: a word of it finds the events that bear it.
            events = [event for event, kind in KINDS.items() if word.lower() in kind.label.lower()]
            found = found.filter(
                Q(content__icontains=word) | Q(actor_name__icontains=word) | Q(event__icontains=word) | Q(event__in=events)
            )
        return found

    def _bound(self, day: date) -> str:
        return datetime.combine(day, time(), ZoneInfo(self.zone)).astimezone(UTC).isoformat(timespec="microseconds")


def _within(day: date) -> date:
    return max(_OLDEST, min(day, _NEWEST))


def events_used() -> list[tuple[str, str]]:
    """Codes and labels of the events that the journal holds, by label."""
    codes = Entry.objects.order_by().values_list("event", flat=True).distinct()
    return sorted(((code, label(code)) for code in codes), key=lambda pair: pair[1])


def persons_used() -> list[str]:
    """The names that the journal holds."""
    return sorted(Entry.objects.order_by().values_list("actor_name", flat=True).distinct())
