"""An operator of the running application."""

import datetime as dt
import uuid
from functools import lru_cache

from shared.eventstore.command import CommandContext
from shared.eventstore.store import Metadata
from shared.http.tokens import TokenProvider
from shared.runtime.container import Container
from shared.runtime.settings import Settings
from write_side.identity.credentials import accounts
from write_side.identity.session_handlers import Sessions
from write_side.identity.staff_handlers import create_staff


def staff_headers(settings: Settings) -> dict[str, str]:
    """Return the headers of an operator's requests; one operator per database, who is logged in."""
    assert settings.database_url
    return {"Authorization": f"Bearer {_token(settings.database_url, settings.secret_key, settings.jwt_secret)}"}


@lru_cache(maxsize=8)
def _token(database_url: str, secret_key: str, jwt_secret: str) -> str:
    settings = Settings(database_url=database_url, secret_key=secret_key, jwt_secret=jwt_secret)
    store = Container(settings).store(pool_size=2)
    try:
        user_id = create_staff(store, f"operator-{uuid.uuid4().hex[:12]}@smartmarket.bd", "Rina", "SecurePass123", "en")
        account = accounts.by_id(store, user_id)
        assert account is not None
        ctx = CommandContext(store, None, Metadata())
        begun = Sessions(ctx, TokenProvider(settings), dt.datetime.now(dt.UTC)).begin(account)
        return begun.data.tokens.access_token
    finally:
        store.close()
