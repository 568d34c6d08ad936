"""
Podman's containers as it describes them, and whose they are. Everything else is done to a container's full id: Podman also takes a
name for the beginning of an id. Called by provider.py, create.py and logs.py.
"""

import contextlib
import json
import os
import re
from typing import NamedTuple

import turns
from protocol import Refusal
from tool import run, run_to_the_end, tell

LABEL = "voxeltron.provider"
MADE_HERE = "plugin-podman"


class Container(NamedTuple):
    name: str
    id: str
    is_ours: bool
    state: str
    """One of the protocol's words."""
    pid: int
    started_at: str
    """Empty where it never ran."""
    exit_code: int
    restarts: int
    detail: str
    log: str
    """Path of its log."""

    def status(self):
        has_ended = self.state in ("stopped", "exited", "dead")
        told = {
            "state": self.state,
            "exit_code": self.exit_code if has_ended else None,
            "started_at": self.started_at or None,
            "restarts": self.restarts or None,
            "detail": self.detail or None,
        }
        return {key: value for key, value in told.items() if value is not None}


def find(name):
    """None where there is none of this name."""
    ended = podman("container", "inspect", name)
    if ended.status != 0:
        if "no such container" in ended.complaint or "no such object" in ended.complaint:
            return None
        raise Refusal(f"podman: {ended.complaint}")
    found = next((each for each in json.loads(ended.out) if each["Name"] == name), None)
    return None if found is None else _read(found)


def ours(name):
    container = find(name)
    if container is None:
        raise Refusal(f"there is no container {name}")
    if not container.is_ours:
        raise Refusal(f"the container {name} was not made by this plugin, and is left alone")
    return container


def change(lock, *arguments, **options):
    """Runs to its end whatever happens to us: Podman that is killed in the middle leaves containers behind that it does not know."""
    ended = run_to_the_end(["podman", *arguments], pass_fds=(lock, *options.pop("pass_fds", ())), **options)
    tell(ended)
    if ended.status != 0:
        raise Refusal(f"podman {arguments[0]}: {ended.complaint}")


def podman(*arguments, **options):
    return run(["podman", *arguments], **options)


@contextlib.contextmanager
def turn(name, action):
    """Nothing else is done to this container meanwhile. Gives what `change` wants."""
    with turns.turn(_state_folder(), name, action) as (lock, cut_off):
        if cut_off == "create":
            _remove_remains(lock, name)
        yield lock


def wait_for_create(name):
    """Whose plugin may have been killed: until then nobody can say whether there is a container."""
    turns.wait_for(_state_folder(), name, "create")


# --- internal ---

STATES = {
    "configured": "created",
    "created": "created",
    "initialized": "created",
    "running": "running",
    "stopping": "running",
    "paused": "paused",
    "stopped": "stopped",
    "exited": "exited",
    "removing": "dead",
}


def _state_folder():
    if os.geteuid() == 0:
        return "/var/lib/voxeltron-podman"
    home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(home, "voxeltron-podman")


def _remove_remains(lock, name):
    """What a machine that stopped in the middle of `create` leaves: files under this name, and no container. Only ours got so far."""
    found = podman("ps", "--all", "--external", "--format=json", f"--filter=name=^{re.escape(name)}$")
    if found.status != 0:
        raise Refusal(f"podman ps: {found.complaint}")
    for container in json.loads(found.out):
        if container["State"] == "storage" and name in container["Names"]:
            change(lock, "rm", "--force", container["Id"])


def _read(found):
    state = found["State"]
    started = state.get("StartedAt") or ""
    return Container(
        name=found["Name"],
        id=found["Id"],
        is_ours=(found["Config"].get("Labels") or {}).get(LABEL) == MADE_HERE,
        state=_word(state),
        pid=state.get("Pid") or 0,
        started_at="" if started.startswith("0001-") else started,
        exit_code=state.get("ExitCode") or 0,
        restarts=found.get("RestartCount") or 0,
        detail="out of memory" if state.get("OOMKilled") else state.get("Error") or "",
        log=(found["HostConfig"].get("LogConfig") or {}).get("Path") or "",
    )


def _word(state):
    if state.get("Dead"):
        return "dead"
    if state.get("Restarting"):
        return "restarting"
    # Podman's own word for what it can't make out is "unknown".
    return STATES.get(state.get("Status"), "dead")
