"""What devices report, held against what they were served."""

import contextlib
import gzip
import json
import os
import re
import signal
import sqlite3
import subprocess

import pytest

import minting
from conftest import MAC, OTHER, PROFILE
from daemon import BINARY, give_away, wait_until

TEMPLATE = """\
<flat-profile>
  <User_ID_1_>{{mac}}</User_ID_1_>
  <Password_1_>{{password}}</Password_1_>
  <Proxy_1_>192.0.2.1</Proxy_1_>
  <Display_Name_1_ ua="rw">Reception</Display_Name_1_>
  <Resync_Periodic>86400</Resync_Periodic>
  <GPP_SA>hidden</GPP_SA>
</flat-profile>
"""

SERVED = {
    "User_ID_1_": MAC,
    "Password_1_": "first &amp; secret",
    "Proxy_1_": "192.0.2.1",
    "Display_Name_1_": "Reception",
    "Resync_Periodic": "86400",
}


def xml(parameters):
    """As a device reports: in an element of its own, with attributes."""
    return ("<?xml version=\"1.0\"?><device><flat-profile>%s</flat-profile>"
            "</device>" % "".join(
                "<%s ua=\"na\">%s</%s>" % (name, value, name)
                for name, value in parameters.items())).encode()


class Site:
    """A server that takes reports, and the commands beside it."""

    def __init__(self, server, keyed, directives=""):
        self.server = server
        server.write("templates/device.xml", TEMPLATE)
        server.configure(directives + "report /report/$MA.xml\n"
                         "report /delta/$MA.xml delta\n"
                         "report /status/$MA.xml status\n" +
                         server.listener())
        if keyed:
            key = server.write("secrets-key", bytes(range(32)))
            key.chmod(0o600)
            give_away(key)
            server.environment["SPROV_SECRETS_KEY"] = str(key)
        server.start()

    def run(self, *arguments, key=True):
        environment = dict(self.server.environment)
        if not key:
            environment.pop("SPROV_SECRETS_KEY", None)
        return subprocess.run(
            [str(BINARY), *map(str, arguments), "--config",
             str(self.server.config)], env=environment, capture_output=True,
            encoding="utf-8", timeout=60, check=False)

    def post(self, body, kind="report", fields="", method="PUT",
             certificate="device", mac=MAC):
        with self.server.client(certificate) as client:
            client.send(("%s /%s/%s.xml HTTP/1.1\r\nHost: a\r\n%s"
                         "Content-Length: %d\r\n\r\n" % (
                             method, kind, mac, fields,
                             len(body))).encode() + body)
            return client.reply()

    def report(self, body, **options):
        reply = self.post(body, **options)
        assert reply.status == 200, reply
        return reply

    def drift(self, *arguments):
        done = self.run("device", "drift", "--json", *(arguments or [MAC]))
        assert done.returncode in (0, 3), done.stderr
        return json.loads(done.stdout)

    def wait(self, state, **found):
        """Until the device is in this state: it is written a little later."""
        def holds():
            device, = self.drift()
            return device if device["state"] == state and all(
                device[name] for name in found) else None
        return wait_until(holds, state)

    def serve(self):
        assert self.server.get().status == 200


@pytest.fixture
def site(server):
    return Site(server, keyed=True)


@pytest.fixture
def keyless(server):
    return Site(server, keyed=False)


def named(device):
    return {p["parameter"]: p["state"] for p in device["parameters"]}


def test_exactly_three(site):
    """The main job: three changed on the phone, and those are shown."""
    site.serve()
    site.report(xml({**SERVED, "Proxy_1_": "198.51.100.7",
                     "Display_Name_1_": "Me", "Password_1_": "********",
                     "User_ID_1_": "someone", "Time_Zone": "GMT"}))
    device = site.wait("drift")
    assert named(device) == dict.fromkeys(
        ["Proxy_1_", "Display_Name_1_", "User_ID_1_"], "changed-on-phone")
    assert device["unserved"] == 1 and device["untold"] == 2
    done = site.run("device", "drift", MAC)
    assert done.returncode == 3
    assert done.stdout.count("changed on the phone") == 3
    assert "198.51.100.7" in done.stdout and "secret" not in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


def test_none(site):
    site.serve()
    site.report(xml({**SERVED, "Time_Zone": "GMT"}), method="POST")
    assert named(site.wait("same")) == {}
    assert site.run("device", "drift", MAC).returncode == 0


def test_not_applied(site):
    """A value as from the factory, and one that the device does not have."""
    site.serve()
    given = {**SERVED, "Resync_Periodic": "3600"}
    del given["Proxy_1_"]
    site.report(xml(given))
    device = site.wait("drift")
    assert named(device) == {"Resync_Periodic": "not-applied",
                             "Proxy_1_": "not-applied"}


