"""Named exceptions: who gets a profile in spite of its certificate, and who
does not."""

import datetime
import json
import subprocess

import pytest

import faults
from daemon import BINARY, wait_until

TOMORROW = (datetime.date.today() + datetime.timedelta(1)).isoformat()
LATER = "2099-12-31"


class Site(faults.Site):
    """One in which exceptions can be made, before its start."""

    def add(self, name, kind, scope, require, until=LATER):
        row = faults.EXCEPTION % (name, kind, "-", require, until)
        with open(self.config, "a", encoding="utf-8") as file:
            file.write(row.replace("scope device -", "scope " + scope))

    def serve(self):
        self.start()
        return self

    def path(self, device):
        return "/spa%s.cfg" % device.mac

    def ask(self, certificate, device, query=""):
        """The status of its profile."""
        return self.get(certificate, path=self.path(device) + query).status

    def exceptions(self, *options, status):
        done = subprocess.run(
            [str(BINARY), "doctor", "--config", str(self.config),
             "--exceptions", *options], env=self.environment,
            capture_output=True, encoding="utf-8", timeout=60, check=False)
        assert done.returncode == status, done.stderr
        return done.stdout

    def uses(self, name):
        for row in json.loads(self.exceptions(
                "--json", status=3))["exceptions"]:
            if row["name"] == name:
                return row["devices"], row["profiles"]
        raise AssertionError(name)


@pytest.fixture
def site():
    made = Site()
    yield made
    made.close()


def old(device):
    return faults.identity(device, days=(-4000, -5))


def test_expired(site):
    """In scope and from there: its own profile, counted and named."""
    site.add("old", "expired", "model SPA504G", "source 127.0.0.0/8")
    site.serve()
    assert site.ask(old(faults.PHONE), faults.PHONE) == 200
    assert site.ask(old(faults.PHONE), faults.PHONE) == 200
    line = site.log.wait(event="request", status="200")
    assert line["reason"] == "own-profile by exception old"
    # Another's, another model, another fault: as before.
    assert site.ask(old(faults.PHONE), faults.OLD) == 403
    assert site.ask(old(faults.ATA), faults.ATA) == 403
    assert site.ask(faults.generic(), faults.PHONE) == 403
    assert site.ask(faults.identity(
        faults.PHONE, faults.root("Somebody")), faults.PHONE) == 403
    assert site.get(old(faults.PHONE), path="/none.cfg").status == 403
    wait_until(lambda: site.uses("old") == (1, 2), "two profiles")
    assert site.uses("lapsed") == (0, 0)
    # A good one needs none, and is not counted.
    assert site.ask(faults.identity(faults.PHONE), faults.PHONE) == 200
    site.log.wait(event="request", reason="own-profile")
    site.stop()
    assert site.uses("old") == (1, 2)


def test_the_first_that_lets_in(site):
    """One that is not for it does not hide the next."""
    site.add("old", "expired", "group none listener csb2 device %s" %
             faults.PHONE.mac, "source 127.0.0.0/8")
    site.add("other", "expired", "device %s" % faults.PHONE.mac,
             "source 127.0.0.0/8")
    site.serve()
    assert site.ask(old(faults.PHONE), faults.PHONE) == 200
    line = site.log.wait(event="request", status="200")
    assert line["reason"] == "own-profile by exception other"
    assert site.ask(old(faults.LAPSED), faults.LAPSED) == 403
    line = site.log.wait(event="request", status="403")
    assert line["reason"] == "exception-lapsed"


def test_one_time_survives_a_restart(site):
    """Once, and for a moment after; not again because of a restart."""
    site.add("once", "generic", "device %s" % faults.PHONE.mac,
             "one-time 1s")
    site.serve()
    assert site.ask(faults.generic(), faults.PHONE) == 200
    assert site.uses("once") == (1, 1)  # before it went out
    site.stop()
    site.start()
    wait_until(lambda: site.ask(faults.generic(), faults.PHONE) == 403,
               "the end of the window")
    site.log.wait(event="request", reason="exception-used-up")
    site.stop()
    site.start()
    assert site.ask(faults.generic(), faults.PHONE) == 403


