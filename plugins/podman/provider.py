#!/usr/bin/env python3
"""
A provider plugin that runs containers with Podman's own command line. Only containers that it made, which carry its label, are ever
started, stopped, looked into or removed: one of the same name that somebody else made is refused. Called once for each action.
"""

import binascii
import sys

sys.dont_write_bytecode = True  # beside these files nothing may appear

import containers
from protocol import Refusal, serve
from spec import read_call, read_grace, read_name, read_spec


def main():
    serve(
        {
            "create": create,
            "start": start,
            "stop": stop,
            "destroy": destroy,
            "status": status,
            "logs": logs,
            "stats": stats,
            "exec": execute,
        }
    )


# --- internal ---

# This is read anew for each call: what only one action wants, that one imports.


def create(params):
    from create import create as make

    make(read_spec(params))


def logs(params):
    from logs import read

    return read(params)


def start(params):
    name = read_name(params)
    with containers.turn(name, "start") as lock:
        container = containers.ours(name)
        if container.state == "paused":
            containers.change(lock, "unpause", container.id)
        elif container.state != "running":
            containers.change(lock, "start", container.id)


def stop(params):
    name, grace = read_name(params), read_grace(params)
    with containers.turn(name, "stop") as lock:
        container = containers.ours(name)
        if container.state == "paused":
            containers.change(lock, "unpause", container.id)
        if container.state in ("running", "paused", "restarting"):
            containers.change(lock, "stop", "--time", str(grace), container.id)


def destroy(params):
    name = read_name(params)
    with containers.turn(name, "destroy") as lock:
        if containers.find(name) is not None:
            # Named volumes stay; those that came with the image and have no name go.
            containers.change(lock, "rm", "--force", "--time", "0", "--volumes", containers.ours(name).id)


def status(params):
    name = read_name(params)
    containers.wait_for_create(name)
    container = containers.find(name)
    if container is None:
        return "missing"
    if not container.is_ours:
        return {"state": "missing", "detail": "a container of this name is there that this plugin did not make"}
    return container.status()


def stats(params):
    container = containers.ours(read_name(params))
    if container.state not in ("running", "paused"):
        raise Refusal(f"{container.name} is {container.state}, and only what runs uses anything")
    from cgroup import read_stats

    return read_stats(container.pid, container.id, run=container.started_at)


def execute(params):
    container = containers.ours(read_name(params))
    argv, stdin = read_call(params)
    if container.state != "running":
        raise Refusal(f"{container.name} is {container.state}, and a command needs it to run")
    interactive = [] if stdin is None else ["--interactive"]
    ended = containers.podman("exec", *interactive, container.id, *argv, stdin=stdin)
    if ended.status == 125 and ended.err.startswith(b"Error: "):
        raise Refusal(f"podman exec: {ended.complaint}")
    return {
        "exit_code": ended.exit_code,
        "stdout_b64": _base64(ended.out),
        "stderr_b64": _base64(ended.err),
    }


def _base64(part):
    return binascii.b2a_base64(part, newline=False).decode()


main()
