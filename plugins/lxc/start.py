"""
Starts a container and says where its ports are. LXC's start command stays beside the container as long as it runs, in a session of its
own: so the container's console has a log, and its end is known. Called by provider.py.
"""

import ipaddress
import re
import subprocess
import time

import containers
import network
from protocol import Refusal
from tool import run_to_the_end


def start(name):
    with containers.turn(name, "start"):
        container = containers.ours(name)
        if container.state == "paused":
            unfrozen = run_to_the_end(["lxc-unfreeze", f"--name={name}"])
            if unfrozen.status != 0:
                raise Refusal(f"lxc-unfreeze: {unfrozen.complaint}")
        elif container.state != "running":
            _start(name, container.notes)
        return _addresses(name, containers.ours(name))


# --- internal ---

START_SECONDS = 20
ADDRESS_SECONDS = 15


def _start(name, notes):
    notes = {key: value for key, value in notes.items() if key != "was_stopped"}
    settings = []
    if notes["is_static"]:
        address = network.static_address(name, notes)
        if address is not None:
            notes["address"] = address
            # LXC does not work out the broadcast address by itself.
            whole = f"{address} {ipaddress.ip_interface(address).network.broadcast_address}"
            settings = [
                f"--define=lxc.net.0.ipv4.address={whole}",
                "--define=lxc.net.0.ipv4.gateway=auto",
                f"--define=lxc.net.0.hwaddr={network.hardware_address(address)}",
            ]
    containers.keep_notes(name, {**notes, "was_started": True})
    log = containers.place(name, "lxc.log")
    open(log, "w", encoding="utf-8").close()
    child = subprocess.Popen(
        [
            "lxc-start",
            "--foreground",
            f"--name={name}",
            f"--logfile={log}",
            "--logpriority=INFO",
            *settings,
            "--",
            *(notes["command"] or []),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
    _wait(name, child, log)


def _wait(name, child, log):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        has_ended = child.poll() is not None
        with open(log, encoding="utf-8", errors="replace") as file:
            said = file.read()
        # What starts and ends at once did start.
        if re.search(r' - Started "', said):
            return
        if has_ended:
            raise Refusal(f"lxc-start: {_complaint(said)}")
        time.sleep(0.01)
    raise Refusal(f"{name} did not start within {START_SECONDS} s")


def _complaint(said):
    errors = re.findall(r"^lxc-start \S+ \S+ ERROR\s+\S+ - [^ ]+?:\w+:\d+ - (.*)$", said, re.M)
    # The first is the cause; LXC's advice about its log and what follows from it come later.
    return " · ".join(errors[:2]) or "it ended without a word"


def _addresses(name, container):
    ports = container.notes["ports"]
    if not ports or container.state != "running":
        return None
    address = network.address_of(name, time.monotonic() + ADDRESS_SECONDS)
    if address is None:
        raise Refusal(f"{name} runs, and got no address within {ADDRESS_SECONDS} s: does lxc-net run, and does its init ask for one?")
    return {"addresses": {key: f"{address}:{inside}" for key, inside in ports}}
