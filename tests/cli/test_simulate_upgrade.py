"""Simulated devices by TFTP, and on their way to newer firmware."""

import hashlib
import json
import socket
import struct
import threading

import pytest

import minting
from conftest import Small
from daemon import free_port, give_away
from servers import Scripted, answer

# Bigger than a profile may be.
IMAGES = {"7.5.2b": b"first image " * 1000,
          "7.6.2f": b"second image " * 400000}
ELSE = b"an image of another model" * 100
ATA = b"an adapter's image" * 1000
PROFILE = b"<flat-profile><GPP_A>x</GPP_A></flat-profile>\n"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def write_images(folder):
    """A folder as sprov firmware add makes it; returns its path."""
    folder.mkdir(exist_ok=True)
    rows = [(version + ".bin", data, version, "SPA504G")
            for version, data in IMAGES.items()]
    rows.append(("else.bin", ELSE, "6.1.5(a)", "SPA962"))
    rows.append(("ata.bin", ATA, "11.2(4)", "ATA191-MPP"))
    for name, data, _, _ in rows:
        (folder / name).write_bytes(data)
        give_away(folder / name)
    manifest = folder / "manifest.tsv"
    manifest.write_text("".join("%s\t%s\t%s\t%s\n" % (
        name, sha256(data), version, model)
        for name, data, version, model in rows))
    give_away(manifest)
    give_away(folder)
    return folder


# The whole way, against the real server


class Site:
    """A server with an old CA and a new one, images and ladders.

    The PKI is a lab's, in which the devices are.
    """

    def __init__(self, server, lab, scheme, label="SPA504G@7.4.9c"):
        self.server, self.lab = server, lab
        self.port = {"old": free_port(), "new": free_port(),
                     "plain": free_port(), "tftp": free_port()}
        self.device = lab.device(label)
        self.images = write_images(server.folder / "images")
        server.write("anchors.pem",
                     (lab.folder / "client-anchors.pem").read_bytes())
        for name in ("ciscosb-prov-1", "ciscosb-prov-2"):
            pair = [lab.folder / "servers" / (name + end)
                    for end in (".crt", ".key")]
            server.write_pair(name, minting.load(*pair))
        server.write("templates/device.xml",
                     "<flat-profile><User_ID_1_>{{mac}}</User_ID_1_>"
                     "{{#upgrade_rule}}<Upgrade_Rule>{{upgrade_rule}}"
                     "</Upgrade_Rule>{{/upgrade_rule}}</flat-profile>\n")
        access, base = {
            "http": ("public", "127.0.0.1:%d" % self.port["plain"]),
            "tftp": ("public", "127.0.0.1:%d" % self.port["tftp"]),
            "https": ("devices", "ciscosb-prov-2.lab.example.net:%d"
                      % self.port["new"])}[scheme]
        steps = "    step 11.2(4)\n" if scheme == "https" else \
            "    step 7.5.2b\n    step 7.6.2f from 7.5.2b\n"
        server.configure(
            "firmware images {\n    access %s\n    url %s://%s\n}\n"
            "ladder up {\n    model %s\n%s}\n"
            "tftp {\n    address 127.0.0.1:%d\n}\n"
            "listener plain {\n    address 127.0.0.1:%d\n    plain-http\n}\n"
            % (access, scheme, base, self.device.model, steps,
               self.port["tftp"], self.port["plain"])
            + self.listener("old", "ciscosb-prov-1")
            + self.listener("new", "ciscosb-prov-2"))
        server.device("add", self.device.mac, self.device.model)
        server.device("set", self.device.mac, "firmware-ladder=up",
                      "upgrade-only=for new")
        server.start()

    def listener(self, name, ca):
        return self.server.listener(
            name, "127.0.0.1:%d" % self.port[name], certificate=ca,
            policy="legacy", directives="allow-expired-anchor \"LAB Cisco "
            "Linksys Client Root Authority 1\"")

    @property
    def rule(self):
        """As sprov plan writes it: who is new enough goes to the new CA."""
        return "($SWVER ge 7.5.6)? %s | %s" % (
            self.url("ciscosb-prov-2", "new"),
            self.url("ciscosb-prov-1", "old"))

    def url(self, ca, listener):
        return "https://%s.lab.example.net:%d/spa$MA.cfg" % (
            ca, self.port[listener])

    def options(self, firmware):
        return ["--as", "%s@%s" % (self.device.model, firmware), "--mac", self.device.mac,
                "--serial", self.device.serial,
                "--certificate", self.device.certificate,
                "--key", self.device.key, "--ca", self.lab.folder / "cas",
                "--resolve", "ciscosb-prov-1.lab.example.net=127.0.0.1",
                "--resolve", "ciscosb-prov-2.lab.example.net=127.0.0.1"]