def test_one_time_waits_for_the_disk(site):
    """What cannot be recorded is not sent."""
    site.add("once", "generic", "device %s" % faults.PHONE.mac,
             "one-time 10m")
    (site.folder / "exceptions.db").write_text("no database\n")
    site.serve()
    site.log.wait(event="exceptions-not-read")
    assert site.ask(faults.generic(), faults.PHONE) == 403
    site.log.wait(event="request", reason="exception-used-up")


def test_encrypted(site):
    """The request names a key of the device, or there is nothing."""
    site.device("set", faults.PHONE.mac, "protection=aes")
    site.add("sealed", "generic", "model SPA504G", "aes-profile")
    site.serve()
    answer = site.get(faults.identity(faults.PHONE),
                      path=site.path(faults.PHONE))
    assert answer.status == 200
    assert site.ask(faults.generic(), faults.PHONE) == 403
    site.log.wait(event="request", reason="exception-unencrypted")
    assert site.ask(faults.generic(), faults.PHONE,
                    "?key=00000000000000ff") == 403
    done = subprocess.run(
        [str(BINARY), "profile", "rotate", faults.PHONE.mac],
        env=site.environment, capture_output=True, encoding="utf-8",
        timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    key = wait_until(lambda: key_of(site), "a key")
    answer = wait_until(
        lambda: (lambda a: a if a.status == 200 else None)(
            site.get(faults.generic(),
                     path=site.path(faults.PHONE) + "?key=" + key)),
        "the new key")
    assert answer.body.startswith(b"Salted__")
    assert wait_until(lambda: site.uses("sealed")[0] == 1, "a use")


def key_of(site):
    done = subprocess.run(
        [str(BINARY), "device", "show", "--secrets", "--json",
         faults.PHONE.mac], env=site.environment, capture_output=True,
        encoding="utf-8", timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    variables = json.loads(done.stdout)["variables"]
    for row in variables if isinstance(variables, list) else [variables]:
        if "profile_keys" in row:
            value = row["profile_keys"]
            text = value["value"] if isinstance(value, dict) else value
            return text.split(":")[0]
    return None


def test_defective(site):
    """Only those of the series; the path says which one it is."""
    site.add("fm500", "defective", "model SPA2102", "source 127.0.0.0/8")
    site.serve()
    broken = faults.identity(faults.SPA2102, faults.root("Broken Root"))
    assert site.ask(broken, faults.SPA2102) == 200
    assert site.ask(broken, faults.PHONE) == 403
    assert site.ask(faults.identity(
        faults.PHONE, faults.root("Broken Root")), faults.PHONE) == 403


def test_alarm(site):
    """What has lapsed, and what is about to, is said."""
    site.add("soon", "expired", "tag x", "aes-profile", TOMORROW)
    site.serve()
    assert site.log.wait(event="exception-lapsed")["exception"] == "lapsed"
    line = site.log.wait(event="exception-ends")
    assert line["exception"] == "soon" and line["who"] == "tests"
    out = site.exceptions(status=3)
    assert "exception lapsed: expired-certificate, until 2026-01-31: lapsed" \
        in out
    assert "exception soon: expired-certificate, until %s: ends soon" % \
        TOMORROW in out
    assert "exception away: generic-certificate, until 2099-12-31: in force" \
        in out
    assert all(len(line) <= 80 for line in out.splitlines())
    # The doctor says it unasked, of those that end.
    done = subprocess.run(
        [str(BINARY), "doctor", "--config", str(site.config)],
        env=site.environment, capture_output=True, encoding="utf-8",
        timeout=60, check=False)
    assert done.returncode == 3, done.stderr
    assert "exception lapsed" in done.stdout
    assert "exception away" not in done.stdout


def test_lapses_while_it_runs(site):
    """A reload with another date is enough, and the device is refused."""
    site.add("old", "expired", "model SPA504G", "source 127.0.0.0/8")
    site.serve()
    assert site.ask(old(faults.PHONE), faults.PHONE) == 200
    text = site.config.read_text()
    head, tail = text.rsplit("until 2099-12-31", 1)
    site.config.write_text(head + "until 2026-11-01" + tail)
    site.reload()
    assert site.ask(old(faults.PHONE), faults.PHONE) == 403
    site.log.wait(event="request", reason="exception-lapsed")
