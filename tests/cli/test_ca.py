"""sprov ca: what is printed, and how it ends."""

import datetime
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import socket
import struct
import subprocess
import termios
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from conftest import BINARY, TREE

SOURCE = pathlib.Path(os.environ.get("SPROV_SOURCE", TREE))
REFERENCE = pathlib.Path(os.environ.get(
    "SPROV_REFERENCE", SOURCE / "../shared/reference"))
HEADS = ("ca\tmodel\tfirmware_min\tfirmware_max\tverdict\tbasis\tconfidence\t"
         "reason\tsource\n")
TODAY = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
PARTS = ("list", "show", "which", "matrix", "claim", "identify", "bundle")
MAC = "000e08aabb%02x"


def fits(text):
    long = [line for line in text.splitlines() if len(line) > 80]
    return long == []


def words(text):
    """Without line breaks and indents."""
    return " ".join(text.split())


def by_ca(out):
    return {row["ca"]: row for row in json.loads(out)["cas"]}


# The command line


def test_help(good):
    out = good("ca", "--help")
    for part in PARTS:
        assert "\n  %s " % part in out
        if part == "claim":
            continue
        text = good("ca", part, "--help")
        assert text.startswith("usage: sprov ca %s " % part)
        assert fits(text)
    out = good("ca", "claim", "--help")
    for part in ("add", "list", "remove"):
        assert "\n  %s " % part in out
        text = good("ca", "claim", part, "--help")
        assert text.startswith("usage: sprov ca claim %s " % part)
        assert fits(text)


@pytest.mark.parametrize("arguments, status, message", [
    (["show"], 2, "ID is missing; see sprov ca show --help"),
    (["which"], 2, "MODEL[@FIRMWARE] is missing; see sprov ca which --help"),
    (["bundle"], 2, "FILE is missing; see sprov ca bundle --help"),
    (["wich"], 2, '"wich" is no command; did you mean sprov ca which?'),
    (["matrix", "--json", "--markdown"], 2,
     "--markdown and --json exclude each other"),
    (["matrix", "--devices", "--markdown"], 2,
     "--markdown and --devices exclude each other"),
    (["matrix", "-f", "SPA5yy"], 1,
     'family "SPA5yy" is not known; did you mean SPA5xx?'),
    (["matrix", "-f", "xyzzyxyzzyxyzzy"], 1,
     'family "xyzzyxyzzyxyzzy" is not known: wanted one such as SPA5xx, or a '
     'model'),
    (["show", "ciscosb-prov-3"], 1, 'CA "ciscosb-prov-3" is not known; did '
     'you mean ciscosb-prov-1 or ciscosb-prov-2?'),
    (["show", "xyzzyxyzzyxyzzy"], 1, 'CA "xyzzyxyzzyxyzzy" is not known; '
     '"sprov ca list" and "sprov ca list --clients" name all'),
    (["which", "SPA999X"], 1, 'model "SPA999X" is not known; did you mean '
     'SPA9000, SPA901, SPA921, SPA922 or SPA941?'),
    (["which", "xyzzyxyzzyxyzzy"], 1, 'model "xyzzyxyzzyxyzzy" is not known; '
     '"sprov ca matrix" lists all'),
    (["which", "@7.5"], 1, 'device "": wanted MODEL or MODEL@FIRMWARE, such '
     'as SPA504G@7.5.6'),
    (["identify", "a b"], 1, '"a b": no such file, and no HOST:PORT'),
    (["identify", "--timeout", "0", "x"], 2, '--timeout "0": expected a '
     'number from 1 to 600000; see sprov ca identify --help'),
])
def test_refused(sprov, arguments, status, message):
    result = sprov("ca", *arguments)
    assert result.status == status
    assert result.out == ""
    assert result.err == "sprov: %s\n" % message


def test_bad_firmware(sprov):
    result = sprov("ca", "which", "SPA504G@7..5")
    assert result.status == 1
    assert result.err.startswith("sprov: ") and "7..5" in result.err


# list and show


def test_list_without_inventory(good):
    out = good("ca", "list")
    assert out.splitlines()[0].split() == ["ID", "NAME", "BITS", "VALID",
                                           "TO", "SIGNS"]
    rows = {line.split()[0]: line for line in out.splitlines() if line}
    assert rows["sipura-prov-1"].endswith("no 2022-12-01")
    assert "2015-06-30!" in rows["linksys-prov-1"]
    assert rows["ciscosb-prov-2"].endswith("yes")
    assert "linksys-client-1" not in rows
    assert fits(out)
    out = good("ca", "list", "--clients")
    assert "linksys-client-1" in out and "cmca3" in out
    assert "ciscosb-prov-1" not in out
    assert "devices_need" not in json.loads(good("ca", "list", "-j"))[0]


