"""Refusals of admin."""

from shared.errors import InvalidRequest, NotFound, Refusal


class RuleNotFound(NotFound):
    """There is no rule of this name; params `allowed`."""

    text_key = "NOT_FOUND_RULE"


class InvalidRule(Refusal):
    """A rule, a version of one, or a value for one of its parameters is none that may be chosen.

    Params `rule`, `allowed`.
    """

    error_code = "INVALID_RULE"
    status = 400


class NotParked(Refusal):
    """No projection has this business parked."""

    error_code = "NOT_PARKED"
    status = 409


class DemoNotAllowed(Refusal):
    """This house keeps no demo shops."""

    error_code = "DEMO_NOT_ALLOWED"
    status = 403


class NotADemo(Refusal):
    """The shop is somebody's own."""

    error_code = "NOT_A_DEMO"
    status = 409


class ReplayBeforeShop(InvalidRequest):
    """At that moment the shop was not yet opened; params `opened`."""

    error_code = "REPLAY_BEFORE_SHOP"
