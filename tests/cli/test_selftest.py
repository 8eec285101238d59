"""The server looks at its own listeners: after the start, and when asked."""

import select
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading

import pytest

import faults
import minting
from daemon import BINARY, Server, free_port, wait_until


@pytest.fixture
def site():
    made = faults.Site(self_test=True)
    yield made
    made.close()


def rehearse(server, status):
    done = subprocess.run(
        [str(BINARY), "serve", "--self-test", "--config",
         str(server.config)], env=server.environment, capture_output=True,
        encoding="utf-8", timeout=120, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_at_start_and_reload(site):
    """It says so, and leaves no trace of its own visits."""
    with open(site.config, "a", encoding="utf-8") as file:
        file.write("listener plain {\n    address 127.0.0.1:%d\n"
                   "    plain-http\n}\n" % free_port())
    site.start()
    line = site.log.wait(event="self-test")
    assert "at 12 addresses: all as configured" in line["message"]
    site.reload()
    site.log.wait(2, event="self-test")
    site.simulate(faults.PHONE, "csb2")
    site.log.wait(event="request")

    def events():
        with sqlite3.connect("file:%s?mode=ro" % (
                site.folder / "events.db"), uri=True) as db:
            return db.execute("SELECT count(*) FROM event").fetchone()[0]

    wait_until(lambda: (site.folder / "events.db").exists() and events(),
               "the event of the phone")
    assert events() == 1
    for event in "handshake-failed", "no-request", "self-test-failed":
        assert not site.log.lines(event=event)


def test_off(site):
    site.config.write_text(site.config.read_text(encoding="utf-8").replace(
        "self-test on", "self-test off"), encoding="utf-8")
    site.start()
    site.simulate(faults.PHONE, "csb2")
    site.log.wait(event="request")
    site.stop()
    assert not site.log.lines(event="self-test")


def test_when_asked(site):
    """Without the ports, the devices and the files of the one that runs."""
    before = sorted(path.name for path in site.folder.iterdir())
    out = rehearse(site, 0)
    assert out == "%s: every listener shows what is configured\n" % site.config
    assert sorted(path.name for path in site.folder.iterdir()) == before
    site.start()
    rehearse(site, 0)
    site.simulate(faults.PHONE, "csb2")
    assert site.log.wait(event="request")["status"] == "200"


def test_when_asked_and_wrong(site):
    site.config.write_text(site.config.read_text().replace(
        "certificate csb1.crt", "certificate none.crt"))
    assert "none.crt: No such file" in rehearse(site, 1)


def test_several_certificates():
    """The first one, or that of the name."""
    server = Server()
    try:
        text = ""
        for name, ca in ("a", faults.SB1), ("b", faults.SB2):
            host = "%s.example.net" % name
            server.write_pair(name, faults.root(ca).issue(
                minting.name(CN=host), hosts=[host], digest="sha256"))
            text += "    certificate %s.crt key %s.key\n" % (name, name)
        server.write("anchors.pem", faults.root(faults.CLIENT_SB1).pem)
        server.configure(
            "self-test on\n"
            "listener one {\n    address 127.0.0.1:%d\n%s    tls legacy\n"
            "    client-anchors anchors.pem\n}\n"
            "listener plain {\n    address 127.0.0.1:%d\n    plain-http\n}\n"
            % (free_port(), text, free_port()))
        server.start()
        first = server.log.wait(event="self-test")["message"]
        assert "at 2 addresses" in first
        assert rehearse(server, 0)
    finally:
        server.close()


class Intruder(threading.Thread):
    """Somebody who answers at the same socket, with another certificate."""

    def __init__(self, folder, listening):
        super().__init__(daemon=True)
        crt, key = faults.root("Intruder").issue(
            minting.name(CN=faults.HOST), digest="sha256").write(
                folder, "intruder")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(crt, key)
        self.listening = listening
        self.ended = threading.Event()

    def run(self):
        while not self.ended.is_set():
            if not select.select([self.listening], [], [], 0.05)[0]:
                continue
            try:
                plain = self.listening.accept()[0]
                plain.settimeout(5)
                self.context.wrap_socket(plain, server_side=True).close()
            except OSError:
                pass


# As a service manager passes a socket.
PASS = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_somebody_else_answers(site):
    """What is shown there is not ours: an error, and the server goes on."""
    with socket.create_server(("127.0.0.1", site.ports["csb2"])) as s:
        intruder = Intruder(site.folder, s)
        intruder.start()
        site.spawn(before=(sys.executable, "-c", PASS, str(s.fileno())),
                   pass_fds=(s.fileno(),))
        site.wait_for_state("READY=1")

        def failed():
            found = site.log.lines(event="self-test-failed")
            if not found and site.log.lines(event="self-test"):
                site.reload()
            return found

        lines = wait_until(failed, "a failure")
        intruder.ended.set()
        intruder.join()
        assert all(line["level"] == "error" and
                   "listener csb2 at 127.0.0.1:" in line["message"]
                   for line in lines)
        assert any("another certificate" in line["message"] or
                   "no handshake" in line["message"] for line in lines)
    site.simulate(faults.PHONE, "csb1")
    site.log.wait(event="request")
