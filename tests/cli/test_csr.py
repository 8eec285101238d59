"""sprov csr: the key, the request and the text to send along."""

import json
import os
import re
import stat
import subprocess

import pytest

HOST = "prov.example.net"
EMAIL = "info@example.net"

FLEET = """mac,model,firmware
000e08aabb01,SPA504G,7.5.6
000e08aabb02,SPA504G,7.5.6
000e08aabb03,SPA504G,7.5.2b
000e08aabb04,SPA504G,
000e08aabb05,SPA942,6.1.5(a)
000e08aabb06,ATA192,11.3(1)
000e08aabb07,CP-8841-3PCC,12.0(3)
000e08aabb08,PAP2,
000e08aabb09,SRP541,
"""


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], check=True,
                          capture_output=True, encoding="utf-8")


@pytest.fixture
def csr(sprov):
    """sprov csr for HOST, without DNS."""
    def run(*arguments, host=HOST, email=EMAIL):
        return sprov("csr", host, "--no-resolve",
                     *(["--email", email] if email is not None else []),
                     *arguments)
    return run


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_help(good):
    text = good("csr", "--help")
    assert text.startswith("usage: sprov csr [options] HOST\n")
    assert all(len(line) <= 80 for line in text.splitlines())


def test_what_is_made(csr, tmp_path):
    result = csr("--suffix", "info@example.net", "--organization",
                 "Example, Ltd.", "--unit", "Phones", "--country", "US",
                 "--state", "California", "--locality", "San Jose")
    assert result.status == 0 and result.err == "", result
    assert files(tmp_path) == [HOST + ".csr", HOST + ".key", HOST + ".txt"]
    for line in result.out.splitlines():
        assert len(line) <= 80
    mode = stat.S_IMODE(os.stat(tmp_path / (HOST + ".key")).st_mode)
    assert mode == 0o600
    # OpenSSL's own tool reads it and agrees with the signature.
    said = openssl("req", "-in", tmp_path / (HOST + ".csr"), "-noout",
                   "-text", "-verify", "-nameopt", "RFC2253")
    assert "verify OK" in said.stderr
    assert ("Subject: emailAddress=info@example.net,"
            "CN=prov.example.net/info@example.net,OU=Phones,"
            "O=Example\\, Ltd.,L=San Jose,ST=California,C=US" in said.stdout)
    assert "Public-Key: (2048 bit)" in said.stdout
    assert "sha256WithRSAEncryption" in said.stdout
    assert "Alternative Name" not in said.stdout
    assert "challenge" not in said.stdout.lower()


def string_types(path):
    text = openssl("asn1parse", "-in", path).stdout
    return re.findall(r"prim: (\w+STRING) +:(.*)", text)


def test_string_types(csr, tmp_path):
    assert csr("--suffix", "/info@example.net", "--organization",
               "Example, Ltd.", "--country", "DE", "--locality", "Köln",
               "--out", "a").status == 0
    types = dict((value, kind) for kind, value in
                 string_types(tmp_path / "a.csr"))
    assert types["DE"] == "PRINTABLESTRING"
    assert types["Example, Ltd."] == "PRINTABLESTRING"
    assert types["prov.example.net/info@example.net"] == "UTF8STRING"
    assert types["info@example.net"] == "IA5STRING"
    assert "UTF8STRING" in types.values()
    assert csr("--suffix", "info", "--out", "b").status == 0
    types = dict((value, kind) for kind, value in
                 string_types(tmp_path / "b.csr"))
    assert types["prov.example.net/info"] == "PRINTABLESTRING"


def test_case_and_san(csr, tmp_path):
    assert csr("--san", host="PROV.Example.net").status == 0
    text = openssl("req", "-in", tmp_path / (HOST + ".csr"), "-noout",
                   "-text").stdout
    assert "DNS:prov.example.net" in text
    assert "CN = prov.example.net," in text


@pytest.mark.parametrize("bits", [1024, 4096])
def test_bits(csr, tmp_path, bits):
    result = csr("--bits", bits)
    assert result.status == 0
    assert "(%d bit)" % bits in openssl(
        "req", "-in", tmp_path / (HOST + ".csr"), "-noout", "-text").stdout
    assert ("nothing is known of old devices" in result.err) == (bits > 2048)


