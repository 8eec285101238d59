"""sprov cert: import, rollback, list, check, status."""

import datetime
import json
import os
import pty
import stat
import subprocess

import pytest

from conftest import BINARY

HOST = "prov.example.net"
SB2 = "LAB Cisco Small Business Provisioning Root Authority 2"
SIPURA = "LAB Sipura Technology Provisioning Root Authority 1"
LINKSYS = "LAB Cisco Linksys Provisioning Root Authority 1"


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], check=True,
                          capture_output=True, encoding="utf-8").stdout


class Signer:
    """CAs and what they sign, in a folder."""

    def __init__(self, folder):
        self.folder = folder

    def ca(self, name, common_name):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                "4000", "-sha256", "-keyout", self.folder / (name + ".key"),
                "-out", self.folder / (name + ".crt"), "-subj",
                "/O=LAB/CN=" + common_name)
        return name

    def key(self, name, bits=2048):
        path = self.folder / (name + ".key")
        if not path.exists():
            openssl("genrsa", "-out", path, bits)
        return path

    def sign(self, name, ca, subject="/CN=" + HOST, key=None, days=400,
             digest="sha256", start=None, extensions=""):
        """A certificate name.crt by that CA."""
        key = self.key(key or name)
        request = self.folder / (name + ".req")
        openssl("req", "-new", "-key", key, "-out", request, "-subj",
                subject)
        (self.folder / "ext").write_text(extensions)
        out = self.folder / (name + ".crt")
        ca_path = self.folder / ca
        if start is None:
            openssl("x509", "-req", "-in", request, "-days", days,
                    "-" + digest, "-CA", "%s.crt" % ca_path, "-CAkey",
                    "%s.key" % ca_path, "-CAcreateserial", "-extfile",
                    self.folder / "ext", "-out", out)
            return out
        database = self.folder / "db"
        database.write_text("")
        (self.folder / "db.conf").write_text(
            "[ca]\ndefault_ca = d\n[d]\ndatabase = %s\nnew_certs_dir = %s\n"
            "rand_serial = yes\npolicy = p\nunique_subject = no\n"
            "[p]\ncommonName = supplied\n" % (database, self.folder))
        begin = datetime.datetime.utcnow() + datetime.timedelta(days=start)
        end = begin + datetime.timedelta(days=days)
        openssl("ca", "-batch", "-config", self.folder / "db.conf", "-in",
                request, "-cert", "%s.crt" % ca_path, "-keyfile",
                "%s.key" % ca_path, "-startdate",
                begin.strftime("%Y%m%d%H%M%SZ"), "-enddate",
                end.strftime("%Y%m%d%H%M%SZ"), "-md", digest, "-notext",
                "-out", out)
        return out


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    """The CAs once for all tests; certificates have names of their own."""
    signer = Signer(tmp_path_factory.mktemp("signer"))
    signer.ca("sb2", SB2)
    signer.ca("sipura", SIPURA)
    signer.ca("linksys", LINKSYS)
    signer.ca("own", "Example Root")
    signer.sign("good", "sb2")
    signer.sign("next", "sb2")
    signer.sign("renewed", "sb2", key="good")
    signer.sign("old-sha256", "sipura")
    signer.sign("old", "sipura", digest="sha1",
                subject="/CN=old.example.net")
    signer.sign("foreign", "own")
    signer.sign("soon", "sb2", key="good", days=20)
    signer.sign("soonish", "sb2", key="good", days=60)
    signer.sign("san", "sb2", extensions="subjectAltName=DNS:" + HOST)
    signer.sign("expired", "sb2", start=-30, days=20)
    signer.sign("tomorrow", "sb2", start=2, days=400)
    return signer


@pytest.fixture
def imported(sprov, signer):
    """sprov cert import of a certificate of the signer's into ./certs."""
    def run(name, *arguments, key=None, file=None):
        return sprov("cert", "import", file or signer.folder /
                     (name + ".crt"), "--key", key or signer.folder /
                     (name + ".key"), "--dir", "certs", *arguments)
    return run


