"""sprov simulate: what a device would do, and how that is told."""

import json
import re
import socket
import ssl
import stat

import pytest

import minting
from servers import Scripted, answer

PROFILE = b"<flat-profile><GPP_A>$MA</GPP_A></flat-profile>\n"

OLD = "SPA525G2@7.5.4"  # address check, no redirects, HTTP/1.0
NEW = "CP-8841-3PCC@12.0(7)SR2"  # name check, redirects, HTTP/1.1

# Which CA's certificate the scripted servers show, for each of them.
SHOWS = {OLD: "ciscosb-prov-1", NEW: "ciscosb-prov-2"}


def by_hand(lab, label, *more):
    """Options that say all that a lab would know; a host that resolves."""
    device = lab.device(label)
    return ["--as", label, "--mac", device.mac, "--serial", device.serial,
            "--certificate", device.certificate, "--key", device.key,
            "--ca", lab.folder / "cas", *more]


def resolving(ca, address="127.0.0.1"):
    return ["--resolve", "%s.lab.example.net=%s" % (ca, address)]


def simulated(sprov, *arguments, status=3, note=""):
    """The outcome as data; note is what is said besides."""
    result = sprov("simulate", "--json", *arguments)
    assert result.status == status, result
    assert note in result.err and (result.err == "") == (note == ""), result
    return json.loads(result.out)


class Away:
    """A scripted server that shows a lab's certificate, and its URL."""

    def __init__(self, lab, label, answers, **options):
        self.ca = SHOWS[label]
        self.server = Scripted(answers, (
            lab.folder / "servers" / (self.ca + ".crt"),
            lab.folder / "servers" / (self.ca + ".key")), **options)

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *_):
        self.server.__exit__()

    def url(self, path="/p.xml"):
        return "https://%s.lab.example.net:%d%s" % (
            self.ca, self.server.port, path)


# Provisioned


def test_from_a_lab(lab, good):
    """All but the model is taken from its folder."""
    out = good("simulate", "--lab", lab.folder, "--as", OLD)
    device = lab.device(OLD)
    assert re.fullmatch(
        r"%s: provisioned \(class A\): applied a profile of %d bytes "
        r"\[TLS1\.0 AES256-SHA, \d+\.\d ms\]\n" % (
            re.escape(OLD), len(device.profile)), out)


def test_by_hand(lab, good):
    """The same with options."""
    device = lab.device(OLD)
    out = good("simulate", *by_hand(lab, OLD, *resolving(device.ca)),
               "https://%s:%d/spa$MA.cfg" % (device.host, device.port))
    assert out.startswith("%s: provisioned (class A)" % OLD)


@pytest.mark.parametrize("label", [OLD, NEW, "SPA962@6.1.5(a)",
                                   "ATA191-MPP@11.2(4)", "PAP2T"])
def test_json(lab, sprov, label):
    device = lab.device(label)
    found = simulated(sprov, "--lab", lab.folder, "--as", label, status=0)
    assert found["device"] == label
    assert (found["outcome"], found["class"]) == ("provisioned", "A")
    assert found["url"] == device.resync["rule"].replace("$MA", device.mac)
    assert found["status"] == 200 and found["redirects"] == 0
    assert found["bytes"] == len(device.profile)
    assert (found["tls"], found["cipher"]) == (
        device.resync["tls"], device.resync["cipher"])
    assert found["us"] > 0 and "alert_sent" not in found


def test_output(lab, good, tmp_path):
    device = lab.device(NEW)
    options = "simulate", "--lab", lab.folder, "--as", NEW
    assert good(*options, "--output", "-").encode() == device.profile
    out = good(*options, "--output", "profile.xml")
    assert "provisioned" in out
    path = tmp_path / "profile.xml"
    assert path.read_bytes() == device.profile
    # It holds passwords.
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("of before\n")
    good(*options, "-o", path)
    assert path.read_bytes() == device.profile


def test_nothing_to_output(lab, sprov, tmp_path):
    device = lab.device(NEW)
    result = sprov("simulate", "--lab", lab.folder, "--as", NEW, "-o",
                   "absent.xml", "https://%s:%d/absent" % (
                       device.host, device.port))
    assert result.status == 3
    assert not (tmp_path / "absent.xml").exists()


def test_output_that_cannot_be_written(lab, sprov):
    result = sprov("simulate", "--lab", lab.folder, "--as", NEW, "-o",
                   "no/such/folder")
    assert result.status == 1
    assert "no/such" in result.err


