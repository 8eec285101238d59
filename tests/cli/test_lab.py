"""sprov lab: the main job on loopback, as an operator sees it."""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess

import pytest

import labs
from daemon import is_root, wait_until

ENOUGH_MODELS = 50


def firmware_of(lab, *models):
    """The devices of these models, in the order of the report: oldest
    firmware first."""
    return [device for device in lab.devices.values()
            if device.model in models]


# What the run says


def test_all_is_as_expected(lab):
    assert lab.status == 0
    summary = lab.report["summary"]
    assert summary["passed"] is True
    assert summary["models"] >= ENOUGH_MODELS
    assert summary["models_with_ca"] >= ENOUGH_MODELS
    assert summary["models_provisioned"] == summary["models_with_ca"]
    assert summary["devices_provisioned"] == summary["devices_with_ca"]
    assert summary["handshakes_as_expected"] == summary["handshakes"]
    assert summary["refusals_as_expected"] == summary["refusals"]


def test_summary_counts_what_is_listed(lab):
    report, summary = lab.report, lab.report["summary"]
    devices = report["devices"]
    assert summary["devices"] == len(devices) == len(lab.devices)
    assert summary["models"] == len({row["model"] for row in devices})
    cells = [cell for row in devices for cell in row["cas"].values()]
    assert summary["handshakes"] == len(cells)
    assert summary["handshakes_as_expected"] == sum(
        cell["as_expected"] for cell in cells)
    assert summary["refusals"] == len(report["refusals"])
    led = [row for row in devices if "resync" in row]
    assert summary["devices_with_ca"] == len(led)
    assert summary["devices_provisioned"] == sum(
        row["resync"]["profile_identical"] for row in led)
    assert summary["models_with_ca"] == len({row["model"] for row in led})


def test_every_model_with_a_trusted_ca_is_provisioned(lab):
    provisioned = set()
    for device in lab.devices.values():
        accepted = {ca for ca, cell in device.cas.items()
                    if cell["accepted"]}
        assert bool(device.resync) == bool(accepted), device.label
        if device.resync:
            assert device.resync["outcome"] == "provisioned", device.label
            assert device.resync["profile_identical"] is True, device.label
            assert device.resync["ca"] in accepted, device.label
            provisioned.add(device.model)
    assert len(provisioned) >= ENOUGH_MODELS


def test_the_models_that_must_be_there(lab):
    """The families, by name."""
    models = {device.model for device in lab.devices.values()}
    assert models >= {
        "PAP2", "PAP2T", "WRTP", "RTP", "WRP400", "SPA2000", "SPA2102",
        "SPA3000", "SPA3102", "SPA901", "SPA921", "SPA922", "SPA941",
        "SPA942", "SPA962", "SPA301", "SPA303", "SPA501G", "SPA502G",
        "SPA504G", "SPA508G", "SPA509G", "SPA512G", "SPA514G", "SPA525G",
        "SPA525G2", "SPA112", "SPA122", "SPA232D", "SRP521", "SRP541",
        "ATA191-MPP", "ATA192-MPP",
        "CP-8841-3PCC"}


def test_json_has_the_same_keys_everywhere(lab):
    assert set(lab.report) == {"summary", "directory", "ports", "devices",
                               "refusals", "server_pid", "admin"}
    assert lab.report["directory"] == str(lab.folder)
    for device in lab.report["devices"]:
        assert set(device["cas"]) == set(lab.ports)
        for cell in device["cas"].values():
            assert set(cell) - {"alert"} == {"claims", "accepted", "outcome",
                                             "as_expected"}
    for refusal in lab.report["refusals"]:
        assert set(refusal) == {"form", "what", "path", "status", "reason",
                                "leaked", "as_expected"}
        assert refusal["leaked"] is False
        assert refusal["status"] in (400, 403, 404), refusal