REFUSED = [
    (dict(host="*.example.net"), [], 1, "is a wildcard"),
    (dict(host="192.0.2.1"), [], 1, "is an IP address"),
    (dict(host="2001:db8::1"), [], 1, "is an IP address"),
    (dict(host="prov"), [], 1, "no fully qualified name"),
    (dict(host="https://prov.example.net/"), [], 1, "the name of the host "
     "alone"),
    (dict(host="prov.example.net/info"), [], 1, "is the suffix"),
    (dict(host="../../etc/x.net"), [], 1, "is the suffix"),
    (dict(host="prov_1.example.net"), [], 1, 'holds "_"'),
    (dict(host=""), [], 1, "is empty"),
    (dict(email=None), [], 1, "an e-mail address is missing"),
    (dict(email="nobody"), [], 1, "no e-mail address"),
    (dict(), ["--suffix", "x" * 48], 1, "65 characters: a common name has at "
     "most 64, the suffix included"),
    (dict(), ["--country", "Germany"], 1, "two capital letters"),
    (dict(), ["--organization", "x" * 65], 1, "65 characters, at most 64"),
    (dict(), ["--bits", "512"], 2, "--bits"),
    (dict(), ["--bits", "8192"], 2, "--bits"),
    (dict(), ["--product", "sipuar"], 2, "did you mean sipura?"),
    (dict(), ["--product", "xyzzyxyzzy"], 2, "wanted ciscosb-2, sipura or "
     "linksys"),
    (dict(), ["--inventory", "sqlite:missing.db"], 1, "missing.db"),
    (dict(), ["--key", "missing.key"], 1, "missing.key"),
    (dict(), ["--out", "missing/base"], 1, "missing/base"),
    (dict(), ["one-more"], 2, "nothing was expected"),
    (dict(), ["--bogus"], 2, "unknown option"),
]


@pytest.mark.parametrize("who, arguments, status, message", REFUSED)
def test_refused(csr, tmp_path, who, arguments, status, message):
    result = csr(*arguments, **who)
    assert result.status == status, result
    assert message in result.err
    assert result.err.startswith("sprov: ")
    assert result.out == ""
    assert files(tmp_path) == []


def test_no_host(sprov):
    assert sprov("csr", "--email", EMAIL).status == 2


@pytest.mark.parametrize("suffix", ["key", "csr", "txt"])
def test_nothing_is_overwritten(csr, tmp_path, suffix):
    path = tmp_path / ("%s.%s" % (HOST, suffix))
    path.write_text("mine")
    result = csr()
    assert result.status == 1
    assert "%s.%s: is there already" % (HOST, suffix) in result.err
    assert path.read_text() == "mine"
    assert files(tmp_path) == [path.name]


def test_own_key(csr, tmp_path):
    openssl("genrsa", "-out", tmp_path / "own.key", "2048")
    before = (tmp_path / "own.key").read_bytes()
    assert csr("--key", "own.key", "--out", "next").status == 0
    assert files(tmp_path) == ["next.csr", "next.txt", "own.key"]
    assert (tmp_path / "own.key").read_bytes() == before
    public = openssl("rsa", "-in", tmp_path / "own.key", "-pubout").stdout
    assert openssl("req", "-in", tmp_path / "next.csr", "-noout",
                   "-pubkey").stdout == public


def test_bad_keys(csr, tmp_path):
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
            tmp_path / "ec.key")
    openssl("genrsa", "-aes128", "-passout", "pass:x", "-out",
            tmp_path / "locked.key", "1024")
    openssl("genrsa", "-out", tmp_path / "small.key", "768")
    openssl("genrsa", "-out", tmp_path / "open.key", "1024")
    os.chmod(tmp_path / "open.key", 0o644)
    for name, message in (
            ("ec", "ec.key: the key is of type EC: devices and the signing "
             "know RSA only"),
            ("locked", "is encrypted"), ("small", "768 bits"),
            ("open", "mode 0644")):
        result = csr("--key", name + ".key")
        assert result.status == 1 and message in result.err, result
    assert not (tmp_path / (HOST + ".csr")).exists()


