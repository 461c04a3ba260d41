"""Which rules shops are judged by: parameters are facts of the log, as what is sold."""

from typing import ClassVar

from shared.domain.events.base import Event


class RuleActivated(Event, frozen=True):
    """From here on a rule holds with these parameters, for every shop; the stream `rules` holds them in order.

    `version` names the parameters, the same wherever they are the same: `rfm.v1`, `rfm.v1.3`. `by` is who chose them.
    """

    topic: ClassVar[str] = "rules.RuleActivated"
    rule: str
    version: str
    parameters: dict[str, int | float | list[int]]
    by: str | None = None
