"""The pages of docs/ that say so, run as they stand."""

import os
import re
import shutil
import signal
import subprocess

import pytest

from conftest import BINARY, TREE
from daemon import free_port, is_root
from sipdevice import SipDevice

FENCE = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def run(tmp_path, environment):
    """Run a page's blocks one after the other; their output."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "sprov").symlink_to(BINARY)
    environment["PATH"] = "%s:%s" % (folder, environment["PATH"])
    shutil.copytree(TREE / "tests" / "data" / "importers", tmp_path / "old")

    def page(name, **replaced):
        text = (TREE / "docs" / name).read_text(encoding="utf-8")
        for old, new in replaced.items():
            text = text.replace(old.replace("_", ""), new)
        said = []
        blocks = FENCE.findall(text)
        assert blocks
        for block in blocks:
            done = subprocess.run(["sh", "-ec", block], cwd=tmp_path,
                                  env=environment, capture_output=True,
                                  encoding="utf-8", timeout=60, check=False)
            assert done.returncode in (0, 3), (block, done)
            said.append(done.stdout)
        return said, text
    return page


def test_resync(run):
    device = SipDevice(user="100", password="secret")
    try:
        said, text = run("resync.md", _5060=str(device.port))
        assert len(device.accepted) == 1
        # What the page shows is what is printed.
        shown = [line.strip() for line in text.splitlines()
                 if line.startswith("    000e08aabbcc 127.0.0.1")]
        assert [line.split() for line in shown] == \
            [line.split() for line in said[-1].splitlines()[1:2]]
    finally:
        device.close()


def test_importing(run):
    said, _ = run("importing.md")
    assert "imported 3 devices: 3 added" in said[1]  # FusionPBX
    assert "imported 2 devices: 2 added" in said[2]  # Wazo
    assert "imported 3 devices: 3 added" in said[3]  # phoneprov
    assert "imported 6 devices: 6 added" in said[4]  # folder
    for text in said[1:5]:
        assert "what leaks today" in text
    assert "<User_ID_1_ ua=\"na\">202</User_ID_1_>" in said[5]
    assert "Pp1-202" not in said[5]


def test_templates(run):
    said, text = run("templates.md")
    shown = [line[4:] for line in text.splitlines()
             if line.startswith("    ") and not line.startswith("    display")]
    for line in shown:
        # What the page shows of a long output is in it, line by line.
        assert any(line in one for one in "".join(said).splitlines()), line
    assert len(shown) == 8
    assert ">secret<" not in said[0] and "letmein" not in said[0]


def test_firmware(run, tmp_path):
    """A server, and a device that climbs."""
    try:
        said, text = run(
            "firmware.md", _8080=str(free_port()), _6969=str(free_port()),
            **{"user sprov": "user root" if is_root() else "# nobody else"})
    finally:
        pid = tmp_path / "serve.pid"
        if pid.exists():
            try:
                os.kill(int(pid.read_text()), signal.SIGTERM)
            except ProcessLookupError:
                pass
    assert "7.6.2f" in said[0] and "SPA504G SPA508G" in said[0]
    shown = [line[4:] for line in text.splitlines()
             if line.startswith(("    SPA504G@", "    <Upgrade_Rule>"))]
    assert len(shown) == 3
    for line in shown:
        assert line in "".join(said), (line, said)
    assert said[-1].splitlines()[-1].startswith(
        "SPA504G@7.6.2f: provisioned (class A)")
    image = (tmp_path / "spa50x-30x-7-6-2f.bin").read_bytes()
    assert (tmp_path / "part").read_bytes() == image[100000:200000]


def test_readme(tmp_path, environment):
    """A whole fleet, in an empty folder: as one who pastes it in does it."""
    text = (TREE / "README.md").read_text(encoding="utf-8")
    ports = {port: str(free_port()) for port in ("8443", "8080", "5999")}
    script = "\n".join(FENCE.findall(text))
    for port, free in ports.items():
        assert port in script
        script = script.replace(port, free)
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "sprov").symlink_to(BINARY)
    environment["PATH"] = "%s:%s" % (folder, environment["PATH"])
    home = tmp_path / "empty"
    home.mkdir()
    done = subprocess.run(
        ["sh", "-ec", "trap '[ -z \"$!\" ] || kill $! 2>&- || :' EXIT\n" +
         script], cwd=home, env=environment, capture_output=True,
        encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done
    for line in ("would import 200 devices: 200 added",
                 "imported 200 devices: 200 added",
                 "021af1000000: device for SPA504G: good",
                 "200 new keys,", "sprov.conf: good", "served so since",
                 "200 attempts", "the server took the report",
                 "Display_Name_1_: added", "Proxy_1_: changed on the phone",
                 "no answer", "200 served, 0 failing"):
        assert line in done.stdout, (line, done.stdout)
    assert done.stdout.count("changed on the phone") == 1
    assert "s3cret" not in done.stdout
