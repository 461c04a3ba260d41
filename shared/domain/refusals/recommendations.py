"""Refusals of recommendations."""

from shared.errors import InvalidRequest, NotFound, Refusal


class RecommendationNotFound(NotFound):
    """The business has no recommendation of this id."""

    text_key = "NOT_FOUND_RECOMMENDATION"


class ConfirmationMissing(InvalidRequest):
    """A recommendation is executed only with `confirmation` true."""

    text_key = "INVALID_REQUEST_CONFIRMATION"


class ActionNotModifiable(InvalidRequest):
    """`modified_action` has a key of another type of recommendation; params `fields`, `field`, `problem`."""

    text_key = "INVALID_REQUEST_FIELDS"


class AlreadyExecuted(Refusal):
    """The recommendation was executed before."""

    error_code = "ALREADY_EXECUTED"
    status = 409


class AlreadyDismissed(Refusal):
    """The owner dismissed the recommendation."""

    error_code = "ALREADY_DISMISSED"
    status = 409


class RecommendationOver(Refusal):
    """The recommendation has expired, or its reason no longer holds."""

    error_code = "RECOMMENDATION_EXPIRED"
    status = 409
