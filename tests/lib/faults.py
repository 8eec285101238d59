"""Faults, injected one at a time: into the server, the network or the device.

Each fault says what is wrong, how it comes about, and the cause that
"sprov doctor" has to find.  A site is one server with listeners of many CAs,
which are good unless their name says otherwise, and devices that are in its
inventory.
"""

import collections
import os
import socket
import struct
import subprocess
import time

import minting
import tls10
import wire
from daemon import BINARY, ENVIRONMENT, Server, free_port

LAB = "LAB "
SB1 = LAB + "Cisco Small Business Provisioning Root Authority 1"
SB2 = LAB + "Cisco Small Business Provisioning Root Authority 2"
SIPURA = LAB + "Sipura Technology Provisioning Root Authority 1"
CLIENT_SB1 = LAB + "Cisco Small Business Client Root Authority 1"
CLIENT_SIPURA = LAB + "Sipura Technology Client Root Authority 1"
CLIENT_LINKSYS = LAB + "Cisco Linksys Client Root Authority 1"
CLIENT_MIC = LAB + "Cisco Manufacturing CA SHA2"
HOST = "127.0.0.1"  # a common name that everybody can look up

Device = collections.namedtuple(
    "Device", "mac model firmware serial product form root")
PHONE = Device("000e08000001", "SPA504G", "7.5.6", "CCQ10000001", "SPA-504G",
               minting.observed, CLIENT_SB1)
OLD = Device("000e08000002", "SPA504G", "7.5.4", "CCQ10000002", "SPA-504G",
             minting.observed, CLIENT_SB1)
ATA = Device("000e08000003", "SPA112", "1.3.1(003)", "CCQ10000003", "SPA-112",
             minting.observed, CLIENT_SB1)
PAP2T = Device("000e08000004", "PAP2T", "", "FLI10000004", "PAP2T",
               minting.documented, CLIENT_SIPURA)
MPP = Device("000e08000005", "CP-8841-3PCC", "12.0(3)", "FCH10000005",
             "CP-8841-3PCC", minting.mic, CLIENT_MIC)
ATA191 = Device("000e08000006", "ATA191-MPP", "11.1(0)MSR4", "FCH10000006",
                "ATA191", minting.mic, CLIENT_MIC)
SPA2102 = Device("000e08000007", "SPA2102", "2.0.5", "FM500F200000",
                 "SPA-2102", minting.documented, CLIENT_SIPURA)
RETIRED = Device("000e08000008", "SPA504G", "7.5.6", "CCQ10000008",
                 "SPA-504G", minting.observed, CLIENT_SB1)
ABSENT = Device("000e08000009", "SPA504G", "7.5.6", "CCQ10000009",
                "SPA-504G", minting.observed, CLIENT_SB1)
BROKEN = Device("000e0800000a", "SPA504G", "7.5.6", "CCQ1000000A",
                "SPA-504G", minting.observed, CLIENT_SB1)

# Those that a named exception is for.
LAPSED = PHONE._replace(mac="000e0800000b", serial="CCQ1000000B")
AWAY = PHONE._replace(mac="000e0800000c", serial="CCQ1000000C")
BARE = PHONE._replace(mac="000e0800000d", serial="CCQ1000000D")

ROOTS = {}


def root(name, **options):
    """A CA of that name, made once."""
    if (name, *options.items()) not in ROOTS:
        ROOTS[(name, *options.items())] = minting.authority(
            name, which=20 + len(ROOTS) % 8, **options)
    return ROOTS[(name, *options.items())]


def identity(device, issuer=None, **options):
    """The certificate of a device."""
    options.setdefault("private_key", minting.key(1024, 3))
    options.setdefault("digest", "sha1")
    subject = device.form(device.mac, device.serial, device.product)
    return (issuer or root(device.root)).issue(subject, **options)


# What the listeners show: host, SANs, dates, digest, CA, policy.
LISTENERS = {
    "csb2": {"ca": SB2},
    "csb1": {"ca": SB1, "digest": "sha1"},
    "sipura": {"ca": SIPURA, "digest": "sha1"},
    "stranger": {"ca": "Example Root"},
    "csb1-sha256": {"ca": SB1},
    "expired": {"ca": SB2, "days": (-800, -3)},
    "no-san": {"ca": SB2, "hosts": ()},
    "other-name": {"ca": SB2, "host": "192.0.2.9", "hosts": ["192.0.2.9"]},
    "modern": {"ca": SB2, "policy": "modern"},
    "few-anchors": {"ca": SB2, "anchors": "few.pem"},
    "old-anchors": {"ca": SB2, "anchors": "old.pem"},
}

