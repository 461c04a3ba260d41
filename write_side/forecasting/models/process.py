"""The models in a process of their own, loaded once, which is killed when it takes too long."""

import datetime as dt
import logging
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Protocol, cast

from shared.runtime.spawn import without_main_module
from write_side.forecasting.models.prediction import History, NotEnough, Prediction, RevenuePrediction, Window

LIMIT_SECONDS, IDLE_SECONDS = 10.0, 600.0
_LOADING_SECONDS = 90.0
_ENDING_SECONDS = 2.0
# A child that was not asked for this share of its time is taken for gone.
_CERTAINLY = 0.9
logger = logging.getLogger("smartmarket.models")


@dataclass(frozen=True)
class ProductTask:
    """What `predict` takes."""

    history: History
    horizon: int
    start: dt.date
    windows: Sequence[Window] = ()
    champion: str | None = None


@dataclass(frozen=True)
class TakingsTask:
    """What `predict_revenue` takes."""

    history: History
    days: int
    start: dt.date
    windows: Sequence[Window] = ()


class ForecastError(Exception):
    """A forecast could not be made; `reason` is that of ForecastFailed."""

    def __init__(self, reason: str, error: str) -> None:
        """Say why, and what happened."""
        super().__init__(error)
        self.reason = reason


class Modeller(Protocol):
    """What forecasts are made by."""

    def predict(
        self, history: History, horizon: int, start: dt.date, windows: Sequence[Window], champion: str | None
    ) -> Prediction | NotEnough:
        """Return the demand of a product."""

    def predict_revenue(
        self, history: History, days: int, start: dt.date, windows: Sequence[Window]
    ) -> RevenuePrediction | NotEnough:
        """Return the takings of a shop."""


def load_models() -> Modeller:
    """Return the models, loaded and warm; called in the child."""
    from write_side.forecasting.models import predict  # noqa: PLC0415 - heavy, and wanted in the child only

    predict.warm()
    return cast("Modeller", predict)


class Models:
    """One child process that makes forecasts one at a time; started when first needed, again after it was killed.

    It holds some 300 MB, and gives them back when nobody has asked for a while. A child that is killed takes the
    processes it started with it, and one whose parent is gone ends by itself.
    """

    def __init__(
        self, load: Callable[[], Modeller] = load_models, *, limit: float = LIMIT_SECONDS, idle: float = IDLE_SECONDS
    ) -> None:
        """Let `load`, which the child finds by its name, make the models; each forecast may take `limit` seconds.

        A child that is not asked for `idle` seconds ends.
        """
        self._load = load
        self._limit = limit
        self._idle = idle
        self._asked_at = 0.0
        self._child: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._loading_until: float | None = None

    @property
    def pid(self) -> int | None:
        """Return the child's process id, None while there is none."""
        return self._child.pid if self._child else None

    def loaded(self, seconds: float) -> bool:
        """Start the child if there is none, and tell whether it has loaded the models within so many seconds.

        Raises RuntimeError where it cannot load them, or not in time.
        """
        if not self._stands():
            self._drop()
            context = get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._child = context.Process(
                target=_serve, args=(theirs, self._load, self._idle), daemon=True, name="models"
            )
            with without_main_module():
                self._child.start()
            theirs.close()
            self._loading_until = time.monotonic() + _LOADING_SECONDS
        pipe = cast("Connection", self._pipe)
        if self._loading_until is None:
            return True
        with suppress(EOFError, OSError):
            if not pipe.poll(seconds) and time.monotonic() < self._loading_until:
                return False
            if pipe.poll() and pipe.recv() is True:
                self._loading_until, self._asked_at = None, time.monotonic()
                return True
        self._drop()
        msg = "the models could not be loaded"
        raise RuntimeError(msg)

    def predict(self, task: ProductTask) -> Prediction | NotEnough:
        """Return a product's forecast; raises ForecastError."""
        return cast("Prediction | NotEnough", self._ask(task))

    def predict_takings(self, task: TakingsTask) -> RevenuePrediction | NotEnough:
        """Return the forecast of a shop's takings; raises ForecastError."""
        return cast("RevenuePrediction | NotEnough", self._ask(task))

    def close(self) -> None:
        """End the child."""
        child, pipe, self._child, self._pipe = self._child, self._pipe, None, None
        self._loading_until = None
        if pipe is not None:
            pipe.close()
        if child is not None:
            child.join(_ENDING_SECONDS)
            _kill(child)

    def _stands(self) -> bool:
        """Tell whether there is a child that is not about to end."""
        if self._child is None or self._loading_until is not None:
            return self._child is not None
        return self._child.is_alive() and time.monotonic() < self._asked_at + _CERTAINLY * self._idle

    def _ask(self, task: ProductTask | TakingsTask) -> object:
        while not self.loaded(_LOADING_SECONDS):
            pass
        pipe = cast("Connection", self._pipe)
        try:
            pipe.send(task)
            if not pipe.poll(self._limit):
                self._drop()
                reason = "too_slow"
                raise ForecastError(reason, f"no forecast within {self._limit:g} s")
            done, answer = pipe.recv()
            self._asked_at = time.monotonic()
        except (EOFError, OSError) as error:
            self._drop()
            reason = "model_died"
            raise ForecastError(reason, "the process of the models ended") from error
        if not done:
            reason = "model_failed"
            raise ForecastError(reason, str(answer))
        return answer

    def _drop(self) -> None:
        child, pipe, self._child, self._pipe = self._child, self._pipe, None, None
        self._loading_until = None
        if pipe is not None:
            pipe.close()
        if child is not None:
            logger.info("process of the models dropped", extra={"child": child.pid})
            _kill(child)


def _kill(child: BaseProcess) -> None:
    """Kill the child with everything it has started; of one that has ended the number may be another's by now."""
    if child.pid is not None and child.is_alive():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.join()


def _serve(pipe: Connection, load: Callable[[], Modeller], idle: float) -> None:
    """Load the models and make forecasts until the pipe is closed or nobody asks any more. Runs in the child."""
    os.setsid()  # a group of its own, to be killed as one; its weight is that of others, for it has a limit to keep
    models = load()
    with suppress(EOFError, OSError):  # nobody asks any more
        pipe.send(True)  # noqa: FBT003 - ready
        while pipe.poll(idle):
            task = pipe.recv()
            try:
                answer: tuple[bool, Any] = (True, _answer(models, task))
            except Exception as error:  # noqa: BLE001 - whatever a model raises is this product's failure
                answer = (False, f"{type(error).__name__}: {error}"[:500])
            pipe.send(answer)


def _answer(models: Modeller, task: ProductTask | TakingsTask) -> object:
    if isinstance(task, TakingsTask):
        return models.predict_revenue(task.history, task.days, task.start, task.windows)
    return models.predict(task.history, task.horizon, task.start, task.windows, task.champion)
