"""A part of a core for the servers under test, from the kernel (cgroups).

Three times more than a whole core can serve is more than a generator on one
other core can bring.  Of half a core it is not; and where other work runs on
the machine, that half is the same from second to second.
"""

import os
import pathlib

PERIOD_US = 10000  # short, so that being held back shows as no latency
WEIGHT_V1, WEIGHT_V2 = 65536, 10000  # before whatever else runs
ROOT = pathlib.Path("/sys/fs/cgroup")


class Share:
    """So many percent of one core for all processes that join()."""

    def __init__(self, percent):
        self.folder = None
        if percent is None:
            return
        old = (ROOT / "cpu" / "cpu.shares").exists()
        self.folder = (ROOT / "cpu" if old else ROOT) / (
            "sprov-bench-%d" % os.getpid())
        quota = PERIOD_US * percent // 100
        try:
            self.folder.mkdir()
            if old:
                self._write("cpu.cfs_period_us", PERIOD_US)
                self._write("cpu.cfs_quota_us", quota)
                self._write("cpu.shares", WEIGHT_V1)
            else:
                self._write("cpu.max", "%d %d" % (quota, PERIOD_US))
                self._write("cpu.weight", WEIGHT_V2)
        except OSError as reason:
            self.close()
            raise SystemExit("bench: --server-share: %s (it needs root and "
                             "the cpu controller)" % reason) from reason

    def _write(self, name, value):
        (self.folder / name).write_text(str(value))

    def join(self):
        """The calling process; for preexec_fn."""
        if self.folder is not None:
            self._write("cgroup.procs", 0)

    def close(self):
        """When all that joined have ended."""
        if self.folder is not None and self.folder.exists():
            self.folder.rmdir()