def test_refusals_of_every_form(lab):
    by_form = {}
    for refusal in lab.report["refusals"]:
        by_form.setdefault(refusal["form"], []).append(refusal["what"])
    assert set(by_form) == {"documented", "observed", "mic"}
    assert len(set(map(tuple, by_form.values()))) == 1, "the same for each"
    assert set(by_form["mic"]) >= {
        "another device's profile", "no certificate", "generic certificate",
        "certificate of an unknown CA", "expired certificate",
        "parts that disagree", "unknown MAC", "retired device",
        "dot segments", "encoded dots", "other case of the path",
        "doubled slashes"}


def test_progress_is_shown(lab):
    lines = lab.progress.splitlines()
    assert len(lines) >= 5
    assert all(line.startswith("lab: ") for line in lines)
    assert "lab: starting the server" in lines


# What is known for certain, by real handshakes

TESTED = [
    ("SPA112@1.3.1(003)", "linksys-prov-1", "trusted"),
    ("SPA112@1.3.1(003)", "sipura-prov-1", "trusted"),
    ("SPA112@1.3.1(003)", "ciscosb-prov-1", "trusted"),
    ("SPA112@1.3.1(003)", "verisign-c3-any", "not"),
    ("SPA232D@1.3.1(003_240)", "linksys-prov-1", "trusted"),
    ("SPA232D@1.3.1(003_240)", "sipura-prov-1", "trusted"),
    ("SPA232D@1.3.1(003_240)", "ciscosb-prov-1", "trusted"),
    ("SPA232D@1.3.1(003_240)", "verisign-c3-any", "not"),
    ("SPA962@6.1.5(a)", "linksys-prov-1", "trusted"),
    ("SPA962@6.1.5(a)", "sipura-prov-1", "trusted"),
    ("SPA962@6.1.5(a)", "ciscosb-prov-1", "not"),
    ("SPA962@6.1.5(a)", "verisign-c3-any", "unknown"),
    ("SPA525G2@7.5.4", "linksys-prov-1", "trusted"),
    ("SPA525G2@7.5.4", "sipura-prov-1", "trusted"),
    ("SPA525G2@7.5.4", "ciscosb-prov-1", "trusted"),
]


@pytest.mark.parametrize("label, ca, claims", TESTED)
def test_tested_rows(lab, label, ca, claims):
    cell = lab.device(label).cas[ca]
    assert cell["claims"] == claims
    assert cell["accepted"] is (claims == "trusted")
    if claims == "trusted":
        assert cell["outcome"] == "provisioned" and "alert" not in cell
    else:
        assert cell["outcome"] == "untrusted"
        assert cell["alert"] == "unknown_ca"


def ordered(version):
    """Enough of an order for the firmware of these families."""
    return [int(n) for n in re.findall(r"\d+", version)[:3]], version[5:]


SPA5XX = ["SPA301", "SPA303", "SPA501G", "SPA502G", "SPA504G", "SPA508G",
          "SPA509G", "SPA512G", "SPA514G", "SPA525G", "SPA525G2"]


@pytest.mark.parametrize("model, since", [
    *[(model, [1, 3, 3]) for model in ("SPA112", "SPA122", "SPA232D")],
    *[(model, [7, 5, 6]) for model in SPA5XX],
])
def test_cisco_sb_2_since(lab, model, since):
    """Accepted from that firmware on, and by none before."""
    devices = [device for device in firmware_of(lab, model)
               if device.firmware]
    for device in devices:
        accepted = device.cas["ciscosb-prov-2"]["accepted"]
        assert accepted is (ordered(device.firmware)[0] >= since), \
            device.label
    seen = {device.cas["ciscosb-prov-2"]["accepted"] for device in devices}
    # The SPA525G is older than the change: some have no later firmware.
    assert seen == {True, False} or model == "SPA525G", devices


def test_every_family_that_should_takes_cisco_sb_2(lab):
    takes = {device.family for device in lab.devices.values()
             if device.cas["ciscosb-prov-2"]["accepted"]}
    never = {device.family for device in lab.devices.values()} - takes
    assert "SPA5xx" in takes and "SPA9xx" in never


# What is printed for people


class Run:
    """sprov lab in the background."""

    def __init__(self, base, *arguments):
        self.base = base
        self.process = subprocess.Popen(
            **labs.command(base, *arguments), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)

    def finish(self):
        self.out, self.err = self.process.communicate(timeout=300)
        self.status = self.process.returncode
        return self


