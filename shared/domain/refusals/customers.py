"""Refusals of customers."""

from shared.errors import InvalidRequest, NotFound, Refusal


class CustomerNotFound(NotFound):
    """This business has no such customer."""

    text_key = "NOT_FOUND_CUSTOMER"


class SameCustomer(InvalidRequest):
    """A customer cannot be merged into itself."""

    text_key = "INVALID_REQUEST_SAME_CUSTOMER"


class CustomerTaken(Refusal):
    """Ledgers find another customer by this name or phone."""

    error_code = "CUSTOMER_TAKEN"
    status = 409


class CustomerMerged(Refusal):
    """The customer goes on under another id; params `survivor`."""

    error_code = "CUSTOMER_MERGED"
    status = 409


class CustomerErased(Refusal):
    """The customer's personal data was erased; nothing new is recorded about the person under this id."""

    error_code = "CUSTOMER_ERASED"
    status = 409
