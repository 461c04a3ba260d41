"""The composition root: the only package that sees every side. It builds each process and holds the command line.

This module imports nothing, so that the processes that multiprocessing spawns do not load the whole program.
"""


def main() -> int:
    """Run the command of `sys.argv`; returns the exit code: 0 done, 1 refused or failed, 2 wrong usage."""
    try:
        from smartmarket.cli import run
    except KeyboardInterrupt:
        return 130
    return run()
