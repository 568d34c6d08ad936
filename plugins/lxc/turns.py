"""
One at a time for each container: who is killed in the middle leaves its turn to what it had started, and a note that something may be
half done. The same file is in each of voxeltron's provider plugins.
"""

import contextlib
import fcntl
import os


@contextlib.contextmanager
def turn(folder, name, what):
    """
    Waits for the turns before. Gives the lock's descriptor, which a program that may outlive us must inherit, and what the turn before was
    cut off in: empty where it was not.
    """
    path = _path(folder, name)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    lock = _take(path)
    try:
        cut_off = os.pread(lock, 100, 0).decode()
        os.ftruncate(lock, 0)
        os.pwrite(lock, what.encode(), 0)
        try:
            yield lock, cut_off
        finally:
            # Refused is an end as well; who is killed does not come here.
            os.unlink(path)
    finally:
        os.close(lock)


def wait_for(folder, name, what):
    """Where somebody is at just this, or what he started still is."""
    with contextlib.suppress(FileNotFoundError), open(_path(folder, name), "rb") as file:
        if file.read() == what.encode():
            fcntl.flock(file, fcntl.LOCK_SH)


# --- internal ---


def _path(folder, name):
    return os.path.join(folder, f"{name}.turn")


def _take(path):
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Who had it before may have removed the file that this one is.
        with contextlib.suppress(FileNotFoundError):
            if os.stat(path).st_ino == os.fstat(lock).st_ino:
                return lock
        os.close(lock)
