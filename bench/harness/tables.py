"""Medians, tables, and what kind of machine this is."""

import datetime
import pathlib
import platform
import re
import statistics
import subprocess


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def ratios(mine, others):
    """Median of the ratios within each round."""
    return median([a / b for a, b in zip(mine, others) if a and b])


def text(value, form="%.0f"):
    return "-" if value is None else form % value


def table(head, rows):
    """In Markdown, which people can read as it is."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [head, *rows])
              for i in range(len(head))]

    def line(cells):
        first, *rest = cells
        return "| %s |" % " | ".join([first.ljust(widths[0])] + [
            cell.rjust(width) for cell, width in zip(rest, widths[1:])])

    rule = "|%s|" % "|".join(
        "-" * (widths[0] + 2) if i == 0 else "-" * (width + 1) + ":"
        for i, width in enumerate(widths))
    return "\n".join([line(head), rule, *map(line, rows)])


def machine():
    """The kind of machine, without its name."""
    cpu = re.search(r"model name\s*: (.*)",
                    pathlib.Path("/proc/cpuinfo").read_text())
    cores = len(re.findall(r"^processor", pathlib.Path(
        "/proc/cpuinfo").read_text(), re.M))
    memory = int(re.search(r"MemTotal:\s*(\d+)", pathlib.Path(
        "/proc/meminfo").read_text()).group(1)) // 1024 // 1024
    openssl = subprocess.run(["openssl", "version"], capture_output=True,
                             encoding="utf-8", check=False).stdout.split()
    return "%d cores of %s, %d GB, Linux %s, OpenSSL %s" % (
        cores, cpu.group(1) if cpu else platform.machine(), memory,
        platform.release().split("-")[0].split("+")[0],
        openssl[1] if len(openssl) > 1 else "?")


def load_average():
    return pathlib.Path("/proc/loadavg").read_text().split()[0]


def today():
    return datetime.date.today().isoformat()
