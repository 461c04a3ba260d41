"""Runs a command without root's privileges, for servers that refuse (or should not) run as root.

This file is also the launcher: started as a separate process it drops root for good and then executes the command,
keeping its process id. If the other user may not enter the folders of the program (a clone below a private `/root`),
the command keeps on Linux one capability: to read and enter them or, if that is not enough, to ignore file modes.
"""

import ctypes
import os
import pwd
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_NOBODY = 65534
# From linux/capability.h, linux/securebits.h and linux/prctl.h.
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1 << 1, 1 << 2
_CAPABILITY_VERSION_3 = 0x20080522
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_PR_SET_SECUREBITS, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 28, 38, 47
_PR_CAP_AMBIENT_RAISE, _PR_CAP_AMBIENT_CLEAR_ALL = 2, 4


class Account(NamedTuple):
    """A user of this machine; it need not have a name."""

    uid: int
    gid: int


def account_for(folder: Path) -> Account | None:
    """Return the account that the servers of `folder` run as; None for the current one.

    Root changes to the folder's owner, so that a user's data stays theirs; to `nobody` for a new folder.
    """
    if os.geteuid() != 0:
        return None
    if folder.exists() and (owner := folder.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return Account(_NOBODY, _NOBODY)
    return Account(nobody.pw_uid, nobody.pw_gid)


def command_as(account: Account | None, needs: Sequence[Path], command: Sequence[str]) -> list[str]:
    """Return the command line that runs `command` (an absolute path and arguments) as `account`.

    `needs` are files and folders that it must be able to read. The launcher ends with a message on its standard error
    if root cannot be dropped or they cannot be read.
    """
    if account is None:
        return list(command)
    wanted = [str(need) for need in needs]
    return [sys.executable, "-I", "-S", __file__, str(account.uid), str(account.gid), *wanted, "--", *command]


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilitySets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


class _Kernel:
    """System calls for capabilities that Python does not wrap."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)

    def control(self, option: int, value: int, argument: int = 0) -> None:
        rest = (ctypes.c_ulong(value), ctypes.c_ulong(argument), ctypes.c_ulong(0), ctypes.c_ulong(0))
        self._checked(self._libc.prctl(option, *rest))

    def permitted(self) -> int:
        sets = (_CapabilitySets * 2)()
        self._checked(self._libc.capget(ctypes.byref(self._header), sets))
        return int(sets[0].permitted)

    def hold(self, permitted: int, effective: int) -> None:
        """Hold exactly these capabilities; the executed program inherits the effective ones."""
        sets = (_CapabilitySets * 2)(_CapabilitySets(effective, permitted, effective))
        self._checked(self._libc.capset(ctypes.byref(self._header), sets))
        self.control(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
        for number in range(32):
            if effective & 1 << number:
                self.control(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, number)

    @staticmethod
    def _checked(result: int) -> None:
        if result != 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))


def _become(account: Account) -> None:
    os.setgroups([])
    os.setgid(account.gid)
    os.setuid(account.uid)


def _readable(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        return False
    return True


def _execute(needs: list[str], command: list[str]) -> None:
    """Execute the command; returns only if that is not permitted."""
    if all(map(_readable, needs)):
        try:
            os.execv(command[0], command)  # noqa: S606 - an absolute path of the caller, without a shell
        except PermissionError:
            return


def _launch_on_linux(account: Account, needs: list[str], command: list[str]) -> None:
    kernel = _Kernel()
    try:
        # Without this bit, access(2), which PostgreSQL uses to find its programs, ignores capabilities.
        kernel.control(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP)
    except OSError:
        _become(account)
        _execute(needs, command)
        return
    _become(account)
    kernel.control(_PR_SET_NO_NEW_PRIVS, 1)
    offered = kernel.permitted() & (_CAP_DAC_READ_SEARCH | _CAP_DAC_OVERRIDE)
    for keep in (0, _CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
        if keep & offered == keep:
            kernel.hold(permitted=offered, effective=keep)
            _execute(needs, command)


def _main(arguments: list[str]) -> None:
    account = Account(int(arguments[0]), int(arguments[1]))
    end = arguments.index("--")
    needs, command = arguments[2:end], arguments[end + 1 :]
    try:
        if sys.platform == "linux":
            _launch_on_linux(account, needs, command)
        else:
            _become(account)
            _execute(needs, command)
    except OSError as error:
        sys.exit(f"cannot run {command[0]} as user {account.uid}: {error}")
    places = ", ".join(dict.fromkeys([*needs, command[0]]))
    sys.exit(f"user {account.uid} may not read all of: {places}; move them, or start as a normal user")


if __name__ == "__main__":
    _main(sys.argv[1:])
