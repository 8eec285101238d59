"""kill -9 while templates change: one state or the other, for all devices."""

import json
import os
import random
import signal
import subprocess
import time

import pytest

from conftest import MAC, OTHER
from daemon import BINARY, give_away

LINES = 400


def template(version):
    """Long, so that half of one would be seen."""
    return "<flat-profile>\n%s</flat-profile>\n" % "".join(
        "  <Line_%d>{{mac}} %s</Line_%d>\n" % (n, version, n)
        for n in range(LINES))


def profiles(server):
    """The version that each device gets: a whole one."""
    seen = set()
    for mac, certificate in ((MAC, "device"), (OTHER, "other")):
        reply = server.get("/spa%s.cfg" % mac, certificate)
        assert reply.status == 200
        version = reply.body.split(b"</", 1)[0].rsplit(b" ", 1)[1].decode()
        assert reply.body == template(version).replace(
            "{{mac}}", mac).encode()
        seen.add(version)
    return seen


def test_killed_server(server):
    """While it takes over a changed template, or a changed variable."""
    chance = random.Random(7)
    server.write("templates/device.xml", template("v0"))
    server.configure(server.listener())
    server.start()
    assert profiles(server) == {"v0"}
    for round_ in range(1, 16):
        version = "v%d" % round_
        # As an editor or a deployment does it: a new file in the old's place.
        new = server.write("templates/device.new", template(version))
        os.replace(new, server.folder / "templates" / "device.xml")
        server.process.send_signal(signal.SIGHUP)
        # The moment is what is random here; there is nothing to wait for.
        time.sleep(chance.random() * 0.02)
        server.process.kill()
        server.process.wait()
        while server.manager.hear(0.01):
            pass  # it may have said that it is ready before it died
        server.start()
        assert profiles(server) == {version}


def folder_state(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize("seed", range(3))
def test_killed_write(good, environment, tmp_path, seed):
    """profile templates --write: each file is whole, or not there."""
    (tmp_path / "whole").mkdir()
    good("profile", "templates", "--write", tmp_path / "whole")
    whole = folder_state(tmp_path / "whole")
    chance = random.Random(seed)
    for attempt in range(10):
        folder = tmp_path / ("killed-%d" % attempt)
        folder.mkdir()
        process = subprocess.Popen(
            [str(BINARY), "profile", "templates", "--write", str(folder)],
            env=environment, stdout=subprocess.DEVNULL)
        time.sleep(chance.random() * 0.02)
        process.kill()
        process.wait()
        for name, text in folder_state(folder).items():
            # What was not finished is under another name.
            assert name not in whole or text == whole[name]


def test_killed_set(server):
    """The variables that templates are chosen and filled by: all, or none."""
    for name in "abc":
        server.write("templates/%s.xml" % name, template(name))
    server.device("set", "default", "template=a.xml", "first=a", "second=a")
    chance = random.Random(3)
    seen, longest = set(), 0.02
    for attempt in range(40):
        now = "bc"[attempt % 2]
        before = values(server)
        process = subprocess.Popen(
            [str(BINARY), "device", "set", "default", "template=%s.xml" % now,
             "first=" + now, "second=" + now], env=server.environment)
        time.sleep(chance.random() * longest)
        process.kill()
        process.wait()
        after = values(server)
        assert after in (before, {now})
        seen.add(after == {now} != before)
        if seen == {True, False}:
            break
        # Towards the time that it takes here.
        longest *= 1.5 if True not in seen else 0.7
    assert seen == {True, False}
    server.configure(server.listener())
    for path in server.folder.glob("inventory.db*"):
        give_away(path)
    server.start()
    assert profiles(server) == values(server)


def values(server):
    found = json.loads(server.device("show", MAC, "--json"))["variables"]
    return {found[name]["value"].removesuffix(".xml")
            for name in ("template", "first", "second")}