@pytest.fixture
def site(pki, lab):
    made = []

    def make(*how):
        made.append(Small(pki))
        return Site(made[-1], lab, *how)

    yield make
    for server in made:
        server.close()


@pytest.mark.parametrize("scheme", ["http", "tftp"])
def test_climb(site, sprov, tmp_path, scheme):
    """Old firmware, only the old CA; in the end its profile, by the new."""
    at = site(scheme)
    told = sprov("simulate", "--json", *at.options("7.4.9c"),
                 "--upgrade", at.images, "--tftp-block", "1400",
                 "-o", "profile.xml", at.rule)
    assert told.status == 0, told
    found = json.loads(told.out)
    assert [(step["from"], step["to"], step["bytes"], step["sha256"])
            for step in found["upgrades"]] == [
        ("7.4.9c", "7.5.2b", len(IMAGES["7.5.2b"]),
         sha256(IMAGES["7.5.2b"])),
        ("7.5.2b", "7.6.2f", len(IMAGES["7.6.2f"]),
         sha256(IMAGES["7.6.2f"]))]
    assert all(step["url"].startswith(scheme + "://")
               for step in found["upgrades"])
    assert (found["device"], found["outcome"]) == ("SPA504G@7.6.2f",
                                                   "provisioned")
    assert found["url"] == (
        "https://ciscosb-prov-2.lab.example.net:%d/spa%s.cfg"
        % (at.port["new"], at.device.mac))
    assert (tmp_path / "profile.xml").read_text().startswith(
        "<flat-profile><User_ID_1_>%s</User_ID_1_>" % at.device.mac)
    log = at.server.log
    old = log.exactly(2, event="request", listener="old")
    assert {line["reason"] for line in old} == {"upgrade-only"}
    new = log.exactly(1, event="request", listener="new")
    assert new[0]["reason"] != "upgrade-only"
    assert new[0]["status"] == "200"
    if scheme == "http":
        assert log.exactly(2, event="request", listener="plain")
    else:
        assert {line["status"] for line in log.exactly(2, event="tftp")} == \
            {"sent"}


def test_climb_by_https(site, sprov):
    """A family that fetches images so, and has to say who it is."""
    at = site("https", "ATA191-MPP@11.1(0)MSR2")
    told = sprov("simulate", "--json", *at.options("11.1(0)MSR2"),
                 "--upgrade", at.images, at.url("ciscosb-prov-2", "new"))
    found = json.loads(told.out)
    assert told.status == 0, told
    (step,) = found["upgrades"]
    assert (step["to"], step["sha256"]) == ("11.2(4)", sha256(ATA))
    assert step["url"].startswith("https://")
    assert found["device"] == "ATA191-MPP@11.2(4)"
    assert at.server.log.exactly(1, reason="device-file", status="200")


def test_climb_in_words(site, sprov):
    at = site("http")
    lines = sprov("simulate", *at.options("7.5.2b"), "--upgrade", at.images,
                  at.rule).out.splitlines()
    assert lines[0] == (
        "SPA504G@7.5.2b: upgrade: installed 7.6.2f (%d bytes) from "
        "http://127.0.0.1:%d/firmware/7.6.2f.bin"
        % (len(IMAGES["7.6.2f"]), at.port["plain"]))
    assert lines[1].startswith(
        "SPA504G@7.6.2f: provisioned (class A): applied a profile")
    assert len(lines) == 2


def test_without_following(site, sprov):
    """Without --upgrade it stays what it is."""
    at = site("http")
    found = json.loads(sprov("simulate", "--json", *at.options("7.4.9c"),
                             at.rule).out)
    assert found["device"] == "SPA504G@7.4.9c" and "upgrades" not in found
    assert found["outcome"] == "provisioned"


# Rules and images of all kinds, against a server that says what it is told


def profile(**parameters):
    return answer("200 OK", ("<flat-profile>%s</flat-profile>" % "".join(
        "<%s>%s</%s>" % (name, value.replace("&", "&amp;"), name)
        for name, value in parameters.items())).encode())


@pytest.fixture
def live(sprov, tmp_path):
    """Live with these parameters; images are at /VERSION.bin."""
    folder = write_images(tmp_path / "images")

    def run(status=3, model="SPA504G@7.4.9c", images=None, **parameters):
        answers = {"/%s.bin" % version: answer("200 OK", data)
                   if data is not None else answer("404 Not Found")
                   for version, data in {**IMAGES, "else": ELSE,
                                         **(images or {})}.items()}
        with Scripted(answers) as server:
            base = "http://127.0.0.1:%d" % server.port
            answers["/p.xml"] = profile(**{
                name: value.replace("BASE", base)
                for name, value in parameters.items()})
            told = sprov("simulate", "--json", "--as", model, "--upgrade",
                         folder, base + "/p.xml")
        assert told.status == status, told
        return json.loads(told.out), server.requests

    return run


