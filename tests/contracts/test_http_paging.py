from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.pagination import InvalidCursor, Page, decode_cursor, encode_cursor, page_links
from tests.support.example_app import ENGLISH_OWNER, application, bearer, serving
from tests.support.in_process import in_process

filters = st.dictionaries(st.sampled_from(["sort", "order", "date_from", "q"]), st.text(min_size=1, max_size=8))


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with in_process(application(), headers=bearer(ENGLISH_OWNER)) as http:
        yield http


@pytest.fixture(scope="module")
def wire() -> Iterator[httpx.Client]:
    with serving(application()) as http:
        http.headers.update(bearer(ENGLISH_OWNER))
        yield http


def refused(answer: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["error_code"]) == (400, "INVALID_QUERY"), answer.text
    assert body["suggestions"]
    return body


def test_the_next_link_is_as_short_as_can_be(client: httpx.Client) -> None:
    data = client.get("/api/sales").json()["data"]
    assert (data["next"], data["previous"]) == ("/api/sales?offset=50", None)


def test_links_keep_filters_and_an_unusual_limit(client: httpx.Client) -> None:
    data = client.get("/api/sales?offset=60&sort=amount&limit=30").json()["data"]
    assert data["next"] == "/api/sales?sort=amount&limit=30&offset=90"
    assert data["previous"] == "/api/sales?sort=amount&limit=30&offset=30"


def test_the_first_page_is_linked_without_an_offset(client: httpx.Client) -> None:
    assert client.get("/api/sales?offset=20").json()["data"]["previous"] == "/api/sales"


def test_the_last_page_has_no_next(client: httpx.Client) -> None:
    assert client.get("/api/sales?offset=1200").json()["data"]["next"] is None
    assert client.get("/api/sales?offset=1199").json()["data"]["next"] == "/api/sales?offset=1249"
    assert client.get("/api/sales?offset=5000").json()["data"]["next"] is None


def test_links_can_be_followed_through_the_whole_list(wire: httpx.Client) -> None:
    path, pages = "/api/sales?limit=100&sort=amount", 0
    while path:
        path, pages = wire.get(path).json()["data"]["next"], pages + 1
    assert pages == 13


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=1.5", "limit"),
        ("limit=", "limit"),
        ("limit=%E0%A7%AB", "limit"),
        ("offset=-1", "offset"),
        ("offset=x", "offset"),
        ("sort=price", "sort"),
        ("offset=10&cursor=abc", "offset"),
    ],
)
def test_values_out_of_bounds_are_refused_by_name(client: httpx.Client, query: str, parameter: str) -> None:
    assert refused(client.get(f"/api/sales?{query}"))["details"]["parameter"] == parameter


def test_an_offset_too_large_is_refused_in_favour_of_the_cursor(client: httpx.Client) -> None:
    assert client.get("/api/sales?offset=100000").status_code == 200
    for offset in (100001, 10**17):
        assert "cursor" in refused(client.get(f"/api/sales?offset={offset}"))["suggestions"][0]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/api/sales", ["cursor", "limit", "offset", "sort"]), ("/api/strict", ["low_stock_only"])],
)
def test_an_unknown_parameter_is_refused_and_the_known_ones_named(
    client: httpx.Client, path: str, allowed: list[str]
) -> None:
    body = refused(client.get(f"{path}?payment=cash"))
    assert body["details"] == {"parameter": "payment", "allowed": allowed}
    assert all(name in body["suggestions"][0] for name in allowed)


@pytest.mark.parametrize("query", ["low_stock_only=true&low_stock_only=false", "low_stock_only=", "low_stock_only=1"])
def test_a_route_without_a_query_model_refuses_repeated_and_empty_parameters(client: httpx.Client, query: str) -> None:
    assert client.get("/api/strict?low_stock_only=true").json()["data"] == {"low": "true"}
    assert refused(client.get(f"/api/strict?{query}"))["details"]["parameter"] == "low_stock_only"


@pytest.mark.parametrize("query", ["a=%", "a=%zz", "a=%4", "a=%ff", "a=%c3%28", "limit=1%00", "%00=1", "a=%ed%a0%80"])
def test_queries_that_are_no_text_are_refused(client: httpx.Client, query: str) -> None:
    refused(client.get(f"/api/strict?{query}"))


def test_no_route_ever_sees_a_nul(client: httpx.Client) -> None:
    refused(client.get("/api/public?q=a%00b"))


@pytest.mark.parametrize("path", ["/api/sales/%", "/api/sales/%zz", "/api/sales/%ff", "/api/sales/%00", "/%c3%28"])
def test_addresses_that_are_no_text_are_refused(wire: httpx.Client, path: str) -> None:
    # The server itself may refuse a path before the application sees it.
    answer = wire.get(httpx.URL(f"{wire.base_url}/").copy_with(raw_path=path.encode()))
    assert answer.status_code == 400


@pytest.mark.parametrize("value", ["0", "-1", "abc", "9223372036854775808", "1.5", "1e3", "%E0%A7%AB"])
def test_a_public_id_is_a_positive_number_a_database_can_hold(client: httpx.Client, value: str) -> None:
    assert client.get(f"/api/sales/{value}").status_code == 400
    assert client.get("/api/sales/9223372036854775807").status_code == 200


@given(filters, st.integers(1, 100), st.integers(0, 1000), st.integers(0, 2000))
def test_pages_linked_by_offset_cover_the_list_once(
    params: dict[str, str], limit: int, offset: int, count: int
) -> None:
    page = Page(limit, offset)
    following, previous = page_links("/api/x", params, page, count)
    for link, expected in ((following, offset + limit), (previous, max(offset - limit, 0))):
        if link is None:
            continue
        read = {name: values[0] for name, values in parse_qs(urlsplit(link).query, strict_parsing=False).items()}
        assert int(read.pop("offset", 0)) == expected
        assert int(read.pop("limit", 20)) == limit
        assert read == params
    assert (following is not None) == (offset + limit < count)
    assert (previous is not None) == (offset > 0)


def test_past_the_offsets_the_cursor_goes_on() -> None:
    last = Page(100, 100_000)
    assert page_links("/api/x", {}, last, 200_000).next is None
    following = page_links("/api/x", {"sort": "date"}, last, 200_000, next_cursor="abc").next
    assert following == "/api/x?sort=date&limit=100&cursor=abc"
    by_cursor = page_links("/api/x", {"cursor": "abc"}, Page(20, cursor="abc"), 200_000, next_cursor="def")
    assert by_cursor == ("/api/x?cursor=def", None)
    assert page_links("/api/x", {"cursor": "abc"}, Page(20, cursor="abc"), 200_000) == (None, None)


values = (
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
)


@given(st.lists(values, min_size=1, max_size=4).map(tuple))
def test_a_cursor_gives_back_what_it_was_made_of(sort_values: tuple[Any, ...]) -> None:
    cursor = encode_cursor(sort_values)
    assert decode_cursor(cursor) == sort_values
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=60))
def test_a_made_up_cursor_is_refused_or_harmless(cursor: str) -> None:
    try:
        decoded = decode_cursor(cursor, str, int)
    except InvalidCursor:
        return
    assert [type(value) for value in decoded] == [str, int]


@pytest.mark.parametrize(
    ("sort_values", "types"),
    [(("a", 1), (str, str)), (("a",), (str, int)), (("a", 1, 2), (str, int)), ((2**70, 1), ())],
)
def test_a_cursor_of_another_list_is_refused(sort_values: tuple[Any, ...], types: tuple[type, ...]) -> None:
    with pytest.raises((InvalidCursor, TypeError)):
        decode_cursor(encode_cursor(sort_values), *types)
