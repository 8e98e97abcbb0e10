"""What Ctrl-C does at which time of the app's life.

While modules are loaded and things are built the process ends where it stands.

An exception out of the middle of a library's import does not say what it is: pydantic-core wraps it
in an error of its own, and where it leaves the `exec` of a string, as in dataclasses, CPython
notes it and ends a process started by `python -m` by SIGINT after its orderly end, though it was
caught (Python/pythonrun.c, `run_eval_code_obj`; Modules/main.c, `Py_RunMain`).
"""

import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def ends_at_once(command: str) -> Generator[None]:
    """Have Ctrl-C end the process with a line and exit code 1, with nothing cleaned up.

    Only for code that starts no process and leaves no file half written. Elsewhere than in the main
    thread, and where Ctrl-C is ignored or already means something else, it changes nothing.
    """
    if not _raises_here():
        yield
        return
    signal.signal(signal.SIGINT, lambda _number, _frame: _end(command))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def count_once(most_s: float) -> None:
    """Have Ctrl-C stop the server once; each further one only says that it is stopping.

    By itself uvicorn would leave at the second one, with a traceback and readings not stored.

    Args:
        most_s: Longest time that a stop takes, seconds.
    """
    stop = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(stop):
        return
    is_stopping = False

    def take(number: int, frame: FrameType | None) -> None:
        nonlocal is_stopping
        if is_stopping:
            os.write(2, f"millwright: stopping, which takes at most {most_s:g} s\n".encode())
            return
        is_stopping = True
        stop(number, frame)

    signal.signal(signal.SIGINT, take)


def forget() -> None:
    """Have a caught KeyboardInterrupt not end the process by SIGINT; see the module's words."""
    exec("")  # noqa: S102  CPython begins each `exec` of a string by forgetting the one before


def _raises_here() -> bool:
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def _end(command: str) -> None:
    os.write(2, f"millwright: {command} was interrupted\n".encode())
    os._exit(1)
