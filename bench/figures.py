"""A measured figure: its rounds, the baseline's rounds, and the target both are held against."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a figure must keep: bounds of the value in its unit, bounds of its ratio to the baseline."""

    at_most: float | None = None
    at_least: float | None = None
    ratio_at_most: float | None = None
    ratio_at_least: float | None = None

    def met(self, value: float, ratio: float | None) -> bool:
        """Tell whether all bounds are kept; a bound on a ratio that is not known is not."""
        return _within(value, self.at_least, self.at_most) and _within(ratio, self.ratio_at_least, self.ratio_at_most)

    def text(self, unit: str) -> str:
        """Return the bounds for reading."""
        bounds = (
            ("≥", self.at_least, f" {unit}"),
            ("≤", self.at_most, f" {unit}"),
            ("≥", self.ratio_at_least, "x"),
            ("≤", self.ratio_at_most, "x"),
        )
        return ", ".join(f"{sign} {shown(bound)}{of}" for sign, bound, of in bounds if bound is not None)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One row of the table.

    values: one per round; baselines: one per round, in the same unit, of the round beside it where the lengths are
    equal. beside: what else its reader should see; notes: what else was seen, for machines.
    """

    measure: str
    what: str
    unit: str
    values: Sequence[float]
    baseline: str = ""
    baselines: Sequence[float] = ()
    target: Target | None = None
    beside: str = ""
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """Return the median of the rounds."""
        return median(self.values)

    @property
    def base(self) -> float | None:
        """Return the median of the baseline's rounds."""
        return median(self.baselines) if self.baselines else None

    @property
    def ratio(self) -> float | None:
        """Return value through baseline: the median over pairs of rounds, which drift of the machine hardly moves."""
        if not self.baselines:
            return None
        if len(self.values) == len(self.baselines):
            return median(v / b if b else math.inf for v, b in zip(self.values, self.baselines, strict=True))
        return self.value / median(self.baselines)

    @property
    def met(self) -> bool | None:
        """Tell whether the target is met; None where there is none."""
        return None if self.target is None else self.target.met(self.value, self.ratio)

    def as_json(self) -> dict[str, Any]:
        """Return everything, for machines."""
        return {
            "measure": self.measure,
            "what": self.what,
            "unit": self.unit,
            "value": self.value,
            "values": list(self.values),
            "baseline": self.baseline or None,
            "baseline_value": self.base,
            "baseline_values": list(self.baselines),
            "ratio": self.ratio,
            "target": self.target and {name: bound for name, bound in vars(self.target).items() if bound is not None},
            "met": self.met,
            "beside": self.beside,
            "notes": self.notes,
        }


def percentile(samples: Sequence[float], percent: float) -> float:
    """Return the smallest sample that at least `percent` of the samples do not exceed."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def shown(number: float) -> str:
    """Return a number with three digits that count, thousands separated."""
    if abs(number) >= 100:  # noqa: PLR2004 - no more than three digits in front of the point
        return f"{number:,.0f}"
    return f"{number:.3g}" if number else "0"


def _within(number: float | None, low: float | None, high: float | None) -> bool:
    if number is None:
        return low is None and high is None
    return (low is None or number >= low) and (high is None or number <= high)
