"""Windows: a Job Object that ends its processes when this process ends, however it ends.

The handle of the job lives as long as this process; the kernel closes it at the end, and a job
with JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE then ends what is in it (Win32, "Job Objects").
"""

import ctypes
import sys
from typing import Any

_KILL_ON_JOB_CLOSE = 0x2000  # JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, winnt.h
_EXTENDED_LIMITS = 9  # JobObjectExtendedLimitInformation, winnt.h
_SET_QUOTA_AND_TERMINATE = 0x0101  # PROCESS_SET_QUOTA | PROCESS_TERMINATE


class _ExtendedLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION; only `flags` is set."""

    _fields_ = (
        ("times", ctypes.c_int64 * 2),
        ("flags", ctypes.c_uint32),
        ("working_set", ctypes.c_size_t * 2),
        ("active_processes", ctypes.c_uint32),
        ("affinity", ctypes.c_size_t),
        ("classes", ctypes.c_uint32 * 2),
        ("io_counters", ctypes.c_uint64 * 6),
        ("memory", ctypes.c_size_t * 4),
    )


class KillOnCloseJob:
    """A job whose processes end with this process."""

    def __init__(self) -> None:
        self._kernel32 = _kernel32()
        self._handle = ctypes.c_void_p(self._kernel32.CreateJobObjectW(None, None))
        limits = _ExtendedLimits(flags=_KILL_ON_JOB_CLOSE)
        self._kernel32.SetInformationJobObject(
            self._handle, _EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits)
        )

    def add(self, pid: int) -> bool:
        """Put a process into the job; return False if the system refuses."""
        process = ctypes.c_void_p(self._kernel32.OpenProcess(_SET_QUOTA_AND_TERMINATE, False, pid))
        added = bool(self._kernel32.AssignProcessToJobObject(self._handle, process))
        self._kernel32.CloseHandle(process)
        return added


def _kernel32() -> Any:  # noqa: ANN401  a foreign library's functions have no types
    if sys.platform != "win32":
        raise NotImplementedError("Job Objects exist on Windows only")
    kernel32: Any = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel32.CreateJobObjectW.restype = ctypes.c_void_p
    kernel32.OpenProcess.restype = ctypes.c_void_p
    return kernel32