@pytest.fixture
def fleet(good):
    """Three kinds of devices, one that is retired, one without firmware."""
    devices = [("SPA962", "6.1.5(a)"), ("SPA962", "6.1.5(a)"),
               ("SPA504G", "7.5.2b"), ("SPA504G", "7.5.6"),
               ("SPA504G", ""), ("PAP2", "3.1"), ("ATA192-MPP", "11.3(1)")]
    for number, (model, firmware) in enumerate(devices):
        arguments = ["-f", firmware] if firmware else []
        good("device", "add", *arguments, MAC % number, model)
    good("device", "add", MAC % 99, "SPA962")
    good("device", "set", MAC % 99, "state=retired")


def test_list_counts(good, fleet):
    rows = {row["id"]: (row["devices_need"], row["devices_accept"])
            for row in json.loads(good("ca", "list", "--json"))}
    # Only Sipura 1 is left to an SPA962: its other one has expired.
    assert rows["sipura-prov-1"] == (2, 5)
    assert rows["linksys-prov-1"] == (1, 4)
    assert rows["ciscosb-prov-2"] == (1, 2)
    assert rows["ciscosb-prov-1"] == (0, 3)
    assert rows["isrg-root-x1"] == (0, 0)
    out = good("ca", "list")
    assert "NEED" in out and "ACCEPT" in out
    assert "Of the 7 devices in the inventory" in out
    rows = {row["id"]: row["devices"] for row in json.loads(
        good("ca", "list", "--clients", "--json"))}
    assert rows["sipura-client-1"] == 2
    assert rows["ciscosb-client-1"] == 3
    assert rows["linksys-client-1"] == 1
    assert rows["cisco-root-m2"] == rows["cmca-sha2"] == 1


def test_given_inventory_must_exist(sprov, tmp_path):
    result = sprov("ca", "list", "-i", "sqlite:%s/none.db" % tmp_path)
    assert result.status == 1 and "none.db" in result.err


def test_bad_inventory_is_no_obstacle(sprov, tmp_path):
    result = sprov("ca", "list", SPROV_INVENTORY="what:ever")
    assert result.status == 0
    assert result.err.startswith("sprov: no counts of devices: ")


