"""Other people's TLS stacks, and old formats, against the real server."""

import re
import subprocess

import pytest

import minting
import tls10
import wire
from conftest import MAC, PROFILE
from daemon import ENVIRONMENT, free_port

OLD = "SPA962@6.1.5(a)"  # speaks TLS 1.0 only
NEW = "CP-8841-3PCC@12.0(7)SR2"

REQUEST = "GET %s HTTP/1.0\r\n\r\n"


def run(*arguments, stdin="", binary=False):
    if not binary:
        return subprocess.run(
            list(map(str, arguments)), input=stdin, env=ENVIRONMENT,
            capture_output=True, encoding="utf-8", errors="replace",
            timeout=60, check=False)
    return subprocess.run(
        list(map(str, arguments)), input=stdin.encode(), env=ENVIRONMENT,
        capture_output=True, timeout=60, check=False)


def s_client(port, identity=None, *options, request):
    shown = [] if identity is None else [
        "-cert", identity[0], "-key", identity[1]]
    return run("openssl", "s_client", "-quiet", *options, *shown,
               "-connect", "127.0.0.1:%d" % port, stdin=request, binary=True)


# openssl s_client


def test_openssl_tls_1_0(lab):
    device = lab.device(OLD)
    done = s_client(device.port, device.identity, "-tls1", "-cipher",
                    "AES128-SHA:@SECLEVEL=0", request=REQUEST % device.path)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n"), done
    assert body == device.profile
    line = lab.log.wait(status="200", tls="TLS1.0", cipher="AES128-SHA",
                        mac=device.mac)
    assert line["reason"] == "own-profile"


@pytest.mark.parametrize("version, cipher, named", [
    ("-tls1", "ECDHE-RSA-AES256-SHA", "TLS1.0"),
    ("-tls1", "AES256-SHA", "TLS1.0"),
    ("-tls1_1", "AES128-SHA", "TLS1.1"),
    ("-tls1_2", "AES128-SHA", "TLS1.2"),
    ("-tls1_2", "AES128-SHA256", "TLS1.2"),
    ("-tls1_2", "AES256-GCM-SHA384", "TLS1.2"),
    ("-tls1_2", "ECDHE-RSA-AES128-GCM-SHA256", "TLS1.2"),
])
def test_openssl_on_a_legacy_listener(lab, version, cipher, named):
    device = lab.device(OLD)
    agent = "%s-%s" % (version, cipher)
    done = s_client(
        device.port, device.identity, version, "-cipher",
        cipher + ":@SECLEVEL=0",
        request="GET %s HTTP/1.0\r\nUser-Agent: %s\r\n\r\n" % (
            device.path, agent))
    assert done.stdout.partition(b"\r\n\r\n")[2] == device.profile, done
    line = lab.log.wait(agent=agent)
    assert (line["tls"], line["cipher"]) == (named, cipher)


@pytest.mark.parametrize("cipher", [
    "NULL-SHA", "ADH-AES128-SHA", "DHE-RSA-AES128-SHA",
    "ECDHE-RSA-CHACHA20-POLY1305"])
def test_ciphers_that_no_listener_takes(lab, cipher):
    """The last one is that of modern listeners only."""
    device = lab.device(OLD)
    done = s_client(device.port, device.identity, "-tls1_2", "-cipher",
                    cipher + ":@SECLEVEL=0", request=REQUEST % device.path)
    assert done.stdout == b"" and done.returncode != 0
    assert b"handshake failure" in done.stderr


# curl


def curl(lab, device, *options):
    return run(
        "curl", "--silent", "--show-error", "--cacert", lab.ca(device.ca),
        "--cert", device.certificate, "--key", device.key, "--resolve",
        "%s:%d:127.0.0.1" % (device.host, device.port), *options,
        "https://%s:%d%s" % (device.host, device.port, device.path),
        binary=True)


@pytest.mark.parametrize("options, named", [
    (["--tls-max", "1.2"], "TLS1.2"),
    (["--tlsv1.3"], "TLS1.3"),
])
def test_curl(lab, options, named):
    """It checks the server's certificate too."""
    device = lab.device(NEW)
    done = curl(lab, device, *options, "--user-agent", "curl " + named)
    assert done.returncode == 0, done
    assert done.stdout == device.profile
    assert lab.log.wait(agent="curl " + named)["tls"] == named


def test_curl_without_certificate(lab):
    device = lab.device(NEW)
    done = run(
        "curl", "--silent", "--cacert", lab.ca(device.ca), "--resolve",
        "%s:%d:127.0.0.1" % (device.host, device.port), "--include",
        "https://%s:%d%s" % (device.host, device.port, device.path))
    assert done.stdout.startswith("HTTP/1.1 403 Forbidden")
    assert "flat-profile" not in done.stdout


