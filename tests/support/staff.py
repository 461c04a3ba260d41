"""An operator of the running application."""

import datetime as dt

from shared.http.tokens import Principal, TokenProvider
from shared.runtime.settings import Settings

OPERATOR = Principal(900_001, None, is_staff=True, language="en", family="f")


def staff_headers(settings: Settings) -> dict[str, str]:
    """Return the headers of an operator's requests."""
    return {"Authorization": f"Bearer {TokenProvider(settings).access(OPERATOR, dt.datetime.now(dt.UTC))}"}
