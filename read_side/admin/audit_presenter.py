"""Audit actions: the events that record them, and the resource each concerns."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Action(NamedTuple):
    """An action: its name, the type of its resource, and the field of the event with the resource's id."""

    name: str
    resource: str
    id_field: str
    status: str = "success"


ACTIONS: Mapping[str, Action] = {
    "identity.UserRegistered": Action("register", "user", "user_id"),
    "identity.StaffCreated": Action("staff_create", "user", "user_id"),
    "identity.LoggedIn": Action("login", "session", "family"),
    "identity.LoginsRefused": Action("login", "source", "source", "refused"),
    "identity.LoggedOut": Action("logout", "session", "family"),
    "identity.SessionsRevoked": Action("sessions_revoke", "user", "user_id"),
    "identity.PasswordChanged": Action("password_change", "user", "user_id"),
    "identity.PasswordResetRequested": Action("password_reset_request", "user", "user_id"),
    "identity.UserProfileChanged": Action("profile_change", "user", "user_id"),
    "identity.BusinessProfileChanged": Action("profile_change", "business", "business_id"),
    "identity.BusinessClosed": Action("business_close", "business", "business_id"),
    "sales.UploadAccepted": Action("csv_upload", "upload", "file_id"),
    "sales.ReceiptStored": Action("receipt_upload", "receipt", "image_id"),
    "sales.SaleRecorded": Action("sale_create", "transaction", "tx"),
    "sales.SaleVoided": Action("sale_void", "transaction", "tx"),
    "inventory.ProductDetailsChanged": Action("product_change", "product", "product_id"),
    "inventory.StockMoved": Action("stock_move", "product", "product_id"),
    "customers.CustomerDetailsChanged": Action("customer_change", "customer", "customer_id"),
    "customers.CustomersMerged": Action("customer_merge", "customer", "customer_id"),
    "cashflow.CashSettingsChanged": Action("cash_settings_change", "business", "business_id"),
    "cashflow.ExpenseRecorded": Action("expense_create", "expense", "expense_id"),
    "cashflow.ExpenseEnded": Action("expense_end", "expense", "expense_id"),
    "cashflow.CollectionRecorded": Action("collection_create", "collection", "collection_id"),
    "forecasting.ForecastsRequested": Action("forecast_request", "forecast_run", "run_id"),
    "recommendations.RecommendationViewed": Action("recommendation_view", "recommendation", "recommendation_id"),
    "recommendations.RecommendationExecuted": Action("recommendation_execute", "recommendation", "recommendation_id"),
    "recommendations.RecommendationDismissed": Action("recommendation_dismiss", "recommendation", "recommendation_id"),
    "demo.DemoShopOpened": Action("demo_seed", "business", "business_id"),
    "jobs.JobRetried": Action("job_retry", "job", "job_id"),
}
# Recorded by the system itself; of all other topics only the events of users and operators are audited.
SYSTEM_TOPICS = ("identity.LoginsRefused",)
NAMES = sorted({action.name for action in ACTIONS.values()})
# Fields with personal data or secrets, and technical fields.
_HIDDEN = {"sealed", "email_key", "keys", "fingerprint", "fingerprints", "families", "skipped", "reused"}


def topics_of(name: str | None) -> list[str]:
    """Return the topics of an action, of all actions if it is None."""
    return [topic for topic, action in ACTIONS.items() if name in {None, action.name}]


def details(action: Action, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an event except the id of the resource and hidden fields."""
    return {key: value for key, value in data.items() if key not in {*_HIDDEN, action.id_field} and value is not None}
