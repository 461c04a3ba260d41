"""The books of a shop as they stand for a day: its history without the entries of later business dates.

Events declare where their dates are (`Dated`, `About`). What declares nothing is knowledge, such as the profile of the
shop, and part of the books of every day.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import msgspec

from shared.eventstore.catalogue import CATALOGUE
from shared.eventstore.codec import RecordedEvent, encode
from shared.eventstore.event import About, Dated, Event
from shared.runtime.business_day import date_of

Subject = tuple[str, int]


class Books:
    """Cuts the history of one business to the books of `day`.

    A subject, such as a product, belongs to the books from the date of its first entry on; one without any entry always
    did. `begins` has those dates, `begin` is the first of all, None without entries. `rules_position` is the last
    position whose rules apply.
    """

    def __init__(self, day: dt.date, rules_position: int) -> None:
        """Begin with a history without entries; see `read`."""
        self.day = day
        self.rules_position = rules_position
        self.begins: dict[Subject, dt.date] = {}
        self.begin: dt.date | None = None
        self._same: list[list[Subject]] = []

    @staticmethod
    def topics() -> list[str]:
        """Return the topics of the events that `read` has to be given."""
        return [topic for topic, event in CATALOGUE.items() if _has_subjects(event)]

    def read(self, history: Iterable[RecordedEvent]) -> None:
        """Note when each subject has its first entry; to be called with the whole history before anything is cut.

        Subjects that turned out to be the same have one, also where it was recorded after that.
        """
        for recorded in history:
            books = recorded.event_class.books
            if isinstance(books, Dated) and books.subjects:
                self._note(recorded.event, books)
            elif isinstance(books, About) and books.same:
                ids = (getattr(recorded.event, books.id_field), *getattr(recorded.event, books.same))
                self._same.append([(books.subject, each) for each in ids])
        for subjects in self._same:
            if dates := [self.begins[subject] for subject in subjects if subject in self.begins]:
                self.begins |= dict.fromkeys(subjects, min(dates))

    def cut(self, recorded: RecordedEvent) -> RecordedEvent | None:
        """Return what the books have of an event: itself, without some of its lines or values, or None."""
        books = recorded.event_class.books
        if books is None:
            return recorded
        if isinstance(books, Dated) and books.field is None:
            return recorded if date_of(recorded.recorded_at) <= self.day else None
        event = recorded.event
        left = self._without_later_lines(event, books) if books.lines else self._part(event, books)
        if left is event:
            return recorded
        return None if left is None else recorded._replace(state=encode(left))

    def _without_later_lines(self, event: Event, books: Dated | About) -> Event | None:
        """Return the event without the lines dated later; None where none is left."""
        lines = getattr(event, str(books.lines))
        parts = [part for line in lines if (part := self._part(line, books)) is not None]
        if len(parts) == len(lines) and all(part is line for part, line in zip(parts, lines, strict=True)):
            return event
        return msgspec.structs.replace(event, **{str(books.lines): parts}) if parts else None

    def _part(self, entry: Any, books: Dated | About) -> Any:  # noqa: ANN401 - an event or one of its lines
        """Return an entry as the books have it: the same object if it is whole."""
        if isinstance(books, About):
            begin = self.begins.get((books.subject, getattr(entry, books.id_field)))
            return entry if begin is None or begin <= self.day else None
        date = getattr(entry, str(books.field))
        if date is None or date <= self.day:
            return entry
        return msgspec.structs.replace(entry, **dict.fromkeys(books.clears)) if books.clears else None

    def _note(self, event: Event, books: Dated) -> None:
        for entry in getattr(event, books.lines) if books.lines else (event,):
            date = getattr(entry, str(books.field))
            if date is None:
                continue
            if self.begin is None or date < self.begin:
                self.begin = date
            for name in books.subjects:
                subject = (name, getattr(entry, name))
                if date < self.begins.get(subject, dt.date.max):
                    self.begins[subject] = date


def _has_subjects(event: type[Event]) -> bool:
    books = event.books
    return bool(books.subjects) if isinstance(books, Dated) else isinstance(books, About) and bool(books.same)
