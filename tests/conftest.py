"""Fixtures for tests that run the built binary.

SPROV names the binary; without it, build/sprov of this tree is run.
"""

import functools
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))

# The path has to be set first.
# pylint: disable=wrong-import-position
import minting  # noqa: E402
import wire  # noqa: E402
from daemon import (BINARY, ENVIRONMENT, TREE, Log, Server,  # noqa: E402,F401
                    free_port)
from labs import Lab  # noqa: E402


class Result:
    """What a run printed and how it ended."""

    def __init__(self, run):
        self.status = run.returncode
        self.out = run.stdout
        self.err = run.stderr

    def __repr__(self):
        return "status %d\nout: %s\nerr: %s" % (self.status, self.out,
                                                self.err)


def pytest_configure(config):
    """Old TLS, MD5 and SHA-1 are what this is about."""
    config.addinivalue_line("filterwarnings", "ignore:.*deprecated")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):  # pylint: disable=unused-argument
    """A failure shows the ends of the logs of the servers it used."""
    report = (yield).get_result()
    if report.failed:
        for log in {id(log): log for log in map(
                lambda used: getattr(used, "log", None),
                item.funcargs.values()) if isinstance(log, Log)}.values():
            report.sections.append((str(log.path), log.tail()))


@pytest.fixture
def environment(tmp_path):
    """The environment of the binary: nothing of the caller's settings."""
    return {
        **ENVIRONMENT,
        "HOME": str(tmp_path),
        "SPROV_INVENTORY": "sqlite:%s" % (tmp_path / "inventory.db"),
    }


@pytest.fixture
def sprov(tmp_path, environment):
    """Run sprov with arguments; the current folder is tmp_path."""

    def run(*arguments, stdin="", **more_environment):
        assert BINARY.exists(), "%s: build it first" % BINARY
        return Result(subprocess.run(
            [str(BINARY), *map(str, arguments)], input=stdin,
            cwd=tmp_path, env={**environment, **more_environment},
            capture_output=True, encoding="utf-8", timeout=60, check=False))

    return run


@pytest.fixture
def good(sprov):
    """As sprov, for runs that have to succeed; returns what was printed."""

    def run(*arguments, **options):
        result = sprov(*arguments, **options)
        assert result.status == 0 and result.err == "", result
        return result.out

    return run


# The server of a lab, which all tests share and no test changes


@pytest.fixture(scope="session")
def lab():
    """A lab that was kept: every model, one listener per CA."""
    made = Lab()
    yield made
    made.close()


# A small server of a test's own

MAC = "000e08aabbcc"
OTHER = "000e08aabbcd"

TEMPLATE = """\
<flat-profile>
  <User_ID_1_>{{mac}}</User_ID_1_>
  <Password_1_>{{password}}</Password_1_>
</flat-profile>
"""

DEVICES = """\
mac,model,serial,state,password
%s,SPA962,88012AA00001,,first & secret
%s,SPA962,88012AA00002,,second-secret
000e08aabbce,SPA962,88012AA00003,retired,third-secret
""" % (MAC, OTHER)

PROFILE = b"""\
<flat-profile>
  <User_ID_1_>000e08aabbcc</User_ID_1_>
  <Password_1_>first &amp; secret</Password_1_>
</flat-profile>
"""


class Pki:
    """The certificates that most tests need."""

    def __init__(self):
        self.server_root = minting.authority("Server Root")
        self.client_root = minting.authority("Client Root", which=3)
        self.server = self.server_root.issue(
            minting.name(CN="sprov.example.net"),
            hosts=["sprov.example.net", "localhost", "127.0.0.1"])
        self.device = self.client_root.issue(
            minting.documented(MAC, "88012AA00001"),
            private_key=minting.key(1024), digest="sha1")
        self.other = self.client_root.issue(
            minting.documented(OTHER, "88012AA00002"),
            private_key=minting.key(1024), digest="sha1")


@pytest.fixture(scope="session")
def pki():
    return Pki()


class Small(Server):
    """A server with the certificates of Pki and the devices above."""

    def __init__(self, certificates):
        super().__init__()
        self.pki = certificates
        self.port = free_port()
        self.write_pair("server", certificates.server)
        self.write("anchors.pem", certificates.client_root.pem)
        self.write("templates/device.xml", TEMPLATE)
        self.device("import", "-", stdin=DEVICES)

    def listener(self, name="one", address=None, directives="",
                 certificate="server", anchors="anchors.pem",
                 policy="modern"):
        """The text of a listener; address: without one that of self.port."""
        return ("listener %s {\n"
                "    address %s\n"
                "    certificate %s.crt key %s.key\n"
                "    tls %s\n"
                "    client-anchors %s\n"
                "%s}\n" % (
                    name, address or "127.0.0.1:%d" % self.port, certificate,
                    certificate, policy, anchors, "".join(
                        "    %s\n" % line
                        for line in directives.splitlines())))

    @functools.lru_cache(maxsize=None)  # pylint: disable=W1518
    def identity(self, certificate):
        """Files of the certificate, for a client."""
        return certificate.write(self.folder,
                                 "client-%d" % id(certificate))

    def context(self, certificate="device", **offer):
        """certificate: one of Pki by name, or any other, or None."""
        if isinstance(certificate, str):
            certificate = getattr(self.pki, certificate)
        return wire.context(certificate and self.identity(certificate),
                            **offer)

    def client(self, certificate="device", port=None, **offer):
        return wire.Client(port or self.port,
                           self.context(certificate, **offer))

    def get(self, path="/spa%s.cfg" % MAC, certificate="device", port=None,
            **offer):
        return wire.get(port or self.port,
                        self.context(certificate, **offer), path)


@pytest.fixture
def server(pki):
    """Not yet configured and started: that is the test's."""
    made = Small(pki)
    yield made
    made.close()


@pytest.fixture
def running(server):
    """One listener, and the shortest times."""
    server.configure(server.listener())
    server.start()
    return server
