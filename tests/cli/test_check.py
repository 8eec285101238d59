"""sprov check: servers of three kinds, set up rightly and wrongly."""

import json
import types

import pytest

import foreign
import minting
import servers
from conftest import MAC, PROFILE
from daemon import free_port

HOST = "prov.example.net"
SB2 = "LAB Cisco Small Business Provisioning Root Authority 2"
SB1 = "LAB Cisco Small Business Provisioning Root Authority 1"
CLIENT_SB1 = "Cisco Small Business Client Root Authority 1"
CLIENT_PAP2 = "Sipura Technology Client Root Authority 1"
CLIENT_MPP = "Cisco Manufacturing CA SHA2"
PATH = "/spa$MA.cfg"

SPA = "SPA504G@7.5.6"
PHONE = "CP-8841-3PCC@12.0(3)"


def chain(*names, host=HOST, hosts=(HOST,), days=(-10, 1000),
          digest="sha256", private_key=None):
    """A certificate signed by the first name; the others are above it."""
    above = None
    for which, common_name in enumerate(reversed(names)):
        private_key_of_ca = minting.key(2048, 10 + which)
        if above is None:
            above = minting.authority(common_name, which=10 + which)
        else:
            above = above.issue(minting.name(CN=common_name), ca=True,
                                private_key=private_key_of_ca)
    return above.issue(minting.name(CN=host), hosts=hosts, days=days,
                       digest=digest, private_key=private_key)


def wrong_order():
    """Leaf, root, intermediate."""
    root = minting.authority(SB2, which=10)
    middle = root.issue(minting.name(CN="Intermediate of a test"), ca=True,
                        private_key=minting.key(2048, 11))
    return middle.issue(minting.name(CN=HOST), hosts=[HOST],
                        send=(root, middle))


def missing_link():
    """Leaf and root, but not the intermediate between them."""
    made = wrong_order()
    made.chain = made.chain[:1]
    return made


def elliptic():
    from cryptography.hazmat.primitives.asymmetric import ec
    return chain(SB2, private_key=ec.generate_private_key(ec.SECP256R1()))


def case(certificate, device, answer, causes, **options):
    return types.SimpleNamespace(
        certificate=certificate, device=device, answer=answer, causes=causes,
        nginx=options.pop("nginx", None), s_server=options.pop(
            "s_server", None), sprov=options.pop("sprov", None),
        resolve=options.pop("resolve", "127.0.0.1"), **options)


# How a server is set up; what that means for one device.  The keys nginx,
# s_server and sprov say how that server is told to; where one is missing, the
# server cannot be set up that way.
CASES = {
    "right": case(
        lambda: chain(SB2), SPA, "will", [],
        nginx={}, s_server=(), sprov=""),
    "right, for a phone with TLS 1.2": case(
        lambda: chain(SB2), PHONE, "will", [],
        nginx={}, s_server=(), sprov=""),
    "a CA that the device does not trust": case(
        lambda: chain(SB2, digest="sha1"), "PAP2T", "will-not", ["ca"],
        nginx={}, s_server=(), sprov=""),
    "a firmware that is too old for the CA": case(
        lambda: chain(SB2, digest="sha1"), "SPA504G@7.5.4", "will-not",
        ["ca"], nginx={}, s_server=(), sprov=""),
    "a CA that nobody knows": case(
        lambda: chain("Example Root"), "SPA112@1.3.3", "will-not", ["ca"],
        nginx={}, s_server=(), sprov=""),
    "an address that DNS does not lead to": case(
        lambda: chain(SB2, host="other.example.net"), SPA, "will-not",
        ["address"], nginx={}, s_server=(), sprov="",
        also=("other.example.net=192.0.2.9",)),
    "no SAN": case(
        lambda: chain(SB2, hosts=()), "ATA191-MPP@11.1(0)MSR4", "will-not",
        ["name"], nginx={}, s_server=(), sprov=""),
    "another name": case(
        lambda: chain(SB2, host="other.example.net",
                      hosts=["other.example.net"]), PHONE, "will-not",
        ["name"], nginx={}, s_server=(), sprov=""),
    "expired": case(
        lambda: chain(SB2, days=(-500, -2)), PHONE, "will-not", ["dates"],
        nginx={}, s_server=(), sprov=""),
    "not yet valid": case(
        lambda: chain(SB2, days=(2, 500)), PHONE, "will-not", ["dates"],
        nginx={}, s_server=(), sprov=""),
    "a digest that the device does not know": case(
        lambda: chain(SB1), "SPA112@1.3.1(003)", "will-not", ["digest"],
        nginx={}, s_server=(), sprov=""),
    "a key that documents do not speak of": case(
        lambda: chain(SB2, private_key=minting.key(4096)), SPA,
        "cannot-know", ["key"], nginx={}, s_server=(), sprov=""),
    "TLS 1.2 at least": case(
        lambda: chain(SB2), SPA, "will-not", ["tls-version"],
        nginx={"protocols": "TLSv1.2 TLSv1.3"}, s_server=("-no_tls1",
                                                         "-no_tls1_1"),
        sprov="modern"),
    "no cipher suite of the device": case(
        lambda: chain(SB2), SPA, "will-not", ["tls-cipher"],
        nginx={"ciphers": "kECDHE:@SECLEVEL=0"},
        s_server=("-cipher", "kECDHE:@SECLEVEL=0")),
    "an elliptic key": case(
        elliptic, SPA, "will-not", ["tls-cipher"], nginx={}, s_server=()),
    "certificates in the wrong order": case(
        wrong_order, SPA, "cannot-know", ["chain-order"],
        nginx={}, s_server=()),
    "a missing intermediate": case(
        missing_link, SPA, "will-not", ["ca", "chain-broken"],
        nginx={}, s_server=()),
    "no request for a certificate": case(
        lambda: chain(SB2), SPA, "will", ["not-asked"],
        nginx={"anchors": False}, s_server=False),
    "not the CA of the device's certificate": case(
        lambda: chain(SB2), SPA, "cannot-know", ["ca-names"],
        nginx={}, s_server=(), sprov="", anchors=CLIENT_MPP),
    "no such file": case(
        lambda: chain(SB2), SPA, "will-not", ["status"],
        nginx={}, path="/nothing.cfg"),
    "a redirect": case(
        lambda: chain(SB2), SPA, "will-not", ["redirect"],
        nginx={"directives": "location / { return 302 "
                             "https://prov.example.net/x.cfg; }"}),
    "something else than a profile": case(
        lambda: chain(SB2), SPA, "will-not", ["no-profile"],
        nginx={"directives": "location / { return 200 'It works'; }"}),
    "no TLS at all": case(
        lambda: chain(SB2), SPA, "will-not", ["tls"], nginx={"tls": False}),
    "a certificate is demanded": case(
        lambda: chain(SB2), SPA, "cannot-know", ["wants-certificate"],
        s_server=("-Verify", "3", "-verify_return_error")),
}


