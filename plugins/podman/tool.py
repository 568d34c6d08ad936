"""
Runs a program: argv, never a shell. Its output is bounded, and what it leaves running can't hold us by keeping its output open.
The same file is in each of voxeltron's provider plugins.
"""

import errno
import os
import re
import selectors
import subprocess
import sys
from typing import NamedTuple

from protocol import Refusal

# With base64 around it, still less than what an answer may have.
OUTPUT_BYTES = 5 * 2**20


class Ended(NamedTuple):
    status: int
    out: bytes
    err: bytes

    @property
    def exit_code(self):
        """As a shell has it: 0 to 255."""
        return self.status if self.status >= 0 else 128 - self.status

    @property
    def complaint(self):
        """What it said was wrong, in one line."""
        lines = [line.strip() for line in self.err.decode("utf-8", "replace").splitlines() if line.strip()]
        # What is no error stands there too: warnings, how far a download is.
        errors = [line[len("Error: ") :] for line in lines if line.startswith("Error: ")]
        told = errors or [line for line in lines if not re.match(r'time="[^"]*" level=(?:warn|info|debug)', line)]
        # LXC says where in its source it stood.
        told = [re.sub(r"^lxc-\S+: (?:\S+: )?\.\./src/\S+: \w+: \d+ ", "", line) for line in told]
        return (" · ".join(told[-4:] or lines[-1:]) or f"it ended with {self.status}")[:1500]


def run(argv, *, stdin=None, env=None, pass_fds=()):
    """`env`: variables beside our own."""
    child = _start(
        argv,
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(env or {})},
        pass_fds=pass_fds,
    )
    return _Talk(child, stdin).until_it_ends(argv[0])


def run_to_the_end(argv, *, env=None, pass_fds=()):
    """The same for what must not be cut off in the middle: it goes on where we are killed. Only for what is quick."""
    with open(os.memfd_create("out"), "rb") as out, open(os.memfd_create("err"), "rb") as err:
        child = _start(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env={**os.environ, **(env or {})},
            pass_fds=pass_fds,
            start_new_session=True,
        )
        status = child.wait()
        out.seek(0)
        err.seek(0)
        return Ended(status, out.read(OUTPUT_BYTES), err.read(OUTPUT_BYTES))


def tell(ended):
    """To the plugin's log."""
    sys.stderr.write(ended.err.decode("utf-8", "replace"))


# --- internal ---


def _start(argv, **options):
    try:
        return subprocess.Popen(argv, **options)
    except FileNotFoundError:
        raise Refusal(f"{argv[0]} is not installed on this machine")
    except OSError as error:
        if error.errno == errno.E2BIG:
            raise Refusal("all of it together is too long for a command line")
        raise Refusal(f"{argv[0]} could not be started: {error.strerror}")


class _Talk:
    def __init__(self, child, stdin):
        self.child, self.stdin = child, stdin
        self.read = {child.stdout: bytearray(), child.stderr: bytearray()}
        self.selector = selectors.DefaultSelector()
        for stream in self.read:
            os.set_blocking(stream.fileno(), False)
            self.selector.register(stream, selectors.EVENT_READ)
        if stdin is not None:
            os.set_blocking(child.stdin.fileno(), False)
            self.selector.register(child.stdin, selectors.EVENT_WRITE)

    def until_it_ends(self, program):
        end = os.pidfd_open(self.child.pid)
        self.selector.register(end, selectors.EVENT_READ)
        try:
            while self.child.poll() is None:
                for key, _ in self.selector.select():
                    if key.fileobj is self.child.stdin:
                        self._give()
                    elif key.fileobj is not end:
                        self._take(key.fileobj, program)
            for stream in self.read:
                while not stream.closed and self._take(stream, program):
                    pass
        finally:
            os.close(end)
            if self.child.poll() is None:
                self.child.kill()
                self.child.wait()
        out, err = (bytes(part) for part in self.read.values())
        return Ended(self.child.returncode, out, err)

    def _take(self, stream, program):
        """Whether there may be more at once."""
        try:
            part = os.read(stream.fileno(), 65_536)
        except BlockingIOError:
            return False
        if part == b"":
            self.selector.unregister(stream)
            stream.close()
            return False
        self.read[stream] += part
        if sum(map(len, self.read.values())) > OUTPUT_BYTES:
            raise Refusal(f"{program} wrote more than {OUTPUT_BYTES >> 20} MiB: send its output to a file instead")
        return True

    def _give(self):
        try:
            self.stdin = self.stdin[os.write(self.child.stdin.fileno(), self.stdin) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self.stdin = b""
        if not self.stdin:
            self.selector.unregister(self.child.stdin)
            self.child.stdin.close()
