"""sprov doctor --phone-syslog: what devices say, and what belongs to it."""

import json
import signal
import socket
import subprocess

import pytest

import faults
from daemon import BINARY, wait_until


def colons(mac):
    return ":".join(mac[i:i + 2] for i in range(0, 12, 2))


class Listener:
    """The doctor with its ear at a port."""

    def __init__(self, site, *options):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.path = site.folder / "syslog.out"
        self.errors = site.folder / "syslog.err"
        with open(self.path, "wb") as out, open(self.errors, "wb") as err:
            self.process = subprocess.Popen(
                [str(BINARY), "doctor", "--config", str(site.config),
                 "--phone-syslog", "127.0.0.1:%d" % self.port, *options],
                env=site.environment, stdout=out, stderr=err)
        wait_until(lambda: b"listening" in self.errors.read_bytes(),
                   "the doctor to listen")

    def send(self, *lines, source="127.0.0.1"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind((source, 0))
            for line in lines:
                s.sendto(line if isinstance(line, bytes) else line.encode(),
                         ("127.0.0.1", self.port))

    def objects(self, kind):
        found = [json.loads(line)
                 for line in self.path.read_text().splitlines()]
        return [row for row in found if row["type"] == kind]

    def wait(self, kind, count=1):
        return wait_until(lambda: self.objects(kind)[count - 1:],
                          "%d of %s" % (count, kind))[0]

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(30) == 0, self.errors.read_text()
        return self.path.read_text()


@pytest.fixture
def site():
    made = faults.Site()
    made.start()
    yield made
    made.close()


def failed(device, error="http_get failed"):
    return "%s %s -- Resync failed: %s" % (
        device.product, colons(device.mac), error)


def test_refusal_is_joined(site):
    """The certificate was refused before any name was told: by address."""
    listener = Listener(site, "--json")
    site.simulate(faults.OLD, "csb1")
    site.simulate(faults.OLD, "csb2")
    listener.send("<134>Nov 25 10:00:00 " + failed(faults.OLD))
    line = listener.wait("line")
    assert line["kind"] == "resync-failed" and line["mac"] == faults.OLD.mac
    assert line["error"] == "http_get failed"
    answer = listener.wait("answer")
    assert answer["line"] == line["number"] and answer["event"]
    assert answer["cause"] == "ca-not-trusted", answer
    assert answer["joined_by"] == "address" and answer["listener"] == "csb2"
    assert answer["fix"]
    listener.stop()


def test_what_it_got_was_no_good(site):
    """Served, and it says that it failed."""
    listener = Listener(site, "--json")
    site.simulate(faults.PHONE, "csb2")
    listener.send(failed(faults.PHONE, "corrupt"), source="127.0.0.9")
    answer = listener.wait("answer")
    assert answer["joined_by"] == "mac" and answer["cause"] is None
    assert "did not take it" in answer["text"]
    listener.stop()


def test_it_never_came(site):
    """No event: said, after a while, of failures and of announcements."""
    site.simulate(faults.PHONE, "csb2")
    listener = Listener(site, "--json")
    listener.send(failed(faults.MPP), source="127.0.0.8")
    answer = listener.wait("answer")
    assert not answer["event"] and "nothing came here" in answer["text"]
    # Another device behind that address has one; it is not this one's.
    listener.send(failed(faults.MPP))
    answer = listener.wait("answer", 2)
    assert not answer["event"], answer
    url = "https://192.0.2.77:443/spa%s.cfg" % faults.ATA.mac
    listener.send("%s %s -- Requesting resync %s" % (
        faults.ATA.product, colons(faults.ATA.mac), url), source="127.0.0.8")
    answer = listener.wait("answer", 3)
    assert url in answer["text"] and not answer["event"]
    listener.stop()


def test_success_needs_no_answer(site):
    """A request that came, and a success: lines only."""
    listener = Listener(site, "--json")
    listener.send("%s %s -- Requesting resync https://192.0.2.1:443/x" % (
        faults.ATA.product, colons(faults.ATA.mac)), source="127.0.0.8")
    listener.send("%s %s \u2013 Successful resync https://192.0.2.1:443/x" % (
        faults.ATA.product, colons(faults.ATA.mac)), source="127.0.0.8")
    listener.send(b"\xff\x00\x1b[2J", b"", b"x" * 60000)
    listener.send(failed(faults.MPP), source="127.0.0.7")
    answer = listener.wait("answer")
    lines = listener.objects("line")
    assert [line["kind"] for line in lines] == [
        "resync-request", "resync-success", "other", "other", "other",
        "resync-failed"]
    assert answer["line"] == lines[-1]["number"]
    assert len(listener.objects("answer")) == 1
    assert all(len(line["text"]) <= 255 for line in lines)
    assert "\x1b" not in listener.stop()


def test_for_people(site):
    listener = Listener(site)
    site.simulate(faults.OLD, "csb1")
    site.simulate(faults.OLD, "csb2")
    listener.send(failed(faults.OLD))
    wait_until(lambda: "to do:" in listener.path.read_text(), "an answer")
    out = listener.stop()
    assert "Resync failed: http_get failed" in out
    assert "%s, " % faults.OLD.mac in out and "listener csb2" in out
    assert all(len(line) <= 80 for line in out.splitlines())


def test_bad_address(site):
    for address, said in (("nowhere", "is not an address"),
                          ("192.0.2.1:5140", "cannot listen")):
        done = subprocess.run(
            [str(BINARY), "doctor", "--config", str(site.config),
             "--phone-syslog", address], env=site.environment,
            capture_output=True, encoding="utf-8", timeout=60, check=False)
        assert done.returncode == 1 and said in done.stderr
