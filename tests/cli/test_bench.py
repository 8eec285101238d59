"""The benchmarks, made small: do they run, and is what they print whole?

Nothing here says how fast anything is.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import xml.etree.ElementTree

import pytest

from daemon import BINARY, TREE


def bench(name, *arguments, status=0):
    done = subprocess.run(
        [str(TREE / "bench" / name), *map(str, arguments)],
        capture_output=True, encoding="utf-8", timeout=240, check=False,
        env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"})
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def rows(text):
    """The cells of all tables, without heads and rules."""
    found = [[cell.strip() for cell in line.strip("|").split("|")]
             for line in text.splitlines() if line.startswith("|")]
    return {row[0]: row for row in found}


@pytest.fixture(name="build")
def _build():
    return pathlib.Path(BINARY).parent


@pytest.mark.skipif(shutil.which("nginx", path="/usr/sbin:/usr/bin") is None,
                    reason="nginx is not here, and tests install nothing")
def test_peers(build, tmp_path):
    out = bench("peers", build, "--no-realtime", "--rounds", 2, "--attempts", 60,
                "--devices", 20, "--concurrency", 4, "--peers", "nginx",
                "--modes", "tls10-rsa,tls12-resumed",
                "--json", tmp_path / "x.json", "--svg", tmp_path / "x.svg")
    assert "### TLS 1.0, RSA, full" in out
    assert "### TLS 1.2, resumed" in out
    table = rows(out)
    assert table["nginx"][4] == "1.00"
    assert re.fullmatch(r"\d+\.\d\d", table["sprov"][4])
    modes = json.loads((tmp_path / "x.json").read_text())["modes"]
    for one in modes["tls10-rsa"].values():
        assert [r["failed"] for r in one] == [0, 0]
        assert all(r["cpu_us"] > 10 for r in one)
    assert all(r["resumed"] > 0 for r in modes["tls12-resumed"]["nginx"])
    root = xml.etree.ElementTree.parse(tmp_path / "x.svg").getroot()
    assert root.tag.endswith("svg")


def test_overload(build):
    table = rows(bench("scenarios", "overload", build, "--servers", "sprov",
                       "--seconds", 2, "--devices", 50, "--factor", 0.2))
    assert table["sprov"][7] == "0" and table["sprov"][10] == "agree"


def test_powercut(build):
    """Without a random delay of 40 s there would be no test."""
    table = rows(bench("scenarios", "powercut", build, "--servers", "sprov",
                       "--devices", 30, "--random-delay", 0))
    assert table["sprov"][1] == "30" and table["sprov"][9] == "agree"


def test_idle(build):
    table = rows(bench("scenarios", "idle", build, "--servers", "sprov",
                       "--connections", 30, "--seconds", 2))
    assert table["sprov"][1] == "30" and table["sprov"][6] == "0"


def test_silent(build):
    table = rows(bench("scenarios", "silent", build, "--servers", "sprov",
                       "--connections", 30, "--seconds", 1, "--rate", 20,
                       "--rounds", 1))
    assert table["sprov"][5] == table["sprov"][9] == "30"
    assert table["sprov"][10] == "0"


def test_soak(build):
    out = bench("scenarios", "soak", build, "--seconds", 3, "--rate", 20)
    assert re.search(r": \d+ served, 0 failed; memory \d+ to \d+ kB", out)


def test_inventory(build):
    table = rows(bench("scenarios", "inventory", build, "--devices", 2000,
                       "--rounds", 1))
    assert table["1000"][2] == "1.00" and "2000" in table


@pytest.mark.parametrize("arguments", [
    ["peers", "--peers", "iis"], ["peers", "--modes", "ssl2"],
    ["scenarios", "nothing"], ["scenarios", "idle", "--servers", "iis"]])
def test_mistakes(arguments):
    bench(*arguments, status=2)
