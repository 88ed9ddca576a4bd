"""Figures kept in memory for as long as the journal stands where it stood when they were counted.

Every fact of an organisation leaves its entry in the same transaction (rule 8): while the head has not moved, a count over three years of
runs and decisions would say the same. Another process keeps its own; nothing here outlives it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Any, ParamSpec, TypeVar, cast

from django.utils import timezone

from bocage.journal.models import Head
from bocage.organisations.tenancy import current_organisation_id

_Asked = ParamSpec("_Asked")
_Counted = TypeVar("_Counted")
_MOST = 1024
_kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
_lock = Lock()


def while_the_journal_stands(count: Callable[_Asked, _Counted]) -> Callable[_Asked, _Counted]:
    """``count``, a function of the organisation in context and of hashable arguments, counted again only when the journal has moved.

    What it returns is shared by all who ask: it must not be changed. Before its first entry, a journal proves nothing: always counted.
    """

    @wraps(count)
    def remembered(*args: _Asked.args, **kwargs: _Asked.kwargs) -> _Counted:
        # Read before counting: what is counted is then at least as new as the head that it is kept under.
        head = Head.objects.values_list("hash", flat=True).filter(sequence__gt=0).first()
        if head is None:
            return count(*args, **kwargs)
        zone = timezone.get_current_timezone_name()
        key = (count.__qualname__, current_organisation_id(), zone, args, *sorted(kwargs.items()))
        with _lock:
            if key in _kept and _kept[key][0] == head:
                _kept.move_to_end(key)
                return cast(_Counted, _kept[key][1])
        counted = count(*args, **kwargs)
        with _lock:
            _kept[key] = (head, counted)
            _kept.move_to_end(key)
            while len(_kept) > _MOST:
                _kept.popitem(last=False)
        return counted

    return remembered