def test_delta(site):
    """Over the last full report, and over the deltas before it."""
    site.serve()
    site.report(xml(SERVED))
    site.wait("same")
    site.report(xml({"Proxy_1_": "198.51.100.7"}), kind="delta")
    site.wait("drift")
    site.report(xml({"Display_Name_1_": "Me", "Time_Zone": "GMT"}),
                kind="delta")
    device = wait_until(lambda: next(
        (d for d in site.drift() if len(d["parameters"]) == 3), None),
        "both deltas")
    assert named(device) == {"Proxy_1_": "changed-on-phone",
                             "Display_Name_1_": "changed-on-phone",
                             "Time_Zone": "unknown"}
    assert device["changes_reported_at"]
    # A full one has it all.
    site.report(xml(SERVED))
    assert site.wait("same")["changes_reported_at"] is None


def test_packed(site):
    site.serve()
    site.report(gzip.compress(xml(SERVED)),
                fields="Content-Encoding: gzip\r\n")
    site.wait("same")
    site.server.device("set", MAC, "report_key=very-long-key")
    wait_until(lambda: site.post(subprocess.run(
        ["openssl", "enc", "-aes-256-cbc", "-md", "md5", "-k",
         "very-long-key"], input=xml({**SERVED, "Proxy_1_": "a"}),
        capture_output=True, check=True).stdout).status == 200,
        "the key in the server")
    assert named(site.wait("drift")) == {"Proxy_1_": "changed-on-phone"}
    # One of those that its profiles are encrypted with does, too.
    site.server.device("set", MAC, "profile_keys="
                       "00000000000000a1:ring-key 00000000000000a2:old-key")
    wait_until(lambda: site.post(subprocess.run(
        ["openssl", "enc", "-aes-256-cbc", "-md", "md5", "-k", "old-key"],
        input=xml(SERVED), capture_output=True,
        check=True).stdout).status == 200, "the keys in the server")
    site.wait("same")


def test_status(site):
    site.report(b"<status><Line_1>Registered</Line_1></status>",
                kind="status")
    line = site.server.log.wait(event="report")
    assert line["kind"] == "status"


@pytest.mark.parametrize("body, fields, message", [
    (b"hello", "", "1:1"),
    (b"<flat-profile><A>1</B></flat-profile>", "", "1:"),
    (b"<flat-profile><A>\xe4</A></flat-profile>", "", "1:"),
    (gzip.compress(xml(SERVED), mtime=0)[:-9],
     "Content-Encoding: gzip\r\n", ""),
    (gzip.compress(b"\0" * 100000000, mtime=0),
     "Content-Encoding: gzip\r\n", ""),
    (xml(SERVED), "Content-Encoding: gzip\r\n", "gzip"),
    (xml(SERVED), "Content-Encoding: aes128gcm\r\n", "report_key"),
    (b"Salted__12345678" + b"x" * 32, "", "report_key"),
])
def test_bad_ones_are_not_kept(site, body, fields, message):
    site.serve()
    site.report(xml(SERVED))
    before = site.wait("same")
    assert site.post(body, fields=fields).status == 400
    assert message in site.server.log.wait(event="report-refused")["message"]
    site.server.stop()
    assert site.drift() == [before]


def test_fleet(site):
    site.serve()
    site.report(xml({**SERVED, "Proxy_1_": "a"}))
    site.wait("drift")
    done = site.run("device", "drift")
    assert done.returncode == 3
    assert re.search(r"^%s +SPA962 +drift +1 +0 +0 " % MAC, done.stdout, re.M)
    assert re.search(r"^%s +SPA962 +no report +0 +0 +0 +-$" % OTHER,
                     done.stdout, re.M)
    # The retired one is not there.
    assert "2 devices: 1 reported, 1 with drift" in done.stdout
    assert len(site.drift("--model", "SPA962")) == 2
    done = site.run("device", "drift", "--group", "none")
    assert done.returncode == 1 and "no group \"none\"" in done.stderr
    for target in (("group:acme", "kind=tenant"),
                   ("group:berlin", "kind=site", "parent=acme"),
                   (OTHER, "group=berlin")):
        site.server.device("set", *target)
    assert [one["mac"] for one in site.drift("--group", "acme")] == [OTHER]


def test_nothing_served(site):
    site.report(xml(SERVED))
    assert named(site.wait("never served")) == {}


