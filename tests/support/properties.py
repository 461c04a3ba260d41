"""How often costly tests try: less in `make test`, more in the nightly run."""

import os


def examples(usual: int) -> int:
    """Return how many: `usual` of them, twenty times as many in the nightly run."""
    return usual * int(os.environ.get("SMARTMARKET_EXAMPLES", "1"))


def kills(usual: int) -> int:
    """Return how often a test kills: `usual` times where SMARTMARKET_FAULT_KILLS is 10 or unset, else in proportion."""
    return max(1, usual * int(os.environ.get("SMARTMARKET_FAULT_KILLS", "10")) // 10)