def terminal(arguments, environment, columns=80):
    """Run on a terminal of that width; what it printed."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ,
                struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([str(BINARY), *arguments], stdout=theirs,
                          stdin=theirs, stderr=theirs,
                          env=environment) as process:
        os.close(theirs)
        out = b""
        while select.select([ours], [], [], 60)[0]:
            try:
                data = os.read(ours, 65536)
            except OSError:
                break
            if not data:
                break
            out += data
        process.wait(60)
    os.close(ours)
    return out.decode()


def test_terminal(environment, good, fleet):
    good("ca", "claim", "add", "SPA232D@1.3.1(003_240)",
         "cybertrust-sureserver-sv", "not", "--note", "word " * 30 + "end")
    for arguments in (["list"], ["list", "--clients"], ["claim", "list"],
                      ["matrix"], ["show", "ciscosb-prov-1"],
                      ["which", "SPA232D"]):
        out = terminal(["ca", *arguments], environment)
        assert "cybertrust" in out or "cisco" in out
        assert fits(out.replace("\r", "")), out


def test_show_server(good):
    out = good("ca", "show", "ciscosb-prov-1")
    assert fits(out)
    assert "root that devices trust" in out
    assert "2009-09-25T00:57:30Z to 2050-06-30T00:57:30Z" in out
    assert "no, since 2022-12-01" in out
    assert ("d2358cf65519d8e74cb71ed5a4b3f60db4fad1baf09d5c4ae5e8c7edb4448aa2"
            in out)
    assert re.search(r"SRP5xx +SRP521 SRP541\n +any firmware \(vendor, high\)"
                     r" \[SPA-LIST\]\n", out)
    assert "[FW-7.5.2B] firmware image spa50x-30x-7-5-2b.bin" in out
    shown = json.loads(good("ca", "show", "ciscosb-prov-1", "--json"))
    assert shown["signs"] == "no" and shown["signed_until"] == "2022-12-01"
    assert {row["model"] for row in shown["trusted_by"]} >= {"SPA504G",
                                                             "SRP521"}
    assert "SPA-LIST-2022" in shown["sources"]


@pytest.mark.parametrize("ca, texts", [
    ("ciscosb-client-2", ["2035-06-28", "same serial number"]),
    ("cmca3", ["issuer cbarc2099", "Cisco Manufacturing CA III",
               "published as cmca3.cer", "DP-9841"]),
    ("cisco-root-2048", ["root over device certificates; some devices hold it "
                         "as a root for servers too", "Trusted by:",
                         "exponent 3", "CP-7811-3PCC"]),
    ("gte-cybertrust-root", ["X.509 version 1", "expired"]),
    ("custom-ca", ["not one certificate", "the slot for a CA of one's own"]),
    ("act2-sudi", ["no model by default"]),
    ("cybertrust-sureserver-sv", ["issuer gte-cybertrust-root"]),
    ("verisign-c3-any", ["SPA525G2"]),
])
def test_show(good, ca, texts):
    out = words(good("ca", "show", ca))
    for text in texts:
        assert text in out
    assert json.loads(good("ca", "show", ca, "--json"))["id"] == ca


def test_show_counts(good, fleet):
    out = words(good("ca", "show", "ciscosb-prov-2"))
    assert ("SPA504G SPA508G SPA509G SPA512G SPA514G SPA525G SPA525G2 7.5.6 "
            "and later (vendor, high) [SPA-LIST] 1 device " in out)


# which


def test_which_firmware(good):
    out = good("ca", "which", "SPA504G@7.5.2b")
    assert fits(out)
    trusted, rest = out.split("NOT TRUSTED")
    for ca in ("sipura-prov-1", "linksys-prov-1", "linksys-voice-test",
               "ciscosb-prov-1", "gte-cybertrust-root",
               "cybertrust-sureserver-sv", "verisign-c3-pca-g5",
               "verisign-c3-ssca-g3", "custom-ca"):
        assert "\n  %s " % ca in trusted
    assert "\n  ciscosb-prov-2 " in rest
    assert ("firmware, high: the certificate is in the firmware image; 7.5.2b "
            "only [FW-7.5.2B]" in words(trusted))
    assert "With firmware 7.5.6 and later: ciscosb-prov-2." in rest
    assert ("A certificate that you have already from: sipura-prov-1 "
            "ciscosb-prov-1" in rest)
    assert "[FW-7.5.2B] firmware image" in rest
    rows = by_ca(good("ca", "which", "SPA504G@7.5.2b", "--json"))
    assert rows["ciscosb-prov-2"]["verdict"] == "not"
    decided = rows["ciscosb-prov-2"]["spans"][0]["decided_by"]
    assert decided["basis"] == "firmware" and decided["source"] == "FW-7.5.2B"
    assert rows["verisign-c3-any"]["verdict"] == "unknown"


def test_which_tested(good):
    rows = by_ca(good("ca", "which", "SPA962@6.1.5(a)", "--json"))
    verdicts = {ca: row["verdict"] for ca, row in rows.items()
                if row["verdict"] != "unknown"}
    assert verdicts == {"sipura-prov-1": "trusted",
                        "linksys-prov-1": "trusted",
                        "ciscosb-prov-1": "not", "ciscosb-prov-2": "not"}
    assert rows["ciscosb-prov-1"]["spans"][0]["decided_by"]["basis"] == \
        "tested"
    out = words(good("ca", "which", "SPA962@6.1.5(a)"))
    assert ("tested, high: a user's test was refused; 6.1.5(a) only "
            "[SPA-LIST-TEST]" in out)
    assert ("A certificate that you have already from: sipura-prov-1 "
            in out)


def test_which_without_firmware(good):
    out = good("ca", "which", "SPA122")
    assert fits(out)
    depends = out.split("DEPENDS ON THE FIRMWARE")[1].split("NOT TRUSTED")[0]
    assert ("ciscosb-prov-2 Cisco SB 2 signs before 1.3.3: not inferred, "
            "medium: the vendor's list names later firmware only; before "
            "1.3.3 [SPA-LIST] 1.3.3 and later: trusted vendor, high: named in "
            "the vendor's list; 1.3.3 and later [SPA-LIST]" in words(depends))
    assert "With firmware 1.3.3 and later: ciscosb-prov-2." in out
    rows = by_ca(good("ca", "which", "SPA122", "--json"))
    row = rows["ciscosb-prov-2"]
    assert row["verdict"] is None and row["depends_on_firmware"]
    assert [(span["firmware"], span["verdict"]) for span in row["spans"]] == [
        ("before 1.3.3", "not"), ("1.3.3 and later", "trusted")]
    assert rows["ciscosb-prov-1"]["verdict"] == "trusted"


def test_which_nothing_works(good):
    assert ("what remains is an encrypted profile over HTTP" in
            words(good("ca", "which", "PAP2")))
    out = good("ca", "which", "SPA1001")
    assert "NOBODY SAYS" in out and "\nTRUSTED" not in out


def test_every_model(good):
    """No model makes too wide lines, or fails."""
    for block in json.loads(good("ca", "matrix", "--json")):
        assert fits(good("ca", "which", block["models"][0]))


# matrix


def test_matrix(good):
    out = good("ca", "matrix")
    assert fits(out)
    assert re.search(r"^SPA962\n  before 6\.1\.5\(a\) +Y \. \. \. n", out,
                     re.M)
    assert re.search(r"^  6\.1\.5\(a\) only +Y Y \. N n", out, re.M)
    assert "Nothing is known of:" in out
    out = good("ca", "matrix", "--family", "spa1XX")
    assert "SPA112" in out and "SPA504G" not in out
    assert good("ca", "matrix", "-f", "SPA-122") == out


def test_matrix_counts_devices(sprov, good):
    result = sprov("ca", "matrix", "--devices")
    assert result.status == 1 and "no inventory to count" in result.err
    for number, (model, firmware) in enumerate((
            ("SPA122", "1.3.2"), ("SPA122", "1.4.1"), ("SPA122", "1.4.3"),
            ("SPA122", None), ("PAP2", None), ("PAP2", "3.1.23"))):
        good("device", "add", "000e08aabb%02d" % number, model,
             *(("-f", firmware) if firmware else ()))
    out = good("ca", "matrix", "--devices")
    assert fits(out)
    assert re.search(r"^  after 1\.3\.1\(003\), before 1\.3\.3\n +1 \. ", out, re.M)
    assert re.search(r"^  1\.4\.1 and later +2 y", out, re.M)
    assert re.search(r"^  firmware not known +1$", out, re.M)
    blocks = {block["models"][0]: block for block in json.loads(
        good("ca", "matrix", "--devices", "--json"))}
    assert blocks["SPA122"]["devices"] == 4
    assert blocks["SPA122"]["firmware_unknown"] == 1
    # Where versions make no difference, one that is not known makes none.
    assert blocks["PAP2"]["firmware_unknown"] == 0
    assert [row["devices"] for row in blocks["PAP2"]["rows"]] == [2]


def test_matrix_says_what_which_says(good):
    for block in json.loads(good("ca", "matrix", "--json")):
        for row in block["rows"]:
            if row["from"] is None or row["from_exclusive"]:
                continue
            model = block["models"][-1]
            which = by_ca(good("ca", "which", "%s@%s" % (model, row["from"]),
                               "--json"))
            assert {ca: cell["verdict"] for ca, cell in row["cas"].items()} \
                == {ca: one["verdict"] for ca, one in which.items()}


def test_page_is_made_of_the_registry(tmp_path):
    subprocess.run([str(SOURCE / "tools/docs"), str(BINARY.parent),
                    str(tmp_path)], check=True)
    for page in tmp_path.iterdir():
        assert page.read_text() == (SOURCE / "docs" / page.name).read_text(), \
            "tools/docs makes it anew"


# claim


def test_claims(sprov, good, tmp_path):
    out = good("ca", "claim", "add", "spa-504g@7.5.2b", "ciscosb-prov-2",
               "trusted", "--note", "lab phone 4", "--date", "2026-01-02")
    assert out.startswith("claim 1: SPA504G at 7.5.2b trusts ciscosb-prov-2\n")
    assert ("against it: firmware, high: the certificate is not in the "
            "firmware image; 7.5.2b only [FW-7.5.2B]" in words(out))
    # Beside the inventory, in the form of the registry's claims.
    path = tmp_path / "claims.tsv"
    assert path.read_text() == HEADS + (
        "ciscosb-prov-2\tSPA504G\t7.5.2b\t7.5.2b\ttrusted\ttested\thigh\t"
        "lab phone 4\town test 2026-01-02\n")
    # It decides, and what it contradicts is shown.
    which = by_ca(good("ca", "which", "SPA504G@7.5.2b",
                       "--json"))["ciscosb-prov-2"]
    assert which["verdict"] == "trusted"
    assert which["spans"][0]["decided_by"]["own"]
    assert {claim["basis"] for claim in
            which["spans"][0]["contradictions"]} == {"firmware", "inferred"}
    out = words(good("ca", "which", "SPA504G@7.5.2b"))
    assert ("own claim, tested, high: lab phone 4; 7.5.2b only [own test "
            "2026-01-02] against it: firmware, high: the certificate is not "
            "in the firmware image" in out)
    # The matrix marks it.
    assert re.search(r"^SPA504G\n", good("ca", "matrix"), re.M)
    assert "Y*" in good("ca", "matrix", "-f", "SPA5xx")

    out = good("ca", "claim", "add", "SPA962@6.1.3", "custom-ca", "not")
    assert out == "claim 2: SPA962 at 6.1.3 does not trust custom-ca\n"
    out = good("ca", "claim", "list")
    assert "SPA962@6.1.3" in out and "own test " + TODAY in out
    rows = json.loads(good("ca", "claim", "list", "--json"))
    assert [row["ca"] for row in rows] == ["ciscosb-prov-2", "custom-ca"]
    assert rows[1]["reason"] == "tried here" and rows[1]["own"]

    result = sprov("ca", "claim", "add", "SPA962@6.1.3", "custom-ca",
                   "trusted")
    assert result.status == 1
    assert ('claim 2 is about this already; "sprov ca claim remove 2" takes '
            "it away" in result.err)

    assert good("ca", "claim", "remove", "1") == \
        "removed: SPA504G ciscosb-prov-2 trusted\n"
    assert "SPA504G" not in path.read_text()
    assert by_ca(good("ca", "which", "SPA504G@7.5.2b", "--json"))[
        "ciscosb-prov-2"]["verdict"] == "not"
    result = sprov("ca", "claim", "remove", "2")
    assert result.status == 1
    assert result.err.endswith("there is no claim 2, only 1\n")


def test_own_contradicts_own(good, tmp_path):
    """An older observation of the server remains visible."""
    (tmp_path / "claims.tsv").write_text(HEADS + (
        "sipura-prov-1\tSPA962\t*\t*\tnot\tobserved\thigh\trefused with "
        "unknown_ca\tserver\n"))
    out = good("ca", "claim", "add", "SPA962@5.1", "sipura-prov-1", "trusted")
    assert "against it: own claim, observed, high: refused" in words(out)
    row = by_ca(good("ca", "which", "SPA962@5.1", "-j"))["sipura-prov-1"]
    assert row["verdict"] == "not"


def test_claims_elsewhere(sprov, good, tmp_path):
    path = tmp_path / "mine.tsv"
    good("ca", "claim", "add", "-c", path, "SPA962@6.1.3", "custom-ca", "not")
    assert good("ca", "claim", "list", "--claims", path) == \
        good("ca", "claim", "list", SPROV_CLAIMS=str(path))
    assert not (tmp_path / "claims.tsv").exists()
    os.chmod(path, 0o600)
    good("ca", "claim", "add", "-c", path, "SPA962@6.1.4", "custom-ca", "not")
    assert path.stat().st_mode & 0o777 == 0o600
    result = sprov("ca", "which", "-c", tmp_path / "none.tsv", "SPA962")
    assert result.status == 1 and "none.tsv" in result.err
    # Named by the environment it may come later.
    good("ca", "which", "SPA962", SPROV_CLAIMS=str(tmp_path / "none.tsv"))
    result = sprov("ca", "claim", "list", SPROV_CLAIMS="none.tsv")
    assert result.status == 0 and result.out == ""
    assert result.err == ('sprov: none.tsv: no claims yet; "sprov ca claim '
                          'add" adds one\n')


def test_claims_that_cannot_be_read(sprov, tmp_path):
    """Who may not read the server's own ones may ask all the same."""
    (tmp_path / "claims.tsv").mkdir()
    result = sprov("ca", "which", "SPA962")
    assert result.status == 0 and "sipura-prov-1" in result.out
    assert result.err.startswith("sprov: going on without own claims: ")
    result = sprov("ca", "which", "SPA962",
                   SPROV_CLAIMS=str(tmp_path / "claims.tsv"))
    assert result.status == 1
    result = sprov("ca", "claim", "add", "SPA962@6.1.3", "custom-ca", "not")
    assert result.status == 1


