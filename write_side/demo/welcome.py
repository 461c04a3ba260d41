"""The demo shop of one machine: opened at the first start of an installation; every start prints its login."""

from collections.abc import Callable, Mapping

import psycopg

from shared.eventstore.store import EventStore, Metadata, StoreError
from shared.runtime import local_state
from shared.runtime.container import Container
from shared.runtime.settings import Settings
from write_side.demo.handlers import USUAL_SEED, DemoAccount, open_demo, open_demos, wait_until_shown
from write_side.identity.credentials import accounts

_SHOWN_WITHIN_SECONDS = 120.0
_EMAIL, _PASSWORD = "DEMO_EMAIL", "DEMO_PASSWORD"
_LOGIN = """
  Demo shop      e-mail    {email}
                 password  {password}
                 {note}
"""
_OPENING = "  Demo shop      is being filled with six months of sales of a grocery in Dhaka…"
_COMPLETE = "six months of sales that end today"
_OLDER = "from an earlier start; `smartmarket demo reset` opens a new one that ends today"
_INCOMPLETE = "still being filled by the worker; log in a little later"
_LOGIN_UNKNOWN = "\n  Demo shop      exists; `smartmarket demo reset` opens a new one and prints its login\n"
_FAILED = "\n  Demo shop      could not be opened: {reason}\n                 Try `smartmarket demo seed`.\n"

Say = Callable[[str], None]


def introduce(container: Container, say: Say, stopped: Callable[[], bool]) -> None:
    """Print how to log in to the demo shop, after opening one if there is none; returns early once `stopped`.

    In development the login is kept in the data folder, readable by this account alone.
    """
    try:
        store = container.store(pool_size=2)
        try:
            _introduce(container, store, say, stopped)
        finally:
            store.close()
    except (psycopg.Error, StoreError, OSError) as error:
        if not stopped():
            say(_FAILED.format(reason=error))


def keep_login(settings: Settings, demo: DemoAccount) -> None:
    """Keep the login for the next start, if `smartmarket up` has been started in this data folder before."""
    if settings.env == "development" and local_state.stored(settings.data_dir):
        local_state.store(settings.data_dir, {_EMAIL: demo.email, _PASSWORD: demo.password})


def _introduce(container: Container, store: EventStore, say: Say, stopped: Callable[[], bool]) -> None:
    kept = local_state.stored(container.settings.data_dir)
    demos = open_demos(store)
    if _logs_in_to_one_of(store, kept, demos):
        say(_LOGIN.format(email=kept[_EMAIL], password=kept[_PASSWORD], note=_OLDER))
    elif demos:
        say(_LOGIN_UNKNOWN)
    else:
        say(_OPENING)
        demo = open_demo(store, container.files(store), USUAL_SEED, Metadata(actor="operator"))
        keep_login(container.settings, demo)
        _print_login(store, demo, say, stopped)


def _print_login(store: EventStore, demo: DemoAccount, say: Say, stopped: Callable[[], bool]) -> None:
    """Wait until the shop is filled, then print its login."""
    complete = wait_until_shown(store, demo.business_id, _SHOWN_WITHIN_SECONDS, stopped) is not None
    if not stopped():
        note = _COMPLETE if complete else _INCOMPLETE
        say(_LOGIN.format(email=demo.email, password=demo.password, note=note))


def _logs_in_to_one_of(store: EventStore, kept: Mapping[str, str], demos: list[int]) -> bool:
    """Return whether the kept login is that of one of these demo shops, and not of another database's."""
    if _EMAIL not in kept or _PASSWORD not in kept:
        return False
    account = accounts.by_email(store, accounts.email_key(store, kept[_EMAIL]))
    return account is not None and account.business_id in demos
