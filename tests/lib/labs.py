"""Labs that sprov lab leaves running."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import shutil

from daemon import BINARY, ENVIRONMENT, Log, wait_until


def is_running(pid):
    """Nor a zombie that nobody has waited for."""
    try:
        stat = pathlib.Path("/proc/%d/stat" % pid).read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def make_base():
    """A folder for a lab, which a user without rights can enter."""
    base = pathlib.Path(tempfile.mkdtemp(prefix="sprov-test-"))
    base.chmod(0o755)
    return base


def command(base, *arguments, **environment):
    """How to run sprov lab: arguments for subprocess."""
    return {
        "args": [str(BINARY), "lab", *map(str, arguments)],
        "env": {**ENVIRONMENT, "HOME": str(base), "TMPDIR": str(base),
                **environment},
        "stdin": subprocess.DEVNULL, "encoding": "utf-8",
    }


def stop(pid):
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_running(pid), "the end of the lab's server")


class Device:
    def __init__(self, lab, row):
        self.model = row["model"]
        self.firmware = row.get("firmware")
        self.mac = row["mac"]
        self.serial = row["serial"]
        self.family = row["family"]
        self.cas = row["cas"]
        self.resync = row.get("resync")
        self.label = self.model + (
            "@" + self.firmware if self.firmware else "")
        self.certificate = lab.folder / "devices" / (self.mac + ".crt")
        self.key = lab.folder / "devices" / (self.mac + ".key")
        self.identity = self.certificate, self.key
        self.path = "/spa%s.cfg" % self.mac
        if self.resync:
            self.ca = self.resync["ca"]
            self.host = self.ca + ".lab.example.net"
            self.port = lab.ports[self.ca]

    @property
    def profile(self):
        """What this device has to get, made without the program."""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            "<!-- %s %s -->\n"
            "<flat-profile>\n"
            "  <Profile_Rule>%s</Profile_Rule>\n"
            "  <GPP_A>$MA of $PN</GPP_A>\n"
            "  <Station_Name>Desk &amp; &lt;%s&gt; %s</Station_Name>\n"
            "  <User_ID_1_>%s</User_ID_1_>\n"
            "  <Password_1_>p&amp;&quot;%s&apos;</Password_1_>\n"
            "</flat-profile>\n" % (
                self.model, self.firmware or "", self.resync["rule"],
                self.family, self.serial, self.mac, self.mac)).encode()


class Lab:
    """sprov lab --keep --json, and its server."""

    def __init__(self):
        self.base = make_base()
        self.folder = self.base / "lab"
        done = subprocess.run(
            **command(self.base, "--keep", "--json", "--dir", self.folder),
            capture_output=True, timeout=300, check=False)
        self.status = done.returncode
        self.progress = done.stderr
        self.log = Log(self.folder / "serve.log")
        self.report = json.loads(done.stdout) if done.stdout else {}
        assert self.report, done.stderr
        self.pid = self.report.get("server_pid")
        self.ports = self.report["ports"]
        self.devices = {}
        for row in self.report["devices"]:
            device = Device(self, row)
            self.devices[device.label] = device

    def device(self, label):
        return self.devices[label]

    def ca(self, ca):
        return self.folder / "cas" / (ca + ".pem")

    def close(self):
        if self.pid and is_running(self.pid):
            stop(self.pid)
        try:
            self.log.check()
        finally:
            shutil.rmtree(self.base)
