"""
What a container wrote, from the file that Podman keeps: line by line with its time and its stream, and a position to go on from. Called by
provider.py.
"""

import re

import containers
from logfile import PIECE_LINES, read_lines
from protocol import Refusal
from spec import read_name, read_tail


def read(params):
    container = containers.ours(read_name(params))
    if container.log == "":
        raise Refusal(f"podman keeps no log of {container.name}")
    position, tail = params.get("position"), read_tail(params)
    has_ended = container.state in ("stopped", "exited", "dead")
    # A line may be several records.
    records = read_lines(container.log, position, None if tail is None else PIECE_LINES, has_ended)
    lines, behind = _join(records, position, gives_all=has_ended)
    if tail is not None and position is None:
        lines = lines[max(0, len(lines) - tail) :]
    return {"lines": lines} if behind is None else {"lines": lines, "position": behind}


# --- internal ---

# The file has a record for each piece of a line (P) and one for the line's end (F).
RECORD = re.compile(rb"(\S+) (stdout|stderr) ([PF]) (.*)", re.S)
# A line that is longer comes in pieces.
LONGEST = 65_536


class _Line:
    def __init__(self, at, stream, before):
        self.at, self.stream, self.text = at, stream, b""
        self.before = before
        """Where its first record begins."""
        self.is_whole = False

    def told(self):
        text = self.text.decode("utf-8", "replace")
        return {"text": text, "at": self.at.decode(), "stream": self.stream.decode()}


def _join(records, position, gives_all):
    """A line that is not whole is held back, unless the other stream went on behind it: its end is nowhere near then."""
    lines, unfinished, behind = [], {}, position
    for record in records:
        match = RECORD.fullmatch(record.text)
        if match is not None:
            at, stream, kind, text = match.groups()
            line = unfinished.get(stream)
            if line is None:
                line = unfinished[stream] = _Line(at, stream, behind)
                lines.append(line)
            line.text += text
            if kind == b"F" or len(line.text) >= LONGEST:
                line.is_whole = True
                del unfinished[stream]
        behind = record.position
    while lines and not lines[-1].is_whole and not gives_all:
        behind = lines.pop().before
    return [line.told() for line in lines], behind
