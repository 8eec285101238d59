"""A whole fleet, from the CSV to what each device decrypts.

Three tenants, every family; SPROV_TEST_FLEET says how many devices.  What a
device would do with an encrypted profile is done by OpenSSL's own command line,
and what the profile has to be is said here, without the program's templates.
"""

import concurrent.futures
import csv
import gzip
import json
import os
import re
import secrets
import socket
import subprocess
from xml.sax.saxutils import escape

import pytest

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from daemon import (BINARY, ENVIRONMENT, Server, free_port, give_away)

NAT = BINARY.parent / "tests" / "nat"
DEVICES = int(os.environ.get("SPROV_TEST_FLEET", "300"))
SOURCES = 50
CAS = "ciscosb-prov-2", "ciscosb-prov-1", "sipura-prov-1"
TENANTS = "acme", "globex", "initech"
RULE = "http://prov.example.net/spa$MA.cfg"
RFC8188 = "8841", "7832"  # the models that read it, by their names

TEMPLATE = """\
<flat-profile>
  <Profile_Rule>{{profile_rule}}</Profile_Rule>
  {{#ikm}}<IKM_HTTP_Encrypt_Content>{{ikm}}</IKM_HTTP_Encrypt_Content>{{/ikm}}
  <Proxy_1_>{{proxy}}</Proxy_1_>
  <User_ID_1_>{{user_id}}</User_ID_1_>
  <Password_1_>{{password}}</Password_1_>
  <Station_Name>{{model}} {{mac}}</Station_Name>
</flat-profile>
"""


def expected(row, rule, ikm):
    """The bytes of the profile of a row of the CSV."""
    return TEMPLATE.replace(
        "{{#ikm}}", "").replace("{{/ikm}}", "").replace(
        "<IKM_HTTP_Encrypt_Content>{{ikm}}</IKM_HTTP_Encrypt_Content>",
        "<IKM_HTTP_Encrypt_Content>%s</IKM_HTTP_Encrypt_Content>" % ikm
        if ikm else "").replace("{{profile_rule}}", escape(rule)).replace(
        "{{proxy}}", "sip.%s.example.net" % row["group"]).replace(
        "{{user_id}}", row["user_id"]).replace(
        "{{password}}", escape(row["password"])).replace(
        "{{model}}", row["model"]).replace("{{mac}}", row["mac"]).encode()


class Key:
    """What a device found in its profile: how it asks from now on."""

    def __init__(self, profile):
        found = re.search(rb"<Profile_Rule>(?:\[--key (\w+)\])?(\S+)"
                          rb"(\?(?:key|ikm)=[0-9a-f]{16})</", profile)
        assert found, profile
        ikm = re.search(rb"Content>(\w+)<", profile)
        self.ikm = ikm and ikm.group(1).decode()
        self.key = found.group(1) and found.group(1).decode()
        self.rule = found.group(0)[len("<Profile_Rule>"):-2].decode()
        self.query = found.group(3).decode()
        assert found.group(2).decode() == RULE
        assert (self.key is None) == (self.ikm is not None)


def command(*arguments, data):
    return subprocess.run(["openssl", *arguments], input=data, check=True,
                          capture_output=True).stdout


def decrypt(body, key):
    """As the device does it."""
    if key.key:
        return gzip.decompress(command(
            "enc", "-d", "-aes-256-cbc", "-md", "md5", "-k", key.key,
            data=body))
    # RFC 8188: salt, record size, key id, one record that ends with 2.
    salt, size, length = body[:16], body[16:20], body[20]
    assert body[21:21 + length].decode() == key.query.split("=")[1]
    record = body[21 + length:]
    assert len(record) <= int.from_bytes(size, "big")

    def derive(count, info):
        return bytes.fromhex(command(
            "kdf", "-keylen", str(count), "-kdfopt", "digest:SHA256",
            "-kdfopt", "hexkey:" + key.ikm.encode().hex(), "-kdfopt",
            "hexsalt:" + salt.hex(), "-kdfopt", "hexinfo:" + info.hex(),
            "HKDF", data=b"").decode().replace(":", ""))

    cek = derive(16, b"Content-Encoding: aes128gcm\0")
    nonce = derive(12, b"Content-Encoding: nonce\0")
    plain = command("enc", "-d", "-aes-128-ctr", "-K", cek.hex(), "-iv",
                    nonce.hex() + "00000002", data=record[:-16])
    # The command does not check the tag.
    assert AESGCM(cek).decrypt(nonce, record, None) == plain
    assert plain.rstrip(b"\0").endswith(b"\2")
    return gzip.decompress(plain.rstrip(b"\0")[:-1])