def test_curl_head(lab):
    device = lab.device(NEW)
    done = curl(lab, device, "--head")
    assert b"\r\nContent-Length: %d\r\n" % len(device.profile) in done.stdout
    assert b"flat-profile" not in done.stdout


def test_curl_keeps_the_connection(lab):
    """Two requests, one handshake."""
    device = lab.device(NEW)
    url = "https://%s:%d%s" % (device.host, device.port, device.path)
    done = curl(lab, device, "--user-agent", "curl twice", "--write-out",
                "%{num_connects}\n", url)
    assert done.stdout == (device.profile + b"1\n" + device.profile + b"0\n")


# gnutls-cli


GNUTLS_TLS10 = ("NONE:+VERS-TLS1.0:+AES-128-CBC:+SHA1:+RSA:+COMP-NULL:"
                "+SIGN-ALL:+CTYPE-ALL:%VERIFY_ALLOW_SIGN_RSA_MD5")


@pytest.mark.parametrize("priority, named", [
    ("NORMAL", "TLS1.3"),
    ("NORMAL:-VERS-TLS1.3", "TLS1.2"),
    (GNUTLS_TLS10, "TLS1.0"),
])
def test_gnutls(lab, tmp_path, priority, named):
    device = lab.device(OLD)
    agent = "gnutls " + named
    done = run(
        "gnutls-cli", "--insecure", "--logfile", tmp_path / "log",
        "--priority", priority, "--x509certfile", device.certificate,
        "--x509keyfile", device.key, "--port", device.port, "127.0.0.1",
        stdin="GET %s HTTP/1.0\r\nUser-Agent: %s\r\n\r\n" % (
            device.path, agent), binary=True)
    assert done.stdout.partition(b"\r\n\r\n")[2] == device.profile, done
    assert lab.log.wait(agent=agent)["tls"] == named


# ClientHello in the format of SSL 2.0


def test_sslv2_format(lab):
    """From the hello to the profile."""
    device = lab.device(OLD)
    certificate = minting.load(*device.identity)
    with tls10.Connection(device.port, certificate) as client:
        answer = client.ask("GET %s HTTP/1.0\r\nUser-Agent: sslv2\r\n\r\n"
                            % device.path)
    assert client.asked
    assert answer.partition(b"\r\n\r\n")[2] == device.profile, answer
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    line = lab.log.wait(agent="sslv2")
    assert line["tls"] == "TLS1.0" and line["mac"] == device.mac


def test_sslv2_format_without_certificate(lab):
    device = lab.device(OLD)
    with tls10.Connection(device.port) as client:
        answer = client.ask(REQUEST % device.path)
    assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")


def test_sslv2_format_with_a_false_proof(lab):
    """Another key signs: the certificate alone is public."""
    device = lab.device(OLD)
    certificate = minting.load(*device.identity)
    certificate.key = minting.key(1024, which=9)
    with pytest.raises((tls10.AlertReceived, EOFError,
                        ConnectionResetError)):
        tls10.Connection(device.port, certificate).ask(
            REQUEST % device.path)


def test_tls_format_of_the_same_client(lab):
    device = lab.device(OLD)
    certificate = minting.load(*device.identity)
    with tls10.Connection(device.port, certificate, sslv2=False) as client:
        answer = client.ask(REQUEST % device.path)
    assert answer.partition(b"\r\n\r\n")[2] == device.profile


# Policies


@pytest.fixture
def two(server):
    """A legacy and a modern listener in one process."""
    server.modern = free_port()
    server.configure(
        server.listener("old", policy="legacy") +
        server.listener("new", "127.0.0.1:%d" % server.modern))
    server.start()
    return server


def test_modern_refuses_tls_1_0(two):
    identity = two.identity(two.pki.device)
    options = ["-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0"]
    request = REQUEST % ("/spa%s.cfg" % MAC)
    done = s_client(two.modern, identity, *options, request=request)
    assert done.stdout == b"" and done.returncode != 0
    assert b"alert protocol version" in done.stderr
    line = two.log.wait(event="handshake-failed", listener="new")
    assert line["alert-sent"] == "protocol_version"
    assert line["hello"] == line["offered"] == "TLS1.0"
    # SCSV of RFC 5746 comes along.
    assert line["ciphers"].split(",")[0] == "002f"
    # The same one beside it is served.
    done = s_client(two.port, identity, *options, request=request)
    assert done.stdout.partition(b"\r\n\r\n")[2] == PROFILE


