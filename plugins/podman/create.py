"""
Makes a container. No value of its environment stands on a command line, which everybody on the machine can read. Called by provider.py.
"""

import os
import re
import resource

import containers
from protocol import Refusal
from tool import tell


def create(spec):
    _refuse_taken(spec.name)
    image = _bring(spec.image)
    given = _Environment(spec.env)
    try:
        with containers.turn(spec.name, "create") as lock:
            _refuse_taken(spec.name)
            options = {"env": given.inherited, "pass_fds": given.descriptors}
            containers.change(lock, *_arguments(spec, image, given), **options)
    finally:
        given.close()


# --- internal ---

LOG_BYTES = 32 * 2**20
"""What Podman takes a process's limits for, where it may not raise them."""
MOST_PROCESSES = 32_768
CAP_SYS_RESOURCE = 24


def _refuse_taken(name):
    existing = containers.find(name)
    if existing is not None:
        whose = "" if existing.is_ours else ", which this plugin did not make"
        raise Refusal(f"a container {name} is there already{whose}")


def _bring(image):
    """Its name as Podman has it. This may take long, and may be cut off."""
    if containers.podman("image", "exists", image).status == 0:
        return image
    pulled = containers.podman("pull", image)
    # Where an operator named no registry for short names, they mean what they mean to Docker.
    if "short-name" in pulled.complaint and not _names_registry(image):
        image = f"docker.io/{image if '/' in image else f'library/{image}'}"
        pulled = containers.podman("pull", image)
    tell(pulled)
    if pulled.status != 0:
        raise Refusal(f"podman pull: {pulled.complaint}")
    return image


def _names_registry(image):
    first, slash, _ = image.partition("/")
    return slash != "" and (first == "localhost" or "." in first or ":" in first)


def _arguments(spec, image, given):
    return [
        "create",
        "--pull=never",
        f"--name={spec.name}",
        f"--label={containers.LABEL}={containers.MADE_HERE}",
        "--log-driver=k8s-file",
        f"--log-opt=max-size={LOG_BYTES}",
        "--security-opt=no-new-privileges",
        *_limits(),
        *(f"--publish=127.0.0.1:{port.host}:{port.inside}" for port in spec.ports),
        *given.flags,
        *([] if spec.cpus is None else [f"--cpus={spec.cpus}"]),
        *([] if spec.memory is None else [f"--memory={spec.memory}b"]),
        *(f"--volume={each.source}:{each.target}:{'ro' if each.read_only else 'rw'}" for each in spec.volumes),
        "--",
        image,
        *(spec.command or []),
    ]


def _limits():
    """Podman gives more than this process may give, where it is root without the right to raise limits: no container would start."""
    with open("/proc/self/status", encoding="utf-8") as file:
        held = int(re.search(r"^CapEff:\s*(\w+)", file.read(), re.M)[1], 16)
    if os.geteuid() != 0 or held >> CAP_SYS_RESOURCE & 1:
        return []
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    processes = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    processes = MOST_PROCESSES if processes < 0 else min(processes, MOST_PROCESSES)
    return [f"--ulimit=nofile={files}:{files}", f"--ulimit=nproc={processes}:{processes}"]


class _Environment:
    """A file in memory for what fits into a line; Podman's own environment for the rest."""

    # Podman, its helpers and the loader of programs would take these for their own.
    READ_BY_PODMAN = re.compile(
        r"PATH|HOME|USER|SHELL|LANG|TZ|TMPDIR|PWD|IFS|BASH_.*|ENV|LC_.*|LD_.*|GLIBC_.*|MALLOC_.*|GO.*|XDG_.*|SSL_.*|"
        r"NOTIFY_.*|LISTEN_.*|WATCHDOG_.*|DBUS_.*|CNI_.*|NETAVARK_.*|.*CONTAINER.*|.*PODMAN.*|BUILDAH.*|STORAGE_.*|"
        r"REGISTRY_.*|DOCKER_.*|.*PROXY|TERM|_.*|PYTHON.*",
        re.IGNORECASE,
    )
    LINE_BYTES = 32_768

    def __init__(self, env):
        lines = {name: value for name, value in env.items() if self._fits(value)}
        self.inherited = {name: value for name, value in env.items() if name not in lines}
        for name in self.inherited:
            if self.READ_BY_PODMAN.fullmatch(name):
                raise Refusal(f"podman can't be given {name} with a line break in it, or with more than 32 KiB")
        self.descriptors = ()
        self.flags = [f"--env={name}" for name in self.inherited]
        if lines:
            file = os.memfd_create("env", 0)
            with os.fdopen(os.dup(file), "w", encoding="utf-8", newline="") as writer:
                writer.writelines(f"{name}={value}\n" for name, value in lines.items())
            self.descriptors = (file,)
            self.flags.append(f"--env-file=/proc/self/fd/{file}")
            os.lseek(file, 0, os.SEEK_SET)

    def _fits(self, value):
        return not re.search(r"[\r\n]", value) and len(value.encode()) <= self.LINE_BYTES

    def close(self):
        for file in self.descriptors:
            os.close(file)
