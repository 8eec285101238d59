"""sprov plan: what is planned, printed and written, and that it works.

The last part takes a lab's certificates, serves exactly the listener blocks
that were planned, and lets simulated devices follow the planned rules.
"""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import pytest

from conftest import BINARY
from daemon import free_port

FLEET = """model,firmware,count
SPA504G,7.5.2b,40
SPA504G,7.6.2f,100
SPA962,6.1.5(a),12
SPA122,,30
CP-8841-3PCC,12.0(7)SR2,200
PAP2,,2
DP-9841,5.0.1,5
"""

# Covered by the one CA that signs.
EASY = "model,firmware,count\nSPA504G,7.6.2f,3\nCP-8841-3PCC,12.0(3),4\n"


@pytest.fixture
def plan(sprov, tmp_path):
    """Plan for the text of a CSV file."""

    def run(fleet, *options, **environment):
        (tmp_path / "fleet.csv").write_text(fleet, encoding="utf-8")
        return sprov("plan", "--csv", "fleet.csv", *options, **environment)

    return run


def from_json(result):
    return json.loads(result.out)


# What is printed


def test_help(good):
    out = good("plan", "--help")
    assert out.startswith("usage: sprov plan ")
    assert all(len(line) <= 80 for line in out.splitlines())


def test_easy(plan):
    result = plan(EASY, "--at", "2026-11-23")
    assert result.status == 0 and result.err == ""
    assert result.out.startswith(
        "As of 2026-11-23: 7 devices of 2 kinds; 7 covered by 1 CA, 0 left "
        "out.\n")
    for line in (
            "ciscosb-prov-2 192.0.2.1:443 1.0 up       7 to be signed",
            "prov.example.net. A 192.0.2.1",
            "listener ciscosb-prov-2 {",
            "    https://prov.example.net/spa$MA.cfg",
            "    CN=prov.example.net, RSA 2048, to be signed with SHA-256",
            "    devices: SPA504G, CP-8841-3PCC"):
        assert line + "\n" in result.out, line
    assert "Left out" not in result.out


def test_width(plan):
    """80 columns, but for rules."""
    for options in ([], ["--without", "gone"], ["--layout", "hosts"],
                    ["--drop-tls", "1.0"], ["--at", "2040-01-01"]):
        result = plan(FLEET, *options)
        assert result.status == 3
        for line in result.out.splitlines():
            assert len(line) <= 80 or "https://" in line, line
            assert line == line.rstrip()


def test_json(plan):
    result = plan(FLEET, "--json", "--at", "2026-11-23")
    assert result.status == 3
    out = from_json(result)
    assert (out["devices"], out["covered"], out["left_out"]) == (389, 384, 5)
    assert out["unsupplied"] == 84
    assert out["at"] == "2026-11-23T00:00:00Z"
    groups = {(g["model"], g["firmware"]): g for g in out["groups"]}
    old = groups["SPA504G", "7.5.2b"]
    assert old["listener"] == "ciscosb-prov-1"
    assert old["claim"]["basis"] == "firmware"
    assert old["reason"] == "supply"
    assert [way["kind"] for way in old["ways"]] == [
        "upgrade", "own-root", "encrypt", "replace"]
    assert old["ways"][0]["firmware"] == "7.5.6"
    new = groups["SPA504G", "7.6.2f"]
    assert (new["listener"], new["reason"], new["ways"]) == (
        "ciscosb-prov-2", "covered", [])
    desk = groups["DP-9841", "5.0.1"]
    assert (desk["listener"], desk["reason"], desk["rule"]) == (
        None, "allow", None)
    assert out["csrs"] == [{
        "ca": "ciscosb-prov-2", "common_name": "prov.example.net",
        "product": "SPA1xx 1.3.3+, SPA232D 1.3.3+, SPA5xx 7.5.6+, "
        "CP-78xx-3PCC, CP-88xx-3PCC", "needs_san": False,
        "models": ["SPA504G", "CP-8841-3PCC"]}]
    assert out["universal_rule_error"] is None


