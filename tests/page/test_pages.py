"""Every page of the dashboard, in a real browser, on a lab fleet.

Needs Debian's chromium and "npm ci --ignore-scripts" in this folder: tools/pages
sees to both.  With SPROV_PAGES=required what is missing is a failure, else these
tests are skipped.  SPROV_PAGES_SHOTS names a folder for the pictures.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from adminapi import Admin
from conftest import MAC, OTHER, Small
from daemon import BINARY, free_port, give_away

HERE = pathlib.Path(__file__).resolve().parent


def missing():
    """What a run needs and this machine lacks; None when it has it all."""
    for program in "chromium", "node":
        if shutil.which(program) is None:
            return "%s is not installed: tools/setup --all" % program
    if not (HERE / "node_modules" / "playwright-core").exists():
        return 'run "npm ci --ignore-scripts" in tests/page'
    return None


REQUIRED = os.environ.get("SPROV_PAGES") == "required"

if missing() is not None and not REQUIRED:
    pytest.skip("page tests: " + missing(), allow_module_level=True)


def browse(admin, folder, **settings):
    """Run all of it in a browser; problems by test."""
    assert missing() is None, missing()
    shots = os.environ.get("SPROV_PAGES_SHOTS", "")
    if shots:
        shots = pathlib.Path(shots) / folder
        shots.mkdir(parents=True, exist_ok=True)
    code = admin.command("add", "noc", "--role", "admin").strip()
    done = subprocess.run(
        ["node", str(HERE / "run.mjs")], capture_output=True,
        encoding="utf-8", timeout=400, check=False,
        input=json.dumps({
            "base": "https://localhost:%d" % admin.port, "name": "noc",
            "code": code, "chromium": shutil.which("chromium"),
            "shots": str(shots), **settings}))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def problems_of(results):
    return ["%s: %s" % (result["name"], problem) for result in results
            for problem in result["problems"]]


def start(server, more):
    admin = Admin(server, free_port(), secure=True)
    server.configure(more + admin.block())
    admin.token = admin.add_token()
    server.start()
    if admin.get("/", token=None).status == 404:
        assert not REQUIRED, "the pages are not built into the program"
        pytest.skip("page tests: the pages are not built in: make dashboard")
    return admin


# What waves of devices need, which the lab's own templates do not have.
TEMPLATE = """\
<flat-profile>
<Profile_Rule>{{profile_rule}}</Profile_Rule>
<Profile_Rule_B>{{#profile_rule_b}}{{profile_rule_b}}{{/profile_rule_b}}\
</Profile_Rule_B>
</flat-profile>
"""


def start_fleet(folder, server):
    """The lab's fleet, listeners and history, at other ports; and some of its
    devices on their way to another listener."""
    shutil.copytree(folder, server.folder, dirs_exist_ok=True)
    for path in server.folder.rglob("*"):
        give_away(path)
    server.write("templates/device.xml", TEMPLATE)
    text = (folder / "sprov.conf").read_text()
    for line in "user nobody\n", "templates templates\n":
        text = text.replace(line, "")
    # Its admin listener gives way to ours, which has TLS.
    text = re.sub(r"\nadmin \{.*?\n\}\n", "\n", text, flags=re.S)
    admin = start(server, re.sub(
        r"(address 127\.0\.0\.1:)\d+",
        lambda found: found.group(1) + str(free_port()), text))
    done = subprocess.run(
        [str(BINARY), "migrate", "start", "--config", str(server.config),
         "--from", "ciscosb-prov-2", "--to", "ciscosb-prov-1", "--rule",
         "https://p1.example.net/$MA.cfg", "--old-rule",
         "https://p2.example.net/$MA.cfg", "--canary", "3"],
        env=server.environment, capture_output=True, encoding="utf-8",
        timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    for path in server.folder.glob("*.db*"):
        give_away(path)
    make_changes(admin)
    return admin


def make_changes(admin):
    """For the log of changes: one thing, several, and what is refused."""
    writer = admin.add_token("script", "--scope", "read,write")
    mac = admin.read("/api/v1/devices?limit=1")["devices"][0]["mac"]
    for body, status in (
            ({"variables": {"proxy": "sip.example.net"}}, 200),
            ({"group": None, "tags": ["lobby"],
              "variables": {"proxy": "sip2.example.net",
                            "display_name": "Lobby"}}, 200),
            ({"model": "no such model"}, 422)):
        answer = admin.ask("PATCH", "/api/v1/devices/" + mac, body,
                           token=writer, If_Match="*")
        assert answer.status == status, answer


def test_lab_fleet(lab, pki):
    server = Small(pki)
    try:
        admin = start_fleet(lab.folder, server)
        served = admin.read("/api/v1/devices?standing=served&limit=1")
        results = browse(admin, "fleet", mac=served["devices"][0]["mac"])
        assert problems_of(results) == []
        assert len(results) > 8 * len(results[0]["names"])
    finally:
        server.close()


def test_empty_fleet(pki):
    """A server that has no device and was never asked."""
    server = Small(pki)
    try:
        server.device("remove", MAC, OTHER, "000e08aabbce")
        results = browse(start(server, server.listener()), "empty",
                         empty=True)
        assert problems_of(results) == []
    finally:
        server.close()
