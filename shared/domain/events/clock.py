"""What happens by itself: the day passes."""

import datetime as dt
from typing import ClassVar

from shared.domain.events.base import Event


class DayOpened(Event, frozen=True):
    """A day began in Asia/Dhaka, for every shop; the stream `days` holds each date at most once, in order."""

    topic: ClassVar[str] = "clock.DayOpened"
    date: dt.date