def test_what_if(plan):
    gone = from_json(plan(FLEET, "--json", "--without", "gone"))
    assert [one["ca"] for one in gone["listeners"]] == ["ciscosb-prov-2"]
    assert gone["unsupplied"] == 0 and gone["left_out"] == 89
    none = plan(FLEET, "--without", "gone", "--without", "ciscosb-prov-2")
    assert none.status == 3
    assert none.err == ("sprov: no CA covers any device of this fleet "
                        "(389 devices)\n")
    assert ("it accepts ciscosb-prov-2, which is left out of this plan" in
            " ".join(none.out.split()))
    modern = plan(FLEET, "--drop-tls", "1.0", "--json")
    out = from_json(modern)
    assert [(one["ca"], one["tls"]) for one in out["listeners"]] == [
        ("ciscosb-prov-2", "modern")]
    assert {g["model"]: g["reason"] for g in out["groups"]} == {
        "SPA504G": "tls", "SPA962": "tls", "SPA122": "tls", "PAP2": "tls",
        "CP-8841-3PCC": "covered", "DP-9841": "allow"}
    own = from_json(plan(FLEET, "--allow", "custom-ca", "--json"))
    assert own["left_out"] == 0


def test_hold(plan):
    held = from_json(plan(FLEET, "--json", "--hold", "ciscosb-prov-1",
                          "--hold", "linksys-prov-1"))
    assert {one["ca"]: one["supply"] for one in held["listeners"]} == {
        "ciscosb-prov-1": "held", "linksys-prov-1": "held",
        "ciscosb-prov-2": "to-be-signed"}
    assert held["unsupplied"] == 0


def test_layouts(plan):
    def places(*options):
        out = from_json(plan(FLEET, "--json", *options))
        return [(one["host"], one["address"], one["port"], one["machine"])
                for one in out["listeners"]]

    assert places("--host", "voice", "--domain", "example.org", "--address",
                  "198.51.100.7", "--port", "8443", "--port", "443",
                  "--port", "3443", "--port", "4443") == [
        ("voice.example.org", "198.51.100.7", port, 1)
        for port in (8443, 443, 3443)]
    assert places("--layout", "hosts")[1] == (
        "ciscosb-prov-1.example.net", "192.0.2.2", 443, 2)
    assert places("--layout", "addresses,ports", "--address", "192.0.2.8",
                  "--address", "192.0.2.9") == [
        ("prov-1.example.net", "192.0.2.8", 443, 1),
        ("prov-2.example.net", "192.0.2.9", 443, 1),
        ("prov-1.example.net", "192.0.2.8", 3443, 1)]


def test_only_parts(plan):
    config = plan(EASY, "--config")
    assert config.status == 0
    assert config.out.startswith("# Cisco SB 2, for prov.example.net:\n")
    assert config.out.rstrip().endswith("}")
    rules = plan(EASY, "--rules")
    rows = [line.split("\t") for line in rules.out.splitlines()]
    assert rows == [
        ["model", "firmware", "devices", "listener", "rule"],
        ["SPA504G", "7.6.2f", "3", "ciscosb-prov-2",
         "https://prov.example.net/spa$MA.cfg"],
        ["CP-8841-3PCC", "12.0(3)", "4", "ciscosb-prov-2",
         "https://prov.example.net/spa$MA.cfg"],
        ["*", "*", "7", "*", "https://prov.example.net/spa$MA.cfg"]]


def test_standard_input(sprov):
    result = sprov("plan", "--csv", "-", "--rules", stdin=EASY)
    assert result.status == 0
    bad = sprov("plan", "--csv", "-", stdin="model\nSPA111\n")
    assert bad.err.startswith("sprov: standard input:2:1: ")


def test_inventory(sprov, good):
    good("device", "add", "000e08aabbcc", "SPA504G", "--firmware", "7.6.2f")
    good("device", "add", "000e08aabbcd", "SPA962")
    good("device", "set", "000e08aabbcd", "state=retired")
    out = from_json(sprov("plan", "--json"))
    assert out["devices"] == 1 and out["groups"][0]["model"] == "SPA504G"
    good("device", "set", "000e08aabbcc", "firmware=12.0(3)")
    result = sprov("plan")
    assert result.status == 1 and result.out == ""
    assert result.err == (
        'sprov: 000e08aabbcc: firmware "12.0(3)" cannot be that of a '
        'SPA504G: those known are 7.4.3a to 7.6.2g; "sprov device set '
        '000e08aabbcc firmware=..." mends it\n')


