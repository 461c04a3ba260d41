"""The demo shop of one machine: opened once, when a house starts for the first time, and introduced at every start."""

from collections.abc import Callable, Mapping

import psycopg

from shared.eventstore.store import EventStore, Metadata, StoreError
from shared.runtime import local_state
from shared.runtime.container import Container
from shared.runtime.settings import Settings
from write_side.demo.handlers import USUAL_SEED, DemoAccount, open_demo, open_demos, wait_until_shown
from write_side.identity.credentials import accounts

_PATIENCE = 120.0
_EMAIL, _PASSWORD = "DEMO_EMAIL", "DEMO_PASSWORD"
_LOGIN = """
  Demo shop      e-mail    {email}
                 password  {password}
                 {more}
"""
_PREPARING = "  Demo shop      is being prepared: six months of a grocery in Dhaka…"
_SHOWN = "six months that end today"
_KEPT = "from an earlier start; `smartmarket demo reset` makes a new one that ends today"
_UNKNOWN = "\n  Demo shop      exists; `smartmarket demo reset` makes a new one and tells its login\n"
_LATE = "still being furnished by the worker; log in a little later"
_FAILED = "\n  Demo shop      could not be prepared: {reason}\n                 try `smartmarket demo seed`\n"

Say = Callable[[str], None]


def introduce(container: Container, say: Say, stopped: Callable[[], bool]) -> None:
    """Say how to log in to the demo shop, after opening it where there is none; gives up once `stopped`.

    In development the login is kept in the data folder, for this account's eyes only.
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
    """Let the next start of this machine's own house tell this login; nothing where there is no such house."""
    if settings.env == "development" and local_state.remembered(settings.data_dir):
        local_state.remember(settings.data_dir, {_EMAIL: demo.email, _PASSWORD: demo.password})


def _introduce(container: Container, store: EventStore, say: Say, stopped: Callable[[], bool]) -> None:
    known = local_state.remembered(container.settings.data_dir)
    there = open_demos(store)
    if _leads_to_one_of(store, known, there):
        say(_LOGIN.format(email=known[_EMAIL], password=known[_PASSWORD], more=_KEPT))
    elif there:
        say(_UNKNOWN)
    else:
        say(_PREPARING)
        demo = open_demo(store, container.files(store), USUAL_SEED, Metadata(actor="operator"))
        keep_login(container.settings, demo)
        _show(store, demo, say, stopped)


def _show(store: EventStore, demo: DemoAccount, say: Say, stopped: Callable[[], bool]) -> None:
    shown = wait_until_shown(store, demo.business_id, _PATIENCE, stopped) is not None
    if not stopped():
        say(_LOGIN.format(email=demo.email, password=demo.password, more=_SHOWN if shown else _LATE))


def _leads_to_one_of(store: EventStore, known: Mapping[str, str], demos: list[int]) -> bool:
    """Tell whether the login that is kept is that of one of the demo shops, and not of another database's."""
    if _EMAIL not in known or _PASSWORD not in known:
        return False
    account = accounts.by_email(store, accounts.email_key(store, known[_EMAIL]))
    return account is not None and account.business_id in demos