EXCEPTION = """\
exception %s {
    allow %s-certificate
    scope device %s
    require %s
    until %s
    reason "a test"
    who tests
}
"""
EXCEPTIONS = "".join(EXCEPTION % row for row in (
    ("lapsed", "expired", LAPSED.mac, "source 127.0.0.0/8", "2026-01-31"),
    ("away", "generic", AWAY.mac, "source 192.0.2.0/24", "2099-12-31"),
    ("bare", "generic", BARE.mac, "aes-profile", "2099-12-31"),
))

TEMPLATE = """\
<flat-profile>
  <User_ID_1_>{{mac}}</User_ID_1_>
  <Display_Name_1_>{{display_name}}</Display_Name_1_>
</flat-profile>
"""


class Site(Server):
    """All listeners, all devices."""

    def __init__(self, self_test=False):
        super().__init__()
        self.ports = {}
        self.used = 0
        self.make_listeners(self_test)
        self.make_devices()
        self.write("templates/device.xml", TEMPLATE)
        self.cas = self.folder / "cas"
        self.cas.mkdir()
        for name in (SB1, SB2, SIPURA):
            (self.cas / (name.replace(" ", "-") + ".pem")).write_bytes(
                root(name).pem)

    def make_listeners(self, self_test):
        good = b"".join(root(name).pem for name in (
            CLIENT_SB1, CLIENT_SIPURA, CLIENT_MIC))
        self.write("anchors.pem", good)
        self.write("few.pem", root(CLIENT_SIPURA).pem)
        self.write("old.pem", good + root(CLIENT_LINKSYS,
                                          days=(-4000, -100)).pem)
        text = "timeout handshake 1s\ntimeout request 1s\n" + EXCEPTIONS
        for name, given in LISTENERS.items():
            host = given.get("host", HOST)
            self.write_pair(name, root(given["ca"]).issue(
                minting.name(CN=host), hosts=given.get("hosts", [host]),
                days=given.get("days", (-10, 1000)),
                digest=given.get("digest", "sha256")))
            self.ports[name] = free_port()
            text += (
                "listener %s {\n    address 127.0.0.1:%d\n"
                "    certificate %s.crt key %s.key\n    tls %s\n"
                "    client-anchors %s\n}\n" % (
                    name, self.ports[name], name, name,
                    given.get("policy", "legacy"),
                    given.get("anchors", "anchors.pem")))
        self.configure("self-test on\n" + text if self_test else text)

    def make_devices(self):
        rows = ["mac,model,firmware,serial,state,display_name"]
        for device in (PHONE, OLD, ATA, PAP2T, MPP, ATA191, SPA2102,
                       RETIRED, BROKEN, LAPSED, AWAY, BARE):
            rows.append(",".join((
                device.mac, device.model, device.firmware, device.serial,
                "retired" if device is RETIRED else "active",
                "" if device is BROKEN else "Name")))
        self.device("import", "-", stdin="\n".join(rows) + "\n")

    # What devices do

    def files(self, certificate):
        self.used += 1
        return certificate.write(self.folder, "client-%d" % self.used)

    def simulate(self, device, listener, certificate=None, path=None):
        """Be the device; whatever comes out."""
        crt, key = self.files(certificate or identity(device))
        subprocess.run(
            [str(BINARY), "simulate", "--as", device.model + (
                "@" + device.firmware if device.firmware else ""),
             "--mac", device.mac, "--serial", device.serial,
             "--certificate", str(crt), "--key", str(key),
             "--ca", str(self.cas), "https://%s:%d%s" % (
                 HOST, self.ports[listener], path or "/spa$MA.cfg")],
            env=ENVIRONMENT, capture_output=True, timeout=60, check=False)

    def get(self, certificate, listener="csb2", path=None, **offer):
        files = self.files(certificate) if certificate else None
        return wire.get(self.ports[listener], wire.context(files, **offer),
                        path or "/spa%s.cfg" % PHONE.mac)

    def raw(self, listener, data, wait=True):
        """Bytes; then until the server closes."""
        with socket.create_connection(("127.0.0.1", self.ports[listener]),
                                      30) as s:
            s.sendall(data)
            try:
                while wait and s.recv(4096):
                    pass
            except ConnectionError:
                pass


def hello(version=(3, 1), ciphers=(0x002F, 0x0035)):
    """A ClientHello without extensions, in its record."""
    suites = b"".join(struct.pack(">H", cipher) for cipher in ciphers)
    body = (bytes(version) + os.urandom(32) + b"\0" +
            tls10.vector(suites, 2) + b"\x01\0")
    message = b"\x01" + tls10.vector(body, 3)
    return b"\x16" + bytes((3, min(version[1], 1))) + tls10.vector(message, 2)