def folder_of(tmp_path):
    folder = tmp_path / "certs"
    return sorted(os.listdir(folder)) if folder.exists() else []


def add(good, *devices):
    for i, device in enumerate(devices):
        model, _, firmware = device.partition("@")
        good("device", "add", *(["-f", firmware] if firmware else []),
             "000e08aabb%02x" % i, model)


def squeezed(text):
    return " ".join(text.split())


# The command line


def test_help(good):
    out = good("cert", "--help")
    for name in ("import", "rollback", "list", "check", "status"):
        assert "\n  %s " % name in out
        text = good("cert", name, "--help")
        assert text.startswith("usage: sprov cert %s " % name)
        assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize("arguments, message", [
    (["cert"], "a command is missing"),
    (["cert", "imoprt"], "did you mean sprov cert import?"),
    (["cert", "import"], "FILE is missing"),
    (["cert", "import", "x.crt"], "--key is missing"),
    (["cert", "rollback"], "NAME is missing"),
    (["cert", "rollback", "x", "--number", "0"], "--number"),
    (["cert", "rollback", "x", "--number", "10"], "--number"),
    (["cert", "check"], "FILE|NAME is missing"),
    (["cert", "check", "x", "--at", "tomorrow"], "wanted one such as"),
    (["cert", "check", "x", "--at", "2027-02-30"], "is no date"),
    (["cert", "check", "x", "--at", "2027-1-1"], "is no date"),
    (["cert", "check", "x", "--at", "2027-01-01x"], "is no date"),
    (["cert", "list", "x"], "nothing was expected"),
    (["cert", "status", "x"], "nothing was expected"),
])
def test_usage(sprov, arguments, message):
    result = sprov(*arguments)
    assert result.status == 2 and message in result.err, result


# Import


def test_import(imported, signer, tmp_path):
    result = imported("good", "--name", "csb", "--host", HOST)
    assert result.status == 0 and result.err == "", result
    assert folder_of(tmp_path) == ["csb.crt", "csb.key"]
    folder = tmp_path / "certs"
    assert stat.S_IMODE((folder / "csb.key").stat().st_mode) == 0o600
    assert (folder / "csb.crt").read_text().split() == \
        (signer.folder / "good.crt").read_text().split()
    assert "CA      LAB Cisco SB 2 (by name), signed with sha256" \
        in result.out
    assert "certificate certs/csb.crt key certs/csb.key" in result.out
    assert "real devices refuse it" in result.out
    assert "already" not in result.out
    assert all(len(line) <= 80 for line in result.out.splitlines())
    # The same again changes nothing.
    again = imported("good", "--name", "csb")
    assert again.status == 0 and "is installed already" in again.out
    assert folder_of(tmp_path) == ["csb.crt", "csb.key"]


def test_import_names_it_after_the_host(imported, tmp_path):
    assert imported("good").status == 0
    assert folder_of(tmp_path) == [HOST + ".crt", HOST + ".key"]


def test_import_keeps_the_previous_one(imported, sprov, tmp_path):
    assert imported("good", "--name", "csb").status == 0
    first = (tmp_path / "certs" / "csb.crt").read_bytes()
    result = imported("next", "--name", "csb")
    assert "1 kept: sprov cert rollback csb" in result.out
    assert folder_of(tmp_path) == ["csb.crt", "csb.crt.1", "csb.key",
                                   "csb.key.1"]
    assert (tmp_path / "certs" / "csb.crt.1").read_bytes() == first
    result = sprov("cert", "rollback", "csb", "--dir", "certs")
    assert result.status == 0, result
    assert "back to certificate 1: %s, until " % HOST in result.out
    assert (tmp_path / "certs" / "csb.crt").read_bytes() == first
    result = sprov("cert", "rollback", "csb", "--dir", "certs", "--json")
    assert json.loads(result.out)["host"] == HOST
    assert (tmp_path / "certs" / "csb.crt.1").read_bytes() == first


@pytest.mark.parametrize("order", ["root leaf", "stranger leaf root",
                                   "root stranger leaf leaf"])