def test_what_it_asks_for(lab, sprov):
    """As its family does: version, User-Agent, macros of the rule."""
    for label, version, agent in [
            (OLD, "1.0", "Cisco/SPA525G2-7.5.4 ({serial})"),
            (NEW, "1.1", "Cisco-CP-8841-3PCC/12.0(7)SR2 ({mac})")]:
        device = lab.device(label)
        path = "/%s/x.xml" % device.mac
        with Away(lab, label, {path: answer("200 OK", PROFILE)}) as away:
            found = simulated(sprov, "--lab", lab.folder, "--as", label,
                              away.url("/$MA/x.xml"), status=0)
        (request,) = away.server.requests
        lines = request.split("\r\n")
        assert lines[0] == "GET %s HTTP/%s" % (path, version)
        assert "Host: %s.lab.example.net:%d" % (
            away.ca, away.server.port) in lines
        assert "User-Agent: " + agent.format(
            serial=device.serial, mac=device.mac) in lines, lines
        assert found["url"] == away.url(path)


# Not provisioned


def test_untrusted(lab, sprov):
    """A CA that the claims say it does not trust."""
    label = "SPA962@6.1.5(a)"
    port = lab.ports["ciscosb-prov-1"]
    rule = "https://ciscosb-prov-1.lab.example.net:%d/spa$MA.cfg" % port
    for options in (["--lab", lab.folder, "--as", label],
                    by_hand(lab, label, *resolving("ciscosb-prov-1"))):
        found = simulated(sprov, *options, rule)
        assert (found["outcome"], found["class"]) == ("untrusted", "C")
        assert found["alert_sent"] == "unknown_ca"
        assert "refuses the server's certificate" in found["reason"]
        assert found["status"] == 0 and "tls" not in found
    text = sprov("simulate", "--lab", lab.folder, "--as", label, rule)
    assert text.status == 3
    assert text.out.startswith("%s: untrusted (class C): " % label)
    assert text.out.count("\n") == 1


def test_trusts_what_its_firmware_trusts(lab, sprov):
    """One model at two firmware versions before the same listener."""
    port = lab.ports["ciscosb-prov-2"]
    rule = "https://ciscosb-prov-2.lab.example.net:%d/spa$MA.cfg" % port
    for firmware, outcome in ("7.5.4", "untrusted"), ("7.5.6",
                                                      "provisioned"):
        found = simulated(sprov, "--lab", lab.folder, "--as",
                          "SPA525G2@" + firmware, rule,
                          status=0 if outcome == "provisioned" else 3)
        assert found["outcome"] == outcome


def test_without_cas(lab, sprov):
    device = lab.device(OLD)
    found = simulated(sprov, "--as", OLD, *resolving(device.ca),
                      "https://%s:%d/x" % (device.host, device.port),
                      note="no CA certificates were given")
    assert found["outcome"] == "untrusted"


def test_wrong_address(lab, sprov):
    """The name in the certificate leads to somewhere else."""
    device = lab.device(OLD)
    rule = "https://127.0.0.1:%d/spa$MA.cfg" % device.port
    found = simulated(sprov, *by_hand(
        lab, OLD, *resolving(device.ca, "127.0.0.2")), rule)
    assert (found["outcome"], found["class"]) == ("wrong-name", "C")
    assert found["reason"] == (
        '127.0.0.1 is not among the addresses of "%s", the CN of the '
        "server's certificate" % device.host)
    # Among several addresses it may be the last one.
    found = simulated(
        sprov, *by_hand(lab, OLD, *resolving(device.ca, "127.0.0.2"),
                        *resolving(device.ca)), rule, status=0)
    assert found["outcome"] == "provisioned"
    found = simulated(sprov, *by_hand(
        lab, OLD, "--resolve", "other.example.net=127.0.0.1"), rule)
    assert found["outcome"] == "wrong-name"
    assert "does not resolve" in found["reason"]


def test_wrong_name(lab, sprov):
    """Another name than those in the certificate."""
    port = lab.device(NEW).port
    found = simulated(sprov, *by_hand(
        lab, NEW, "--resolve", "other.example.net=127.0.0.1"),
        "https://other.example.net:%d/x" % port)
    assert found["outcome"] == "wrong-name"
    assert 'not for "other.example.net" (by SAN or CN)' in found["reason"]


def test_not_found(lab, sprov):
    device = lab.device(NEW)
    found = simulated(sprov, "--lab", lab.folder, "--as", NEW,
                      "https://%s:%d/absent" % (device.host, device.port))
    assert (found["outcome"], found["class"]) == ("not-found", "B")
    assert found["status"] == 404