def test_without_a_key(keyless):
    """Everything but secrets, of which none is in the file."""
    keyless.serve()
    keyless.report(xml({**SERVED, "Proxy_1_": "a", "Password_1_": "geheim"}))
    assert named(keyless.wait("drift")) == {"Proxy_1_": "changed-on-phone"}
    keyless.server.write("templates/device.xml",
                         TEMPLATE.replace("Reception", "Desk"))
    done = keyless.run("profile", "diff", MAC)
    assert done.returncode == 3 and "- Reception" in done.stdout
    assert "without a secrets key" in " ".join(done.stdout.split())
    for path in keyless.server.folder.glob("documents.db*"):
        data = path.read_bytes()
        assert b"secret" not in data and b"geheim" not in data
        assert path.stat().st_mode & 0o077 == 0


def test_sealed_needs_the_key(site):
    site.serve()
    site.report(xml(SERVED))
    site.wait("same")
    done = site.run("device", "drift", MAC, key=False)
    assert done.returncode == 1 and "--secrets-key" in done.stderr


def test_key_of_the_configuration(server):
    """Named there, it need not be named again."""
    key = server.write("my.key", bytes(range(32)))
    key.chmod(0o600)
    give_away(key)
    site = Site(server, keyed=False, directives="secrets-key my.key\n")
    site.serve()
    site.report(xml({**SERVED, "Password_1_": "mine"}))
    assert named(site.wait("drift")) == {"Password_1_": "changed-on-phone"}
    server.device("set", MAC, "password=another", "--secrets-key", str(key))
    assert site.run("profile", "diff", MAC).returncode == 3
    done = site.run("device", "drift", "--secrets", MAC)
    assert "first & secret" in done.stdout and "mine" in done.stdout


def test_of_removed_devices(site):
    """What was served to a device that is removed goes with it."""
    site.serve()
    assert site.server.get("/spa%s.cfg" % OTHER, "other").status == 200
    site.report(xml(SERVED))
    site.wait("same")

    def kept():
        with contextlib.closing(sqlite3.connect(
                "file:%s?mode=ro" % (site.server.folder / "documents.db"),
                uri=True)) as file:
            return {"%012x" % (number // 4) for number, in file.execute(
                "SELECT id FROM document")}
    wait_until(lambda: kept() == {MAC, OTHER}, "both kept")
    site.server.device("remove", OTHER)
    wait_until(lambda: kept() == {MAC}, "one kept")
    # And while the server does not run.
    site.server.stop()
    site.server.device("remove", MAC)
    site.server.start()
    wait_until(lambda: kept() == set(), "none kept")


def test_killed(site):
    """What is in the file stays whole, and the next one is written."""
    site.serve()
    site.report(xml({**SERVED, "Proxy_1_": "a"}))
    site.wait("drift")
    for i in range(50):
        site.report(xml({**SERVED, "Proxy_1_": "b%d" % i}))
    os.kill(site.server.pid, signal.SIGKILL)
    site.server.ended()
    device, = site.drift()
    assert named(device) == {"Proxy_1_": "changed-on-phone"}
    site.server.start()
    site.report(xml(SERVED))
    site.wait("same")


# What would change


def test_diff(site):
    done = site.run("profile", "diff", MAC)
    assert done.returncode == 3 and "never served" in done.stdout
    site.serve()
    done = wait_until(lambda: next(
        (d for d in [site.run("profile", "diff", MAC)]
         if d.returncode == 0), None), "no change")
    assert "nothing would change" in done.stdout
    site.server.device("set", MAC, "password=other")
    site.server.write("templates/device.xml", TEMPLATE.replace(
        "192.0.2.1", "192.0.2.2").replace("  <GPP_SA>hidden</GPP_SA>\n", ""))
    done = site.run("profile", "diff", MAC)
    assert done.returncode == 3
    assert "- 192.0.2.1\n" in done.stdout and "+ 192.0.2.2\n" in done.stdout
    assert "GPP_SA: no longer set" in done.stdout
    assert "other" not in done.stdout and "hidden" not in done.stdout
    assert "\033" not in done.stdout
    found = json.loads(site.run("profile", "diff", MAC, "--json",
                                "--secrets").stdout)
    assert {c["parameter"]: (c["served"], c["now"])
            for c in found["changes"]} == {
        "Password_1_": ("first & secret", "other"),
        "Proxy_1_": ("192.0.2.1", "192.0.2.2"),
        "GPP_SA": ("hidden", None)}


def test_diff_of_layout(site):
    site.serve()
    wait_until(lambda: site.run("profile", "diff", MAC).returncode == 0,
               "no change")
    site.server.write("templates/device.xml", TEMPLATE + "<!-- more -->\n")
    done = site.run("profile", "diff", MAC)
    assert done.returncode == 0 and "Only its layout" in done.stdout