def test_import_puts_the_chain_in_order(imported, signer, tmp_path, order):
    text = {"leaf": (signer.folder / "good.crt").read_text(),
            "root": (signer.folder / "sb2.crt").read_text(),
            "stranger": (signer.folder / "own.crt").read_text()}
    (tmp_path / "mess.crt").write_text(
        "".join(text[name] for name in order.split()))
    result = imported("good", "--name", "csb", file="mess.crt")
    assert result.status == 0
    said = squeezed(result.out)
    assert "were in another order; put right" in said
    assert ("left out" in said) == ("stranger" in order)
    assert (tmp_path / "certs" / "csb.crt").read_text().split() == \
        (text["leaf"] + text["root"]).split()
    said = json.loads(imported("good", "--name", "csb", "--json",
                               file="mess.crt").out)
    assert said["reordered"] is True and said["changed"] is False
    assert said["chain"] == 2 and said["name"] == "csb"


def test_import_refuses(imported, signer, tmp_path):
    """Everything that no --force helps against."""
    folder = signer.folder
    (tmp_path / "both.crt").write_text(
        (folder / "good.crt").read_text() +
        (folder / "renewed.crt").read_text())
    (tmp_path / "empty.crt").write_text("nothing\n")
    signer.sign("wildcard", "sb2", key="good", subject="/CN=*.example.net")
    signer.sign("address", "sb2", key="good", subject="/CN=192.0.2.1")
    signer.sign("nameless", "sb2", key="good", subject="/O=Example")
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
            folder / "ec.key")
    signer.sign("ec", "sb2")
    for name, options, message in (
            ("good", dict(key=folder / "next.key"),
             "the key belongs to none of the 1 certificates"),
            ("good", dict(key=folder / "missing.key"), "missing.key"),
            ("missing", dict(key=folder / "good.key"), "missing.crt"),
            ("good", dict(file="empty.crt"), "holds no certificate"),
            ("good", dict(file="both.crt"), "both belong to the key"),
            ("sb2", {}, "cA is TRUE in the certificate that belongs to the "
             "key"),
            ("wildcard", dict(key=folder / "good.key"), "is a wildcard"),
            ("address", dict(key=folder / "good.key"), "is an IP address"),
            ("nameless", dict(key=folder / "good.key"), "no common name"),
            ("ec", {}, "the key is of type EC")):
        result = imported(name, "--force", "--name", "csb", **options)
        assert result.status == 1 and message in result.err, result
        assert result.out == ""
    for options, message in (
            (["--host", "other.example.net"],
             "is for prov.example.net, and not for other.example.net"),
            (["--name", "../csb"], "is no name for a certificate"),
            (["--config", "missing.conf"], "missing.conf"),
            (["--inventory", "sqlite:missing.db"], "missing.db")):
        result = imported("good", *options)
        assert result.status == 1 and message in result.err, result
    assert folder_of(tmp_path) == []


def test_import_of_a_bad_place(imported):
    result = imported("good", "--dir", "a/b/c")
    assert result.status == 1 and "a/b/c" in result.err


@pytest.mark.parametrize("name, devices, message", [
    ("expired", [], "expired on"),
    ("tomorrow", [], "is not valid before"),
    ("old-sha256", ["SPA942@6.1.5(a)", "SPA504G@7.6.1"],
     "signed with sha256, which 1 device cannot verify (SPA942@6.1.5(a)): "
     "have it signed with SHA1"),
])
def test_import_needs_force(imported, good, tmp_path, name, devices,
                            message):
    add(good, *devices)
    result = imported(name)
    assert result.status == 1 and message in result.err, result
    assert "nothing was installed; --force" in result.err
    assert folder_of(tmp_path) == []
    result = imported(name, "--force")
    assert result.status == 0 and message in squeezed(result.out), result
    assert len(folder_of(tmp_path)) == 2


