"""The same rows are imported once, however often and in whichever file they come; twins are sales of their own."""

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.support.ledgers import ROWS, SAMPLE, imported, read, written
from tests.support.shops import Shop, finished_upload, upload


def test_the_second_upload_of_the_same_file_adds_nothing(client: httpx.Client, shop: Shop) -> None:
    first, second = (imported(client, shop, SAMPLE) for _ in range(2))
    assert first.data["file_id"] != second.data["file_id"]
    assert (first.counts, second.counts) == ((2, 0, 0), (0, 2, 0))
    assert second.data["state"] == "completed"
    assert read(client, shop, "/api/transactions", second.position)["summary"]["total_revenue"] == 1800


def test_the_same_file_sent_twice_at_once_adds_its_rows_once(client: httpx.Client, shop: Shop) -> None:
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: upload(client, shop, written(ROWS)), range(3)))
    ended = [finished_upload(client, shop, answer.json()["data"]["file_id"]).json()["data"] for answer in answers]
    assert sorted(upload_["created"] for upload_ in ended) == [0, 0, 5]
    assert sorted(upload_["duplicates"] for upload_ in ended) == [0, 5, 5]


def test_twins_within_a_file_both_count_and_a_third_one_later_too(client: httpx.Client, shop: Shop) -> None:
    twin = ROWS[1]
    assert imported(client, shop, written([twin, twin])).counts == (2, 0, 0)
    assert imported(client, shop, written([twin])).counts == (0, 1, 0)
    assert imported(client, shop, written([twin] * 3)).counts == (1, 2, 0)
    last = imported(client, shop, written([twin] * 3))
    assert last.counts == (0, 3, 0)
    assert read(client, shop, "/api/transactions", last.position)["count"] == 3


def test_overlapping_ledgers_count_common_rows_once(client: httpx.Client, shop: Shop) -> None:
    assert imported(client, shop, written(ROWS[:3])).counts == (3, 0, 0)
    last = imported(client, shop, written(ROWS[1:]))
    assert last.counts == (2, 2, 0)
    assert read(client, shop, "/api/transactions", last.position)["count"] == len(ROWS)


def test_twins_are_imported_on_purpose_and_known_afterwards(client: httpx.Client, shop: Shop) -> None:
    content = written(ROWS)
    assert imported(client, shop, content).counts == (5, 0, 0)
    assert imported(client, shop, content, params={"dedupe": "off"}).counts == (5, 0, 0)
    assert imported(client, shop, content, params={"dedupe": "off"}).counts == (5, 0, 0)
    last = imported(client, shop, content)
    assert last.counts == (0, 5, 0)
    assert read(client, shop, "/api/transactions", last.position)["count"] == 15
    assert imported(client, shop, content, params={"dedupe": "on"}).counts == (0, 5, 0)


def test_rows_that_first_came_with_dedupe_off_are_known_afterwards(client: httpx.Client, shop: Shop) -> None:
    content = written(ROWS)
    assert imported(client, shop, content, params={"dedupe": "off"}).counts == (5, 0, 0)
    assert imported(client, shop, content).counts == (0, 5, 0)


def test_a_row_that_differs_in_one_cell_is_another_sale(client: httpx.Client, shop: Shop) -> None:
    imported(client, shop, written(ROWS))
    changes = [(0, "2025-10-02"), (1, "Tea"), (2, "3"), (3, "600.01"), (4, "Alia"), (5, "bKash")]
    for column, cell in changes:
        row = list(ROWS[0])
        row[column] = cell
        assert imported(client, shop, written([row])).counts == (1, 0, 0)
