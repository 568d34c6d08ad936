"""
LXC's containers as its tools and the kernel describe them, and whose they are. A container is a folder; this plugin's notes in it, written
last, say that it was made here and is whole. Its group says the first of that from the beginning. Called by the other files.
"""

import contextlib
import fcntl
import functools
import json
import os
import re
import time
from typing import NamedTuple

import turns
from protocol import Refusal
from tool import run, run_to_the_end, tell

GROUP = "voxeltron-plugin-lxc"
STATE_FOLDER = "/var/lib/voxeltron-lxc"


class Container(NamedTuple):
    name: str
    is_ours: bool
    is_whole: bool
    """Otherwise `create` was cut off."""
    state: str
    """One of the protocol's words."""
    pid: int
    notes: dict

    @property
    def started_at(self):
        return _started_at(self.pid) if self.pid else self.notes.get("started_at")

    def status(self):
        told = {"state": self.state, "started_at": self.started_at}
        if self.state in ("stopped", "exited"):
            told["exit_code"] = _exit_code(self.name)
        return {key: value for key, value in told.items() if value is not None}


def find(name):
    """None where there is none of this name."""
    config = _config(name)
    if config is None:
        return None
    notes = _notes(name)
    is_marked = re.search(rf"^lxc\.group\s*=\s*{GROUP}$", config, re.M) is not None
    # LXC keeps this file while it makes a container, and removes one that has it and is not being made.
    if notes is None or not is_marked or os.path.exists(place(name, PARTIAL)):
        return Container(name, is_marked, not is_marked, "dead", 0, {})
    word, pid = _ask(name)
    return Container(name, True, True, _state(word, notes), pid, notes)


def ours(name):
    container = find(name)
    if container is None or not container.is_whole:
        raise Refusal(f"there is no container {name}")
    refuse_foreign(container)
    return container


def refuse_foreign(container):
    if not container.is_ours:
        raise Refusal(f"the container {container.name} was not made by this plugin, and is left alone")


def place(name, file):
    return os.path.join(_folder_of_containers(), name, file)


def names():
    return os.listdir(_folder_of_containers())


def keep_notes(name, notes):
    path = place(name, NOTES)
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump(notes, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.new", path)


def change(lock, *argv):
    """Runs to its end whatever happens to us."""
    ended = run_to_the_end(argv, pass_fds=(lock,))
    tell(ended)
    if ended.status != 0:
        raise Refusal(f"{argv[0]}: {ended.complaint}")


@contextlib.contextmanager
def turn(name, action):
    """Nothing else is done to this container meanwhile. Gives what `change` wants."""
    with turns.turn(STATE_FOLDER, name, action) as (lock, cut_off):
        if cut_off == "create":
            _remove_remains(lock, name)
        yield lock


# --- internal ---

PARTIAL = "partial"
NOTES = "voxeltron.json"
STATES = {"STARTING": "running", "RUNNING": "running", "STOPPING": "running", "FREEZING": "paused", "FROZEN": "paused"}


@functools.cache
def _folder_of_containers():
    ended = run(["lxc-config", "lxc.lxcpath"])
    if ended.status != 0:
        raise Refusal(f"lxc-config: {ended.complaint}")
    return ended.out.decode().strip()


def _config(name):
    try:
        with open(place(name, "config"), encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _remove_remains(lock, name):
    """Of a create of ours that was cut off, maybe so early that its configuration says nothing yet: LXC leaves that lying there."""
    try:
        partial = open(place(name, PARTIAL), "r+b")
    except FileNotFoundError:
        return
    with partial:
        try:
            fcntl.lockf(partial, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refusal(f"the container {name} is being made")
    run_to_the_end(["lxc-destroy", f"--name={name}", "--force"], pass_fds=(lock,))
    import shutil

    shutil.rmtree(place(name, ""), ignore_errors=True)


def _notes(name):
    try:
        with open(place(name, NOTES), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def _ask(name):
    ended = run(["lxc-info", f"--name={name}", "--state", "--pid"])
    if ended.status != 0:
        raise Refusal(f"lxc-info: {ended.complaint}")
    told = dict(line.split(":", 1) for line in ended.out.decode().splitlines() if ":" in line)
    return told.get("State", "").strip(), int(told.get("PID", "0"))


def _state(word, notes):
    if word != "STOPPED":
        return STATES.get(word, "dead")
    if not notes.get("was_started"):
        return "created"
    return "stopped" if notes.get("was_stopped") else "exited"


def _started_at(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            ticks = int(file.read().rpartition(")")[2].split()[19])
        with open("/proc/stat", encoding="ascii") as file:
            boot = int(re.search(r"^btime (\d+)$", file.read(), re.M)[1])
    except FileNotFoundError:
        return None
    return _time(boot + ticks / os.sysconf("SC_CLK_TCK"))


def _time(seconds):
    whole, part = divmod(round(seconds * 1000), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{part:03d}Z"


def _exit_code(name):
    """LXC tells nobody but its log. None where that does not say."""
    try:
        with open(place(name, "lxc.log"), encoding="utf-8", errors="replace") as file:
            log = file.read()
    except FileNotFoundError:
        return None
    ends = re.findall(r" - Child <\d+> ended on (?:error \((\d+)\)|signal [^\n]*\((\d+)\))$", log, re.M)
    if not ends:
        # Of success it says nothing, but it took the network away; where the machine or LXC itself died, not even that.
        return 0 if "Removed interface" in log else None
    code, signal = ends[-1]
    return int(code) if code else 128 + int(signal)
