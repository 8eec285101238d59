"""CPU and memory of processes, from the kernel's own accounting.

CPU is the time on a core that the scheduler counted for each thread, in
nanoseconds (schedstat); that of children which have ended is added from stat.
"""

import os
import pathlib

PROC = pathlib.Path("/proc")
TICK = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    """The fields behind the name, which may hold anything."""
    text = (PROC / str(pid) / "stat").read_text()
    return text[text.rindex(")") + 2:].split()


def family(pid):
    """pid and all its descendants that live."""
    parents = {}
    for path in PROC.iterdir():
        if path.name.isdigit():
            try:
                parents[int(path.name)] = int(_stat(path.name)[1])
            except OSError:
                pass  # it has just ended
    found = {pid}
    while True:
        more = {child for child, parent in parents.items()
                if parent in found} - found
        if not more:
            return sorted(found)
        found |= more


def cpu_seconds(pid):
    """Of pid, its descendants, and those of its children that have ended."""
    total = 0.0
    for one in family(pid):
        try:
            for task in (PROC / str(one) / "task").iterdir():
                total += int((task / "schedstat").read_text().split()[0]) / 1e9
            ended = _stat(one)
            total += (int(ended[13]) + int(ended[14])) / TICK
        except (OSError, IndexError):
            pass
    return total


def _status(pid, name):
    total = 0
    for one in family(pid):
        try:
            text = (PROC / str(one) / "status").read_text()
        except OSError:
            continue
        for line in text.splitlines():
            if line.startswith(name + ":"):
                total += int(line.split()[1])
    return total


def rss_kb(pid):
    return _status(pid, "VmRSS")


def peak_kb(pid):
    return _status(pid, "VmHWM")


def reset_peak(pid):
    """Let the peak count from now on."""
    for one in family(pid):
        try:
            (PROC / str(one) / "clear_refs").write_text("5")
        except OSError:
            pass


def descriptors(pid):
    total = 0
    for one in family(pid):
        try:
            total += len(os.listdir(PROC / str(one) / "fd"))
        except OSError:
            pass
    return total


def socket_kb():
    """What the kernel holds for TCP, in all: pages of /proc/net/sockstat."""
    for line in (PROC / "net" / "sockstat").read_text().splitlines():
        if line.startswith("TCP:"):
            words = line.split()
            return int(words[words.index("mem") + 1]) * 4
    return 0
