"""Run a program that dies with its parent: `python -I -S process_guard.py PARENT_PID PROGRAM ARG…`.

Linux only. The kernel is asked to kill this process when its parent ends (prctl(2),
PR_SET_PDEATHSIG), then the program replaces it; the request survives execve(2). Nothing of the
guard stays in memory. Exit codes before the program runs: 126 the parent is gone already or the
kernel refused, 127 the program cannot be executed.

Imports are few on purpose: this file adds its start-up time to every child.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_SIGKILL = 9  # the same on every Linux; importing `signal` costs 5 ms here


def main(arguments: list[str]) -> int:
    """Tie this process to its parent and become the program; return only on failure."""
    parent, program = int(arguments[0]), arguments[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0) != 0:
        sys.stderr.write(f"cannot tie to parent: {os.strerror(ctypes.get_errno())}\n")
        return 126
    if os.getppid() != parent:  # it ended before the request was made
        return 126
    try:
        os.execv(program[0], program)  # noqa: S606  an argv list, no shell
    except OSError as error:
        sys.stderr.write(f"cannot run {program[0]}: {error.strerror}\n")
    return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
