"""
Reads what an action is asked for. Whatever is wrong or unknown is refused in words, and nothing is passed over: a container without
a limit that somebody wrote down would be worse than none. The same file is in each of voxeltron's provider plugins. Touches nothing.
"""

import math
import re
from typing import NamedTuple

from protocol import Refusal


class Port(NamedTuple):
    key: str
    inside: int
    host: int


class Volume(NamedTuple):
    source: str
    target: str
    read_only: bool

    @property
    def is_named(self):
        return not self.source.startswith("/")


class Spec(NamedTuple):
    name: str
    image: str
    ports: list
    env: dict
    cpus: float
    """None: without a limit, as memory."""
    memory: int
    volumes: list
    command: list
    """None: what the image has."""


def read_spec(params):
    unknown = sorted(set(params) - set(Spec._fields))
    if unknown:
        raise Refusal(f"this provider does not know what to do with {', '.join(map(repr, unknown))}")
    return Spec(
        name=read_name(params),
        image=_image(params.get("image")),
        ports=_ports(params.get("ports") or {}),
        env=_env(params.get("env") or {}),
        cpus=_cpus(params.get("cpus")),
        memory=_memory(params.get("memory")),
        volumes=_volumes(params.get("volumes") or []),
        command=_command(params.get("command")),
    )


def read_name(params):
    name = params.get("name")
    if isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", name):
        return name
    raise Refusal(f"a name has 1 to 63 letters, digits, dashes, dots and underscores, and got {name!r}")


def read_grace(params):
    """Whole seconds: the tools know no others."""
    grace = params.get("grace_ms", 10_000)
    if _is_number(grace) and 0 <= grace <= 3_600_000:
        return math.ceil(grace / 1000)
    raise Refusal(f"grace_ms is a number from 0 to 3600000, and got {grace!r}")


def read_tail(params):
    tail = params.get("tail")
    if tail is None or (_is_number(tail) and tail == int(tail) and tail >= 0):
        return None if tail is None else int(tail)
    raise Refusal(f"tail is a number of lines, and got {tail!r}")


def read_call(params):
    """What `exec` runs, and the bytes of its standard input; None where it has none."""
    command, stdin = params.get("command"), params.get("stdin")
    if not isinstance(command, list) or not command:
        raise Refusal("exec wants a command: a list of a program's name and its arguments")
    argv = [text(part, "an argument") for part in command]
    if argv[0] == "":
        raise Refusal("exec wants a command, and its program has no name")
    import base64  # only this wants it, and a call should begin soon

    try:
        return argv, None if stdin is None else base64.b64decode(stdin, validate=True)
    except (ValueError, TypeError):
        raise Refusal("stdin is no base64")


def text(value, what):
    if not isinstance(value, str):
        raise Refusal(f"{what} is text, and got {value!r}")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise Refusal(f"{what} has half a character: {value!r}")
    if "\0" in value:
        raise Refusal(f"{what} can't hold a NUL character: {value!r}")
    return value


# --- internal ---

UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
VOLUME_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,200}"


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _image(image):
    if text(image, "an image") == "" or image.startswith("-") or re.search(r"[\s\x00-\x1f\x7f]", image):
        raise Refusal(f"an image is a name such as debian:12, and got {image!r}")
    return image


def _ports(ports):
    if not isinstance(ports, dict):
        raise Refusal(f'ports are an object such as {{"8080": 18080}}, and got {ports!r}')
    found = [_port(text(key, "a port's name"), value) for key, value in ports.items()]
    if len({port.host for port in found}) < len(found):
        raise Refusal(f"two ports can't be the same port of the host: {ports!r}")
    return found


def _port(key, host):
    inside = int(key) if re.fullmatch(r"[0-9]{1,9}", key) else host
    for number in (inside, host):
        if not _is_number(number) or number != int(number) or not 1 <= number <= 65_535:
            raise Refusal(f"a port is a number from 1 to 65535, and got {key!r}: {host!r}")
    return Port(key, int(inside), int(host))


def _env(env):
    if not isinstance(env, dict):
        raise Refusal(f"env is an object of texts, and got {env!r}")
    for name, value in env.items():
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", name):
            raise Refusal(f"a variable's name has letters, digits, '_', '.' and '-', and got {name!r}")
        text(value, f"the variable {name}")
    return env


def _cpus(cpus):
    if cpus is None or cpus == 0:
        return None
    if _is_number(cpus) and 0.01 <= cpus <= 100_000:
        return float(cpus)
    raise Refusal(f"cpus is a number such as 0.5 or 2, and got {cpus!r}")


def _memory(memory):
    if memory is None or memory == "":
        return None
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]+)?)\s*([kmgt]?)(?:i?b)?", text(memory, "memory").strip(), re.I)
    if match is None:
        raise Refusal(f"memory is a size such as 512m or 4GiB, and got {memory!r}")
    size = round(float(match[1]) * UNITS[match[2].lower()])
    if size < 6 * 2**20:
        raise Refusal(f"memory is at least 6m, and got {memory!r}; a number without a unit is bytes")
    return size


def _volumes(volumes):
    if not isinstance(volumes, list):
        raise Refusal(f'volumes are a list such as ["data:/var/lib/app"], and got {volumes!r}')
    found = [_volume(text(volume, "a volume")) for volume in volumes]
    if len({volume.target for volume in found}) < len(found):
        raise Refusal(f"two volumes can't go to the same place: {volumes!r}")
    return found


def _volume(volume):
    source, target, *mode = volume.split(":") if volume.count(":") in (1, 2) else ("", "")
    is_known = re.fullmatch(VOLUME_NAME, source) or _is_plain_path(source)
    if is_known and _is_plain_path(target) and mode in ([], ["ro"], ["rw"]):
        return Volume(source, target, mode == ["ro"])
    raise Refusal(f"a volume is SOURCE:TARGET[:ro], a name or an absolute path to an absolute path, and got {volume!r}")


def _is_plain_path(path):
    """Absolute, without `..`, doubled slashes and line breaks, and not the root itself."""
    parts = path.split("/")[1:]
    return path.startswith("/") and not re.search(r"[\x00-\x1f\x7f]", path) and not {"", ".", ".."} & set(parts)


def _command(command):
    if command is None or command == "":
        return None
    import shlex  # as above

    try:
        argv = shlex.split(text(command, "a command"))
    except ValueError as error:
        raise Refusal(f"the command {command!r} can't be split into words: {error}")
    if not argv or argv[0] == "":
        raise Refusal(f"a command starts with a program's name, and got {command!r}")
    return argv