def test_import_digest_that_all_can_verify(imported, good):
    add(good, "SPA504G@7.5.6", "SPA112@1.3.3", "SPA942@6.1.5(a)")
    # The SPA942 does not trust this CA, so what it verifies is no matter.
    result = imported("good")
    assert result.status == 0
    assert "devices 2 of 3 accept it" in result.out
    # With a firmware that is not known the oldest one counts.
    good("device", "add", "000e08aabbf0", "SPA504G")
    assert imported("old-sha256").status == 1


def test_import_where_another_one_serves_the_old(imported, good):
    """Devices that have another certificate do not need this one."""
    add(good, "SPA942@6.1.5(a)")
    assert imported("old-sha256", "--name", "new").status == 1
    assert imported("old", "--name", "sipura").status == 0
    assert imported("old-sha256", "--name", "new").status == 0
    # But not the one that it replaces.
    assert imported("old-sha256", "--name", "sipura").status == 1


def test_import_warns(imported, good):
    add(good, "ATA192@11.3(1)")
    said = squeezed(imported("foreign").out)
    assert "signed by a CA that no device is known to trust " \
        "(CN=Example Root,O=LAB)" in said
    assert "which 1 of 1 devices have a place for" in said
    assert "wanted by 1 device (ATA192-MPP@11.3(1))" in \
        squeezed(imported("good").out)
    assert "subjectAltName" not in imported("san").out


def test_import_says_where_the_listener_looks(imported, signer, tmp_path):
    write_config(tmp_path, signer, ("csb", "else/csb", "127.0.0.1:8443"))
    said = squeezed(imported("good", "--name", "csb", "--config",
                             "sprov.conf").out)
    assert "the listener csb of sprov.conf shows ./else/csb.crt: change " \
        "its line" in said


def test_import_compares_the_name_of_the_key(imported, signer, tmp_path):
    (tmp_path / "other.example.net.key").write_bytes(
        (signer.folder / "good.key").read_bytes())
    os.chmod(tmp_path / "other.example.net.key", 0o600)
    result = imported("good", key="other.example.net.key")
    assert "is named after other.example.net, but the certificate is for " \
        "prov.example.net" in squeezed(result.out)


def test_default_folder(sprov, signer, tmp_path):
    """Beside what the configuration names as state directory."""
    write_config(tmp_path, signer, ("csb", "x", "127.0.0.1:8443"))
    text = (tmp_path / "sprov.conf").read_text()
    (tmp_path / "state").mkdir()
    (tmp_path / "sprov.conf").write_text("state-directory state\n" + text)
    result = sprov("cert", "import", signer.folder / "good.crt", "--key",
                   signer.folder / "good.key", "--config", "sprov.conf")
    assert result.status == 0
    assert sorted(os.listdir(tmp_path / "state" / "certificates")) == [
        HOST + ".crt", HOST + ".key"]
    out = sprov("cert", "list", "--config", "sprov.conf").out
    assert out.splitlines()[1].startswith(HOST)


# Rollback


def test_rollback_refuses(sprov, imported, tmp_path):
    result = sprov("cert", "rollback", "csb", "--dir", "certs")
    assert result.status == 1 and "certs" in result.err
    assert imported("good", "--name", "csb").status == 0
    for arguments, message in (
            (["csb"], "nothing to go back to"),
            (["xyz"], "holds no certificate xyz"),
            (["../csb"], "is no name for a certificate")):
        result = sprov("cert", "rollback", *arguments, "--dir", "certs")
        assert result.status == 1 and message in result.err, result
    assert imported("next", "--name", "csb").status == 0
    result = sprov("cert", "rollback", "csb", "--number", "2", "--dir",
                   "certs")
    assert result.status == 1 and "wanted 1 to 1" in result.err
    assert len(folder_of(tmp_path)) == 4


def test_rollback_to_an_expired_one_says_so(sprov, imported):
    assert imported("expired", "--name", "csb", "--force").status == 0
    assert imported("good", "--name", "csb").status == 0
    result = sprov("cert", "rollback", "csb", "--dir", "certs")
    assert result.status == 0 and "has expired" in result.err


# List and check


