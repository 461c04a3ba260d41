"""The example of an environment speaks of exactly the settings there are."""

import re

from tests.support.source_tree import ROOT, settings

# Read by compose.yaml, which makes DATABASE_URL and REDIS_URL of them.
OF_COMPOSE = {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}


def test_the_example_names_every_setting_and_nothing_else() -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    assert set(re.findall(r"^#?([A-Z_]+)=", example, flags=re.MULTILINE)) == settings() | OF_COMPOSE


def test_the_example_holds_no_secret() -> None:
    example = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text("utf-8"), flags=re.MULTILINE))
    filled = {name for name, value in example.items() if value and re.search("SECRET|PASSWORD|DSN", name)}
    assert filled == set()