def test_inventory_like_a_list(sprov, good, tmp_path):
    """The counts that the inventory keeps lead where a list of all leads."""
    rows = ["000e08aa%04x,%s,%s" % (
        i, ("SPA504G", "PAP2T", "SPA962", "SPA2102")[i % 4],
        ("", "5.2.8")[i % 3 == 0 and i % 4 == 3]) for i in range(200)]
    fleet = tmp_path / "devices.csv"
    fleet.write_text("mac,model,firmware\n" + "\n".join(rows) + "\n")
    good("device", "import", str(fleet))
    good("device", "set", "000e08aa0000", "firmware=7.6.2")
    good("device", "set", "000e08aa0001", "model=SPA122")
    good("device", "set", "000e08aa0002", "state=retired")
    good("device", "remove", "000e08aa0003")
    left = rows[4:] + ["000e08aa0000,SPA504G,7.6.2", "000e08aa0001,SPA122,"]
    out = []
    for options in ([], ["--without", "gone"], ["--allow", "custom-ca"]):
        mine = sprov("plan", "--json", *options)
        listed = sprov("plan", "--json", "--csv", "-", *options,
                       stdin="model,firmware\n" + "\n".join(
                           row.split(",", 1)[1] for row in left) + "\n")
        assert mine.out == listed.out and mine.status == listed.status
        out.append(from_json(mine)["devices"])
    assert out == [198] * 3


# A folder


def test_out(plan, tmp_path):
    result = plan(EASY, "--out", "planned")
    assert result.status == 0
    files = sorted(p.name for p in (tmp_path / "planned").iterdir())
    assert files == ["listeners.conf", "plan.json", "rules.tsv",
                     "universal-rule.txt"]
    assert json.loads((tmp_path / "planned/plan.json").read_text())[
        "devices"] == 7
    again = plan(EASY, "--out", "planned")
    assert again.status == 1
    assert "listeners.conf is there already" in again.err


def test_out_for_machines(plan, tmp_path):
    result = plan(FLEET, "--layout", "hosts", "--hold", "ciscosb-prov-1",
                  "--hold", "linksys-prov-1", "--out", "planned")
    assert result.status == 3, result
    configs = sorted((tmp_path / "planned").glob("machine-*.conf"))
    assert len(configs) == 3
    for config in configs:
        assert config.read_text().count("listener ") == 1


# Mistakes: a line each, the status, nothing written

BAD_FILES = [
    ("model,firmware\nSPA504G,7.5.2b\nSPA111,1.4.1\n",
     'fleet.csv:3:1: unknown model "SPA111"; did you mean SPA112?'),
    ("model,firmware\nSPA504G,banana\n",
     'fleet.csv:2:9: firmware "banana": column 1: a number is wanted first; '
     'wanted a version such as 7.5.2b, 1.3.1(003) or 11-1-0MSR4'),
    ("model,firmware\nSPA504G,11.3.1\n",
     'fleet.csv:2:9: firmware "11.3.1" cannot be that of a SPA504G: those '
     'known are 7.4.3a to 7.6.2g'),
    ("mac,model\n000e08aabbcc,SPA962\n000e08aabbcc,SPA962\n",
     "fleet.csv:3:1: the device 000e08aabbcc is in line 2 already"),
    ("model\n", "fleet.csv: there is no device in it"),
    ("", "fleet.csv:1:1: the file is empty: the first row has to name the "
     'columns, "model" among them'),
]


@pytest.mark.parametrize("text, message", BAD_FILES)
def test_bad_files(plan, tmp_path, text, message):
    result = plan(text, "--out", "planned")
    assert result.status == 1
    assert result.err == "sprov: %s\n" % message
    assert result.out == ""
    assert not (tmp_path / "planned").exists()


def test_no_file(sprov):
    result = sprov("plan", "--csv", "none.csv")
    assert result.status == 1
    assert result.err == "sprov: none.csv: No such file or directory\n"
    result = sprov("plan", "--certificates", "none")
    assert result.status == 1
    assert result.err == "sprov: none: No such file or directory\n"


def test_no_inventory(sprov, good):
    result = sprov("plan")
    assert result.status == 1 and "--inventory names another" in result.err
    good("device", "add", "000e08aabbcc", "SPA504G")
    good("device", "remove", "000e08aabbcc")
    result = sprov("plan")
    assert result.status == 1
    assert result.err == (
        'sprov: there is no device in the inventory; "sprov device add" adds '
        'one, --csv FILE plans without it\n')


def test_nobody_holds(plan, tmp_path):
    """A CA that signs no more, and no certificate of it."""
    result = plan("model\nPAP2\n", "--out", "planned")
    assert result.status == 3
    assert result.err == (
        "sprov: a certificate from linksys-prov-1 is needed for 1 device, "
        "and the CA signs no more: --hold linksys-prov-1 if you have one, "
        "--without gone to plan with what can be had\n"
        "sprov: nothing was written to planned: the plan cannot be carried "
        "out\n")
    assert not (tmp_path / "planned").exists()