class Fleet(Server):
    def __init__(self):
        super().__init__()
        self.port, self.plain = free_port(), free_port()
        self.nat("setup", self.folder, DEVICES)
        key = self.write("secrets.key", secrets.token_bytes(32))
        key.chmod(0o600)
        self.environment["SPROV_SECRETS_KEY"] = str(key)
        (self.folder / "bodies").mkdir()
        for path in self.folder.rglob("*"):
            give_away(path)
        self.write("templates/device.xml", TEMPLATE)
        self.rows = self.fill()
        self.configure(
            "secrets-key secrets.key\nlistener one {\n"
            "    address 127.0.0.1:%d\n%s    tls legacy\n"
            "    client-anchors client-anchors.pem\n"
            "    allow-expired-anchor \"LAB Cisco Linksys Client Root "
            "Authority 1\"\n}\nlistener plain {\n    address 127.0.0.1:%d\n"
            "    plain-http\n}\n" % (self.port, "".join(
                "    certificate servers/%s.crt key servers/%s.key\n"
                % (ca, ca) for ca in CAS), self.plain))

    @staticmethod
    def nat(*arguments):
        done = subprocess.run([str(NAT), *map(str, arguments)],
                              env=ENVIRONMENT, capture_output=True,
                              encoding="utf-8", timeout=1500, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fill(self):
        """Tenants and devices; the rows by their MACs."""
        with open(self.folder / "devices.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for n, row in enumerate(rows):
            row["group"] = TENANTS[n % len(TENANTS)]
            row["user_id"] = str(100000 + n)
            row["password"] = "%d<&>%s" % (n, secrets.token_hex(8))
            row["protection"] = (
                "gzip+aes128gcm" if any(part in row["model"]
                                        for part in RFC8188)
                else "gzip+aes")
        with open(self.folder / "fleet.csv", "w", encoding="utf-8") as file:
            table = csv.DictWriter(file, rows[0])
            table.writeheader()
            table.writerows(rows)
        for tenant in TENANTS:
            self.device("set", "group:" + tenant, "kind=tenant",
                        "proxy=sip.%s.example.net" % tenant)
        self.device("set", "default", "profile_rule=" + RULE)
        self.device("import", self.folder / "fleet.csv")
        subprocess.run([str(BINARY), "profile", "rotate", "--all", "--state",
                        str(self.folder)], env=self.environment, check=True,
                       capture_output=True, timeout=300)
        for path in self.folder.glob("inventory.db*"):
            give_away(path)
        return {row["mac"]: row for row in rows}

    def ask(self, path):
        with socket.create_connection(("127.0.0.1", self.plain), 30) as s:
            s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close"
                      b"\r\n\r\n" % path.encode())
            head, _, body = b"".join(
                iter(lambda: s.recv(65536), b"")).partition(b"\r\n\r\n")
        return head.decode(), body


@pytest.fixture
def fleet():
    made = Fleet()
    yield made
    made.close()


def test_fleet(fleet):
    """Over mutual TLS, then encrypted over plain HTTP: the same bytes."""
    fleet.start()
    done = json.loads(fleet.nat("run", fleet.folder, fleet.port, SOURCES,
                                fleet.folder / "bodies"))
    assert done["provisioned"] == DEVICES == len(fleet.rows)
    keys = {}
    for mac, row in fleet.rows.items():
        profile = (fleet.folder / "bodies" / mac).read_bytes()
        key = keys[mac] = Key(profile)
        assert bool(key.ikm) == ("gcm" in row["protection"])
        assert profile == expected(row, key.rule, key.ikm)
    assert {bool(key.ikm) for key in keys.values()} == {True, False}
    assert len({key.ikm or key.key for key in keys.values()}) == DEVICES

    def fetch(mac):
        head, body = fleet.ask("/spa%s.cfg%s" % (mac, keys[mac].query))
        assert head.startswith("HTTP/1.1 200 "), head
        assert ("Content-Encoding: aes128gcm" in head) == bool(keys[mac].ikm)
        assert body.startswith(b"Salted__") == bool(keys[mac].key)
        profile = decrypt(body, keys[mac])
        assert profile == expected(fleet.rows[mac], keys[mac].rule,
                                   keys[mac].ikm)
        return 1

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(fetch, keys)) == DEVICES
    # Not one secret where others read.
    for path in (fleet.folder / "inventory.db", fleet.log.path):
        data = path.read_bytes()
        assert not any(row["password"].split(">")[1].encode() in data
                       for row in fleet.rows.values()), path
