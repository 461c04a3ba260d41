"""How many examples a costly property is tried on."""

import os


def examples(usual: int) -> int:
    """Return how many: `usual` of them, ten times as many in the nightly run."""
    return usual * int(os.environ.get("SMARTMARKET_EXAMPLES", "1"))
