"""From what another system keeps to what devices fetch over mutual TLS.

What a device has to get is read from the sample by rules of our own
(test_importers.py), not by the importer.
"""

import csv
import json
import os
import shutil
import subprocess
from xml.etree import ElementTree

import pytest

import minting
from daemon import BINARY, give_away
from test_importers import (DATA, DEVICES, PHONES, parameters, spc_parameters,
                            substitute)

# As the certificate of each model says it.
FORMS = {
    "SPA504G": (minting.observed, "SPA-504G"),
    "SPA942": (minting.documented, "SPA-942"),
    "SPA112": (minting.observed, "SPA-112"),
    "ATA192-MPP": (minting.mic, "ATA192"),
    "CP-8841-3PCC": (minting.mic, "CP-8841-3PCC"),
    "SPA525G2": (minting.observed, "SPA-525G2"),
}


class Site:
    """An empty server, and an inventory that an importer fills."""

    def __init__(self, server, tmp_path):
        self.server = server
        self.data = tmp_path / "data"
        shutil.copytree(DATA, self.data)
        for mac in ("000e08aabbcc", "000e08aabbcd", "000e08aabbce"):
            server.device("remove", mac)
        (server.folder / "templates" / "device.xml").unlink()

    def take(self, source, *arguments):
        """Import, and serve what was imported."""
        done = subprocess.run(
            [str(BINARY), "device", "import", "--json", "--format",
             *arguments, str(self.data / source)],
            env=self.server.environment, capture_output=True,
            encoding="utf-8", timeout=60, check=False)
        assert done.returncode == 3, done  # something was left out
        for path in [*self.server.folder.glob("inventory.db*"),
                     *(self.server.folder / "templates").iterdir()]:
            give_away(path)
        self.server.configure(self.server.listener(policy="legacy"))
        self.server.start()
        return json.loads(done.stdout)

    def templates(self):
        return "--templates", str(self.server.folder / "templates")

    def devices(self):
        return json.loads(self.server.device("list", "--json"))

    def fetch(self, device):
        """The profile of a row of the list, as that device gets it."""
        form, product = FORMS[device["model"]]
        mac = device["mac"].replace(":", "").lower()
        certificate = self.server.pki.client_root.issue(
            form(mac, device["serial"] or "88012AA0" + mac[-4:], product),
            private_key=minting.key(1024), digest="sha1")
        reply = self.server.get("/spa%s.cfg" % mac, certificate)
        return mac, reply

    def fetch_all(self):
        got = {}
        for device in self.devices():
            mac, reply = self.fetch(device)
            assert reply.status == (
                200 if device["state"] == "active" else 403), (mac, reply)
            if reply.status == 200:
                got[mac] = reply.body.decode()
        return got


@pytest.fixture
def site(server, tmp_path):
    return Site(server, tmp_path)


def values(text):
    """The values of a flat profile by their names."""
    root = ElementTree.fromstring(text.encode())
    return {item.tag: item.text or "" for item in root.iter()}


def test_tree(site):
    """Parameter by parameter what the file said."""
    site.take("tree", "tree", *site.templates())
    got = site.fetch_all()
    assert set(got) == set(DEVICES)
    for mac, name in DEVICES.items():
        path = site.data / "tree" / name
        expected = spc_parameters(path) if path.suffix == ".txt" \
            else parameters(path.read_text())
        assert parameters(got[mac]) == expected


def test_phoneprov(site):
    """The bytes that Asterisk would have sent."""
    folder = site.data / "asterisk"
    site.take("asterisk", "phoneprov", *site.templates())
    common = {"SERVER": "198.51.100.6", "SERVER_PORT": "5060",
              "TIMEZONE_TEXT": "GMT+01:00", "NTP": "ntp.example.net"}
    text = (folder / "phoneprov" / "spa504g.xml").read_text()
    got = {}
    for device in site.devices():
        mac, reply = site.fetch(device)
        if reply.status == 200:
            got[mac] = reply.body.decode()
        else:  # its template could not be converted in whole
            assert (mac, reply.status) == ("000e08aabb53", 500), reply
    assert got == {
        mac: substitute(folder / "phoneprov", text,
                        {"MAC": mac, **common, **extensions[0]}, extensions)
        for mac, extensions in PHONES.items()}


def test_fusionpbx(site):
    """The line of each device of ours, in the starter templates."""
    with open(site.data / "fusionpbx.csv", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file)
                if row["line_number"] == "1" and row["device_vendor"] in
                ("cisco", "linksys")]
    site.take("fusionpbx.csv", "fusionpbx")
    got = site.fetch_all()
    expected = {row["device_mac_address"].replace("-", "").lower(): row
                for row in rows if row["device_enabled"] == "true"}
    assert set(got) == set(expected) and len(got) >= 2
    for mac, row in expected.items():
        found = values(got[mac])
        assert found["User_ID_1_"] == row["user_id"]
        assert found["Password_1_"] == row["password"]
        assert found["Display_Name_1_"] == row["display_name"]
        assert found["Proxy_1_"] == (row["server_address"] or
                                     row["server_address_primary"])


def test_wazo(site):
    """Lines, and what configs inherit from each other."""
    whole = json.loads((site.data / "wazo.json").read_text())
    configs = {config["id"]: config for config in whole["configs"]}

    def inherited(name, key):
        config = configs[name]
        if key in config["raw_config"]:
            return config["raw_config"][key]
        found = [inherited(parent, key) for parent in config["parent_ids"]]
        return next((value for value in found if value is not None), None)

    site.take("wazo.json", "wazo")
    got = site.fetch_all()
    ours = {device["mac"].replace(":", ""): device["config"]
            for device in whole["devices"] if device["vendor"] == "Cisco"}
    assert set(got) == set(ours)
    for mac, name in ours.items():
        found = values(got[mac])
        line = configs[name]["raw_config"]["sip_lines"]["1"]
        assert found["User_ID_1_"] == line["username"]
        assert found["Password_1_"] == line["password"]
        assert inherited(name, "admin_password") in (
            found.get("Admin_Passwd"), found.get("Admin_Password"),
            found.get("Web_Login_Admin_Password"))
        assert inherited(name, "ntp_ip") in found.values()


def test_samples_are_there():
    """None is left out of the tests above."""
    assert set(os.listdir(DATA)) == {"asterisk", "fusionpbx.csv", "tree",
                                     "wazo.json"}
