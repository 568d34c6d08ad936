"""
Addresses of containers. LXC publishes no ports: a container is reached at its own address on LXC's bridge. Where a distribution's init
asks for one by DHCP, that one; where nobody in the container would ask, one that is free. Called by create.py and start.py.
"""

import contextlib
import fcntl
import ipaddress
import os
import re
import socket
import struct
import time
from typing import NamedTuple

import containers
from protocol import Refusal
from tool import run


class Settings(NamedTuple):
    """Of new containers on this machine."""

    kind: str
    bridge: str
    is_managed: bool
    """The bridge is the one that lxc-net serves: who else is on it is known."""


def settings():
    config = _read(run(["lxc-config", "lxc.default_config"]).out.decode().strip())
    kind = _last(r"^lxc\.net\.0\.type\s*=\s*(\S+)", config) or "empty"
    bridge = _last(r"^lxc\.net\.0\.link\s*=\s*(\S+)", config) or ""
    managed = _last(r"^LXC_BRIDGE=[\"']?([\w.-]+)", _read("/etc/default/lxc-net")) or "lxcbr0"
    return Settings(kind, bridge, bridge == managed)


def refuse_impossible(net, spec):
    if net.kind == "veth" and not os.path.exists(f"/sys/class/net/{net.bridge}"):
        raise Refusal(f"the bridge {net.bridge} is not there: systemctl start lxc-net")
    if spec.ports and net.kind != "veth":
        raise Refusal(f"containers can't be reached here, their network is {net.kind}: /etc/lxc/default.conf decides that")
    if spec.ports and not net.is_managed and is_static(spec.image.partition(":")[0], spec.command):
        raise Refusal(f"a container without an init of its own has no address on {net.bridge}, only on lxc-net's bridge")


def is_static(template, command):
    """Nobody in it asks for an address. The busybox template's client could, and would take long."""
    return command is not None or template == "busybox"


def name_server(name):
    """Lines of the configuration. In the place of the container's own file, where it has none that leads elsewhere."""
    net = settings()
    if not net.is_managed or net.kind != "veth":
        return []
    path = containers.place(name, "resolv.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"nameserver {_network_of(net.bridge).ip}\n")
    return [f"lxc.mount.entry = {path} etc/resolv.conf none bind,ro,optional,create=file 0 0"]


def static_address(name, notes):
    """With its mask; None where there is no bridge that we know enough of. Is kept in the container's notes before anybody else chooses."""
    net = settings()
    if net.kind != "veth" or not net.is_managed:
        return None
    with _one_at_a_time():
        network = _network_of(net.bridge)
        taken = _taken(net.bridge, name) | {network.ip}
        free = (host for host in _downwards(network.network) if host not in taken)
        before = notes.get("address")
        address = ipaddress.ip_interface(before) if before else None
        if address is None or address.ip in taken or address.network != network.network:
            host = next(free, None)
            if host is None:
                raise Refusal(f"no address is free on {net.bridge}")
            address = ipaddress.ip_interface(f"{host}/{network.network.prefixlen}")
        containers.keep_notes(name, {**notes, "address": str(address)})
    return str(address)


def hardware_address(address):
    """The same for the same address, whoever has it: who remembers the one from before would look in vain for a while."""
    return ":".join(f"{byte:02x}" for byte in b"\x02\x42" + ipaddress.ip_interface(address).ip.packed)


def address_of(name, deadline):
    """Of a running container, waited for; None where it got none."""
    while True:
        ended = run(["lxc-info", f"--name={name}", "--ips", "--no-humanize"])
        found = [line for line in ended.out.decode().split() if re.fullmatch(r"[0-9.]+", line)]
        if found or time.monotonic() > deadline:
            return found[0] if found else None
        time.sleep(0.1)


# --- internal ---

SIOCGIFADDR = 0x8915
SIOCGIFNETMASK = 0x891B


@contextlib.contextmanager
def _one_at_a_time():
    os.makedirs(containers.STATE_FOLDER, mode=0o700, exist_ok=True)
    with open(os.path.join(containers.STATE_FOLDER, "addresses.lock"), "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _network_of(bridge):
    return ipaddress.ip_interface(f"{_ask_kernel(bridge, SIOCGIFADDR)}/{_ask_kernel(bridge, SIOCGIFNETMASK)}")


def _ask_kernel(interface, request):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        try:
            answer = fcntl.ioctl(channel, request, struct.pack("256s", interface.encode()[:15]))
        except OSError:
            raise Refusal(f"the bridge {interface} has no address: systemctl start lxc-net")
    return socket.inet_ntoa(answer[20:24])


def _downwards(network):
    """From its end: what serves addresses on request is likely to begin elsewhere."""
    for number in range(int(network.broadcast_address) - 1, int(network.network_address), -1):
        yield ipaddress.ip_address(number)


def _taken(bridge, name):
    """Given out by lxc-net, written down for other containers, or seen on the bridge at another's."""
    texts = [_read(f"/var/lib/misc/dnsmasq.{bridge}.leases")]
    for other in containers.names():
        if other != name:
            texts += re.findall(r"^lxc\.net\.\d+\.ipv4\.address\s*=\s*(\S+)", _read(containers.place(other, "config")), re.M)
            texts += re.findall(r'"address": "([0-9.]+)', _read(containers.place(other, containers.NOTES)))
    return {ipaddress.ip_address(found) for found in re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", "\n".join(texts)) if _is_address(found)}


def _is_address(text):
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _last(pattern, text):
    return next(iter(re.findall(pattern, text, re.M)[-1:]), None)


def _read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return ""