def test_nothing_covered(plan, tmp_path):
    result = plan("model,firmware,count\nSPA8000,6.1.12,4\n", "--out",
                  "planned")
    assert result.status == 3
    assert result.err.startswith(
        "sprov: no CA covers any device of this fleet (4 devices)\n")
    assert "nothing is known of what it trusts" in result.out
    assert not (tmp_path / "planned").exists()


@pytest.mark.parametrize("options, message", [
    (["--hold", "ciscosb-prov-3"], "--hold ciscosb-prov-3: no CA that "
     "devices trust; did you mean ciscosb-prov-1?"),
    (["--hold", "cmca"], "--hold cmca: no CA that devices trust; expected "
     "one such as ciscosb-prov-2"),
    (["--without", "sipura"], "--without sipura: no CA that devices trust; "
     "expected one such as ciscosb-prov-2"),
    (["--allow", "all"], "--allow all: expected custom-ca or "
     "public-ca-bundle"),
    (["--drop-tls", "1.2"], "--drop-tls 1.2: expected 1.0 or 1.1"),
    (["--at", "2027-02-30"], "--at 2027-02-30: expected a day such as "
     "2027-01-31"),
    (["--at", "tomorrow"], "--at tomorrow: expected a day such as "
     "2027-01-31"),
    (["--layout", "clouds"], "--layout clouds: expected ports, addresses, "
     "hosts, addresses,ports or hosts,ports"),
    (["--host", "-x"], "--host -x: expected a name such as prov or "
     "prov.example.net"),
    (["--domain", "a..b"], "--domain a..b: expected a name such as "
     "example.net"),
    (["--address", "2001:db8::1"], "--address 2001:db8::1: expected an IPv4 "
     "address: devices look up A records only"),
    (["--address", "192.0.2.1", "--address", "192.0.2.1"],
     "--address 192.0.2.1: given twice"),
    (["--port", "443", "--port", "443"], "--port 443: given twice"),
    (["--json", "--rules"], "--config, --rules and --json or --dhcp "
     "exclude each other"),
])
def test_usage(plan, options, message):
    result = plan(EASY, *options)
    assert result.status == 2
    assert result.err == "sprov: %s\n" % message
    assert result.out == ""


def test_too_few_places(plan):
    result = plan(FLEET, "--port", "443")
    assert result.status == 1 and result.out == ""
    assert result.err == ("sprov: 3 listeners need a port each, and 1 is "
                          "given: name more with --port\n")


# On the lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A lab's folder; its server is stopped again."""
    folder = tmp_path_factory.mktemp("lab") / "lab"
    run = subprocess.run([BINARY, "lab", "--keep", "--json", "--dir", folder],
                         capture_output=True, timeout=300, check=True)
    os.kill(json.loads(run.stdout)["server_pid"], signal.SIGTERM)
    return folder


@pytest.fixture(scope="module")
def lab_fleet(lab):
    """Its fleet as a CSV text."""
    rows = [line.split("\t") for line in
            (lab / "fleet.tsv").read_text().splitlines()]
    return "".join("%s,%s\n" % (row[1], row[2]) for row in rows)


def test_certificates_folder(plan, lab):
    """The CA, name and dates of what lies there are found out."""
    (lab / "servers" / "note.pem").write_text("no certificate\n")
    (lab / "servers" / "broken.crt").write_text("no certificate\n")
    (lab / "servers" / "broken.key").write_text("no key\n")
    result = plan(EASY, "--certificates", lab / "servers", "--json")
    for name in ("note.pem", "broken.crt", "broken.key"):
        (lab / "servers" / name).unlink()
    assert result.status == 0
    assert re.fullmatch(r"sprov: not counted: .*broken\.crt.*\n", result.err)
    one, = from_json(result)["listeners"]
    assert (one["supply"], one["host"]) == (
        "held", "ciscosb-prov-2.lab.example.net")
    assert one["certificate"]["path"] == str(
        lab / "servers" / "ciscosb-prov-2.crt")


def test_unknown_certificate(plan, lab, tmp_path):
    """A device's certificate is from no CA that devices trust."""
    device = next((lab / "devices").glob("*.crt"))
    (tmp_path / "ours").mkdir()
    for suffix in (".crt", ".key"):
        (tmp_path / "ours" / ("x" + suffix)).write_bytes(
            device.with_suffix(suffix).read_bytes())
    result = plan(EASY, "--certificates", "ours")
    assert "x.crt: not counted: its CA is none" in result.err