def test_list(sprov, imported, good, tmp_path):
    result = sprov("cert", "list", "--dir", "certs")
    assert result.status == 0 and result.out == ""
    assert "no certificate in certs" in result.err
    add(good, "SPA504G@7.5.6", "SPA942@6.1.5(a)", "SPA504G@7.5.2b")
    assert imported("good", "--name", "csb").status == 0
    assert imported("old", "--name", "sipura").status == 0
    (tmp_path / "certs" / "broken.crt").write_text("nothing")
    out = good("cert", "list", "--dir", "certs")
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["NAME", "HOST", "CA", "UNTIL", "DAYS", "DEVICES",
                       "ALONE", "STATE"]
    assert [row[0] for row in rows[1:]] == ["broken", "csb", "sipura"]
    assert rows[1][-1] == "problem" and rows[2][-1] == "good"
    # What accepts both is nowhere alone but at the one that lasts longer.
    said = {entry["name"]: entry for entry in
            json.loads(good("cert", "list", "--dir", "certs", "--json"))}
    assert said["csb"]["devices"]["accept"] == 1
    assert said["sipura"]["devices"]["accept"] == 3
    assert said["sipura"]["kept"] == 0
    assert "devices" not in said["broken"]
    assert said["broken"]["findings"][0]["kind"] == "unreadable"


def test_list_fits_a_terminal(imported, environment, tmp_path, good):
    add(good, "SPA504G@7.5.6")
    assert imported("good").status == 0
    parent, child = pty.openpty()
    subprocess.run(["stty", "cols", "80"], stdin=child, check=True)
    subprocess.run([str(BINARY), "cert", "list", "--dir", "certs"],
                   cwd=tmp_path, env=environment, stdin=child, stdout=child,
                   check=True, timeout=60)
    os.close(child)
    lines = os.read(parent, 65536).decode().splitlines()
    os.close(parent)
    assert len(lines) == 2
    assert all(len(line) <= 80 for line in lines), lines


def test_check(sprov, imported, good, signer):
    add(good, "SPA504G@7.5.6", "SPA504G@7.5.6", "SPA942@6.1.5(a)",
        "CP-8841-3PCC@12.0(3)", "SPA504G@7.5.2b")
    assert imported("good", "--name", "csb").status == 0
    result = sprov("cert", "check", "csb", "--dir", "certs")
    assert result.status == 0, result
    assert result.out.startswith("csb: good\n")
    assert "devices   3 of 5 accept it" in result.out
    assert "lost      3 when it ends" in result.out
    assert "(1 of them are known to look at dates)" in result.out
    # With another that lasts longer nobody is lost: two of the three trust
    # the Sipura CA too, and so does the third by its documents.
    signer.sign("longer", "sipura", digest="sha1", days=900,
                subject="/CN=old.example.net")
    assert imported("longer", "--name", "sipura").status == 0
    said = json.loads(sprov("cert", "check", "csb", "--dir", "certs",
                            "--json").out)
    assert said["devices"]["accept"] == 3
    assert said["devices"]["alone"] == 0
    said = json.loads(sprov("cert", "check", "sipura", "--dir", "certs",
                            "--json").out)
    assert said["devices"]["alone"] == said["devices"]["accept"] == 5


def test_check_at(sprov, imported, good):
    add(good, "SPA504G@7.5.6", "CP-8841-3PCC@12.0(3)")
    assert imported("good", "--name", "csb").status == 0
    result = sprov("cert", "check", "csb", "--dir", "certs", "--at",
                   "2099-01-01")
    assert result.status == 3
    assert result.out.startswith("csb: expired\n")
    assert "2 devices have no other certificate that lasts longer, 1 of " \
        "them known to look at dates" in squeezed(result.out)
    result = sprov("cert", "check", "csb", "--dir", "certs", "--at",
                   "2001-01-01")
    assert result.status == 3
    assert "is not valid before" in result.out