def test_refused(lab, sprov):
    """Another device's profile, and what a stranger gets."""
    device, other = lab.device(OLD), lab.device("SPA525G2@7.5.2b")
    found = simulated(sprov, "--lab", lab.folder, "--as", OLD,
                      "https://%s:%d%s" % (device.host, device.port,
                                           other.path))
    assert (found["outcome"], found["class"]) == ("refused", "C")
    assert found["status"] == 403
    found = simulated(sprov, "--as", OLD, "--ca", lab.ca(device.ca),
                      *resolving(device.ca), "https://%s:%d%s" % (
                          device.host, device.port, device.path))
    assert found["outcome"] == "refused" and found["status"] == 403


@pytest.mark.parametrize("status", ["500 X", "503 X", "401 X", "204 X",
                                    "303 X", "307 X", "308 X"])
def test_other_statuses(lab, sprov, status):
    """303, 307 and 308 are not followed by any device."""
    with Away(lab, NEW, {"/p.xml": answer(
            status, b"", "Location: /q.xml")}) as away:
        found = simulated(sprov, "--lab", lab.folder, "--as", NEW,
                          away.url())
    assert found["outcome"] == "refused"
    assert found["status"] == int(status[:3])
    assert found["reason"] == "the server answered %s" % status[:3]
    assert len(away.server.requests) == 1


@pytest.mark.parametrize("status", ["301 X", "302 X"])
def test_redirects(lab, sprov, status):
    """By those who follow them: to a path, and to another server."""
    with Away(lab, NEW, {}) as away:
        away.server.answers.update({
            "/p.xml": answer(status, b"", "Location: /q.xml"),
            "/q.xml": answer(status, b"", "location: " + away.url("/r.xml")),
            "/r.xml": answer("200 OK", PROFILE)})
        found = simulated(sprov, "--lab", lab.folder, "--as", NEW,
                          away.url(), status=0)
    assert found["redirects"] == 2 and found["url"] == away.url("/r.xml")
    assert len(away.server.requests) == 3


def test_redirect_to_the_lab(lab, sprov):
    device = lab.device(NEW)
    to = "https://%s:%d%s" % (device.host, device.port, device.path)
    with Away(lab, NEW, {"/p.xml": answer(
            "302 Found", b"", "Location: " + to)}) as away:
        found = simulated(sprov, "--lab", lab.folder, "--as", NEW,
                          away.url(), status=0)
    assert found["url"] == to and found["bytes"] == len(device.profile)


def test_redirect_of_a_device_that_does_not_follow(lab, sprov):
    with Away(lab, OLD, {"/p.xml": answer(
            "301 X", b"", "Location: /q.xml")}) as away:
        found = simulated(sprov, "--lab", lab.folder, "--as", OLD,
                          away.url())
    assert found["outcome"] == "refused" and found["status"] == 301
    assert found["reason"] == ("redirected (301), which this device does "
                               "not follow")


def test_redirects_without_end(lab, sprov):
    with Away(lab, NEW, {"/p.xml": answer(
            "302 X", b"", "Location: /p.xml")}) as away:
        found = simulated(sprov, "--lab", lab.folder, "--as", NEW,
                          away.url())
    assert found["outcome"] == "refused"
    assert found["reason"] == "more than 5 redirects"
    assert len(away.server.requests) == 6


@pytest.mark.parametrize("fields", [
    [], ["Location: "], ["Location: ftp://a/b"],
    ["Location: tftp://127.0.0.1/b"]])
def test_redirect_to_nowhere(lab, sprov, fields):
    with Away(lab, NEW, {"/p.xml": answer("302 X", b"", *fields)}) as away:
        found = simulated(sprov, "--lab", lab.folder, "--as", NEW,
                          away.url())
    assert found["outcome"] == "refused"
    assert found["reason"].startswith("redirected to ")


@pytest.mark.parametrize("body", [
    b"", b"not XML", b"<flat-profile><A></flat-profile>",
    b"<html><body>Sign in</body></html>"])
def test_corrupt(lab, sprov, body):
    with Away(lab, NEW, {"/p.xml": answer("200 OK", body)}) as away:
        found = simulated(sprov, "--lab", lab.folder, "--as", NEW,
                          away.url())
    assert (found["outcome"], found["class"]) == ("corrupt", "B")
    assert found["reason"].startswith("no profile: ")


CHUNKED = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s"
           b"\r\n0\r\n\r\n" % (len(PROFILE), PROFILE))
ENDLESS = b"HTTP/1.1 200 OK\r\n\r\n" + PROFILE