TRUSTED = ["sipura-prov-1", "linksys-prov-1", "ciscosb-prov-1",
           "linksys-voice-test", "gte-cybertrust-root",
           "cybertrust-sureserver-sv", "verisign-c3-pca-g5",
           "verisign-c3-ssca-g3", "verisign-c3-pca-g1",
           "verisign-c3-ssca-2005", "ciscosb-prov-2"]


def test_reasons(plan, lab):
    """What depends on certificates that we have, and on the day."""
    def why(fleet, *options):
        result = plan("model,firmware\n" + fleet + "\n", "--certificates",
                      lab / "servers", "--json", *options)
        return from_json(result)["groups"][0]["why"]

    without = [text for ca in TRUSTED for text in ("--without", ca)]
    assert why("SPA504G,7.5.2b", "--allow", "custom-ca", *without[:-2]) == (
        "it accepts ciscosb-prov-1, which is left out of this plan")
    assert why("CP-8831-3PCC,9.3(4)", "--at", "2040-01-01").startswith(
        "it looks at dates, and ")
    assert why("CP-7841-3PCC,12.0(3)", "--drop-tls", "1.0", "--without",
               "ciscosb-prov-2").startswith("it accepts ciscosb-prov-2")
    later = plan("model\nSPA962\n", "--certificates", lab / "servers",
                 "--at", "2030-01-01")
    assert later.status == 0
    assert re.search(r"^sipura-prov-1 .* expired 20\d\d-\d\d-\d\d$",
                     later.out, re.M)
    assert "none of these devices looks at dates" in later.out
    public = plan("model,firmware\nCP-6841-3PCC,12.0(3)\n", *without)
    assert "then plan with --allow public-ca-bundle" in " ".join(
        public.out.split())
    doubtful = plan("model,firmware\nSPA504G,7.6.2g\n", *without)
    assert doubtful.status == 3
    assert "may sign no more" in doubtful.err


@pytest.mark.parametrize("options", [
    [], ["--layout", "hosts"], ["--layout", "addresses"],
    ["--drop-tls", "1.0"], ["--without", "ciscosb-prov-2"],
    ["--allow", "custom-ca", "--allow", "public-ca-bundle"]])
def test_config_is_accepted(plan, sprov, lab, lab_fleet, options):
    """serve --check takes the blocks as they are."""
    blocks = plan(lab_fleet, "--certificates", lab / "servers", "--config",
                  *options)
    assert blocks.status in (0, 3)
    assert "listener " in blocks.out
    path = lab / "checked.conf"
    path.write_text(blocks.out)
    result = sprov("serve", "--check", "--config", path)
    assert result.status == 0, result


def test_config_without_files(plan, sprov, lab):
    """What is still to be signed gets the names of files to come."""
    path = lab / "to-come.conf"
    path.write_text(plan(EASY, "--config").out)
    result = sprov("serve", "--check", "--config", path)
    assert result.status == 1 and "ciscosb-prov-2.crt" in result.err
    for suffix in (".crt", ".key"):
        (lab / ("ciscosb-prov-2" + suffix)).write_bytes(
            (lab / "servers" / ("ciscosb-prov-2" + suffix)).read_bytes())
        (lab / ("ciscosb-prov-2" + suffix)).chmod(0o600)
    assert sprov("serve", "--check", "--config", path).status == 0


@pytest.fixture
def served(plan, lab, lab_fleet, tmp_path):
    """The lab's fleet planned and served: rows of rules."""
    options = ["--certificates", lab / "servers", "--address", "127.0.0.1"]
    for port in [free_port() for _ in range(8)]:
        options += ["--port", port]
    config = plan(lab_fleet, *options, "--config").out
    head = (lab / "sprov.conf").read_text().split("\n# ")[0]
    path = lab / "planned.conf"
    path.write_text(head + "\n" + config)
    log = tmp_path / "serve.log"
    with open(log, "wb") as stream:
        server = subprocess.Popen([BINARY, "serve", "--config", path],
                                  stdout=stream, stderr=stream)
    ports = [int(p) for p in re.findall(r"address 127\.0\.0\.1:(\d+)",
                                        config)]
    try:
        wait_for(ports, server, log)
        rows = [line.split("\t") for line in
                plan(lab_fleet, *options, "--rules").out.splitlines()[1:]]
        yield rows
    finally:
        server.terminate()
        server.wait(timeout=30)


