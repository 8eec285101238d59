"""Private operations of handshakes, four at a time."""

import json
import pathlib

import pytest

from servedfleet import ServedFleet

COUNT = 24
CONFIGURATION = """\
performance {
    sessions 0
    private-operations %s
}
listener load {
    address 127.0.0.1:%d
    certificate F/server.crt key F/server.key
    tls legacy
    client-anchors F/ca.crt
}
"""
WITH_VECTORS = "avx512ifma" in pathlib.Path("/proc/cpuinfo").read_text(
    encoding="utf-8")


class Site(ServedFleet):
    def served(self, version, concurrency, attempts=60):
        found = json.loads(self.simulate(
            "--json", "--attempts", attempts, "--concurrency", concurrency,
            "--tls", version, "127.0.0.1:%d" % self.port))
        assert found["attempts"] == attempts
        return found["outcomes"]["served"]

    def configure(self, how):
        self.server.configure(CONFIGURATION % (how, self.port))


@pytest.fixture(name="site", scope="module")
def _site():
    made = Site(COUNT)
    made.configure("together")
    made.server.start()
    yield made
    made.close()


@pytest.mark.parametrize("version", ["1.0", "1.2", "1.3"])
@pytest.mark.parametrize("concurrency", [1, 16])
def test_all_are_served(site, version, concurrency):
    """Alone, where an operation waits for others in vain, and in crowds."""
    assert site.served(version, concurrency) == 60


def test_the_log_says_where_it_cannot_be(site):
    lines = site.server.log.lines(event="private-operations")
    assert bool(lines) != WITH_VECTORS


def test_a_reload_to_and_fro(site):
    """Old and new contexts have the same key."""
    for how in ("together", "single", "together"):
        site.configure(how)
        site.server.reload()
        assert site.served("1.2", 16) == 60
