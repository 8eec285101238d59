"""One port, several certificates: who is shown which."""

import json
import ssl
import subprocess

import pytest

import minting
import wire
from conftest import MAC, PROFILE, Small
from daemon import BINARY, ENVIRONMENT, Server, free_port, give_away

NAT = BINARY.parent / "tests" / "nat"
CAS = "ciscosb-prov-2", "ciscosb-prov-1", "sipura-prov-1"
DEVICES, SOURCES = 2000, 10

TEMPLATE = """\
<flat-profile>
  <User_ID_1_>{{mac}}</User_ID_1_>
</flat-profile>
"""


def run(*arguments):
    done = subprocess.run([str(NAT), *map(str, arguments)], env=ENVIRONMENT,
                          capture_output=True, encoding="utf-8", timeout=300,
                          check=False)
    assert done.returncode == 0, done.stderr
    return done


class Shared(Server):
    """A fleet of mixed age behind ten addresses, in front of one port."""

    def __init__(self):
        super().__init__()
        self.port = free_port()
        run("setup", self.folder, DEVICES)
        for path in self.folder.rglob("*"):
            give_away(path)
        self.write("templates/device.xml", TEMPLATE)
        self.device("import", self.folder / "devices.csv")
        self.configure(
            "listener one {\n    address 127.0.0.1:%d\n%s"
            "    tls legacy\n    client-anchors client-anchors.pem\n"
            "    allow-expired-anchor \"LAB Cisco Linksys Client Root "
            "Authority 1\"\n}\n" % (self.port, "".join(
                "    certificate servers/%s.crt key servers/%s.key\n"
                % (ca, ca) for ca in CAS)))

    def resync(self):
        """All devices, each until it has its profile."""
        return json.loads(run("run", self.folder, self.port, SOURCES).stdout)


@pytest.fixture(scope="module")
def shared():
    made = Shared()
    yield made
    made.close()


def test_a_mixed_fleet_on_one_port(shared):
    """Nobody is refused twice; then nobody is, not even after a restart."""
    shared.start()
    found = shared.resync()
    assert found["provisioned"] == DEVICES
    assert sum(found["after"][2:]) == 0, found
    first = found["refusals"]
    found = shared.resync()
    assert (found["provisioned"], found["refusals"]) == (DEVICES, 0)
    assert shared.stop() == 0
    shared.start()
    found = shared.resync()
    assert (found["provisioned"], found["refusals"]) == (DEVICES, 0)
    # Every choice is said, with its reason.
    lines = shared.log.exactly(3 * DEVICES, event="request")
    assert {line["choice"] for line in lines} <= {
        "sni", "address", "class", "registry", "retry", "default"}
    assert all(line["ca"] in CAS for line in lines)
    assert len(shared.log.lines(event="handshake-failed")) == first
    shared.stop()


# Every certificate of a listener has the listener's policy


class Pair(Small):
    """Two certificates, with a name each."""

    def __init__(self, certificates):
        super().__init__(certificates)
        self.roots = {}
        for which, name in enumerate(("first", "second")):
            root = minting.authority("%s Root" % name, which=10 + which)
            self.roots[name] = root
            host = name + ".example.net"
            self.write_pair(name, root.issue(minting.name(CN=host),
                                             hosts=[host]))

    def text(self, policy="modern", directives=""):
        return ("listener one {\n    address 127.0.0.1:%d\n"
                "    certificate first.crt key first.key\n"
                "    certificate second.crt key second.key\n"
                "    tls %s\n    client-anchors anchors.pem\n%s}\n"
                % (self.port, policy, directives))

    def shown(self, sni=None, **offer):
        """The issuer of what is shown."""
        context = wire.context(self.identity(self.pki.device), **offer)
        with wire.socket.create_connection(("127.0.0.1", self.port)) as s:
            with context.wrap_socket(s, server_hostname=sni) as tls:
                der = tls.getpeercert(binary_form=True)
                tls.sendall(b"GET /spa%s.cfg HTTP/1.0\r\n\r\n" % MAC.encode())
                answer = b""
                while True:
                    more = tls.recv(65536)
                    if not more:
                        break
                    answer += more
        for name, root in self.roots.items():
            if minting.x509.load_der_x509_certificate(
                    der).issuer == root.cert.subject:
                return name, answer
        return None, answer


