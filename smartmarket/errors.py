"""What a command prints when it cannot be carried out: the cause and the way out, on stderr, without a traceback."""

import os
import sys
from dataclasses import dataclass

import typer
from typer.exceptions import TyperException


@dataclass(frozen=True)
class CommandRefused:
    """The lines to print, if any, and the exit code: 1 refused or failed, 2 wrong usage, 130 interrupted."""

    lines: tuple[str, ...] = ()
    exit_code: int = 1


def refusal(error: Exception) -> CommandRefused | None:
    """Return what to print for an error that the user can do something about, None for any other."""
    if isinstance(error, BrokenPipeError):
        return CommandRefused()  # whoever closed our output knows
    if isinstance(error, typer.Abort):
        return CommandRefused(exit_code=130)
    if isinstance(error, TyperException):
        return _wrong_usage(error)
    lines = _cannot_start(error) or _refused(error) or _database(error)
    return CommandRefused(lines) if lines else None


def write(refused: CommandRefused) -> None:
    """Print the lines to stderr, and leave nothing in stdout that the interpreter would fail to flush at its end."""
    for line in refused.lines:
        print(f"smartmarket: {line}", file=sys.stderr)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _wrong_usage(error: TyperException) -> CommandRefused:
    message = " ".join(error.format_message().split()).rstrip(".")
    if not message:  # the help has been printed already
        return CommandRefused((), error.exit_code)
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "smartmarket"
    return CommandRefused((f"{message}. See `{command} --help`.",), error.exit_code)


def _cannot_start(error: Exception) -> tuple[str, ...]:
    from shared.embedded.program import EmbeddedServerError
    from shared.runtime.errors import CannotStart
    from shared.runtime.settings import BadSettings

    if isinstance(error, BadSettings):
        return tuple(f"{name}: {reason}" for name, reason in error.problems)
    return (str(error),) if isinstance(error, CannotStart | EmbeddedServerError) else ()


def _refused(error: Exception) -> tuple[str, ...]:
    from shared.errors import Refusal
    from shared.texts import rendered, text

    if not isinstance(error, Refusal):
        return ()
    said = text(error.text_key, "en", **rendered({**error.details, **error.params}, "en"))
    return (" ".join([said.message, *said.suggestions]),)


def _database(error: Exception) -> tuple[str, ...]:
    import psycopg

    from shared.eventstore.store import StoreError
    from shared.postgres.database import NOT_MIGRATED

    cause = " ".join(str(error).split())
    if isinstance(error, NOT_MIGRATED) or isinstance(error.__cause__, NOT_MIGRATED):
        return (f"The database is not that of this release: run `smartmarket migrate` first. {cause}",)
    if isinstance(error, psycopg.OperationalError | StoreError):
        return (f"The database of DATABASE_URL does not answer. Is it running (`smartmarket up`)? {cause}",)
    return ()
