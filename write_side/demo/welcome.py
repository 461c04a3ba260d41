"""The demo shop of one machine: opened at the first start of an installation; every start prints its login."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psycopg

from shared.eventstore.store import EventStore, Metadata, StoreError
from shared.runtime import local_state
from shared.runtime.container import Container
from shared.runtime.settings import Settings
from write_side.demo.handlers import USUAL_SEED, DemoAccount, open_demo, open_demos, wait_until_shown
from write_side.identity.credentials import accounts
from write_side.identity.login_links_handlers import VALID, new_link

_SHOWN_WITHIN_SECONDS = 120.0
_EMAIL, _PASSWORD = "DEMO_EMAIL", "DEMO_PASSWORD"
_LOGIN = """
  Demo shop      {link}e-mail    {email}
                 password  {password}
                 {note}
"""
_LINK = """{url}/#login={code}
                 logs in once, within {minutes} minutes; or with
                 """
_OPENING = "  Demo shop      is being filled with six months of sales of a grocery in Dhaka…"
_COMPLETE = "six months of sales that end today"
_OLDER = "from an earlier start; `smartmarket demo reset` opens a new one that ends today"
_INCOMPLETE = "still being filled by the worker; log in a little later"
_LOGIN_UNKNOWN = "\n  Demo shop      exists; `smartmarket demo reset` opens a new one and prints its login\n"
_FAILED = "\n  Demo shop      could not be opened: {reason}\n                 Try `smartmarket demo seed`.\n"

Say = Callable[[str], None]


def introduce(container: Container, url: str, say: Say, stopped: Callable[[], bool]) -> None:
    """Print how to log in to the demo shop, after opening one if there is none; returns early once `stopped`.

    In development the login is kept in the data folder, readable by this account alone, and a link to `url`, where the
    app is, logs in once.
    """
    try:
        store = container.store(pool_size=2)
        try:
            _introduce(container, store, _Door(store, container.settings, url, say), stopped)
        finally:
            store.close()
    except (psycopg.Error, StoreError, OSError) as error:
        if not stopped():
            say(_FAILED.format(reason=error))


def keep_login(settings: Settings, demo: DemoAccount) -> None:
    """Keep the login for the next start, if `smartmarket up` has been started in this data folder before."""
    if settings.env == "development" and local_state.stored(settings.data_dir):
        local_state.store(settings.data_dir, {_EMAIL: demo.email, _PASSWORD: demo.password})


@dataclass(frozen=True)
class _Door:
    """Prints how to log in to a demo shop."""

    store: EventStore
    settings: Settings
    url: str
    say: Say

    def show(self, email: str, password: str, note: str) -> None:
        """Print the link, where links are allowed, and the login."""
        account = accounts.by_email(self.store, accounts.email_key(self.store, email))
        code = new_link(self.store, self.settings, account.user_id) if account else None
        minutes = int(VALID.total_seconds()) // 60
        link = _LINK.format(url=self.url, code=code, minutes=minutes) if code else ""
        self.say(_LOGIN.format(link=link, email=email, password=password, note=note))


def _introduce(container: Container, store: EventStore, door: _Door, stopped: Callable[[], bool]) -> None:
    kept = local_state.stored(container.settings.data_dir)
    demos = open_demos(store)
    if _logs_in_to_one_of(store, kept, demos):
        door.show(kept[_EMAIL], kept[_PASSWORD], _OLDER)
    elif demos:
        door.say(_LOGIN_UNKNOWN)
    else:
        door.say(_OPENING)
        demo = open_demo(store, container.files(store), USUAL_SEED, Metadata(actor="operator"))
        keep_login(container.settings, demo)
        _print_login(demo, door, stopped)


def _print_login(demo: DemoAccount, door: _Door, stopped: Callable[[], bool]) -> None:
    """Wait until the shop is filled, then print its login."""
    complete = wait_until_shown(door.store, demo.business_id, _SHOWN_WITHIN_SECONDS, stopped) is not None
    if not stopped():
        door.show(demo.email, demo.password, _COMPLETE if complete else _INCOMPLETE)


def _logs_in_to_one_of(store: EventStore, kept: Mapping[str, str], demos: list[int]) -> bool:
    """Return whether the kept login is that of one of these demo shops, and not of another database's."""
    if _EMAIL not in kept or _PASSWORD not in kept:
        return False
    account = accounts.by_email(store, accounts.email_key(store, kept[_EMAIL]))
    return account is not None and account.business_id in demos
