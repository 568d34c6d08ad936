"""
Makes a container: LXC's template brings the files, the rest is its configuration. What LXC can't do is refused here, so that nothing of a
spec is passed over. Called by provider.py.
"""

import os
import re
import tempfile

import containers
import network
from protocol import Refusal
from tool import run, tell


def create(spec):
    configuration = _configuration(spec)
    template = _template(spec.image)
    net = network.settings()
    network.refuse_impossible(net, spec)
    with containers.turn(spec.name, "create") as lock:
        existing = containers.find(spec.name)
        if existing is not None and existing.is_whole:
            whose = "" if existing.is_ours else ", which this plugin did not make"
            raise Refusal(f"a container {spec.name} is there already{whose}")
        if existing is not None:
            _remove(lock, spec.name)
        _make(lock, spec, template, configuration)


# --- internal ---

LOG_BYTES = 16 * 2**20
"""Of the console, and as much again of the file before."""
NAMES_OF_PARTS = {
    "download": ["--dist", "--release", "--arch", "--variant"],
    "debian": ["--release", "--arch"],
    "ubuntu": ["--release", "--arch"],
    "alpine": ["--release", "--arch"],
    "fedora": ["--release", "--arch"],
}


def _template(image):
    """`busybox`, `debian/bookworm`, `download:debian/12/amd64`: a template's name, and what it takes in its order."""
    name, colon, rest = image.partition(":")
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,40}", name):
        raise Refusal(f"an image is the name of one of LXC's templates, such as busybox, or download:debian/12/amd64, and got {image!r}")
    parts = rest.split("/") if colon else []
    options = NAMES_OF_PARTS.get(name, [])
    if len(parts) > len(options) or any(not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}", part) for part in parts):
        wanted = f"{name}:" + "/".join(option[2:].upper() for option in options) if options else name
        raise Refusal(f"the template {name} is asked for as {wanted}, and got {image!r}")
    if name == "download":
        if len(parts) < 2:
            raise Refusal(f"download wants a distribution and a release, such as download:debian/12, and got {image!r}")
        parts = parts if len(parts) > 2 else [*parts, _architecture()]
    return [name, [f"{option}={part}" for option, part in zip(options, parts)]]


def _architecture():
    """As Debian names it, and the download's server."""
    machine = os.uname().machine
    return {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armhf"}.get(machine, machine)


def _configuration(spec):
    lines = ["# Made by voxeltron's lxc plugin."]
    lines += [f'lxc.environment = "{name}={_one_line(name, value)}"' for name, value in spec.env.items()]
    lines += [f"{key} = {value}" for key, value in _limits(spec)]
    lines += [_mount(volume) for volume in spec.volumes]
    return lines


def _one_line(name, value):
    if re.search(r"[\r\n]", value):
        raise Refusal(f"LXC can't give a container a variable with a line break in it, and {name} has one")
    return value


def _limits(spec):
    is_unified = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
    if spec.memory is not None:
        yield ("lxc.cgroup2.memory.max" if is_unified else "lxc.cgroup.memory.limit_in_bytes"), spec.memory
    if spec.cpus is not None:
        quota = round(spec.cpus * 100_000)
        if is_unified:
            yield "lxc.cgroup2.cpu.max", f"{quota} 100000"
        else:
            yield "lxc.cgroup.cpu.cfs_period_us", 100_000
            yield "lxc.cgroup.cpu.cfs_quota_us", quota


def _mount(volume):
    if volume.is_named:
        source = os.path.join(containers.STATE_FOLDER, "volumes", volume.source)
    else:
        source = volume.source
        if not os.path.exists(source):
            raise Refusal(f"the volume {source} is not there on this machine")
    kind = "file" if os.path.isfile(source) else "dir"
    mode = ",ro" if volume.read_only else ""
    return f"lxc.mount.entry = {_field(source)} {_field(volume.target[1:])} none rbind{mode},create={kind} 0 0"


def _field(path):
    """As mount tables have it."""
    return re.sub(r"[ \t\\#]", lambda match: f"\\{ord(match[0]):03o}", path)


def _make(lock, spec, template, configuration):
    name, options = template
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", prefix="voxeltron-lxc-") as file:
        # The group stands in the container's configuration from the beginning: what is cut off is known as ours.
        file.write(f"{_default()}\nlxc.group = {containers.GROUP}\n")
        file.flush()
        ended = run(["lxc-create", f"--name={spec.name}", f"--config={file.name}", f"--template={name}", "--", *options])
    tell(ended)
    if ended.status != 0:
        raise Refusal(f"lxc-create: {ended.complaint}")
    try:
        _finish(spec, name, configuration)
    except BaseException:
        _remove(lock, spec.name)
        raise


def _finish(spec, template, configuration):
    for volume in spec.volumes:
        if volume.is_named:
            os.makedirs(os.path.join(containers.STATE_FOLDER, "volumes", volume.source), exist_ok=True)
    is_static = network.is_static(template, spec.command)
    if template == "busybox":
        _leave_address_alone(spec.name)
    console = containers.place(spec.name, "console.log")
    lines = [
        *configuration,
        f"lxc.console.logfile = {console}",
        f"lxc.console.size = {LOG_BYTES}",
        "lxc.console.rotate = 1",
        # An init has a signal of its own for this; a program knows this one.
        *([] if spec.command is None else ["lxc.signal.halt = SIGTERM"]),
        *(network.name_server(spec.name) if is_static else []),
    ]
    with open(containers.place(spec.name, "config"), "a", encoding="utf-8") as file:
        file.write("\n" + "\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    ports = [[port.key, port.inside] for port in spec.ports]
    containers.keep_notes(spec.name, {"ports": ports, "command": spec.command, "is_static": is_static})


def _default():
    path = run(["lxc-config", "lxc.default_config"]).out.decode().strip()
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _leave_address_alone(name):
    """The template's start script asks for an address by DHCP, and its client first takes away the one that is there."""
    script = containers.place(name, "rootfs/etc/init.d/rcS")
    with open(script, encoding="utf-8") as file:
        lines = file.readlines()
    with open(script, "w", encoding="utf-8") as file:
        file.writelines(line for line in lines if "udhcpc" not in line)


def _remove(lock, name):
    containers.change(lock, "lxc-destroy", f"--name={name}", "--force")