@pytest.fixture(scope="module")
def both():
    """Two labs at once: one kept in a folder, one without any option."""
    bases = labs.make_base(), labs.make_base()
    # Where a user without rights cannot go the lab works all the same.
    inner = bases[0] / "private" / "open"
    inner.mkdir(parents=True)
    inner.parent.chmod(0o700)
    runs = Run(bases[0], "--keep", "--dir", inner / "lab"), Run(bases[1])
    kept, plain = [run.finish() for run in runs]
    kept.folder = inner / "lab"
    found = re.search(r"\(process (\d+)\)", kept.out)
    kept.pid = int(found.group(1)) if found else None
    yield kept, plain
    if kept.pid and labs.is_running(kept.pid):
        labs.stop(kept.pid)
    for base in bases:
        shutil.rmtree(base)


@pytest.fixture
def text(both):
    """The one that was kept."""
    return both[0]


def rows(out):
    """The rows of the table: name and marks."""
    found = []
    for line in out.splitlines():
        match = re.match(r"(\S.*?|  .*?)\s+((?:[Yn?xds!] ){5,}[Yn?xds!])$",
                         line)
        if match:
            found.append(match.groups())
    return found


def test_text(text, lab):
    assert text.status == 0, (text.out[-2000:], text.err)
    assert "All as expected." in text.out
    assert "NOT AS EXPECTED" not in text.out
    table = rows(text.out)
    assert len(table) >= 20
    columns = {len(marks.split()) for _, marks in table}
    assert columns == {len(lab.ports)}
    used = {mark for _, marks in table for mark in marks.split()}
    assert used >= set("Yn?x") and "!" not in used
    for ca in lab.ports:
        assert re.search(r"^  [a-z]  %s " % re.escape(ca), text.out,
                         re.MULTILINE), ca


def test_dashboard(text):
    """The code that it prints is good for one login."""
    code = re.search(r"^([0-9a-f-]{24}):$", text.out, re.MULTILINE).group(1)
    port = int(re.search(r"http://127.0.0.1:(\d+)/", text.out).group(1))

    def log_in():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("POST", "/api/v1/login", json.dumps(
            {"name": "lab", "code": code, "password": "twelve bytes +"}),
            {"Content-Type": "application/json"})
        answer = connection.getresponse()
        body = json.loads(answer.read())
        connection.close()
        return answer, body

    answer, body = log_in()
    assert answer.status == 200 and "write" in body["scopes"], body
    assert answer.getheader("Set-Cookie").startswith("__Host-")
    assert log_in()[0].status == 401


def test_text_says_what_json_says(text, lab):
    """One row per kind of answer: each is that of some device."""
    mark = {"trusted": "Y", "not": "n", "unknown": "?",
            "trusted-but-expired": "x", "trusted-but-digest-too-new": "d",
            "trusted-but-name-not-in-san": "s"}
    wanted = {" ".join(mark[device.cas[ca]["claims"]] for ca in lab.ports)
              for device in lab.devices.values()}
    assert {marks for _, marks in rows(text.out)} == wanted


def test_text_fits_a_terminal(text):
    """All but folders and the commands to copy."""
    out = text.out.partition("The server goes on")[0]
    long = [line for line in out.splitlines() if len(line) > 80]
    assert not long


def commands(out):
    """The shell commands that are offered, in order."""
    blocks = re.findall(r":\n\n((?:  .*\n)+)", out.partition("goes on")[2])
    return [re.sub(r"^  ", "", block, flags=re.MULTILINE)
            for block in blocks]


def run_shell(line, base):
    """As an operator who copies it, with this sprov on the PATH."""
    here = base / "bin"
    here.mkdir(exist_ok=True)
    if not (here / "sprov").exists():
        (here / "sprov").symlink_to(labs.BINARY)
    return subprocess.run(
        ["sh", "-c", line], capture_output=True, timeout=60, check=False,
        stdin=subprocess.DEVNULL,
        env={**labs.ENVIRONMENT,
             "PATH": "%s:%s" % (here, os.environ["PATH"])})


