"""Finds the modules of a side by role, so that a new domain is collected without being listed.

Only the named role is imported, in the order of module names.
"""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def modules_of(side: str, role: str) -> Iterator[ModuleType]:
    """Yield the modules `side/domain/[package/]<role>.py` and `<subject>_<role>.py`, imported."""
    for name in sorted(_names(side, list(import_module(side).__path__))):
        if name.rpartition(".")[2] == role or name.endswith(f"_{role}"):
            yield import_module(name)


def collected(side: str, role: str, attribute: str, kind: type[T]) -> list[T]:
    """Return an attribute of every module of a role; raises TypeError where it is missing or of another type."""
    found = []
    for module in modules_of(side, role):
        value = getattr(module, attribute, None)
        if not isinstance(value, kind):
            msg = f"{module.__name__}.{attribute} is not a {kind.__name__}"
            raise TypeError(msg)
        found.append(value)
    return found


def _names(package: str, paths: list[str], depth: int = 2) -> Iterator[str]:
    for module in iter_modules(paths):
        name = f"{package}.{module.name}"
        if not module.ispkg:
            yield name
        elif depth:
            yield from _names(name, [f"{path}/{module.name}" for path in paths], depth - 1)