def runs(kind):
    """All cases of a kind of server."""
    return pytest.mark.parametrize(
        "one", [c for c in CASES.values() if getattr(c, kind) is not None],
        ids=[n for n, c in CASES.items() if getattr(c, kind) is not None])


@pytest.fixture
def check(sprov, tmp_path):
    """Set the case's server up, be its device, and look at the verdict."""

    def prepare(one):
        one.certificate().write(tmp_path, "server")
        anchors = minting.authority(getattr(one, "anchors", CLIENT_SB1),
                                    which=5).pem
        if not hasattr(one, "anchors"):
            anchors += minting.authority(CLIENT_MPP, which=6).pem
            anchors += minting.authority(CLIENT_PAP2, which=7).pem
        (tmp_path / "anchors.pem").write_bytes(anchors)
        (tmp_path / ("spa%s.cfg" % MAC)).write_bytes(PROFILE)

    def ask(one, port, *options, path=PATH):
        also = [word for name in getattr(one, "also", ())
                for word in ("--resolve", name)]
        return sprov(
            "check", "--json", "--as", one.device, "--mac", MAC,
            "--resolve", "%s=%s" % (HOST, one.resolve), *also, *options,
            "https://%s:%d%s" % (HOST, port, getattr(one, "path", path)))

    def judge(one, result):
        out = json.loads(result.out)
        device, = out["devices"]
        causes = sorted(found["cause"] for found in device["findings"]
                        if found["cause"] != "unseen")
        assert (device["answer"], causes) == (one.answer, one.causes), out
        assert result.status == (0 if one.answer == "will" else 3)
        return out

    return types.SimpleNamespace(prepare=prepare, ask=ask, judge=judge)


@runs("nginx")
def test_nginx(check, tmp_path, one):
    check.prepare(one)
    with foreign.nginx(tmp_path, **one.nginx) as server:
        check.judge(one, check.ask(one, server.port))


@runs("s_server")
def test_s_server(check, tmp_path, one):
    check.prepare(one)
    options = one.s_server or ()
    with foreign.s_server(tmp_path, *options,
                          anchors=one.s_server is not False) as server:
        # It sends no lengths, which is another fault than the case's.
        check.judge(one, check.ask(one, server.port, path=""))


@runs("sprov")
def test_sprov(check, server, tmp_path, one):
    check.prepare(one)
    for name in ("server.crt", "server.key", "anchors.pem"):
        server.write(name, (tmp_path / name).read_bytes())
    server.configure(server.listener(policy=one.sprov or "legacy"))
    server.start()
    check.judge(one, check.ask(one, server.port))


# With a certificate of the device's own the answer is seen, too


