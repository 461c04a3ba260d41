"""Refusals of recommendations."""

from shared.errors import InvalidRequest, NotFound, Refusal


class RecommendationNotFound(NotFound):
    """The business has no recommendation of this id."""

    text_key = "NOT_FOUND_RECOMMENDATION"


class ConfirmationMissing(InvalidRequest):
    """Only what is confirmed is executed."""

    text_key = "INVALID_REQUEST_CONFIRMATION"


class AlreadyExecuted(Refusal):
    """The recommendation was executed before."""

    error_code = "ALREADY_EXECUTED"
    status = 409


class AlreadyDismissed(Refusal):
    """The owner dismissed the recommendation."""

    error_code = "ALREADY_DISMISSED"
    status = 409


class RecommendationOver(Refusal):
    """The recommendation's time has passed, or its reason is gone."""

    error_code = "RECOMMENDATION_EXPIRED"
    status = 409
