"""What a process that reads foreign bytes may still do: little memory, few files, and nothing written, run or sent."""

from __future__ import annotations

import ctypes
import os
import resource

MEMORY_BYTES = 1536 * 1024**2
OPEN_FILES = 32

# Landlock (Linux 5.13 and later): system calls have the same numbers on all processors that came after it.
_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_ASK_VERSION = 1
_NO_NEW_PRIVILEGES = 38
_RIGHTS = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF}
_READ = 0b1100
"""Reading files and folders stays allowed; the interpreter loads modules, and the spool is read."""
_NETWORK_SINCE, _TCP = 4, 0b11


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64))


def confine() -> bool:
    """Limit this process for good; says whether the kernel could also forbid it to write, run and connect."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    return _forbid()


def _forbid() -> bool:
    """Give up all rights to change anything on disk; a kernel without Landlock leaves it at the limits above."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION)
    except (OSError, AttributeError):
        return False
    if version < 1:
        return False
    rules = _Ruleset(_RIGHTS[min(version, 3)] & ~_READ, _TCP if version >= _NETWORK_SINCE else 0)
    size = ctypes.sizeof(rules) if version >= _NETWORK_SINCE else ctypes.sizeof(ctypes.c_uint64)
    handle = libc.syscall(_CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), 0)
    if handle < 0:
        return False
    try:
        if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
            return False
        return bool(libc.syscall(_RESTRICT_SELF, handle, 0) == 0)
    finally:
        os.close(handle)