@pytest.fixture
def pair(pki):
    made = Pair(pki)
    yield made
    made.close()


def test_by_name(pair):
    """SNI where it is sent; another name, or none, gets the first one."""
    pair.configure(pair.text())
    pair.start()
    for sni, name in (("first.example.net", "first"),
                      ("second.example.net", "second"),
                      ("third.example.net", "first"), (None, "first")):
        shown, answer = pair.shown(sni)
        assert shown == name
        assert answer.endswith(PROFILE)
    choices = [line["choice"] for line in pair.log.exactly(4,
                                                           event="request")]
    assert choices[:2] == ["sni", "sni"]
    assert "sni" not in choices[2:]


@pytest.mark.parametrize("sni", ["first.example.net", "second.example.net"])
def test_policy_holds(pair, sni):
    """Versions, mutual TLS and the decision are the same under each."""
    pair.configure(pair.text())
    pair.start()
    with pytest.raises((ssl.SSLError, ConnectionError)):
        pair.shown(sni, lowest=wire.TLS10, highest=wire.TLS11)
    context = wire.context()
    with wire.socket.create_connection(("127.0.0.1", pair.port)) as s:
        with context.wrap_socket(s, server_hostname=sni) as tls:
            tls.sendall(b"GET /spa%s.cfg HTTP/1.0\r\n\r\n" % MAC.encode())
            assert tls.recv(100).startswith(b"HTTP/1.1 403 ")
    pair.log.wait(reason="no-certificate")


def test_legacy_policy_holds(pair):
    pair.configure(pair.text("legacy"))
    pair.start()
    for sni in ("first.example.net", "second.example.net"):
        assert pair.shown(sni, lowest=wire.TLS10, highest=wire.TLS10)[
            1].endswith(PROFILE)


def test_refusals_lead_on(pair, tmp_path):
    """A client that trusts the second only, and sends no name."""
    pair.configure(pair.text("legacy"))
    pair.start()
    trusted = tmp_path / "second.pem"
    trusted.write_bytes(pair.roots["second"].pem)

    def get():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.load_verify_locations(str(trusted))
        context.load_cert_chain(*map(str, pair.identity(pair.pki.device)))
        with wire.socket.create_connection(("127.0.0.1", pair.port)) as s:
            with context.wrap_socket(s) as tls:
                tls.sendall(b"GET /spa%s.cfg HTTP/1.0\r\n\r\n" % MAC.encode())
                while tls.recv(65536):
                    pass

    with pytest.raises(ssl.SSLError):
        get()
    pair.log.wait(event="handshake-failed")
    get()
    get()
    choices = [line["choice"] for line in pair.log.exactly(2,
                                                           event="request")]
    assert choices == ["retry", "address"]
    pair.stop()
    pair.start()
    get()
    assert pair.log.exactly(3, event="request")[2]["choice"] == "address"


def test_two_of_one_ca(pair):
    """Which of them was meant?"""
    pair.write_pair("third", pair.roots["first"].issue(
        minting.name(CN="third.example.net"), hosts=["third.example.net"]))
    pair.configure(pair.text().replace("second.", "third."))
    pair.spawn()
    assert pair.ended() == 1
    assert "4:17: a second certificate of the same CA" in pair.log.text() or \
        "a second certificate of the same CA" in pair.log.text()


def test_reload_adds_one(pair):
    """From one certificate to two, and a broken one leaves the old."""
    pair.configure(pair.text().replace(
        "    certificate second.crt key second.key\n", ""))
    pair.start()
    assert pair.shown("second.example.net")[0] == "first"
    pair.configure(pair.text().replace("second.key", "nothing.key"))
    pair.reload()
    assert "nothing.key" in pair.log.messages(event="reload-refused")
    assert pair.shown("second.example.net")[0] == "first"
    pair.configure(pair.text())
    pair.reload()
    assert pair.shown("second.example.net")[0] == "second"


