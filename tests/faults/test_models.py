"""Models in a child process: one that hangs, dies or fails is killed or kept, and the next forecast is made."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from shared.runtime.low_priority import is_low
from tests.support import failing_models
from tests.support.failing_models import task
from tests.support.priorities import LINUX
from tests.support.source_tree import ROOT
from tests.support.waiting import wait_until
from write_side.forecasting.models.process import ForecastError, Limits, Models


@pytest.fixture
def models() -> Iterator[Models]:
    opened = Models(failing_models.load, Limits(cpu=2.0, clock=5.0))
    yield opened
    opened.close()


def reason(models: Models, first: float) -> str:
    with pytest.raises(ForecastError) as failed:
        models.predict(task(first))
    return failed.value.reason


def test_a_child_that_hangs_is_killed_and_another_goes_on(models: Models) -> None:
    models.predict(task(1))
    pid = models.pid
    assert pid is not None
    assert reason(models, failing_models.HANGS) == "too_slow"
    assert not psutil.pid_exists(pid)
    assert models.predict(task(1)) == models.predict(task(1))
    assert models.pid not in {None, pid}


def test_a_child_that_computes_for_too_long_is_killed_before_the_clock_runs_out() -> None:
    models = Models(failing_models.load, Limits(cpu=0.3, clock=250.0))
    assert reason(models, failing_models.COMPUTES) == "too_slow"
    assert models.pid is None
    models.close()


@LINUX
@pytest.mark.usefixtures("lowered")
def test_a_child_has_low_priority(models: Models) -> None:
    models.predict(task(1))
    assert models.pid is not None
    assert is_low(models.pid)
    assert not is_low(os.getpid())


def test_a_child_that_dies_is_replaced_and_one_that_raises_is_kept(models: Models) -> None:
    assert reason(models, failing_models.DIES) == "model_died"
    assert reason(models, failing_models.RAISES) == "model_failed"
    kept = models.pid
    models.predict(task(1))
    assert models.pid == kept
    assert kept is not None
    os.kill(kept, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(kept)] if psutil.pid_exists(kept) else [], timeout=0.1)
    try:
        models.predict(task(1))
    except ForecastError as error:  # noticed while it was asked, or before
        assert error.reason == "model_died"  # noqa: PT017 - either way is right
    models.predict(task(1))
    assert models.pid != kept


def test_models_that_cannot_be_loaded_fail_the_job_not_the_products() -> None:
    models = Models(failing_models.load_nothing)
    with pytest.raises(RuntimeError, match="could not be loaded"):
        models.predict(task(1))
    assert models.pid is None


def test_a_child_that_loads_slowly_is_waited_for_and_one_that_hangs_or_never_ends_is_not() -> None:
    slow = Models(failing_models.load_slowly, Limits(clock=2.0))
    slow.predict(task(1))
    slow.close()
    for models in (
        Models(failing_models.load_forever, Limits(clock=1.0)),
        Models(failing_models.load_slowly, Limits(loading=1.0)),
    ):
        with pytest.raises(RuntimeError, match="could not be loaded"):
            models.predict(task(1))


def test_an_idle_model_process_ends() -> None:
    models = Models(failing_models.load, Limits(idle=1.0))
    models.predict(task(1))
    pid = models.pid
    assert pid is not None
    wait_until(lambda: has_ended(pid))
    models.predict(task(1))
    assert models.pid != pid
    models.close()


PARENT = """
import threading
from shared.runtime.low_priority import is_low
from tests.support import failing_models
from tests.support.failing_models import task
from write_side.forecasting.models.process import Models
models = Models(failing_models.{load})
models.{call}
print(models.pid, flush=True)
threading.Event().wait()
"""


@pytest.mark.parametrize(("load", "call"), [("load", "predict(task(1))"), ("load_forever", "loaded(0.5)")])
def test_a_child_ends_when_its_worker_is_killed(load: str, call: str) -> None:
    program = PARENT.format(load=load, call=call)
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        child = int(parent.stdout.readline())
    assert psutil.pid_exists(child)
    parent.kill()
    parent.wait()
    wait_until(lambda: has_ended(child))


def has_ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