def end_with_alert(site, listener, number):
    """A device that ends it with that alert, once it has seen everything."""

    class Ends(tls10.Connection):
        def send_certificate(self):
            self.send_record(tls10.ALERT, bytes((2, number)))
            raise EOFError

    try:
        Ends(site.ports[listener], sslv2=False)
    except EOFError:
        pass


def leave(site, listener):
    """A device that closes when it has seen the certificate."""

    class Leaves(tls10.Connection):
        def send_certificate(self):
            raise EOFError

    try:
        Leaves(site.ports[listener], sslv2=False)
    except EOFError:
        pass


def wrong_proof(site):
    """Another's certificate without its key."""

    class Thief(tls10.Connection):
        def digests(self):
            real = super().digests()
            return bytes(len(real)) if self.thieving else real

        def send_verify(self):
            self.thieving = True
            super().send_verify()
            self.thieving = False

    Thief.thieving = False
    try:
        Thief(site.ports["csb2"], identity(PHONE), sslv2=False).close()
    except (tls10.AlertReceived, EOFError):
        pass


def stall(site, listener, data, seconds=1.5):
    with socket.create_connection(("127.0.0.1", site.ports[listener])) as s:
        s.sendall(data)
        time.sleep(seconds)


def clone(site):
    """Two places: loopback has many addresses."""
    for source in ("127.0.0.1", "127.0.0.2", "127.0.0.1"):
        files = site.files(identity(PHONE))
        context = wire.context(files)
        plain = socket.create_connection(
            ("127.0.0.1", site.ports["csb2"]), 30, (source, 0))
        with context.wrap_socket(plain) as s:
            s.sendall(b"GET /spa%s.cfg HTTP/1.0\r\n\r\n" % PHONE.mac.encode())
            while s.recv(4096):
                pass


def ask_and_stall(site):
    context = wire.context(site.files(identity(PHONE)))
    plain = socket.create_connection(("127.0.0.1", site.ports["csb2"]), 30)
    with context.wrap_socket(plain) as s:
        s.sendall(b"GET /spa")
        while s.recv(4096):
            pass


def shake_and_stall(site):
    context = wire.context(site.files(identity(PHONE)))
    plain = socket.create_connection(("127.0.0.1", site.ports["csb2"]), 30)
    with context.wrap_socket(plain) as s:
        s.recv(4096)


def served_then(device, good, bad):
    """It was served once; the server has learned its address and hello."""

    def inject(site):
        site.simulate(device, good)
        site.simulate(device, bad)
    return inject


def refused(make, path=None, listener="csb2"):
    return lambda site: site.get(make() if make else None, listener, path)


GENERIC = minting.name(OU="cisco.com", L="ciscogeneric", ST="ciscogeneric")



def generic():
    """What many units share."""
    return root(CLIENT_SB1).issue(GENERIC, private_key=minting.key(1024, 4),
                                  digest="sha1")