def test_head_serves_nothing(site):
    with site.server.client() as client:
        client.send("HEAD /spa%s.cfg HTTP/1.1\r\nHost: a\r\n\r\n" % MAC)
        assert client.reply(head=True).status == 200
    site.server.stop()
    assert "never served" in site.run("profile", "diff", MAC).stdout


def test_same_profile_is_not_written_again(server):
    """Resyncs that change nothing leave the row as it was."""
    site = Site(server, keyed=True)
    server.write("templates/device.xml", PROFILE.decode())
    server.reload()
    site.serve()
    wait_until(lambda: site.run("profile", "diff", MAC).returncode == 0,
               "no change")
    before = json.loads(site.run("profile", "diff", MAC, "--json").stdout)
    server.stop()
    server.start()
    for _ in range(20):
        site.serve()
    server.stop()
    after = json.loads(site.run("profile", "diff", MAC, "--json").stdout)
    assert before == after


@pytest.mark.parametrize("arguments", [
    ["profile", "diff"], ["profile", "diff", MAC, "x"],
    ["device", "drift", "--old", "0"], ["device", "drift", MAC, "x"]])
def test_usage(site, arguments):
    assert site.run(*arguments).returncode == 2


def test_unknown_device(site):
    for command in "profile diff", "device drift":
        done = site.run(*command.split(), "000e08000000")
        assert done.returncode == 1 and "no device" in done.stderr


# By a simulated device


def simulated(site, pki, *options):
    """A multiplatform phone that resyncs, is changed, and reports."""
    mac = "000e08aabbd0"
    server = site.server
    if "added" not in vars(site):
        server.device("add", mac, "CP-8841-3PCC", "password=x",
                      "report_key=open-sesame")
        server.write("root.pem", pki.server_root.pem)
        certificate = pki.client_root.issue(minting.mic(mac, "FCH00000001"))
        site.added = certificate.write(server.folder, "phone")
    certificate, key = site.added
    return mac, subprocess.run(
        [str(BINARY), "simulate", "--as", "CP-8841-3PCC", "--mac", mac,
         "--serial", "FCH00000001", "--ca", str(server.folder / "root.pem"),
         "--certificate", str(certificate), "--key", str(key),
         "--resolve", "sprov.example.net=127.0.0.1", "--json", *options,
         "https://sprov.example.net:%d/$MA.xml" % server.port],
        env=server.environment, capture_output=True, encoding="utf-8",
        timeout=60, check=False)


@pytest.mark.parametrize("options, rule", [
    ([], "https://sprov.example.net:PORT/report/$MA.xml"),
    (["--report-put"], "https://sprov.example.net:PORT/report/$MA.xml"),
    (["--report-gzip"], "https://sprov.example.net:PORT/report/$MA.xml"),
    ([], "[--key open-sesame]https://sprov.example.net:PORT/report/$MA.xml"),
    ([], "[--delta]https://sprov.example.net:PORT/delta/$MA.xml "
         "[--status]https://sprov.example.net:PORT/status/$MA.xml"),
    ([], "-"),
])
def test_simulated_device(site, pki, options, rule):
    if rule == "-":
        site.server.write("templates/device.xml", TEMPLATE.replace(
            "  <GPP_SA>", "  <Report_Rule>https://sprov.example.net:%d/report"
            "/$MA.xml</Report_Rule>\n  <GPP_SA>" % site.server.port))
        site.server.reload()

    def run():
        mac, done = simulated(
            site, pki, "--report", rule.replace("PORT", str(site.server.port)),
            "--change", "Proxy_1_=198.51.100.7",
            "--change", "Display_Name_1_=Me",
            "--change", "Resync_Periodic=600", *options)
        return (mac, done) if done.returncode == 0 else None
    # The server sees the new device a little later.
    mac, done = wait_until(run, "a report")
    assert json.loads(done.stdout)["outcome"] == "provisioned"
    assert "took the report" in json.loads(done.stdout)["reason"]
    device = wait_until(lambda: next(
        (d for d in site.drift(mac) if d["state"] == "drift"), None), "drift")
    assert named(device) == dict.fromkeys(
        ["Proxy_1_", "Display_Name_1_", "Resync_Periodic"],
        "changed-on-phone")


def test_simulated_with_another_key(site, pki):
    rule = ("[--key wrong]https://sprov.example.net:%d/report/$MA.xml" %
            site.server.port)
    wait_until(lambda: simulated(site, pki)[1].returncode == 0, "the device")
    mac, done = simulated(site, pki, "--report", rule)
    assert done.returncode == 3
    assert json.loads(done.stdout)["reason"] == "the server answered 400"
    assert "none of the device's 1 keys" in \
        site.server.log.wait(event="report-refused")["message"]
    assert site.drift(mac)[0]["state"] == "no report"
