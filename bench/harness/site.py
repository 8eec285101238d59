"""A folder with a fleet, its inventory and its files: what all servers have in
common; and the load generators."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

from .servers import pin

TREE = pathlib.Path(__file__).resolve().parents[2]


class Site:
    """Made once for a run of the harness; close() removes it."""

    def __init__(self, sprov, devices, *, size=16384, ca_bits=2048,
                 key_bits=1024, models="SPA504G", generator_core=1,
                 files=None):
        self.sprov = pathlib.Path(sprov).resolve()
        self.devices = devices
        self.generator_core = generator_core
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sprov-bench-"))
        self.folder.chmod(0o755)
        self.fleet = self.folder / "fleet"
        self.files = self.folder / "files"
        self.inventory = "sqlite:%s" % (self.folder / "inventory.db")
        self.simulate("--setup", "--models", models, "--bytes", size,
                      "--ca-bits", ca_bits, "--key-bits", key_bits)
        self.run(self.sprov, "device", "import", self.fleet / "devices.csv",
                 env={"SPROV_INVENTORY": self.inventory})
        self.simulate("--inventory", self.inventory, "--write-files",
                      self.files, count=files or devices,
                      of=devices)
        self.one_file = next(iter(sorted(self.files.iterdir())))
        self.tlsload = None

    def run(self, *command, env=None, check=True, timeout=3600):
        done = subprocess.run(
            list(map(str, command)), env={**os.environ, **(env or {})},
            capture_output=True, encoding="utf-8", check=False,
            timeout=timeout, preexec_fn=pin(self.generator_core))
        if check and done.returncode != 0:
            raise RuntimeError("%s: status %d\n%s%s" % (
                " ".join(map(str, command)), done.returncode, done.stdout,
                done.stderr))
        return done

    def command(self, *arguments, count=None, of=None):
        """The simulator's command line."""
        return [str(word) for word in (
            self.sprov, "simulate", "--fleet", count or self.devices, "--of",
            of or self.devices, "--folder", self.fleet, *arguments)]

    def simulate(self, *arguments, check=True, **options):
        return self.run(*self.command(*arguments, **options), check=check)

    def load(self, server, *arguments, count=None, check_bodies=True,
             sources=200):
        """Let the simulator load the server; what came out."""
        expect = ["--expect", self.files] if check_bodies and \
            not server.one_file else []
        done = self.simulate("--json", "--sources", sources, *expect,
                             *arguments, server.address, count=count,
                             of=self.devices, check=False)
        if not done.stdout.startswith("{"):
            raise RuntimeError("%s: %s" % (server.name, done.stderr))
        found = json.loads(done.stdout)
        server.seen["connected"] += found["ms"]["connected"]["count"]
        server.seen["handshakes"] += found["handshakes"]
        server.seen["served"] += found["outcomes"]["served"]
        return found

    def build_tlsload(self, source, count):
        """A load generator from elsewhere, built outside of the tree."""
        program = self.folder / "tlsload"
        self.run("cc", "-O2", "-w", "-o", program, source, "-lssl", "-lcrypto",
                 "-lm")
        self.simulate("--write-certificates", self.folder / "certs",
                      count=count, of=self.devices)
        self.tlsload = program

    def load_tlsload(self, server, attempts, concurrency, tls, ciphers):
        """The same load by the other generator."""
        suites = ["--ciphers", ciphers] if tls in ("1.0", "1.1", "1.2") else []
        legacy = ["--legacy"] if tls in ("1.0", "1.1") else []
        done = self.run(
            self.tlsload, "--json", "-q", "-n", attempts, "-C", concurrency,
            "--list", self.folder / "certs" / "list", "--tls", tls,
            "--ca", self.fleet / "server-ca.crt", "--src",
            "127.1.0.1/200", *suites, *legacy, server.address, check=False)
        if not done.stdout.startswith("{"):
            raise RuntimeError("tlsload: %s%s" % (done.stdout, done.stderr))
        return json.loads(done.stdout)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        # Else the servers would outlive who started them.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        return self

    def __exit__(self, *_):
        self.close()