@pytest.mark.parametrize("version", [wire.TLS10, wire.TLS11])
def test_old_versions_stay_on_the_legacy_listener(two, version):
    """In turns: security level 0 of the one never reaches the other."""
    for _ in range(3):
        assert two.get(lowest=version, highest=version).status == 200
        with pytest.raises(wire.ssl.SSLError, match="protocol version"):
            two.client(port=two.modern, lowest=version, highest=version)


def test_sslv2_format_on_a_modern_listener(two):
    with pytest.raises(tls10.AlertReceived) as caught:
        tls10.Connection(two.modern, two.pki.device)
    assert caught.value.number == 70  # protocol_version
    line = two.log.wait(event="handshake-failed", listener="new")
    assert line["hello"] == "SSLv2-format" and line["offered"] == "TLS1.0"


def test_gnutls_tls_1_0_on_a_modern_listener(two, tmp_path):
    certificate, key = two.identity(two.pki.device)
    done = run("gnutls-cli", "--insecure", "--logfile", tmp_path / "log",
               "--priority", GNUTLS_TLS10, "--x509certfile", certificate,
               "--x509keyfile", key, "--port", two.modern, "127.0.0.1",
               stdin=REQUEST % ("/spa%s.cfg" % MAC))
    assert done.returncode != 0 and "flat-profile" not in done.stdout


@pytest.mark.parametrize("options", [
    ["-cipher", "AES128-SHA:@SECLEVEL=0"],
    ["-cipher", "AES128-GCM-SHA256:@SECLEVEL=0"],
    ["-cipher", "ECDHE-RSA-AES128-SHA:@SECLEVEL=0"],
    ["-sigalgs", "RSA+SHA1", "-cipher", "ALL:@SECLEVEL=0"],
])
def test_weak_offers_of_tls_1_2(two, options):
    """No RSA key exchange, no CBC, no SHA-1 signature on modern; all of them
    on legacy."""
    identity = two.identity(two.pki.device)
    request = REQUEST % ("/spa%s.cfg" % MAC)
    done = s_client(two.modern, identity, "-tls1_2", *options,
                    request=request)
    assert done.stdout == b"" and done.returncode != 0, done
    done = s_client(two.port, identity, "-tls1_2", *options, request=request)
    assert done.stdout.partition(b"\r\n\r\n")[2] == PROFILE, done


@pytest.mark.parametrize("bits, digest, error", [
    (1024, "sha256", "ee key too small"),
    (2048, "sha1", "ca md too weak"),
    (2048, "md5", "ca md too weak"),
])
def test_weak_server_certificate(two, bits, digest, error):
    """On legacy it is shown; on modern the file is refused."""
    two.write_pair("weak", two.pki.server_root.issue(
        minting.name(CN="sprov.example.net"),
        private_key=minting.key(bits, which=5), digest=digest))
    good = two.config.read_text()
    modern = two.listener("new", "127.0.0.1:%d" % two.modern,
                          certificate="weak")
    two.configure(two.listener("old", policy="legacy") + modern)
    two.reload()
    assert re.search(
        r'cannot use the certificate CN=sprov\.example\.net \("tls modern" '
        r"wants RSA of 2048 bits or more, and SHA-256 or better\): %s$"
        % error, two.log.messages(event="reload-refused"), re.MULTILINE)
    # Nothing was taken over; now the other way round.
    two.write("sprov.conf", good.replace("server.", "weak.", 2))
    two.reload()
    assert two.get(lowest=wire.TLS10, highest=wire.TLS10).status == 200
    assert two.get(port=two.modern).status == 200
    with pytest.raises(wire.ssl.SSLError):
        two.client(port=two.modern, lowest=wire.TLS10, highest=wire.TLS10)


@pytest.mark.parametrize("bits, digest", [
    (1024, "md5"), (1024, "sha1"), (2048, "md5")])
@pytest.mark.parametrize("where", ["legacy", "modern"])
def test_weak_device_certificate(two, bits, digest, where):
    """Devices' certificates are what they are, on each listener."""
    weak = two.pki.client_root.issue(
        minting.documented(MAC, "88012AA00001"),
        private_key=minting.key(bits, which=6), digest=digest)
    reply = two.get(certificate=weak,
                    port=two.port if where == "legacy" else two.modern)
    assert reply.status == 200 and reply.body == PROFILE


# Renegotiation and resumption


