"""Ten thousand devices of three tenants, from the CSV to what each decrypts.

They come as simulated devices of every family, with a certificate each: first
over mutual TLS, then as their profile tells them, over plain HTTP with AES or
RFC 8188.  Every file is compared with what `sprov profile render` says.  What
devices decrypt is decrypted here without a line of ours: a part by OpenSSL's
command line, all by the `cryptography` package.
"""

import collections
import concurrent.futures
import csv
import gzip
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest
from cryptography.hazmat.primitives import ciphers, hashes, padding
from cryptography.hazmat.primitives.ciphers import aead, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from daemon import BINARY, ENVIRONMENT, Server, free_port, give_away

COUNT = 10000
BY_OPENSSL = 400  # by its command line; all by the package

# A model of each family, and how it has its profile protected.
MODELS = {
    "SPA2102": "aes",
    "SPA504G": "gzip+aes",
    "SPA525G2": "gzip+aes",
    "SPA112": "aes",
    "ATA192-MPP": "gzip+aes",
    "CP-8841-3PCC": "aes128gcm",
    "CP-7841-3PCC": "gzip+aes128gcm",
}
MIX = ("SPA2102:2,SPA504G:3,SPA525G2,SPA112,ATA192-MPP,CP-8841-3PCC,"
       "CP-7841-3PCC")
TENANTS = ("alder", "birch", "cedar")
SITES = ("main", "depot")
CONFIGURATION = """\
secrets-key secrets.key
listener tls {
    address 127.0.0.1:%d
    certificate fleet/server.crt key fleet/server.key
    tls legacy
    client-anchors fleet/ca.crt
}
listener plain {
    address 127.0.0.1:%d
    plain-http
}
"""
KEYED = re.compile(rb"<Profile_Rule[^>]*>\[--key (\w+)\]http://[^/<]+"
                   rb"(/[^<]+\?key=([0-9a-f]{16}))<")
IKM = re.compile(rb"<IKM_HTTP_Encrypt_Content[^>]*>(\w+)<")
IKM_RULE = re.compile(rb"<Profile_Rule[^>]*>http://[^/<]+"
                      rb"(/[^<]+\?ikm=([0-9a-f]{16}))<")


# What devices do, from other people's parts


def openssl(body, key, folder):
    """As the vendor's guide says it, by the command line."""
    path = folder / "key"
    path.write_bytes(key)
    return subprocess.run(
        ["openssl", "enc", "-d", "-aes-256-cbc", "-md", "md5", "-kfile",
         str(path)], input=body, capture_output=True, check=True,
        timeout=60).stdout


def salted(body, key):
    """The same by the package: EVP_BytesToKey() with MD5, one round."""
    assert body[:8] == b"Salted__"
    made = block = b""
    while len(made) < 48:
        block = hashlib.md5(block + key + body[8:16]).digest()
        made += block
    way = ciphers.Cipher(algorithms.AES(made[:32]),
                         modes.CBC(made[32:48])).decryptor()
    unpad = padding.PKCS7(128).unpadder()
    text = way.update(body[16:]) + way.finalize()
    return unpad.update(text) + unpad.finalize()


def rfc8188(body, ikm):
    """RFC 8188 section 2, and who is named as the key."""
    salt, length = body[:16], body[20]
    size = int.from_bytes(body[16:20], "big")
    keyid, body = body[21:21 + length], body[21 + length:]

    def derive(info, count):
        return HKDF(hashes.SHA256(), count, salt,
                    b"Content-Encoding: %s\0" % info).derive(ikm)

    key, base = aead.AESGCM(derive(b"aes128gcm", 16)), derive(b"nonce", 12)
    text = b""
    for number, start in enumerate(range(0, len(body), size)):
        nonce = (int.from_bytes(base, "big") ^ number).to_bytes(12, "big")
        record = key.decrypt(nonce, body[start:start + size], None)
        record = record.rstrip(b"\0")
        last = start + size >= len(body)
        assert record[-1:] == (b"\2" if last else b"\1")
        text += record[:-1]
    return text, keyid


def expand(body):
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


Device = collections.namedtuple("Device", "mac model tenant site password")


