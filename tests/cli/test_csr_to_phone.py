"""docs/csr-to-first-phone.md, run as it stands: from a request to a phone."""

import os
import re
import signal
import socket
import subprocess
import time

import pytest

from conftest import BINARY, TREE
from daemon import free_port

PAGE = TREE / "docs" / "csr-to-first-phone.md"
FENCE = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def wait_for(port, server):
    for _ in range(600):
        assert server.poll() is None, "the server ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail("the server does not accept")


@pytest.fixture
def page(tmp_path, environment):
    """The blocks of the page, and a way to run one as a person would."""
    port = free_port()
    text = PAGE.read_text(encoding="utf-8").replace("8443", str(port))
    if os.geteuid() == 0:
        # Root has to say so; a test that is run by root does.
        text = text.replace("inventory sqlite:inventory.db\n\n",
                            "inventory sqlite:inventory.db\nuser root\n\n")
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "sprov").symlink_to(BINARY)
    environment["PATH"] = "%s:%s" % (folder, environment["PATH"])
    environment["SPROV_INVENTORY"] = "sqlite:inventory.db"

    def run(block):
        return subprocess.run(["sh", "-ec", block], cwd=tmp_path,
                              env=environment, capture_output=True,
                              encoding="utf-8", timeout=60, check=False)

    return FENCE.findall(text), run, port


def test_the_page(page, tmp_path, environment):
    blocks, run, port = page
    said = []
    server = None
    try:
        for block in blocks:
            if block.rstrip().endswith("&"):
                # Its log goes to a file, and it has to be stopped.
                server = subprocess.Popen(
                    ["sprov", "serve", "--config", "sprov.conf"],
                    cwd=tmp_path, env=environment,
                    stderr=(tmp_path / "serve.log").open("w"))
                assert block == "sprov serve --config sprov.conf &\n"
                wait_for(port, server)
                continue
            result = run(block)
            assert result.returncode == 0, (
                block, result, (tmp_path / "serve.log").read_text()
                if server else "")
            said.append(result.stdout)
    finally:
        if server is not None:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
    assert server.returncode == 0
    everything = "\n".join(said)
    assert "SPA504G@7.5.6: provisioned" in everything
    assert "SPA504G@7.5.2b: untrusted" in everything
    assert "[x]   SPA504G        7.5.6, 1 device" in everything
    assert "Nothing needs attention." in everything
    assert "devices   1 of 1 accept it" in everything


def test_the_page_is_whole():
    """Nothing on it runs past the width of a page."""
    text = PAGE.read_text(encoding="utf-8")
    assert len(FENCE.findall(text)) == 10
    assert all(len(line) <= 80 for line in text.splitlines())