def test_renegotiation(two):
    """Refused with a warning (RFC 5246 7.2.2), and the connection lives."""
    with tls10.Connection(two.port, two.pki.device) as client:
        alert = client.renegotiate()
        assert alert is not None and alert.number == 100  # no_renegotiation
        assert alert.level == tls10.WARNING
        answer = client.ask(REQUEST % ("/spa%s.cfg" % MAC))
    assert answer.partition(b"\r\n\r\n")[2] == PROFILE
    two.log.wait(event="request", status="200")


def test_renegotiation_by_openssl(two):
    identity = two.identity(two.pki.device)
    client = subprocess.Popen(
        ["openssl", "s_client", "-tls1_2", "-cipher", "ALL:@SECLEVEL=0",
         "-cert", str(identity[0]), "-key", str(identity[1]),
         "-connect", "127.0.0.1:%d" % two.port],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env=ENVIRONMENT)
    shown = b""
    while b"\n---\n" not in shown or b"Verify return code" not in shown:
        line = client.stdout.readline()
        assert line, shown
        shown += line
    out, _ = client.communicate(b"R\n", timeout=30)
    assert b"RENEGOTIATING" in out and b"no renegotiation" in out
    assert client.returncode != 0


@pytest.mark.parametrize("version", [wire.TLS10, wire.TLS12, wire.TLS13])
def test_a_resumed_session_is_decided_anew(two, version):
    """Only the proof of the key is kept, not what was decided."""
    offer = two.context("device", lowest=version, highest=version)
    path = "/spa%s.cfg" % MAC

    def again(session, status, reused):
        with wire.Client(two.port, offer, session=session) as client:
            assert client.tls.session_reused is reused
            assert client.get(path).status == status
            return client.tls.session

    with wire.Client(two.port, offer) as client:
        assert client.get(path).status == 200
        session = client.tls.session
    session = again(session, 200, True)
    two.device("set", MAC, "state=retired")
    two.log.wait(event="inventory-loaded")
    session = again(session, 403, True)
    two.log.wait(reason="retired-device", mac=MAC)
    two.device("set", MAC, "state=active")
    two.log.wait(2, event="inventory-loaded")
    session = again(session, 200, True)
    two.reload()
    again(session, 200, False)


def test_a_decision_is_made_for_each_request(two):
    """On one connection, too."""
    with two.client() as client:
        assert client.get("/spa%s.cfg" % MAC).status == 200
        two.device("set", MAC, "state=retired")
        two.log.wait(event="inventory-loaded")
        assert client.get("/spa%s.cfg" % MAC).status == 403


# What the log knows of handshakes that fail


def test_log_of_an_untrusting_client(two):
    """A device that does not trust the server says so in an alert."""
    context = two.context("device", highest=wire.TLS12)
    context.verify_mode = wire.ssl.CERT_REQUIRED
    with pytest.raises(wire.ssl.SSLError):
        wire.Client(two.port, context)
    line = two.log.wait(event="handshake-failed")
    assert line["alert-received"] == "unknown_ca"
    assert line["listener"] == "old" and line["offered"] == "TLS1.2"
    assert int(line["cipher-count"]) > 10
    assert re.fullmatch(r"([0-9a-f]{4},?){1,16}", line["ciphers"])


def test_log_of_names_that_clients_ask_for(two):
    """Server Name Indication, escaped."""
    context = wire.context(lowest=wire.TLS12, highest=wire.TLS12)
    context.verify_mode = wire.ssl.CERT_REQUIRED
    plain = wire.socket.create_connection(("127.0.0.1", two.port))
    with pytest.raises(wire.ssl.SSLError):
        context.wrap_socket(plain, server_hostname="phone.example.net")
    plain.close()
    line = two.log.wait(event="handshake-failed")
    assert line["sni"] == "phone.example.net"


@pytest.mark.parametrize("said, reason", [
    (b"GET / HTTP/1.0\r\n\r\n", "TLS handshake: http request"),
    (bytes(40), "TLS handshake: wrong version number"),
    (b"\x16\x03\x01\x00\x05", "closed by the peer"),
])
def test_log_of_what_is_no_tls(two, said, reason):
    """Such as a rule with http:// and the port of https."""
    with wire.socket.create_connection(("127.0.0.1", two.port)) as plain:
        plain.sendall(said)
        try:
            plain.shutdown(wire.socket.SHUT_WR)
        except OSError:
            pass  # the server was faster
        two.log.wait(event="handshake-failed", reason=reason, level="info")
    assert two.get().status == 200


def test_log_of_who_says_nothing(two):
    """A port scan is not worth a line."""
    for _ in range(3):
        wire.socket.create_connection(("127.0.0.1", two.port)).close()
    assert two.get().status == 200
    two.log.wait(event="request")
    assert not two.log.lines(event="handshake-failed")