class Fleet:
    """The devices, their inventory, a server, and all they fetched."""

    def __init__(self):
        self.server = Server()
        self.folder = self.server.folder
        # Tens of thousands of small files: in memory, where there is room.
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) and \
            shutil.disk_usage("/dev/shm").free > 500000000 else None
        self.files = pathlib.Path(tempfile.mkdtemp(prefix="sprov-test-",
                                                   dir=memory))
        self.ports = {"tls": free_port(), "plain": free_port()}
        self.key = self.server.write("secrets.key", os.urandom(32))
        self.key.chmod(0o600)
        self.server.configure(CONFIGURATION % tuple(self.ports.values()))
        self.server.environment["SPROV_SECRETS_KEY"] = str(self.key)
        self.must("simulate", "--fleet", COUNT, "--folder",
                  self.folder / "fleet", "--setup", "--models", MIX)
        self.devices = list(self.describe())
        self.describe_tenants()
        self.imported = self.server.device(
            "import", self.folder / "devices.csv")
        self.must("profile", "rotate", "--all", "--state", self.folder)
        self.give_all_away()
        self.server.start()

    def must(self, *arguments):
        done = subprocess.run([str(BINARY), *map(str, arguments)],
                              env={**ENVIRONMENT, **self.server.environment},
                              capture_output=True, encoding="utf-8",
                              timeout=120, check=False)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout

    def give_all_away(self):
        for path in [*self.folder.rglob("*")]:
            give_away(path)

    def describe(self):
        """The CSV: what the simulated devices are, and what tenants add."""
        with open(self.folder / "fleet" / "devices.csv",
                  encoding="ascii") as given, \
                open(self.folder / "devices.csv", "w",
                     encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow(["mac", "model", "serial", "group", "tags",
                             "user_id", "password", "display_name"])
            for number, row in enumerate(csv.DictReader(given)):
                tenant = TENANTS[number % len(TENANTS)]
                site = SITES[number // 7 % len(SITES)]
                password = "pw-%s-%05d-&<>\"" % (tenant, number)
                writer.writerow([
                    row["mac"], row["model"], row["serial"],
                    "%s-%s" % (tenant, site),
                    "lobby" if number % 10 == 0 else "", row["user_id"],
                    password, "Zo\u00eb %d, \"%s\"" % (number, tenant)])
                yield Device(row["mac"], row["model"], tenant, site, password)

    def describe_tenants(self):
        device = self.server.device
        device("type", "user_id", "integer 1000000..9999999")
        device("type", "proxy", "host")
        device("type", "admin_password", "secret")
        device("type", "protection",
               "choice none|gzip|aes|gzip+aes|aes128gcm|gzip+aes128gcm")
        device("set", "default", "profile_rule=http://prov.example.net:%d"
               "/spa$MA.cfg" % self.ports["plain"])
        device("set", "tag:lobby", "syslog_server=lobby.example.net")
        for model, protection in MODELS.items():
            device("set", "model:" + model, "protection=" + protection)
        for tenant in TENANTS:
            device("set", "group:" + tenant, "kind=tenant",
                   "proxy=sip.%s.example.net" % tenant,
                   "admin_password=@-", stdin="admin-of-" + tenant)
            for site in SITES:
                device("set", "group:%s-%s" % (tenant, site),
                       "parent=" + tenant, "kind=site",
                       "ntp_server=%s.%s.example.net" % (site, tenant))

    def fetch(self, lane, *options):
        """All devices, at once; what each got, as it came."""
        into = self.files / ("got-" + lane)
        result = json.loads(self.must(
            "simulate", "--fleet", COUNT, "--folder", self.folder / "fleet",
            "--concurrency", 48, "--attempts", COUNT, "--json", "--save",
            into, "--timeout-ms", 60000, "--server-log",
            self.server.log.path, *options,
            "127.0.0.1:%d" % self.ports[lane]))
        assert result["outcomes"]["served"] == COUNT, result["outcomes"]
        assert result["devices_served"] == COUNT
        assert result["server"]["answered_200"] == COUNT
        return {device.mac: (into / device.mac).read_bytes()
                for device in self.devices}

    def rendered(self):
        into = self.files / "rendered"
        assert self.must("profile", "render", "--secrets", "--config",
                         self.server.config, "--all", "--write", into) == \
            "%d profiles written, 0 failed\n" % COUNT
        return {device.mac: (into / (device.mac + ".xml")).read_bytes()
                for device in self.devices}

    def is_mpp(self, device):
        return MODELS[device.model].endswith("aes128gcm")


@pytest.fixture(name="fleet", scope="module")
def _fleet():
    fleet = Fleet()
    try:
        fleet.rendered_before = fleet.rendered()
        fleet.over_tls = fleet.fetch("tls")
        yield fleet
    finally:
        shutil.rmtree(fleet.files)
        fleet.server.close()


@pytest.fixture(name="plain", scope="module")
def _plain(fleet):
    """Each asks for the path that its profile over TLS named."""
    lines = []
    for device in fleet.devices:
        profile = expand(fleet.over_tls[device.mac])
        found = (IKM_RULE.search(profile).group(1) if fleet.is_mpp(device)
                 else KEYED.search(profile).group(2))
        lines.append(found.decode().replace("$MA", device.mac))
    paths = fleet.folder / "paths"
    paths.write_text("\n".join(lines) + "\n")
    return fleet.fetch("plain", "--plain", "--paths", paths)


def test_imported(fleet):
    assert "%d" % COUNT in fleet.imported
    assert {device.model for device in fleet.devices} == set(MODELS)
    # Sealed: not one password is in the file, and without the key none comes
    # out.
    data = (fleet.folder / "inventory.db").read_bytes()
    assert b"alder-main" in data
    assert not re.search(rb"pw-(alder|birch|cedar)|admin-of-", data)
    environment = {**fleet.server.environment}
    del environment["SPROV_SECRETS_KEY"]
    done = subprocess.run(
        [str(BINARY), "device", "show", "--secrets", fleet.devices[0].mac],
        env=environment, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0 and b"pw-" not in done.stdout


def test_over_mutual_tls(fleet):
    """All of them, byte for byte, with the secrets."""
    for device in fleet.devices:
        body = fleet.over_tls[device.mac]
        assert (body[:2] == b"\x1f\x8b") == \
            MODELS[device.model].startswith("gzip"), device
        assert expand(body) == fleet.rendered_before[device.mac], device
    assert len(set(fleet.over_tls.values())) == COUNT


def test_rendered_alone_is_the_same(fleet):
    for device in fleet.devices[::COUNT // 20]:
        one = fleet.must("profile", "render", "--secrets", "--config",
                         fleet.server.config, device.mac)
        assert one.encode() == fleet.rendered_before[device.mac]
        masked = fleet.must("profile", "render", "--config",
                            fleet.server.config, device.mac)
        assert "pw-" not in masked and "admin-of-" not in masked


def test_aes_over_http(fleet, plain):
    """All by the package, some hundred by OpenSSL's command line."""
    chosen = [device for device in fleet.devices if not fleet.is_mpp(device)]
    for device in chosen:
        key = KEYED.search(fleet.rendered_before[device.mac]).group(1)
        text = salted(plain[device.mac], key)
        assert (text[:2] == b"\x1f\x8b") == \
            MODELS[device.model].startswith("gzip"), device
        assert expand(text) == fleet.rendered_before[device.mac], device
    assert len(chosen) > COUNT // 2

    def by_openssl(job):
        number, device = job
        folder = fleet.files / ("openssl-%d" % number)
        folder.mkdir()
        key = KEYED.search(fleet.rendered_before[device.mac]).group(1)
        text = openssl(plain[device.mac], key, folder)
        return expand(text) == fleet.rendered_before[device.mac]

    some = chosen[::len(chosen) // BY_OPENSSL]
    assert len(some) >= BY_OPENSSL
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert all(pool.map(by_openssl, enumerate(some)))


def test_rfc8188_over_http(fleet, plain):
    chosen = [device for device in fleet.devices if fleet.is_mpp(device)]
    for device in chosen:
        profile = fleet.rendered_before[device.mac]
        ikm = IKM.search(profile).group(1)
        text, keyid = rfc8188(plain[device.mac], ikm)
        assert keyid == IKM_RULE.search(profile).group(2)
        assert (text[:2] == b"\x1f\x8b") == \
            MODELS[device.model].startswith("gzip"), device
        assert expand(text) == profile, device
    assert len(chosen) > COUNT // 10


def test_each_key_is_another_ones(fleet, plain):
    """With the wrong key none of it opens."""
    keys = {(KEYED if not fleet.is_mpp(device) else IKM).search(
        fleet.rendered_before[device.mac]).group(1)
        for device in fleet.devices}
    assert len(keys) == COUNT
    aes = [device for device in fleet.devices
           if not fleet.is_mpp(device)][:100]
    for device, other in zip(aes, aes[1:]):
        key = KEYED.search(fleet.rendered_before[other.mac]).group(1)
        try:
            text = salted(plain[device.mac], key)
        except ValueError:
            continue  # the padding: in 255 of 256 cases
        assert b"flat-profile" not in text and text[:2] != b"\x1f\x8b"


def test_tenants_see_nothing_of_each_other(fleet):
    """No word of another tenant is in any of the profiles."""
    words = {tenant: [word.encode() for word in (
        "admin-of-" + tenant, "sip.%s.example.net" % tenant,
        "pw-" + tenant, "Zo\u00eb")] for tenant in TENANTS}
    for number, device in enumerate(fleet.devices):
        profile = expand(fleet.over_tls[device.mac])
        for tenant in TENANTS:
            assert (tenant.encode() in profile) == (tenant == device.tenant)
        for word in words[device.tenant]:
            assert word in profile, (device, word)
        site = "%s.%s.example.net" % (device.site, device.tenant)
        assert site.encode() in profile
        # The device's own, and of no other device of its tenant.
        assert re.findall(rb"pw-\w+-\d+", profile) == \
            [b"pw-%s-%05d" % (device.tenant.encode(), number)]
        assert (b"lobby.example.net" in profile) == (number % 10 == 0)


def test_tenants_cannot_ask_for_each_other(fleet, plain):
    """Neither by certificate nor with a key: a device of each tenant asks
    for the one that comes after it, which is the next tenant's."""
    count = 30
    turned = fleet.devices[1:count + 1]
    attempts = ["--concurrency", 4, "--attempts", count, "--json"]

    def outcomes(lane, paths, *options):
        name = fleet.folder / "other-paths"
        name.write_text("\n".join(paths) + "\n")
        done = subprocess.run(
            [str(BINARY), "simulate", "--fleet", str(count), "--folder",
             str(fleet.folder / "fleet"), *map(str, attempts), "--paths",
             str(name), *options, "127.0.0.1:%d" % fleet.ports[lane]],
            env=ENVIRONMENT, capture_output=True, timeout=60, check=False)
        assert done.returncode == 3, done
        return json.loads(done.stdout)["outcomes"]

    before = len(fleet.server.log.lines(reason="other-device"))
    paths = ["/spa%s.cfg" % device.mac for device in turned]
    assert outcomes("tls", paths)["refused"] == count
    fleet.server.log.wait(before + count, reason="other-device")
    own = (fleet.folder / "paths").read_text().splitlines()
    queries = [line.split("?")[1] for line in own[:count]]
    paths = ["/spa%s.cfg?%s" % (device.mac, query)
             for device, query in zip(turned, queries)]
    assert outcomes("plain", paths, "--plain")["refused"] == count
    assert plain  # the same queries open their own: see above


def test_tenants_in_lists(fleet):
    """What is listed, rendered or rotated of one tenant is that one's."""
    macs = {tenant: {device.mac for device in fleet.devices
                     if device.tenant == tenant} for tenant in TENANTS}
    found = json.loads(fleet.server.device("list", "--tenant", "birch",
                                           "--json"))
    assert {re.sub(":", "", row["mac"]) for row in found} == macs["birch"]
    into = fleet.files / "of-birch"
    fleet.must("profile", "render", "--group", "birch", "--config",
               fleet.server.config, "--write", into)
    assert {path.stem for path in into.iterdir()} == macs["birch"]
    found = json.loads(fleet.must(
        "profile", "rotate", "--dry-run", "--json", "--group", "birch-depot",
        "--state", fleet.folder))
    assert found["rotated"] == sum(
        device.tenant == "birch" and device.site == "depot"
        for device in fleet.devices)
    found = json.loads(fleet.must(
        "profile", "rotate", "--dry-run", "--json", "--group", "birch",
        "--state", fleet.folder))
    assert found["rotated"] == len(macs["birch"])