def test_once_per_url(live):
    """It is there already, and the rule still leads there."""
    found, requests = live(status=0, Upgrade_Rule="BASE/7.6.2f.bin")
    assert [step["to"] for step in found["upgrades"]] == ["7.6.2f"]
    assert [request.split()[1] for request in requests] == [
        "/p.xml", "/7.6.2f.bin", "/p.xml"]
    assert "SPA504G-7.6.2f" in requests[2]


@pytest.mark.parametrize("parameters", [
    {}, {"Upgrade_Rule": ""},
    {"Upgrade_Rule": "($SWVER lt 7.4)? BASE/7.6.2f.bin"},
    {"Upgrade_Rule": "BASE/7.6.2f.bin", "Upgrade_Enable": "No"}])
def test_nothing_to_do(live, parameters):
    found, requests = live(status=0, **parameters)
    assert found["upgrades"] == [] and len(requests) == 1
    assert found["device"] == "SPA504G@7.4.9c"


@pytest.mark.parametrize("parameters, outcome, reason", [
    ({"Upgrade_Rule": "BASE/else.bin"}, "corrupt", "no image for SPA504G"),
    ({"Upgrade_Rule": "BASE/torn.bin"}, "corrupt", "no image for SPA504G"),
    ({"Upgrade_Rule": "BASE/7.5.2b.bin", "Downgrade_Rev_Limit": "7.5.6"},
     "corrupt", "below the Downgrade_Rev_Limit"),
    ({"Upgrade_Rule": "BASE/gone.bin"}, "not-found", "no such file"),
    ({"Upgrade_Rule": "https://127.0.0.1/x"}, "bad-rule",
     "not known to fetch images over https"),
    ({"Upgrade_Rule": "/7.6.2f.bin"}, "bad-rule", "name its server"),
    ({"Upgrade_Rule": "[--key x]BASE/7.6.2f.bin"}, "bad-rule", "--key"),
    ({"Upgrade_Rule": "($SWVER lt)? BASE/x"}, "bad-rule", "Upgrade_Rule: "),
])
def test_refused(live, parameters, outcome, reason):
    found, _ = live(images={"torn": IMAGES["7.6.2f"][:-1],
                            "gone": None}, **parameters)
    (step,) = found["upgrades"]
    assert step["outcome"] == outcome and reason in step["reason"], step
    assert "to" not in step
    # The profile itself was fine, and the device is what it was.
    assert (found["device"], found["outcome"]) == ("SPA504G@7.4.9c",
                                                   "provisioned")


def test_options(sprov, tmp_path):
    folder = write_images(tmp_path / "images")
    base = ["simulate", "--as", "SPA504G@7.4.9c"]
    told = sprov(*base, "--upgrade", folder, "--lab", "lab", "http://h/x")
    assert told.status == 2 and "exclude each other" in told.err
    told = sprov(*base, "--upgrade", "none", "http://127.0.0.1/x")
    assert told.status == 1 and "none" in told.err
    (folder / "manifest.tsv").write_text("x\n")
    told = sprov(*base, "--upgrade", folder, "http://127.0.0.1/x")
    assert told.status == 1 and "manifest.tsv:1" in told.err
    (folder / "manifest.tsv").write_text("")
    told = sprov(*base, "--upgrade", folder, "http://127.0.0.1/x")
    assert told.status == 1 and "names no image" in told.err
    told = sprov(*base, "--tftp-block", "7", "http://127.0.0.1/x")
    assert told.status == 2 and "--tftp-block" in told.err


# Profiles by TFTP


@pytest.fixture
def stub(server):
    """The real service, with what is public."""
    server.tftp_port = free_port()
    server.write("templates/stub.xml", PROFILE)
    server.configure("public /spa$PSN.cfg stub.xml\n"
                     "tftp {\n    address 127.0.0.1:%d\n}\n"
                     % server.tftp_port + server.listener())
    server.start()
    return server