@pytest.mark.parametrize("name, state, status", [
    ("good", "good", 0), ("soonish", "soon", 3), ("soon", "urgent", 3),
    ("expired", "expired", 3), ("foreign", "problem", 3),
])
def test_check_states(sprov, signer, name, state, status):
    path = signer.folder / (name + ".crt")
    result = sprov("cert", "check", path)
    assert result.status == status, result
    assert result.out.startswith("%s: %s\n" % (path, state))
    assert "not known: there is no inventory" in result.out


def test_check_what_is_not_there(sprov, tmp_path, imported):
    result = sprov("cert", "check", "csb", "--dir", "certs")
    assert result.status == 1
    assert "no file, and no certificate of that name in certs" in result.err
    (tmp_path / "broken").write_text("x")
    assert "holds no certificate" in sprov("cert", "check", "broken").err
    assert imported("good", "--name", "csb").status == 0
    (tmp_path / "certs" / "csb.crt").write_text("x")
    result = sprov("cert", "check", "csb", "--dir", "certs")
    assert result.status == 1 and "holds no certificate" in result.err


def test_check_odd_names(sprov, signer):
    """What a certificate says reaches the terminal escaped."""
    signer.sign("odd", "sb2", key="good", subject="/CN=a\x1b[31m.example.net")
    result = sprov("cert", "check", signer.folder / "odd.crt")
    assert result.status == 3 and "\x1b" not in result.out
    assert "no host that devices can look up" in squeezed(result.out)
    assert json.loads(sprov("cert", "check", signer.folder / "odd.crt",
                            "--json").out)["state"] == "problem"


def test_a_ca_that_has_expired(sprov, signer):
    signer.sign("l", "linksys", digest="sha1")
    result = sprov("cert", "check", signer.folder / "l.crt")
    assert result.status == 0
    assert "Linksys 1 itself expired on 2015-06-30" in squeezed(result.out)


def test_devices_that_look_at_the_date_of_the_ca(sprov, signer, good):
    """Both are documented to trust Linksys 1; one of them looks at dates."""
    add(good, "CP-7841-3PCC@12.0(3)", "SPA962@6.1.5(a)")
    signer.sign("l2", "linksys", digest="sha1")
    said = json.loads(sprov("cert", "check", signer.folder / "l2.crt",
                            "--json").out)
    assert said["devices"]["accept"] == 1


# Status


def write_config(tmp_path, signer, *listeners, extra=""):
    text = "inventory sqlite:inventory.db\n" + extra
    for name, base, address in listeners:
        text += ("listener %s {\n    address %s\n    certificate %s.crt key "
                 "%s.key\n    tls legacy\n    client-anchors %s\n}\n" %
                 (name, address, base, base, signer.folder / "own.crt"))
    (tmp_path / "sprov.conf").write_text(text)


@pytest.fixture
def status(sprov):
    def run(*arguments):
        return sprov("cert", "status", "--config", "sprov.conf", *arguments)
    return run


def test_status_good(status, signer, tmp_path, good):
    add(good, "SPA504G@7.5.6", "SPA942@6.1.5(a)")
    write_config(tmp_path, signer,
                 ("csb", signer.folder / "good", "127.0.0.1:8443"),
                 ("sipura", signer.folder / "old", "127.0.0.1:8444"))
    result = status("--no-resolve")
    assert result.status == 0, result
    assert "Nothing needs attention." in result.out
    rows = [line.split() for line in result.out.splitlines()]
    assert rows[0][0] == "LISTENER" and rows[0][-3:] == [
        "DEVICES", "ALONE", "STATE"]
    assert rows[1][0] == "csb" and rows[1][-3] == "1"
    assert rows[2][0] == "sipura" and rows[2][-3] == "2"


