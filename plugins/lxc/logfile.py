"""
Reads a container's log file a piece at a time. A position is where to go on: it names the file as well, which another may have replaced
since. The same file is in each of voxeltron's provider plugins. Only reads.
"""

import os
import re
import zlib
from typing import NamedTuple

# Of one answer: who wants more asks again from the position that it got.
PIECE_BYTES = 2**20
PIECE_LINES = 2_000


class Line(NamedTuple):
    text: bytes
    """Without its end."""
    position: str
    """Behind it."""


def read_lines(path, position, tail, ended):
    """
    Oldest first; with `tail` the last ones. A last line without an end is only given where nothing more will come (`ended`). Of the file and
    the one before it (`.1`), if there is one.
    """
    files = [file for file in (_open(f"{path}.1"), _open(path)) if file is not None]
    try:
        if tail is not None and position is None:
            return _last(files, tail, ended)
        return _next(files, position, ended)
    finally:
        for file in files:
            file.close()


# --- internal ---


def _open(path):
    try:
        return open(path, "rb")
    except FileNotFoundError:
        return None


def _last(files, tail, ended):
    found = []
    for file in reversed(files):
        size = os.fstat(file.fileno()).st_size
        start = max(0, size - PIECE_BYTES)
        lines = _lines_from(file, start, size - start, with_rest=ended or file is not files[-1])
        # The first one may have begun before.
        found = (lines[1:] if start > 0 else lines) + found
        if start > 0 or len(found) >= tail:
            break
    return found[max(0, len(found) - min(tail, PIECE_LINES)) :]


def _next(files, position, ended):
    files, offset = _place(files, position)
    found, room = [], PIECE_BYTES
    for file in files:
        lines = _lines_from(file, offset, room, with_rest=ended or file is not files[-1])
        found += lines
        room -= sum(len(line.text) + 1 for line in lines)
        if len(found) >= PIECE_LINES or room <= 0 or not _is_at_end(file):
            break
        offset = 0
    return found[:PIECE_LINES]


def _place(files, position):
    """The files from the one that the position is in on; all of them, from the start, where it is in none."""
    match = re.fullmatch(r"(\d{1,20}):(\d{1,20}):(\d{1,20})", position or "")
    if match:
        inode, mark, offset = map(int, match.groups())
        for at, file in enumerate(files):
            state = os.fstat(file.fileno())
            if state.st_ino == inode and state.st_size >= offset and _mark(file, offset) == mark:
                return files[at:], offset
    return files, 0


def _mark(file, offset):
    """Of what was there already: a file's number may be given to another file."""
    return zlib.crc32(os.pread(file.fileno(), min(offset, 64), 0))


def _lines_from(file, offset, size, with_rest):
    """Leaves the file behind the last line that it gives."""
    file.seek(offset)
    chunk = file.read(size)
    end = chunk.rfind(b"\n") + 1
    # A line that is longer than a piece comes in pieces.
    if (end == 0 and len(chunk) == PIECE_BYTES) or (with_rest and _is_at_end(file)):
        end = len(chunk)
    file.seek(offset + end)
    number = os.fstat(file.fileno()).st_ino
    found = []
    # At line feeds alone: what else Python takes for a line's end is part of a text.
    for text in re.findall(rb"[^\n]*\n|[^\n]+\Z", chunk[:end]):
        offset += len(text)
        found.append(Line(text.rstrip(b"\n"), f"{number}:{_mark(file, offset)}:{offset}"))
    return found


def _is_at_end(file):
    return file.tell() >= os.fstat(file.fileno()).st_size