Fault = collections.namedtuple("Fault", "what cause inject")
FAULTS = [Fault(*row) for row in (
    # The device does not take what we show.
    ("a listener of a CA that a PAP2T does not trust", "ca-not-trusted",
     served_then(PAP2T, "sipura", "csb2")),
    ("a firmware that is too old for the CA of the listener",
     "ca-not-trusted", served_then(OLD, "csb1", "csb2")),
    ("a certificate of a CA of one's own", "ca-not-trusted",
     served_then(PHONE, "csb2", "stranger")),
    ("a certificate signed with SHA-256 for a SPA112 with 1.3.1",
     "certificate-digest", served_then(ATA, "csb1", "csb1-sha256")),
    ("our certificate has expired", "certificate-expired",
     served_then(MPP, "csb2", "expired")),
    ("a device without a clock", "device-clock",
     lambda site: end_with_alert(site, "csb2", 45)),
    ("a certificate without SAN for an ATA191 with 11.1(0)MSR4",
     "certificate-name", served_then(ATA191, "csb2", "no-san")),
    ("a certificate for another name", "certificate-name",
     served_then(MPP, "csb2", "other-name")),
    ("DNS leads the common name elsewhere", "certificate-address",
     served_then(PHONE, "csb2", "other-name")),
    ("a device that nobody knows refuses the CA", "ca-not-trusted",
     lambda site: end_with_alert(site, "csb2", 48)),
    ("a device that ends it with bad_certificate, for reasons of its own",
     "certificate-refused", lambda site: end_with_alert(site, "csb2", 42)),
    ("a device that closes at our certificate without a word",
     "certificate-refused", lambda site: leave(site, "csb2")),
    # No common language.
    ("TLS 1.0 at a listener that begins with TLS 1.2", "version-too-old",
     served_then(PHONE, "csb2", "modern")),
    ("a device that speaks SSL 3.0 only", "version-ever",
     lambda site: site.raw("csb2", hello((3, 0)))),
    ("a device that offers RC4 and 3DES only", "no-cipher-ever",
     lambda site: site.raw("csb2", hello(ciphers=(4, 5, 10)))),
    ("a device that offers only what the listener does not take",
     "no-cipher", lambda site: site.raw("csb2", hello(ciphers=(0x33, 0x39)))),
    ("a device that wants a newer version than was agreed on",
     "version-too-new", lambda site: end_with_alert(site, "csb2", 70)),
    ("http:// instead of https://", "not-tls", lambda site: site.raw(
        "csb2", b"GET /spa000e08000001.cfg HTTP/1.0\r\n\r\n")),
    ("bytes that are nothing", "garbled", lambda site: site.raw(
        "csb2", b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")),
    # We do not take what the device shows.
    ("a unit without a certificate", "no-certificate", refused(None)),
    ("a unit with the generic certificate", "generic-certificate",
     refused(generic)),
    ("a SPA2102 of the series with defective certificates",
     "defective-certificate",
     refused(lambda: identity(SPA2102, root("Broken Root")))),
    ("the CA of the device is missing among the client anchors",
     "anchor-missing", refused(lambda: identity(PHONE), None,
                               "few-anchors")),
    ("the CA of the device has expired", "anchor-expired",
     refused(lambda: identity(PHONE, root(
         CLIENT_LINKSYS, days=(-4000, -100))), None, "old-anchors")),
    ("the device's own certificate has expired", "device-expired",
     refused(lambda: identity(PHONE, days=(-4000, -5)))),
    ("a device's certificate that is not valid yet", "device-not-yet-valid",
     refused(lambda: identity(PHONE, days=(5, 500)))),
    ("a certificate that somebody made", "untrusted-certificate",
     refused(lambda: identity(PHONE, root("Somebody")))),
    ("a copied certificate without its key", "bad-proof", wrong_proof),
    ("a subject whose parts disagree", "contradictory-identity",
     refused(lambda: root(CLIENT_SB1).issue(
         minting.observed(PHONE.mac, PHONE.serial, PHONE.product,
                          ST="000E08000002"),
         private_key=minting.key(1024, 4), digest="sha1"))),
    ("an exception that has lapsed", "exception",
     refused(lambda: identity(LAPSED, days=(-4000, -5)),
             "/spa%s.cfg" % LAPSED.mac)),
    ("an exception for another network", "exception",
     refused(generic, "/spa%s.cfg" % AWAY.mac)),
    ("an exception that needs an encrypted profile", "exception",
     refused(generic, "/spa%s.cfg" % BARE.mac)),
    # Who it is and what it asks for.
    ("a device that is not in the inventory", "unknown-device",
     refused(lambda: identity(ABSENT), "/spa%s.cfg" % ABSENT.mac)),
    ("a retired device", "retired-device",
     refused(lambda: identity(RETIRED), "/spa%s.cfg" % RETIRED.mac)),
    ("another serial number than in the inventory", "wrong-serial",
     refused(lambda: identity(PHONE._replace(serial="CCQ19999999")))),
    ("another model than in the inventory", "wrong-product",
     refused(lambda: identity(PHONE._replace(product="SPA-525G2")))),
    ("a profile rule with another device's MAC address", "other-device",
     refused(lambda: identity(PHONE), "/spa%s.cfg" % OLD.mac)),
    ("a path that is not served", "no-such-path",
     refused(lambda: identity(PHONE), "/profiles/phone.cfg")),
    ("a path with dot segments", "bad-request",
     refused(lambda: identity(PHONE), "/../etc/passwd")),
    ("a template that lacks a value", "render-failed",
     refused(lambda: identity(BROKEN), "/spa%s.cfg" % BROKEN.mac)),
    # Time and place.
    ("a connection that says nothing", "silent",
     lambda site: stall(site, "csb2", b"")),
    ("half a ClientHello", "silent",
     lambda site: stall(site, "csb2", hello()[:30])),
    ("a device that hangs within the handshake", "slow",
     lambda site: stall(site, "csb2", hello())),
    ("a device that hangs after the handshake", "silent", shake_and_stall),
    ("a request that does not end", "slow", ask_and_stall),
    ("one certificate at two places", "clone", clone),
)]