def test_text_from_the_registry(csr, tmp_path):
    assert csr().status == 0
    text = (tmp_path / (HOST + ".txt")).read_text()
    assert "[x] SPA1xx 1.3.3+, SPA232D 1.3.3+, SPA5xx 7.5.6+" in text
    assert "digest         SHA256" in text
    assert "[ ]   SPA504G        7.5.6 and newer" in text
    assert "[ ]   CP-8841-3PCC   any firmware" in text
    assert "[ ] * ATA192-MPP     any firmware" in text
    assert "SPA942" not in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_text_from_the_inventory(csr, good, tmp_path):
    (tmp_path / "fleet.csv").write_text(FLEET)
    good("device", "import", "fleet.csv")
    result = csr()
    assert result.status == 0
    assert "warning: 1 device, ATA19x at their firmware, check the " \
        "subjectAltName" in result.err
    text = (tmp_path / (HOST + ".txt")).read_text()
    assert "[x]   SPA504G        7.5.6, 2 devices\n" in text
    assert "[x] * ATA192-MPP     11.3(1), 1 device\n" in text
    assert "7.5.2b" not in text and "SPA112" not in text
    assert "digest         SHA256" in text
    for line in ("1 device whose firmware decides, and is not known",
                 "2 devices trusting Sipura 1: --product sipura, which "
                 "signs no more",
                 "1 device trusting Linksys 1: --product linksys",
                 "1 device that no product is known for"):
        assert line in text
    # With a SAN there is nothing to warn of.
    assert csr("--san", "--out", "san").err == ""


@pytest.mark.parametrize("product, ca, since", [
    ("sipura", "Sipura 1", "since 2022-12-01"),
    ("linksys-prov-1", "Linksys 1", "before 2022-12"),
])
def test_products_that_sign_no_more(csr, good, tmp_path, product, ca, since):
    (tmp_path / "fleet.csv").write_text(FLEET)
    good("device", "import", "fleet.csv")
    result = csr("--product", product)
    assert result.status == 3
    assert "warning: %s signs no more" % ca in result.err
    assert since in result.err
    text = (tmp_path / (HOST + ".txt")).read_text()
    assert "%s signs no more" % ca in " ".join(text.split())
    assert "digest         SHA1" in text
    assert "cannot verify SHA256" in text


def test_inventory_without_such_devices(csr, good):
    good("device", "add", "000e08aabbcc", "SPA942")
    result = csr()
    assert result.status == 0
    assert "no device of the inventory is known to trust Cisco SB 2" \
        in result.err


def test_retired_devices_do_not_count(csr, good, tmp_path):
    good("device", "add", "-f", "7.5.6", "000e08aabbcc", "SPA504G")
    good("device", "add", "-f", "1.3.3", "000e08aabbcd", "SPA112")
    good("device", "set", "000e08aabbcd", "state=retired")
    assert csr().status == 0
    text = (tmp_path / (HOST + ".txt")).read_text()
    assert "SPA504G" in text and "SPA112" not in text


def test_json(csr, good, tmp_path):
    (tmp_path / "fleet.csv").write_text(FLEET)
    good("device", "import", "fleet.csv")
    result = csr("--json", "--product", "sipura", "--bits", "1024")
    assert result.status == 3
    said = json.loads(result.out)
    assert said["host"] == HOST and said["ca"] == "sipura-prov-1"
    assert said["key"] == HOST + ".key" and said["bits"] == 1024
    assert said["signing"] == "no" and said["digest"] == "SHA1"
    assert said["san"] is False and len(said["warnings"]) == 1
    assert {"model": "SPA942", "firmware": "6.1.5(a)", "devices": 1,
            "named": True} in said["types"]


def test_name_that_does_not_resolve(sprov):
    """Said, but no reason to refuse: .invalid never exists (RFC 6761)."""
    result = sprov("csr", "prov.invalid", "--email", EMAIL)
    assert result.status == 0
    assert "prov.invalid has no A record" in result.err or \
        "whether prov.invalid has an A record is not known" in result.err


def test_disk_trouble_leaves_nothing(sprov, tmp_path):
    """A key that nobody asked for would be in the way of the next try."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "x.txt").symlink_to(tmp_path / "nowhere" / "x")
    result = sprov("csr", HOST, "--email", EMAIL, "--no-resolve", "--out",
                   folder / "x")
    assert result.status == 1
    assert files(folder) == ["x.txt"]
