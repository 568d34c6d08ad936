#!/usr/bin/env python3
"""
A provider plugin that runs containers with LXC's own tools. Only containers that it made, which have its notes in their folder, are ever
started, stopped, looked into or removed: one of the same name that somebody else made is refused. Called once for each action.
"""

import binascii
import os
import sys

sys.dont_write_bytecode = True  # beside these files nothing may appear

import containers
from protocol import Refusal, serve
from spec import read_call, read_grace, read_name, read_spec, read_tail
from tool import run


def main():
    if os.geteuid() != 0:
        serve(dict.fromkeys(ACTIONS, refuse_without_root))
    serve(ACTIONS)


# --- internal ---

# This is read anew for each call: what only one action wants, that one imports.


def create(params):
    from create import create as make

    make(read_spec(params))


def start(params):
    from start import start as begin

    return begin(read_name(params))


def stop(params):
    name, grace = read_name(params), read_grace(params)
    with containers.turn(name, "stop") as lock:
        container = containers.ours(name)
        if container.state not in ("running", "paused"):
            return
        containers.keep_notes(name, {**container.notes, "was_stopped": True})
        if container.state == "paused":
            containers.change(lock, "lxc-unfreeze", f"--name={name}")
        way = ["--kill"] if grace == 0 else [f"--timeout={grace}"]
        containers.change(lock, "lxc-stop", f"--name={name}", *way)


def destroy(params):
    name = read_name(params)
    with containers.turn(name, "destroy") as lock:
        container = containers.find(name)
        if container is not None:
            containers.refuse_foreign(container)
            # Named volumes are elsewhere, and stay.
            containers.change(lock, "lxc-destroy", f"--name={name}", "--force")


def status(params):
    container = containers.find(read_name(params))
    if container is None or not container.is_whole:
        return "missing"
    if not container.is_ours:
        return {"state": "missing", "detail": "a container of this name is there that this plugin did not make"}
    return container.status()


def logs(params):
    from logfile import read_lines

    container = containers.ours(read_name(params))
    has_ended = container.state in ("stopped", "exited", "dead")
    found = read_lines(containers.place(container.name, "console.log"), params.get("position"), read_tail(params), has_ended)
    # A console ends its lines as a terminal wants them. It has no times, and one stream.
    lines = [{"text": line.text.decode("utf-8", "replace").rstrip("\r")} for line in found]
    behind = found[-1].position if found else params.get("position")
    return {"lines": lines} if behind is None else {"lines": lines, "position": behind}


def stats(params):
    container = containers.ours(read_name(params))
    if container.state not in ("running", "paused"):
        raise Refusal(f"{container.name} is {container.state}, and only what runs uses anything")
    from cgroup import read_stats

    return read_stats(container.pid, f"lxc.payload.{container.name}", run=f"{container.pid} {container.started_at}")


def execute(params):
    container = containers.ours(read_name(params))
    argv, stdin = read_call(params)
    if container.state != "running":
        raise Refusal(f"{container.name} is {container.state}, and a command needs it to run")
    ended = run(["lxc-attach", f"--name={container.name}", "--clear-env", "--", *argv], stdin=stdin)
    return {
        "exit_code": ended.exit_code,
        "stdout_b64": _base64(ended.out),
        "stderr_b64": _base64(ended.err),
    }


def refuse_without_root(_):
    raise Refusal("this plugin needs the daemon to run as root: LXC's containers of other users have no limits and no bridge")


def _base64(part):
    return binascii.b2a_base64(part, newline=False).decode()


ACTIONS = {
    "create": create,
    "start": start,
    "stop": stop,
    "destroy": destroy,
    "status": status,
    "logs": logs,
    "stats": stats,
    "exec": execute,
}

main()
