"""Answers of commands on standard output: a sentence for people, or one JSON object a line for programs."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Output:
    """Where a command writes its answer; `as_json` is the option --json."""

    as_json: bool = False

    def answer(self, data: Mapping[str, object], text: str) -> None:
        """Write `data` as one line of JSON, or `text`."""
        self.line(json.dumps(data, default=str) if self.as_json else text)

    def line(self, text: str) -> None:
        """Write one line at once, so that a closed pipe is noticed by the line that could not be written."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
