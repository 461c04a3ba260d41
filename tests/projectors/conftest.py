from collections.abc import Iterator

import pytest

from tests.projectors.world import World
from tests.services import Services, drop_database, fresh_database


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """A database of the test's own, with an empty log."""
    opened = World(database_url)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shared_world(services: Services, template: str) -> Iterator[World]:
    """A database for tests that take businesses of their own."""
    url = fresh_database(services.database_url, template)
    opened = World(url)
    yield opened
    opened.close()
    drop_database(url)