@pytest.mark.parametrize("arguments", [
    ("tftp://127.0.0.1:%d/spa504G.cfg",),
    ("--tftp-block", "1428", "tftp://127.0.0.1:%d/spa$PSN.cfg"),
    ("--tftp-block", "8", "tftp://127.0.0.1:%d/spa$PSN.cfg"),
    # Option 66 with a URL, and the rule of the factory.
    ("--dhcp-server", "tftp://127.0.0.1:%d/spa$PSN.cfg"),
])
def test_profile_by_tftp(stub, good, tmp_path, arguments):
    *options, last = arguments
    found = json.loads(good("simulate", "--json", "--as", "SPA504G@7.5.4",
                            "-o", "p.xml", *options, last % stub.tftp_port))
    assert found["outcome"] == "provisioned"
    assert found["url"] == "tftp://127.0.0.1:%d/spa504G.cfg" % stub.tftp_port
    assert (tmp_path / "p.xml").read_bytes() == PROFILE


def test_not_by_tftp(stub, sprov):
    told = sprov("simulate", "--json", "--as", "SPA504G@7.5.4",
                 "tftp://127.0.0.1:%d/spa000e08aabbcc.cfg" % stub.tftp_port)
    found = json.loads(told.out)
    assert told.status == 3 and found["outcome"] == "not-found"
    assert "error 1" in found["reason"]


def packet(*values, text=b""):
    return struct.pack("!%dH" % len(values), *values) + text


class Datagrams:
    """A TFTP server that answers by a function of what came, in turn."""

    def __init__(self, *turns):
        self.turns = turns
        self.heard = []
        self.door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.door.bind(("127.0.0.1", 0))
        self.door.settimeout(20)
        self.port = self.door.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        for turn in self.turns:
            data, self.client = self.door.recvfrom(65536)
            self.heard.append(data)
            for reply in turn:
                if callable(reply):
                    reply(self)
                else:
                    self.door.sendto(reply, self.client)

    def stranger(self):
        """Another port of the same host speaks to the device."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(20)
            s.sendto(packet(3, 2, text=b"of somebody else"), self.client)
            assert s.recvfrom(100)[0][:4] == packet(5, 5)

    def close(self):
        self.thread.join(30)
        self.door.close()
        assert not self.thread.is_alive()


def ask(sprov, *turns, options=()):
    served = Datagrams(*turns)
    told = sprov("simulate", "--json", "--as", "SPA504G@7.5.4", "--timeout",
                 "3", *options, "tftp://127.0.0.1:%d/p.xml" % served.port,
                 "-o", "p.xml")
    served.close()
    return json.loads(told.out), served.heard


LONG = b"<flat-profile>" + b" " * 498 + b"</flat-profile>"  # 512 and 15
REQUEST = b"\0\1/p.xml\0octet\0"


def test_loss_and_strangers(sprov, tmp_path):
    """Lost, twice, out of turn, from elsewhere, and no packet at all."""
    found, heard = ask(
        sprov,
        (),  # the request is lost
        (packet(3, 2, text=b"early"), b"\0", packet(3, 1, text=LONG[:512])),
        (Datagrams.stranger, packet(3, 1, text=LONG[:512])),
        (packet(3, 2, text=LONG[512:]),), ())
    assert found["outcome"] == "provisioned", found
    assert heard == [REQUEST, REQUEST, packet(4, 1), packet(4, 1),
                     packet(4, 2)]
    assert (tmp_path / "p.xml").read_bytes() == LONG


@pytest.mark.parametrize("turns, outcome, reason", [
    (((packet(5, 2, text=b"go\naway\0"),),), "refused", "error 2: go"),
    (((packet(5, 1, text=b"\0"),),), "not-found", "error 1"),
    (((packet(3, 1, text=b"x" * 513),), ()), "broken-answer", "513 bytes"),
    (((packet(6, text=b"blksize\0" b"1024\0"),), ()), "broken-answer",
     "not asked for"),
    (((packet(3, 1, text=b"no profile"),), ()), "corrupt", "no profile"),
    (((), (), ()), "no-connect", "no answer in time"),
    (((packet(3, 1, text=LONG[:512]),), (), (), ()), "no-connect",
     "sends no more"),
])
def test_bad_servers(sprov, turns, outcome, reason):
    found, _ = ask(sprov, *turns)
    assert found["outcome"] == outcome, found
    assert reason in found["reason"]


def test_size_announced(sprov):
    found, heard = ask(
        sprov, (packet(6, text=b"tsize\0" b"99\0blksize\0" b"600\0"),),
        (packet(3, 1, text=PROFILE),), (), options=("--tftp-block", "1000"))
    assert heard[0] == REQUEST + b"blksize\0" b"1000\0tsize\0" b"0\0"
    assert heard[1] == packet(4, 0)
    assert heard[2][:4] == packet(5, 4)
    assert found["outcome"] == "broken-answer"
    assert "announced 99" in found["reason"]
