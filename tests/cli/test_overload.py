"""More devices than can be served: who is served, and what becomes of the
others, as the devices see it and as the server counts it."""

import json
import socket

import pytest

from servedfleet import ServedFleet

COUNT = 400

CONFIGURATION = """\
connections %d
performance {
    handshakes 3
    device-timeout %s
}
listener load {
    address 127.0.0.1:%d
    certificate F/server.crt key F/server.key
    tls legacy
    client-anchors F/ca.crt
}
"""


class Site(ServedFleet):
    """A fleet that all comes at once, and a server that cannot take it."""

    def storm(self):
        """All within a moment, and again after half a second, until served."""
        return json.loads(self.simulate(
            "--json", "--storm", "--random-delay", 0, "--retry", 3600,
            "--compress", 7200, "--timeout-ms", 60000, "--sources", 20,
            "--tls", "1.0", "--ciphers", "AES128-SHA",
            "127.0.0.1:%d" % self.port))

    def start(self, connections, timeout):
        self.server.configure(CONFIGURATION % (connections, timeout,
                                               self.port))
        self.server.start()

    def stop(self):
        """What the server counted."""
        assert self.server.stop() == 0
        line = self.server.log.lines(event="counters")[-1]
        return {name: int(value) for name, value in line.items()
                if value.isdigit()}


@pytest.fixture(name="site", scope="module")
def _site():
    made = Site(COUNT)
    yield made
    made.close()


def test_tickets_in_a_crowd(site):
    """That others wait is no reason to have none: all can be served."""
    site.start(10000, "60s")
    found = json.loads(site.simulate(
        "--json", "--attempts", 3 * COUNT, "--concurrency", 48, "--resume",
        100, "--timeout-ms", 60000, "--sources", 20, "--tls", "1.3",
        "127.0.0.1:%d" % site.port))
    assert site.stop()["answered"] == 3 * COUNT
    assert found["resumed"] >= COUNT, found


def same_on_both_sides(found, counted):
    """Each connection ended in one way, and nobody was half served."""
    outcomes = {name: count for name, count in found["outcomes"].items()
                if count}
    assert set(outcomes) <= {"served", "dropped"}, outcomes
    assert counted["accepted"] == found["attempts"]
    # Whose handshake is complete is served, and nobody else is promised it.
    assert (counted["completed"] == counted["answered"] ==
            found["handshakes"] == outcomes["served"] == COUNT)
    assert counted["begun"] == COUNT
    for name in ("cut", "unasked", "failed", "timed-out", "closed-early"):
        assert counted[name] == 0, (name, counted)
    turned_away = sum(counted[name] for name in (
        "refused-full", "dropped-full", "silent", "gone", "late"))
    assert turned_away == outcomes.get("dropped", 0) == found["retries"]


def test_late(site):
    """Who would wait for too long is closed before it costs anything."""
    site.start(10000, "100ms")
    found = site.storm()
    counted = site.stop()
    same_on_both_sides(found, counted)
    assert counted["late"] > 0 and counted["dropped-full"] == 0


def test_full(site):
    """The newer one takes the place of the oldest that has not begun."""
    site.start(40, "60s")
    found = site.storm()
    counted = site.stop()
    same_on_both_sides(found, counted)
    assert counted["dropped-full"] > 0 and counted["late"] == 0


def test_silent_ones_make_room(site):
    """They hold all the places there are, and keep nobody out."""
    site.start(40, "60s")
    silent = [socket.create_connection(("127.0.0.1", site.port))
              for _ in range(40)]
    for i, one in enumerate(silent):
        one.send(b"\x16\x03\x01\x02\x00\x01" if i % 2 else b"")
    found = site.storm()
    for one in silent:
        one.close()
    counted = site.stop()
    assert found["devices_served"] == COUNT
    assert counted["answered"] == COUNT and counted["cut"] == 0
    assert counted["dropped-full"] >= 40
    assert counted["accepted"] == found["attempts"] + 40