def test_claims_in_no_folder(sprov, tmp_path):
    result = sprov("ca", "claim", "add", "-c", tmp_path / "no/claims.tsv",
                   "SPA962@6.1.3", "custom-ca", "not")
    assert result.status == 1
    assert "make the folder %s/no" % tmp_path in result.err


def test_claims_of_many_at_once(sprov, good, tmp_path):
    """Concurrent additions are all there in the end."""
    def add(number):
        good("ca", "claim", "add", "SPA962@6.1.%d" % number, "custom-ca",
             "not")

    threads = [threading.Thread(target=add, args=(number,))
               for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(json.loads(good("ca", "claim", "list", "-j"))) == 8


def test_remove_keeps_comments(good, tmp_path):
    path = tmp_path / "claims.tsv"
    row = "custom-ca\tSPA962\t%s\t*\tnot\ttested\thigh\tr\ts"
    path.write_text(HEADS + "# mine\n\n" + row % "5" + "\n# two\n" + row % "6")
    good("ca", "claim", "remove", "1")
    assert path.read_text() == HEADS + "# mine\n\n# two\n" + row % "6" + "\n"
    good("ca", "claim", "add", "SPA962@7", "custom-ca", "not")
    assert "custom-ca, 7" not in good("ca", "claim", "list")
    assert "SPA962, 6 and later" in good("ca", "claim", "list")
    assert "SPA962@7" in good("ca", "claim", "list")


@pytest.mark.parametrize("arguments, status, message", [
    (["SPA504G", "custom-ca", "not"], 2, '"SPA504G": wanted MODEL@FIRMWARE: a '
     'test is about one version, such as SPA504G@7.5.6'),
    (["SPA504X@7", "custom-ca", "not"], 1, 'model "SPA504X" is not known; did '
     'you mean SPA504G, SPA501G, SPA502G, SPA508G or SPA509G?'),
    (["SPA504G@7", "custom", "not"], 1, 'CA "custom" is not known; did you '
     'mean custom-ca?'),
    (["SPA504G@7", "cmca", "not"], 1, "cmca signs devices; no device trusts a "
     "server because of it"),
    (["SPA504G@7", "custom-ca", "yes"], 2,
     '"yes": wanted "trusted" or "not"'),
    (["SPA504G@7", "custom-ca", "not", "-n", ""], 1,
     "the note is 0 bytes long: wanted 1 to 200"),
    (["SPA504G@7", "custom-ca", "not", "-n", "x" * 201], 1,
     "the note is 201 bytes long: wanted 1 to 200"),
    (["SPA504G@7", "custom-ca", "not", "-n", "a\tb"], 1, "the note has a "
     "character outside printable ASCII, which files of claims cannot hold"),
    (["SPA504G@7", "custom-ca", "not", "-n", "geprüft"], 1, "the note has a "
     "character outside printable ASCII, which files of claims cannot hold"),
    (["SPA504G@7", "custom-ca", "not", "-n", " a"], 1,
     'the note " a": wanted words, without blanks around them'),
    (["SPA504G@7", "custom-ca", "not", "-d", "2026-02-30"], 1,
     'date "2026-02-30": wanted a day such as ' + TODAY),
    (["SPA504G@7", "custom-ca", "not", "-d", "yesterday"], 1,
     'date "yesterday": wanted a day such as ' + TODAY),
    (["SPA504G@7", "custom-ca", "not", "-d", "2099-01-01"], 1,
     'date "2099-01-01": is after today, ' + TODAY),
])
def test_claim_refused(sprov, tmp_path, arguments, status, message):
    result = sprov("ca", "claim", "add", *arguments)
    assert (result.status, result.err) == (status, "sprov: %s\n" % message)
    assert not (tmp_path / "claims.tsv").exists()


def test_bad_file_of_claims(sprov, tmp_path):
    path = tmp_path / "claims.tsv"
    text = HEADS + "a\tb\ncustom-ca\tSPA5\t*\t*\tyes\ttested\thigh\tr\t-\n"
    path.write_text(text)
    for arguments in (["which", "SPA962"], ["list"], ["matrix"],
                      ["claim", "list"], ["claim", "remove", "1"],
                      ["claim", "add", "SPA962@6", "custom-ca", "not"],
                      ["show", "custom-ca"], ["identify", "x"]):
        result = sprov("ca", *arguments)
        assert result.status == 1 and result.out == ""
        for number, message in ((2, "2 columns: wanted 9"),
                                (3, 'model "SPA5": is unknown'),
                                (3, 'verdict "yes": wanted one of'),
                                (3, "no source")):
            assert "sprov: %s:%d: %s" % (path, number, message) in result.err
    assert path.read_text() == text
    assert sprov("ca", "claim", "remove", "x").status == 2


# identify


def make_key(bits=2048):
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def make_cert(common_name, issuer_name, key, issuer_key, days=30, ca=False,
              start=None, serial=None, attribute=NameOID.COMMON_NAME):
    now = datetime.datetime.now(datetime.timezone.utc)
    start = start if start is not None else now - datetime.timedelta(days=90)
    builder = x509.CertificateBuilder(
        issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME,
                                                  issuer_name)]),
        subject_name=x509.Name([x509.NameAttribute(attribute, common_name)]),
        public_key=key.public_key(),
        serial_number=serial or x509.random_serial_number(),
        not_valid_before=start,
        not_valid_after=max(now, start) + datetime.timedelta(days=days))
    builder = builder.add_extension(x509.BasicConstraints(ca, None), False)
    return builder.sign(issuer_key, hashes.SHA256())