def test_own_certificate(check, server, tmp_path, pki):
    one = case(lambda: chain(SB2), "SPA962@6.1.5(a)", "will-not", ["ca"])
    one.anchors = "Client Root"
    check.prepare(one)
    for name in ("server.crt", "server.key"):
        server.write(name, (tmp_path / name).read_bytes())
    server.configure(server.listener(policy="legacy"))
    server.start()
    certificate, key = server.identity(pki.device)
    result = check.ask(one, server.port, "--certificate", certificate,
                       "--key", key)
    causes = {found["cause"] for found
              in json.loads(result.out)["devices"][0]["findings"]}
    assert "unseen" not in causes and "status" not in causes
    server.log.wait(reason="own-profile")
    result = check.ask(one, server.port, "--certificate", certificate,
                       "--key", key, "--mac", "000e08aabbff")
    found, = [found for found
              in json.loads(result.out)["devices"][0]["findings"]
              if found["cause"] == "status"]
    assert found["text"] == "the server answers 403 to this path"


# What a device cannot read


@pytest.mark.parametrize("reply, causes", [
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n"
     b"0\r\n\r\n" % (len(PROFILE), PROFILE), ["length"]),
    (b"HTTP/1.0 200 OK\r\n\r\n" + PROFILE, ["length"]),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", ["no-profile"]),
    (servers.answer("503 Service Unavailable"), ["status"]),
    (servers.answer("308 Permanent Redirect"), ["redirect"]),
])
def test_answers(check, tmp_path, reply, causes):
    one = case(lambda: chain(SB2), SPA, "will-not", causes + ["not-asked"])
    one.causes.sort()
    one.certificate().write(tmp_path, "server")
    with servers.Scripted({"/spa%s.cfg" % MAC: reply},
                          (tmp_path / "server.crt", tmp_path / "server.key")
                          ) as server:
        check.judge(one, check.ask(one, server.port))


# Who is asked about, and how it is printed


def test_inventory_and_order(sprov, good, tmp_path):
    """The list to work through begins with what concerns most devices."""
    for number in range(5):
        good("device", "add", "000e08aabb%02x" % number, "PAP2T")
    good("device", "add", "000e08aabbf0", "SPA504G", "-f", "7.5.6")
    good("device", "add", "000e08aabbf1", "CP-8841-3PCC", "-f", "12.0(3)")
    one = case(lambda: chain(SB2, digest="sha1", hosts=["other.example.net"]),
               None, None, None)
    one.certificate().write(tmp_path, "server")
    (tmp_path / "anchors.pem").write_bytes(
        minting.authority(CLIENT_SB1, which=5).pem)
    with foreign.nginx(tmp_path, anchors=False) as server:
        arguments = ["--resolve", "%s=127.0.0.1" % HOST,
                     "https://%s:%d" % (HOST, server.port)]
        result = sprov("check", "--json", *arguments)
        text = sprov("check", *arguments)
        every = sprov("check", "--all", "--json", *arguments)
    out = json.loads(result.out)
    assert out["inventory"] and result.status == 3
    assert [(row["model"], row["devices"], row["answer"])
            for row in out["devices"]] == [
        ("PAP2T", 5, "will-not"), ("CP-8841-3PCC", 1, "will-not"),
        ("SPA504G", 1, "will")]
    assert [(row["cause"], row["devices"]) for row in out["problems"]] == [
        ("not-asked", 7), ("ca", 5), ("name", 1)]
    assert text.status == 3 and text.err == ""
    assert "WILL NOT BE PROVISIONED\n  PAP2T (5 devices)\n" in text.out
    assert "WHAT TO DO, most devices first" in text.out
    assert all(len(line) <= 80 for line in text.out.splitlines())
    everybody = json.loads(every.out)
    assert not everybody["inventory"] and len(everybody["devices"]) > 100
    assert {row["answer"] for row in everybody["devices"]} == {
        "will", "will-not", "cannot-know"}


@pytest.mark.parametrize("arguments, status, message", [
    ([], 2, "https://HOST[:PORT][/PATH] is missing"),
    (["http://prov.example.net/x"], 1, "expected https://HOST[:PORT][/PATH]"),
    (["prov.example.net"], 1, "prov.example.net"),
    (["--as", "SPA50G", "https://127.0.0.1/"], 1, "did you mean"),
    (["--mac", "00", "https://127.0.0.1/"], 1, "--mac: "),
    (["--resolve", "x", "https://127.0.0.1/"], 1, "expected HOST=ADDRESS"),
    (["--key", "x", "https://127.0.0.1/"], 1,
     "--certificate and --key go together"),
    (["--fleet", "https://127.0.0.1/"], 1, "there is no inventory"),
    (["--timeout", "0", "https://127.0.0.1/"], 2, "--timeout"),
])
def test_mistakes(sprov, arguments, status, message):
    result = sprov("check", *arguments)
    assert result.status == status and message in result.err, result


def test_nobody_there(sprov):
    result = sprov("check", "--as", SPA, "https://127.0.0.1:%d/x" %
                   free_port())
    assert result.status == 3
    assert "Connection refused" in result.out