@pytest.mark.parametrize("text, old", [
    (CHUNKED, "the answer is chunked, which this device cannot read"),
    (ENDLESS, "the answer has no Content-Length, which this device needs"),
])
def test_answers_that_old_devices_cannot_read(lab, sprov, text, old):
    for label in OLD, NEW:
        with Away(lab, label, {"/p.xml": text}) as away:
            found = simulated(sprov, "--lab", lab.folder, "--as", label,
                              away.url(), status=3 if label == OLD else 0)
        if label == OLD:
            assert found["outcome"] == "broken-answer"
            assert found["reason"] == old


@pytest.mark.parametrize("text", [
    b"", b"HTTP/1.1 200 OK\r\n", b"rubbish\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort"])
def test_broken_answer(lab, sprov, text):
    with Away(lab, NEW, {"/p.xml": text}) as away:
        found = simulated(sprov, "--lab", lab.folder, "--as", NEW,
                          away.url())
    assert (found["outcome"], found["class"]) == ("broken-answer", "C")


def test_http(lab, sprov):
    """A rule without TLS."""
    with Scripted({"/021ab0000001.xml": answer("200 OK",
                                               PROFILE)}) as plain:
        found = simulated(
            sprov, "--as", "SPA962@6.1.5(a)", "--mac", "02:1a:b0:00:00:01",
            "http://127.0.0.1:%d/$MA.xml" % plain.port, status=0)
    assert found["outcome"] == "provisioned"
    assert "tls" not in found and found["cipher"] == ""
    assert lab.status == 0


def test_http_at_a_port_of_tls(lab, sprov):
    device = lab.device(OLD)
    found = simulated(sprov, "--as", OLD, "http://127.0.0.1:%d/x" %
                      device.port)
    assert found["outcome"] == "broken-answer"
    lab.log.wait(event="handshake-failed",
                 reason="TLS handshake: http request")


def test_no_connection(sprov):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        found = simulated(sprov, "--as", OLD, "https://127.0.0.1:%d/x"
                          % port)
    assert (found["outcome"], found["class"]) == ("no-connect", "C")
    assert "Connection refused" in found["reason"]