def test_what_to_try_works(text):
    """The last test with that lab: the last command removes it."""
    tries = commands(text.out)
    assert len(tries) == 5, text.out[-3000:]
    page, curl, openssl, simulate, remove = tries
    out = run_shell("curl -sSi " + page, text.base)
    assert out.stdout.startswith(b"HTTP/1.1 200 OK\r\n"), out
    assert curl.startswith("curl ") and " -tls1 " in openssl
    for line in curl, openssl:
        out = run_shell(line, text.base)
        assert out.returncode == 0, (line, out)
        assert b"<flat-profile>" in out.stdout, (line, out)
    assert b"HTTP/1.1 200 OK\r\n" in out.stdout
    out = run_shell(simulate, text.base)
    assert out.returncode == 0, out
    assert b": provisioned (class A)" in out.stdout, out
    assert labs.is_running(text.pid)
    assert run_shell(remove, text.base).returncode == 0
    wait_until(lambda: not labs.is_running(text.pid), "the server's end")
    assert not text.folder.exists()


# How it ends


@pytest.fixture
def base():
    made = labs.make_base()
    yield made
    shutil.rmtree(made)


def test_nothing_is_left(both):
    """Without --dir and --keep."""
    _, plain = both
    assert plain.status == 0
    assert list(plain.base.iterdir()) == []
    assert "goes on" not in plain.out


def children(pid):
    return [int(child) for child in open(
        "/proc/%d/task/%d/children" % (pid, pid)).read().split()]


def begin(base, *arguments):
    """Start a lab, return when its server is up: the lab, its server."""
    lab = Run(base, *arguments).process
    for line in lab.stderr:
        if "every device before every listener" in line:
            break
    (pid,) = children(lab.pid)
    return lab, pid


def test_a_server_that_dies_is_a_problem(base):
    """Status 3, and the folder stays for those who look for the cause."""
    lab, pid = begin(base)
    os.kill(pid, signal.SIGKILL)
    out, _ = lab.communicate(timeout=120)
    assert lab.returncode == 3, out[-2000:]
    assert "SOMETHING WAS NOT AS EXPECTED." in out
    assert re.search(r"^NOT AS EXPECTED: .* before ", out, re.MULTILINE)
    assert re.search(r"^NOT AS EXPECTED: resync of ", out, re.MULTILINE)
    (folder,) = base.iterdir()
    assert "are in\n%s." % folder in out.replace("are in %s" % folder,
                                                 "are in\n%s" % folder)
    assert (folder / "serve.log").exists()


def test_interrupted(base):
    """The server ends with the lab."""
    lab, pid = begin(base, "--dir", base / "lab")
    lab.send_signal(signal.SIGINT)
    lab.communicate(timeout=30)
    assert lab.returncode == 128 + signal.SIGINT
    wait_until(lambda: not labs.is_running(pid), "the end of the server")


def test_folder_in_use(base, sprov):
    (base / "kept").write_text("something\n")
    result = sprov("lab", "--dir", base)
    assert result.status == 1
    assert result.out == ""
    assert "%s is not empty: name a new folder" % base in result.err
    assert [path.name for path in base.iterdir()] == ["kept"]


def test_folder_that_cannot_be(base, sprov):
    (base / "file").write_text("something\n")
    result = sprov("lab", "--dir", base / "file")
    assert result.status == 1 and result.out == ""
    assert "file" in result.err


def test_drops_root(lab):
    if not is_root():
        pytest.skip("needs root")
    status = open("/proc/%d/status" % lab.pid).read()
    assert not re.search(r"^Uid:.*\b0\b", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s1$", status, re.MULTILINE)


def test_usage(sprov):
    assert sprov("lab", "there").status == 2
    assert sprov("lab", "--dir").status == 2
    assert "--keep" in sprov("lab", "--help").out


def test_secrets_are_not_in_the_log(lab):
    """Every device had its password and its key."""
    log = lab.log.text()
    assert "Password" not in log and "p&" not in log
    for path in lab.folder.glob("*/*.key"):
        body = path.read_text().splitlines()[1:-1]
        assert not any(line in log for line in body), path
