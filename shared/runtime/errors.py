"""Why a process or command cannot run."""


class CannotStart(Exception):
    """Something is missing or taken; the message says what, and what to do."""