@pytest.mark.parametrize("name, kind, message", [
    ("expired", "expired", "expired on"),
    ("soon", "ends-soon", "ends in 19 days"),
    ("soonish", "ends-soon", "ends in 59 days"),
    ("tomorrow", "not-yet-valid", "is not valid before"),
    ("foreign", "unknown-ca", "no device is known to trust"),
    ("old-sha256", "digest", "1 device cannot verify (SPA942@6.1.5(a))"),
    ("missing", "unreadable", "missing.crt"),
    ("mismatch", "unreadable", "the key does not belong to"),
    ("upside-down", "unreadable", "put the leaf first"),
])
def test_status_needs_attention(status, signer, tmp_path, good, name, kind,
                                message):
    add(good, "SPA942@6.1.5(a)")
    base = tmp_path / "pair"
    source = {"mismatch": "good", "upside-down": "good"}.get(name, name)
    key = {"soon": "good", "soonish": "good",
           "mismatch": "next"}.get(name, source)
    if name == "missing":
        base = tmp_path / "missing"
    else:
        text = (signer.folder / (source + ".crt")).read_text()
        if name == "upside-down":
            text = (signer.folder / "sb2.crt").read_text() + text
        (tmp_path / "pair.crt").write_text(text)
        (tmp_path / "pair.key").write_text(
            (signer.folder / (key + ".key")).read_text())
        os.chmod(tmp_path / "pair.key", 0o600)
    write_config(tmp_path, signer, ("bad", base, "127.0.0.1:8443"),
                 ("good", signer.folder / "good", "127.0.0.1:8444"))
    result = status("--no-resolve")
    assert result.status == 3, result
    assert message in squeezed(result.out)
    assert "1 of 2 needs attention." in result.out
    assert all(len(line) <= 80 for line in result.out.splitlines()[4:]
               if "/" not in line)
    result = status("--no-resolve", "--json")
    assert result.status == 3
    said = json.loads(result.out)
    assert said["attention"] == 1
    assert kind in [finding["kind"] for finding in
                    said["listeners"][0]["findings"]]
    assert said["listeners"][1]["attention"] is False


def test_status_other_listener_covers(status, signer, tmp_path, good):
    """A digest that only matters for devices that go elsewhere."""
    add(good, "SPA942@6.1.5(a)")
    write_config(tmp_path, signer,
                 ("a", signer.folder / "old-sha256", "127.0.0.1:8443"),
                 ("b", signer.folder / "old", "127.0.0.1:8444"))
    assert status("--no-resolve").status == 0


def test_status_dns(status, signer, tmp_path):
    """localhost is the one name that everybody can look up."""
    signer.sign("local", "sb2", subject="/CN=localhost")
    for address, finding in (("127.0.0.1:8443", False),
                             ("0.0.0.0:8443", False),
                             ("[::]:8443", False),
                             ("192.0.2.1:8443", True)):
        write_config(tmp_path, signer, ("csb", signer.folder / "local",
                                        address))
        result = status()
        assert result.status == (3 if finding else 0), result
        assert ("localhost leads to 127.0.0.1, and the listener is not "
                "there" in squeezed(result.out)) == finding
        assert status("--no-resolve").status == 0
    signer.sign("invalid", "sb2", subject="/CN=prov.invalid")
    write_config(tmp_path, signer, ("csb", signer.folder / "invalid",
                                    "127.0.0.1:8443"))
    result = status()
    assert result.status == 3
    assert "prov.invalid has no A record" in squeezed(result.out) or \
        "whether prov.invalid leads here is not known" in result.out


def test_status_without_inventory(status, signer, tmp_path):
    write_config(tmp_path, signer, ("csb", signer.folder / "good",
                                    "127.0.0.1:8443"))
    result = status("--no-resolve")
    assert result.status == 0
    assert "There is no inventory" in result.out
    assert "DEVICES" not in result.out
    result = status("--no-resolve", "--inventory", "sqlite:missing.db")
    assert result.status == 1 and "missing.db" in result.err


def test_status_bad_configurations(status, sprov, tmp_path):
    result = status()
    assert result.status == 1 and "sprov.conf" in result.err
    (tmp_path / "sprov.conf").write_text("listener x {\n}\n")
    result = status()
    assert result.status == 1 and "sprov.conf:1:" in result.err
    if not os.path.exists("/etc/sprov/sprov.conf"):
        result = sprov("cert", "status")
        assert result.status == 1
        assert "name the configuration with --config" in result.err
