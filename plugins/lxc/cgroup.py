"""
What a container has used, from the kernel's own counters: the tools' figures are rounded for people. Knows both versions of control
groups. The same file is in each of voxeltron's provider plugins. Only reads.
"""

import os

from protocol import Refusal


def read_stats(pid, group, run):
    """Of the container whose first process is `pid` and whose group has `group` in its name: what runs in it may have groups below it."""
    try:
        used = _unified(pid, group) if os.path.exists(f"{ROOT}/cgroup.controllers") else _divided(pid, group)
        received, sent = _network(pid)
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise Refusal(f"the kernel does not tell what it has used: {error}")
    used["network_rx_bytes"], used["network_tx_bytes"] = received, sent
    used["run"] = run
    return {key: value for key, value in used.items() if value is not None}


# --- internal ---

ROOT = "/sys/fs/cgroup"
# The kernel's word for "no limit" is the largest number of pages that it knows.
NO_LIMIT = 2**60


def _unified(pid, group):
    folder = ROOT + _cut(_groups(pid)[""], group)
    memory = _table(f"{folder}/memory.stat")
    limit = _read(f"{folder}/memory.max").strip()
    blocks = [dict(part.split("=") for part in line.split()[1:]) for line in _lines(f"{folder}/io.stat")]
    return {
        "cpu_seconds": _table(f"{folder}/cpu.stat")["usage_usec"] / 1e6,
        "memory_bytes": max(0, int(_read(f"{folder}/memory.current")) - memory["inactive_file"]),
        "memory_limit_bytes": None if limit == "max" else int(limit),
        "block_read_bytes": sum(int(block.get("rbytes", 0)) for block in blocks),
        "block_write_bytes": sum(int(block.get("wbytes", 0)) for block in blocks),
    }


def _divided(pid, group):
    groups = _groups(pid)

    def folder(controller):
        names = next(names for names in groups if controller in names.split(","))
        return f"{ROOT}/{names}{_cut(groups[names], group)}"

    memory, blkio = folder("memory"), folder("blkio")
    limit = int(_read(f"{memory}/memory.limit_in_bytes"))
    blocks = [line.split() for line in _lines(f"{blkio}/blkio.throttle.io_service_bytes_recursive")]
    cached = _table(f"{memory}/memory.stat")["total_inactive_file"]
    return {
        "cpu_seconds": int(_read(f"{folder('cpuacct')}/cpuacct.usage")) / 1e9,
        "memory_bytes": max(0, int(_read(f"{memory}/memory.usage_in_bytes")) - cached),
        "memory_limit_bytes": None if limit >= NO_LIMIT else limit,
        "block_read_bytes": sum(int(block[2]) for block in blocks if block[1] == "Read"),
        "block_write_bytes": sum(int(block[2]) for block in blocks if block[1] == "Write"),
    }


def _groups(pid):
    """Path by controllers, as the kernel names them: "" is the unified one."""
    return {line.split(":", 2)[1]: line.split(":", 2)[2] for line in _lines(f"/proc/{pid}/cgroup")}


def _cut(path, group):
    parts = path.split("/")
    last = next(at for at, part in enumerate(parts) if group in part)
    return "/".join(parts[: last + 1])


def _network(pid):
    rows = [line.replace(":", " ").split() for line in _lines(f"/proc/{pid}/net/dev")[2:]]
    own = [row for row in rows if row[0] != "lo"]
    return sum(int(row[1]) for row in own), sum(int(row[9]) for row in own)


def _table(path):
    return {key: int(value) for key, value in (line.split() for line in _lines(path))}


def _lines(path):
    return _read(path).splitlines()


def _read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()