def test_silence(sprov):
    """Nobody speaks: for a second, not longer."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for scheme, outcome in ("https", "handshake"), ("http",
                                                        "broken-answer"):
            found = simulated(
                sprov, "--as", OLD, "--timeout", "1", "%s://127.0.0.1:%d/x"
                % (scheme, silent.getsockname()[1]))
            assert found["outcome"] == outcome, found
            assert 900000 < found["us"] < 9000000


def test_no_address(sprov):
    found = simulated(sprov, "--as", OLD, "--resolve",
                      "other.example.net=127.0.0.1",
                      "https://this.example.net/x")
    assert found["outcome"] == "no-address"
    assert found["reason"] == '"this.example.net" does not resolve'


def test_no_common_version(lab, sprov):
    """A server that has left TLS 1.0 behind."""
    with Away(lab, OLD, {}, lowest=ssl.TLSVersion.TLSv1_2) as away:
        found = simulated(sprov, "--lab", lab.folder, "--as", OLD,
                          away.url())
    assert found["outcome"] == "handshake"
    assert found["alert_received"] == "protocol_version"


# Rules


@pytest.mark.parametrize("rule, outcome, reason", [
    ('( "$MA" eq "x" )? https://127.0.0.1/x', "no-rule",
     "no alternative of the rule applies"),
    ("https://127.0.0.1:99999/x", "bad-rule", "99999"),
    ("/spa$MA.cfg", "no-address",
     "the rule names no host and DHCP names no server"),
    ("https:///spa$MA.cfg", "no-address",
     "the rule names no host and DHCP names no server"),
])
def test_rules(sprov, rule, outcome, reason):
    found = simulated(sprov, "--as", OLD, rule)
    assert found["outcome"] == outcome, found
    assert reason in found["reason"], found
    assert found["status"] == 0


def test_alternatives(lab, sprov):
    """The first condition that is true counts."""
    device = lab.device(OLD)
    rule = ('( "$PN" eq "SPA504G" )? https://127.0.0.1:1/wrong | '
            "https://%s:%d/spa$MA.cfg" % (device.host, device.port))
    found = simulated(sprov, "--lab", lab.folder, "--as", OLD, rule,
                      status=0)
    assert found["url"].endswith(device.path)


def test_server_from_dhcp(sprov):
    """For a rule that names no host."""
    found = simulated(sprov, "--as", OLD, "--timeout", "1", "--mac",
                      "02:1a:b0:00:00:01", "--dhcp-server", "127.77.7.7",
                      "http:///spa$MA.cfg")
    assert found["outcome"] == "no-connect"
    assert found["url"] == "http://127.77.7.7/spa021ab0000001.cfg"


# A CA of one's own


def test_custom_ca(tmp_path, sprov):
    """Others than those of the registry count as the custom CA."""
    root = minting.authority("Own Root", which=7)
    paths = root.issue(minting.name(CN="own.example.net"), digest="sha1",
                       private_key=minting.key(1024),
                       hosts=["own.example.net"]).write(tmp_path, "own")
    (tmp_path / "ca.pem").write_bytes(root.pem)
    with Scripted({"/x": answer("200 OK", PROFILE)}, paths) as own:
        options = ["--ca", "ca.pem", "--resolve", "own.example.net=127.0.0.1"]
        url = "https://own.example.net:%d/x" % own.port
        found = simulated(sprov, "--as", "SPA504G@7.5.2b", *options, url,
                          status=0)
        assert found["outcome"] == "provisioned"
        # Nobody says that this one can be given one.
        found = simulated(sprov, "--as", "PAP2T", *options, url,
                          note="PAP2T is not known to trust any")
        assert found["outcome"] == "untrusted"


# The whole fleet


def test_many(lab, sprov):
    found = simulated(sprov, "--lab", lab.folder, "--concurrency", "8",
                      "--duration", "2", status=0)
    assert found["resyncs"] == found["provisioned"] > 20
    assert found["concurrency"] == 8
    assert 0 <= found["median_ms"] <= found["p99_ms"]
    assert set(found) == {"resyncs", "concurrency", "seconds",
                          "provisioned", "median_ms", "p99_ms"}


def test_many_as_text(lab, good):
    out = good("simulate", "--lab", lab.folder, "--concurrency", "2",
               "--duration", "1")
    assert re.match(r"\d+ resyncs by 2 devices at once in \d+\.\d s ", out)
    assert ", 0 not; median " in out


# Mistakes of the operator


@pytest.mark.parametrize("arguments, status, message", [
    ([], 2, "which device? name it with --as MODEL[@FIRMWARE]"),
    (["--as", "SPA504"], 1, 'model "SPA504" is not known; did you mean '
     "SPA504G?"),
    (["--as", "SPA504G@x"], 1, 'firmware "x": '),
    (["--as", OLD, "--mac", "x", "http://127.0.0.1/"], 1, '"x"'),
    (["--as", OLD, "--certificate", "a"], 2,
     "--certificate and --key go together"),
    (["--as", OLD, "--certificate", "a", "--key", "b", "http://a/"], 1,
     "a: No such file or directory"),
    (["--as", OLD, "--ca", "absent.pem", "http://a/"], 1,
     "absent.pem: No such file or directory"),
    (["--as", OLD, "--resolve", "x"], 2, "--resolve x: expected "
     "HOST=ADDRESS"),
    (["--as", OLD, "--resolve", "x=y"], 2, '"y"'),
    (["--as", OLD, "--timeout", "0"], 2, '--timeout "0": expected a number '
     "from 1 to 600"),
    (["--as", OLD, "--lab", "absent"], 1,
     "absent/fleet.tsv: No such file or directory"),
    (["--concurrency", "2"], 2, "--concurrency needs --lab"),
    (["--as", OLD, "a", "b"], 2, 'nothing was expected at "b"'),
])
def test_mistakes(sprov, arguments, status, message):
    result = sprov("simulate", *arguments)
    assert result.status == status, result
    assert result.out == ""
    assert result.err.startswith("sprov: ") and message in result.err, result
    assert result.err.count("\n") == 1


def test_model_that_the_lab_does_not_have(lab, sprov):
    result = sprov("simulate", "--lab", lab.folder, "--as", "SPA962@1.0.0")
    assert result.status == 1
    assert "has no SPA962@1.0.0: see %s/fleet.tsv" % lab.folder in result.err


def test_device_that_is_led_nowhere(lab, sprov):
    label = next(label for label, device in lab.devices.items()
                 if device.resync is None)
    result = sprov("simulate", "--lab", lab.folder, "--as", label)
    assert result.status == 1
    assert "is led to no listener" in result.err


@pytest.mark.parametrize("command", ["lab", "serve", "simulate"])
def test_help_fits_a_terminal(good, command):
    out = good(command, "--help")
    assert out.startswith("usage: sprov %s" % command)
    assert all(len(line) <= 80 for line in out.splitlines())
