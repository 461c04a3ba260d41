"""The event classes by topic. Packages of events register themselves when they are imported."""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from shared.eventstore import system_events
from shared.eventstore.event import Event

CATALOGUE: dict[str, type[Event]] = {}


class DuplicateTopic(RuntimeError):
    """Two event classes have the same topic."""


def register(module: ModuleType) -> None:
    """Add the event classes that a module defines. Raises DuplicateTopic."""
    classes = [c for c in vars(module).values() if isinstance(c, type) and issubclass(c, Event) and c.topic]
    for cls in (c for c in classes if c.__module__ == module.__name__):
        if CATALOGUE.setdefault(cls.topic, cls) is not cls:
            raise DuplicateTopic(cls.topic)


def register_package(name: str, paths: list[str]) -> None:
    """Add the event classes of every module of a package, of which the arguments are `__name__` and `__path__`."""
    for module in sorted(found.name for found in iter_modules(paths)):
        register(import_module(f"{name}.{module}"))


register(system_events)
