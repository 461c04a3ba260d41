"""Forecast models in a child process of low priority, loaded once and killed when a forecast takes too long."""

import datetime as dt
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, Protocol, cast

import psutil

from shared.runtime.low_priority import lower_priority
from write_side.forecasting.models.prediction import History, NotEnough, Prediction, RevenuePrediction, Window

_ENDING_SECONDS = 2.0
_LOOK_SECONDS = 0.5
# A child that was idle for this share of its idle time may be about to end: another one is started.
_IDLE_SHARE = 0.9
logger = logging.getLogger("smartmarket.models")


@dataclass(frozen=True)
class Limits:
    """Seconds: processor time of one forecast and of loading, time by the clock, and how long an idle child is kept.

    The clock's limit is for a child that hangs: for one forecast, and while loading for the time in which no processor
    time was used. A child that waits for the processor because others go first is not slow.
    """

    cpu: float = 10.0
    loading: float = 90.0
    clock: float = 60.0
    idle: float = 600.0


class _Loading(NamedTuple):
    """A child that loads: the processor time it had used when it last was seen to use any, and when that was."""

    used: float
    at: float


@dataclass(frozen=True)
class ProductTask:
    """The arguments of `predict`."""

    history: History
    horizon: int
    start: dt.date
    windows: Sequence[Window] = ()
    champion: str | None = None


@dataclass(frozen=True)
class TakingsTask:
    """The arguments of `predict_revenue`."""

    history: History
    days: int
    start: dt.date
    windows: Sequence[Window] = ()


class ForecastError(Exception):
    """No forecast could be made; `reason` is that of ForecastFailed."""

    def __init__(self, reason: str, error: str) -> None:
        """Keep the reason and the description."""
        super().__init__(error)
        self.reason = reason


class Modeller(Protocol):
    """Makes forecasts."""

    def predict(
        self, history: History, horizon: int, start: dt.date, windows: Sequence[Window], champion: str | None
    ) -> Prediction | NotEnough:
        """Return the expected demand of a product."""

    def predict_revenue(
        self, history: History, days: int, start: dt.date, windows: Sequence[Window]
    ) -> RevenuePrediction | NotEnough:
        """Return the expected takings of a shop."""


def load_models() -> Modeller:
    """Return the models, loaded and warmed up; called in the child."""
    from write_side.forecasting.models import predict  # noqa: PLC0415 - heavy, and needed in the child only

    predict.warm()
    return cast("Modeller", predict)


class Models:
    """One child process that makes forecasts one at a time; started when first needed, and again after it was killed.

    It uses some 300 MB of memory and ends when it has been idle for a while. Its priority is low: imports and requests
    get the processor first. Killing it kills the processes it started; it ends by itself when its parent is gone.
    """

    def __init__(self, load: Callable[[], Modeller] = load_models, limits: Limits | None = None) -> None:
        """Load the models by `load`, a function that the child imports by its name."""
        self._load = load
        self._limits = limits or Limits()
        self._asked_at = 0.0
        self._child: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._loading: _Loading | None = None

    @property
    def pid(self) -> int | None:
        """Return the child's process id, None while there is none."""
        return self._child.pid if self._child else None

    def loaded(self, seconds: float) -> bool:
        """Start the child if there is none, and tell whether it has loaded the models after waiting up to `seconds`.

        Raises RuntimeError where it cannot load them, or not within the limits.
        """
        if not self._usable():
            self._drop()
            context = get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._child = context.Process(
                target=_serve, args=(theirs, self._load, self._limits.idle), daemon=True, name="models"
            )
            self._child.start()
            theirs.close()
            self._loading = _Loading(0.0, time.monotonic())
        pipe = cast("Connection", self._pipe)
        if self._loading is None:
            return True
        with suppress(EOFError, OSError):
            if not pipe.poll(seconds) and self._loads_on(self._loading):
                return False
            if pipe.poll() and pipe.recv() is True:
                self._loading, self._asked_at = None, time.monotonic()
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
        child, pipe, loading = self._child, self._pipe, self._loading is not None
        self._child, self._pipe, self._loading = None, None, None
        if pipe is not None:
            pipe.close()
        if child is not None:
            if not loading:  # a child that loads notices the closed pipe much later
                child.join(_ENDING_SECONDS)
            _kill(child)

    def _usable(self) -> bool:
        """Tell whether there is a child that is not about to end."""
        if self._child is None or self._loading is not None:
            return self._child is not None
        return self._child.is_alive() and time.monotonic() < self._asked_at + _IDLE_SHARE * self._limits.idle

    def _loads_on(self, loading: _Loading) -> bool:
        """Tell whether the child may go on loading: it has used less than the limit, and does not hang."""
        used, now = self._cpu_seconds(), time.monotonic()
        if used > loading.used:
            self._loading = loading = _Loading(used, now)
        return used < self._limits.loading and now < loading.at + self._limits.clock

    def _ask(self, task: ProductTask | TakingsTask) -> object:
        while not self.loaded(_LOOK_SECONDS):
            pass
        pipe = cast("Connection", self._pipe)
        try:
            pipe.send(task)
            if not self._answers(pipe):
                self._drop()
                reason = "too_slow"
                limits = f"{self._limits.cpu:g} s of processor time, {self._limits.clock:g} s in all"
                raise ForecastError(reason, f"no forecast within {limits}")
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

    def _answers(self, pipe: Connection) -> bool:
        """Wait for the child's answer; returns False once it has used up either limit."""
        used, until = self._cpu_seconds(), time.monotonic() + self._limits.clock
        while not pipe.poll(min(_LOOK_SECONDS, self._limits.clock)):
            if time.monotonic() >= until or self._cpu_seconds() - used > self._limits.cpu:
                return False
        return True

    def _cpu_seconds(self) -> float:
        """Return the processor time of the child and of what it has started, 0 once it has ended."""
        try:
            child = psutil.Process(self.pid)
            times = [process.cpu_times() for process in (child, *child.children(recursive=True))]
        except psutil.Error:
            return 0.0
        return sum(each.user + each.system for each in times)

    def _drop(self) -> None:
        child, pipe, self._child, self._pipe = self._child, self._pipe, None, None
        self._loading = None
        if pipe is not None:
            pipe.close()
        if child is not None:
            logger.info("model process killed", extra={"child": child.pid})
            _kill(child)


def _kill(child: BaseProcess) -> None:
    """Kill the child and everything it has started, unless it has ended: its process id may be in use again."""
    if child.pid is not None and child.is_alive():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.join()


def _serve(pipe: Connection, load: Callable[[], Modeller], idle: float) -> None:
    """Load the models and make forecasts until the pipe is closed or idle for too long. Runs in the child."""
    lower_priority()  # and a process group of its own, which is killed as a whole
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    models = load()
    with suppress(EOFError, OSError):  # the parent has ended
        pipe.send(True)  # noqa: FBT003 - ready
        while pipe.poll(idle):
            task = pipe.recv()
            try:
                answer: tuple[bool, Any] = (True, _answer(models, task))
            except Exception as error:  # noqa: BLE001 - any error of a model is this product's failure
                answer = (False, f"{type(error).__name__}: {error}"[:500])
            pipe.send(answer)


def _end_with_parent() -> None:
    """End this process and what it has started once its parent is gone, also while it loads or computes."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        with suppress(ProcessLookupError):
            os.killpg(os.getpid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)


def _answer(models: Modeller, task: ProductTask | TakingsTask) -> object:
    if isinstance(task, TakingsTask):
        return models.predict_revenue(task.history, task.days, task.start, task.windows)
    return models.predict(task.history, task.horizon, task.start, task.windows, task.champion)
