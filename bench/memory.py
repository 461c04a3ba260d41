"""Memory: what the processes hold in RAM at most while ledgers of almost 10 MB are imported."""

from collections.abc import Mapping, Sequence

from bench.figures import Figure, Target
from bench.processes import Processes
from bench.shops import Shop
from bench.stage import Stage

_LARGEST_FILE = 10_485_760
_UPLOADS = 3
_KINDS = ("worker", "api", "projector")


def measure(stage: Stage) -> list[Figure]:
    """Import the largest file that is allowed three times, into three shops, by fresh processes."""
    content = stage.ledgers.csv_up_to(stage.size(_LARGEST_FILE, _LARGEST_FILE // 20))
    with stage.container() as container, Processes(container, stage.folder) as running:
        Shop.import_once(running.url, stage.ledgers.csv(100))
        idle = {kind: running.peak_mb(kind) for kind in _KINDS}
        peaks = []
        for number in range(1, _UPLOADS + 1):
            Shop.import_once(running.url, content)
            peaks.append({kind: running.peak_mb(kind) for kind in _KINDS})
            listed = ", ".join(f"{kind} {peak:.0f} MB" for kind, peak in peaks[-1].items())
            stage.say(f"memory after upload {number} of {_UPLOADS} of {len(content):,} bytes: {listed}")
    return _figures(len(content), idle, peaks)


def _figures(size: int, idle: Mapping[str, float], peaks: Sequence[Mapping[str, float]]) -> list[Figure]:
    wanted = (("worker", 1, Target(at_most=300)), ("api", _UPLOADS, Target(at_most=200)), ("projector", _UPLOADS, None))
    return [
        Figure(
            measure="memory",
            what=f"{kind}, peak RSS after {uploads} x {size / 2**20:.1f} MiB",
            unit="MB",
            values=[peaks[uploads - 1][kind]],
            baseline="the same after 100 rows",
            baselines=[idle[kind]],
            target=target,
            beside=", ".join(f"{peak[kind]:.0f}" for peak in peaks) + " after each",
            notes={"after_each": [peak[kind] for peak in peaks]},
        )
        for kind, uploads, target in wanted
    ]
