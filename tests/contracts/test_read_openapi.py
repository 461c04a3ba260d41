"""Every query is documented, guarded and shown by an example in the envelope."""

import httpx
import pytest

PATHS = (
    "/api/transactions",
    "/api/products",
    "/api/customers",
    "/api/business/profile",
    "/api/data/uploads",
    "/api/data/uploads/{file_id}",
    "/api/cashflow",
    "/api/cashflow/expenses",
    "/api/admin/health",
    "/api/recommendations",
    "/api/today",
)


@pytest.mark.parametrize("path", PATHS)
def test_a_query_without_a_token_is_not_answered(client: httpx.Client, path: str) -> None:
    answer = client.get(path.format(file_id="7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11"))
    assert (answer.status_code, answer.json()["error_code"]) == (401, "NOT_AUTHENTICATED")


@pytest.mark.parametrize("path", PATHS)
def test_a_query_has_an_example_and_names_its_refusals(client: httpx.Client, path: str) -> None:
    operation = client.get("/api/openapi.json").json()["paths"][path]["get"]
    shown = operation["responses"]["200"]["content"]["application/json"]["example"]
    assert shown["status"] == "success"
    assert shown["data"]
    assert {"NOT_AUTHENTICATED", "TOKEN_EXPIRED"} <= set(operation["x-error-codes"])
    if "admin" not in path:
        assert {"INVALID_POSITION", "PROJECTION_BEHIND", "PROJECTION_PARKED"} <= set(operation["x-error-codes"])


def test_the_parameters_of_a_list_are_documented(client: httpx.Client) -> None:
    parameters = client.get("/api/openapi.json").json()["paths"]["/api/transactions"]["get"]["parameters"]
    names = {parameter["name"] for parameter in parameters if parameter.get("in") == "query"}
    assert names == {
        "limit",
        "offset",
        "cursor",
        "format",
        "q",
        "product_id",
        "customer_id",
        "date_from",
        "date_to",
        "kind",
        "payment_method",
        "sort",
        "order",
    }


def test_probes_are_documented_where_they_have_no_envelope(client: httpx.Client) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    assert "/api/health" not in paths
    assert paths["/health"]["get"]["responses"]["503"]["content"]["application/json"]["example"] == {
        "status": "error",
        "failed_service": "redis",
    }
