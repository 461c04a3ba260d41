from collections.abc import Iterator

import pytest

from tests.support.log_facts import empty
from tests.support.servers import Services, drop_database, fresh_database


@pytest.fixture(scope="package")
def database_of_package(services: Services, template: str) -> Iterator[str]:
    url = fresh_database(services.database_url, template)
    yield url
    drop_database(url)


@pytest.fixture
def database_url(database_of_package: str) -> str:
    """A database for each test in turn, emptied before: much sooner there than one of its own."""
    empty(database_of_package)
    return database_of_package