def pem(*certs):
    return b"".join(cert.public_bytes(serialization.Encoding.PEM)
                    for cert in certs)


SB2 = "Cisco Small Business Provisioning Root Authority 2"


@pytest.fixture(scope="module")
def keys():
    return make_key(), make_key()


@pytest.fixture
def server_files(tmp_path, keys):
    leaf = make_cert("prov.example.net/info@example.net", SB2, keys[0],
                     keys[1])
    root = make_cert(SB2, SB2, keys[1], keys[1], ca=True)
    cert, key = tmp_path / "server.crt", tmp_path / "server.key"
    cert.write_bytes(pem(leaf, root))
    chain = tmp_path / "chain.crt"
    chain.write_bytes(pem(root))
    key.write_bytes(keys[0].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    return cert, key, chain


def test_identify_file(good, fleet, server_files):
    out = good("ca", "identify", server_files[0])
    assert fits(out)
    assert ("Signed by ciscosb-prov-2 (Cisco SB 2), recognised by name alone: "
            "the signature could not be checked; signs" in words(out))
    assert "RSA 2048 bits, signed with sha256" in out
    assert "29 days left" in out or "30 days left" in out
    assert ("Signed with SHA-2, which these are assumed not to know: SPA3xx "
            "before 7.5.6; SPA5xx before 7.5.6; SPA1xx before 1.3.3; SPA2xxD "
            "before 1.3.3; 0 of the devices." in words(out))
    found = json.loads(good("ca", "identify", "--json", server_files[0]))
    assert found["ca"] == "ciscosb-prov-2" and found["by"] == "by name"
    assert found["devices_accept"] == 2
    assert sum(row["devices"] for row in found["accepted_by"]) == 2


def test_identify_unknown(sprov, tmp_path, keys):
    path = tmp_path / "x.crt"
    path.write_bytes(pem(make_cert("x.example.net", "Example Root", keys[0],
                                   keys[1])))
    result = sprov("ca", "identify", path)
    assert result.status == 3
    assert "Signed by no CA that is known." in result.out
    assert json.loads(sprov("ca", "identify", "-j", path).out)["ca"] is None


def test_identify_through_intermediate(sprov, tmp_path, keys):
    middle = make_cert("R99", "ISRG Root X1", keys[1], keys[0], ca=True)
    path = tmp_path / "x.crt"
    path.write_bytes(pem(make_cert("x.example.net", "R99", keys[0], keys[1]),
                         middle))
    found = json.loads(sprov("ca", "identify", "-j", path).out)
    assert found["ca"] == "isrg-root-x1"
    # Not through one that has not signed.
    path.write_bytes(pem(make_cert("x.example.net", "R99", keys[0], keys[0]),
                         middle))
    assert json.loads(sprov("ca", "identify", "-j", path).out)["ca"] is None


@pytest.mark.parametrize("arguments, message", [
    ({"days": -1}, "the certificate expired on "),
    ({"start": datetime.datetime(2090, 1, 1, tzinfo=datetime.timezone.utc)},
     "the certificate is not valid yet"),
    ({"common_name": "*.example.net"}, "the common name is a wildcard"),
    ({"attribute": NameOID.ORGANIZATION_NAME},
     "the subject has no common name"),
    ({"issuer_name": "Cisco Linksys Provisioning Root Authority 1"},
     "the CA expired on 2015-06-30"),
])
def test_identify_attention(sprov, tmp_path, keys, arguments, message):
    path = tmp_path / "x.crt"
    path.write_bytes(pem(make_cert(**{
        "common_name": "x.example.net", "issuer_name": SB2, "key": keys[0],
        "issuer_key": keys[1], **arguments})))
    result = sprov("ca", "identify", path)
    assert result.status == 3
    assert message in words(result.out)


def test_identify_bad_file(sprov, tmp_path):
    path = tmp_path / "x.crt"
    path.write_text("nothing")
    result = sprov("ca", "identify", path)
    assert result.status == 1 and "holds no certificate" in result.err
    result = sprov("ca", "identify", tmp_path / "none.crt")
    assert result.status == 1 and "none.crt" in result.err


class Server:
    """openssl s_server on a free port."""

    def __init__(self, files, *arguments):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            ["openssl", "s_server", "-accept", "127.0.0.1:%d" % self.port,
             "-cert", files[0], "-cert_chain", files[2], "-key", files[1],
             *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.PIPE)
        for line in self.process.stdout:
            if line.startswith(b"ACCEPT"):
                break

    def __enter__(self):
        return self.port

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()


@pytest.mark.parametrize("arguments, options, version", [
    ([], [], "TLS1.3"),
    ([], ["--old"], "TLS1.2"),
    (["-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0"], [], "TLS1.0"),
    (["-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0"], ["--old"], "TLS1.0"),
    (["-Verify", "1", "-verify_return_error", "-tls1_2"], [], ""),
])
def test_identify_server(sprov, server_files, arguments, options, version):
    with Server(server_files, *arguments) as port:
        result = sprov("ca", "identify", *options, "127.0.0.1:%d" % port)
    assert result.status == 0, result
    first = result.out.splitlines()[0]
    assert first.startswith("127.0.0.1:%d: 127.0.0.1:%d" % (port, port))
    assert first.endswith(version)
    assert "Signed by ciscosb-prov-2" in result.out
    assert "  shown     2" in result.out


def test_identify_no_server(sprov):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        result = sprov("ca", "identify", "127.0.0.1:%d" % port)
        assert result.status == 1 and "refused" in result.err
        silent.listen(1)
        result = sprov("ca", "identify", "-t", "200", "127.0.0.1:%d" % port)
        assert result.status == 1 and "no answer in time" in result.err
    result = sprov("ca", "identify", "none.invalid:443")
    assert result.status == 1
    assert ("none.invalid: no such file, and no host of that name" in
            result.err)


# bundle


def test_bundle(sprov, tmp_path, keys):
    expired = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    certs = [
        make_cert("Cisco Manufacturing CA III", "X", keys[0], keys[1], ca=True,
                  serial=5),
        make_cert("Sipura Technology Client Root Authority 1", "X", keys[0],
                  keys[1], ca=True, serial=5),
        make_cert("Example Root", "Example Root", keys[1], keys[1], ca=True,
                  start=expired, days=-100),
        make_cert(SB2, SB2, keys[1], keys[1], ca=True),
    ]
    path = tmp_path / "anchors.crt"
    path.write_bytes(pem(*certs, certs[0]))
    result = sprov("ca", "bundle", path)
    # The first line has the path, which is as long as it is.
    assert result.status == 3 and fits(result.out.split("\n", 1)[1])
    text = words(result.out)
    assert "1 cmca3, by name: Cisco Manufacturing CA III" in text
    assert "sipura-client-1, BY NAME ONLY" in text
    assert "has the serial number of 1, but is another certificate" in text
    attention = text.split("NEEDS ATTENTION")[1]
    for message in (
            "2: has the name of sipura-client-1, but is another certificate "
            "with another key",
            "3: is no client anchor that is known",
            "3: expired on ",
            "4: ciscosb-prov-2 signs servers, not devices",
            "5: is 1 once more: remove one",
            "missing: cbarc2099 (Cisco Basic Assurance Root CA 2099)",
            "missing: sipura-client-1 (Sipura Technology Client Root "
            "Authority 1)"):
        assert message in attention
    assert "missing: cmca3" not in attention
    found = json.loads(sprov("ca", "bundle", "--json", path).out)
    assert found["certificates"][4]["same_as"] == 1
    assert found["certificates"][1]["same_serial_as"] == 1
    assert not found["certificates"][1]["genuine"]
    assert "hasudi" in {row["ca"] for row in found["missing"]}


def test_bundle_of_a_fleet(sprov, good, tmp_path, keys):
    """What no device of the fleet needs is no problem."""
    good("device", "add", MAC % 1, "PAP2")
    path = tmp_path / "anchors.crt"
    path.write_bytes(pem(make_cert(
        "LAB Cisco Linksys Client Root Authority 1", "X", keys[0], keys[1],
        ca=True)))
    out = good("ca", "bundle", path)
    assert "Nothing needs attention." in out
    assert "lets in PAP2 (1 device)" in words(out)
    good("device", "add", MAC % 2, "SPA962")
    result = sprov("ca", "bundle", path)
    assert result.status == 3
    assert words(result.out).count("missing: ") == 1
    assert "missing: sipura-client-1" in words(result.out)


def test_bundle_folder(sprov, tmp_path, keys):
    folder = tmp_path / "anchors"
    folder.mkdir()
    result = sprov("ca", "bundle", folder)
    assert result.status == 1
    assert "holds no *.pem, *.crt or *.cer" in result.err
    for number, name in enumerate(("b.pem", "a.cer", "c.txt", ".d.pem")):
        (folder / name).write_bytes(pem(make_cert(
            "Root %d" % number, "X", keys[0], keys[1], ca=True)))
    found = json.loads(sprov("ca", "bundle", "-j", folder).out)
    assert [row["file"] for row in found["certificates"]] == ["a.cer",
                                                              "b.pem"]
    assert "(a.cer)" in sprov("ca", "bundle", folder).out
    os.rename(os.fsencode(folder / "a.cer"), os.fsencode(folder) +
              b"/a\xff\x1b.cer")
    found = json.loads(sprov("ca", "bundle", "-j", folder).out)
    assert found["certificates"][0]["file"] == "a\\xff\\x1b.cer"
    (folder / "e.pem").write_text("nothing")
    result = sprov("ca", "bundle", folder)
    assert result.status == 1 and "e.pem" in result.err
    assert sprov("ca", "bundle", tmp_path / "none").status == 1


@pytest.mark.skipif(
    not (REFERENCE / "ca/client-bundle/combinedca.crt").exists(),
    reason="the reference certificates are not here")
def test_real_bundle(sprov):
    path = REFERENCE / "ca/client-bundle/combinedca.crt"
    result = sprov("ca", "bundle", path)
    # The first line has the path, which is as long as it is.
    assert result.status == 3 and fits(result.out.split("\n", 1)[1])
    text = words(result.out)
    for message in (
            "1: linksys-client-1 expired on 2025-05-19: devices under it are "
            "refused, unless sprov.conf has allow-expired-anchor \"Cisco "
            "Linksys Client Root Authority 1\"",
            "missing: cmca3 (Cisco Manufacturing CA III)",
            "missing: cbarc2099 (Cisco Basic Assurance Root CA 2099)",
            "missing: hasudi (High Assurance SUDI CA)",
            "missing: cisco-root-2099 (Cisco Root CA 2099)",
            "missing: cisco-root-m1 (Cisco Root CA M1)"):
        assert message in text
    assert ("4 ciscosb-client-2, by certificate: Cisco Small Business Client "
            "Root Authority 2 RSA 2048, signed with sha1, weak, valid to "
            "2035-06-28 has the serial number of 3, but is another "
            "certificate" in text)
    found = json.loads(sprov("ca", "bundle", "-j", path).out)
    assert [row["ca"] for row in found["certificates"]] == [
        "linksys-client-1", "sipura-client-1", "ciscosb-client-1",
        "ciscosb-client-2", "cmca", "cisco-root-2048", "cmca-sha2",
        "cisco-root-m2"]
    assert all(row["by"] == "by certificate"
               for row in found["certificates"])
    assert [row["number"] for row in found["certificates"]
            if row["same_serial_as"]] == [4]
    result = sprov("ca", "bundle",
                   REFERENCE / "ca/sipura-generic-client-cert.pem")
    assert result.status == 3
    assert "sipura-generic-client: remove it" in words(result.out)


@pytest.mark.skipif(not (REFERENCE / "ca").exists(),
                    reason="the reference certificates are not here")
@pytest.mark.parametrize("name, ca", [
    ("sipura-provisioning-root-authority-1", "sipura-prov-1"),
    ("cisco-sb-provisioning-root-authority-1", "ciscosb-prov-1"),
    ("verisign-class3-secure-server-ca-g3", "verisign-c3-ssca-g3"),
])
def test_identify_real_ca(sprov, name, ca):
    result = sprov("ca", "identify", REFERENCE / ("ca/%s.pem" % name))
    assert "This is the CA %s (" % ca in words(result.out)
    assert "recognised by certificate" in words(result.out)