def wait_for(ports, server, log):
    deadline = time.monotonic() + 30
    for port in ports:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert server.poll() is None and \
                    time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)


def test_rules_by_handshakes(sprov, lab, served):
    """A third of the covered devices, and two at least of each listener, are
    provisioned by the one rule for all, and some by their own, too."""
    universal = [row[4] for row in served if row[0] == "*"]
    assert len(universal) == 1 and len(universal[0]) <= 4096
    assert universal[0].count(" | ") > 10
    tried = {}
    covered = [row for row in served if row[0] != "*" and row[3]]
    assert len(covered) > 100
    for number, (model, firmware, _, listener, rule) in enumerate(covered):
        device = model + ("@" + firmware if firmware else "")
        if number % 3 > 0 and tried.get(listener, 0) >= 2:
            continue
        tried[listener] = tried.get(listener, 0) + 1
        rules = [universal[0]] + ([rule] if tried[listener] <= 2 else [])
        for one in rules:
            result = sprov("simulate", "--lab", lab, "--as", device, "--json",
                           one)
            assert result.status == 0, (device, one, result)
            answer = json.loads(result.out)
            assert answer["outcome"] == "provisioned"
            assert answer["url"].split("/")[2] == rule.split("/")[2], device
    assert len(tried) >= 5


def test_left_out_by_handshakes(sprov, lab, served):
    """Those left out are so for a reason: no listener's certificate does."""
    rules = {row[4] for row in served if row[0] != "*" and row[3]}
    left_out = [row for row in served if row[0] != "*" and not row[3]]
    assert left_out
    for model, firmware, _, _, _ in left_out[::8]:
        device = model + ("@" + firmware if firmware else "")
        for rule in rules:
            result = sprov("simulate", "--lab", lab, "--as", device, "--json",
                           rule)
            assert result.status == 3
            assert json.loads(result.out)["outcome"] in (
                "untrusted", "wrong-name", "handshake")


# The documentation

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / \
    "docs" / "ca-no-longer-signs.md"


def test_document(tmp_path, environment):
    """Every command of the page does what the page shows: "[3] text" is the
    exit status and a line on standard error, other lines are in the output,
    in this order."""
    text = DOCUMENT.read_text(encoding="utf-8")
    (tmp_path / "fleet.csv").write_text(
        re.search(r"```csv\n(.*?)```", text, re.S).group(1))
    blocks = re.findall(r"```console\n(.*?)```", text, re.S)
    assert len(blocks) >= 5
    for block in blocks:
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, shown = part.partition("\n")
            run = subprocess.run(
                ["sh", "-c", command.replace("sprov ", "%s " % BINARY)],
                cwd=tmp_path, env=environment, capture_output=True,
                encoding="utf-8", check=False)
            lines = iter(run.stdout.splitlines())
            status = 0
            for line in shown.splitlines():
                if line.startswith("[3] "):
                    status = 3
                    assert "sprov: %s\n" % line[4:] in run.stderr
                else:
                    assert line in lines, (command, line, run.stdout)
            assert run.returncode == status, (command, run.stderr)


def test_power_cut(sprov):
    """What spreads a fleet, for its size and the servers' capacity."""
    fleet = "model,firmware,count\nSPA504G,7.5.6,100000\n"
    out = sprov("plan", "--csv", "-", "--capacity", "1500", stdin=fleet).out
    assert "  Resync_Random_Delay 5 (100 s): 1000 devices a second" in out
    assert "  Resync_Error_Retry_Delay 120+120,360+120,3600+120\n" in out
    found = json.loads(sprov("plan", "--csv", "-", "--capacity", "4000",
                             "--json", stdin=fleet).out)["power_cut"]
    assert found["factory_suffices"] and found["Resync_Random_Delay"] == 2
    # Without a capacity: that of one core, and only where it matters.
    out = sprov("plan", "--csv", "-", stdin=fleet).out
    assert ("After a power cut, at 1000 resyncs a second (--capacity says how "
            "many):\n  Resync_Random_Delay 7 (140 s): 714 devices a second "
            "instead of 2500\n  Resync_Error_Retry_Delay "
            "180+180,540+180,3600+180\n" in out)
    small = fleet.replace("100000", "32000")
    assert "power cut" not in sprov("plan", "--csv", "-", stdin=small).out
    result = sprov("plan", "--csv", "-", "--capacity", "0", stdin=fleet)
    assert result.status == 2 and '--capacity "0"' in result.err
