"""The composition root: the only package that sees every side. It builds each process and holds the command line.

This module imports next to nothing, so that the processes that multiprocessing spawns do not load the whole program.
"""

import gc

# Loading a process makes hundreds of thousands of objects that stay: looking for garbage among them 15 times less often
# starts it a tenth sooner.
_GARBAGE_AFTER = 10_000


def main() -> int:
    """Run the command of `sys.argv`; returns the exit code: 0 done, 1 refused or failed, 2 wrong usage."""
    gc.set_threshold(_GARBAGE_AFTER)
    try:
        from smartmarket.cli import run
    except KeyboardInterrupt:
        return 130
    return run()
