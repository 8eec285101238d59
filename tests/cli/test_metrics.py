"""What GET /metrics says, when the server is ready, and the files for those
who watch it."""

import datetime
import json
import os
import re
import shutil
import subprocess

import pytest

import minting

from adminapi import Admin
from conftest import MAC, OTHER, Small
from daemon import TREE, free_port, wait_until

PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not there: package prometheus")

SAMPLE = re.compile(r'^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)",?')


class Figures(dict):
    """Samples by name; each a list of labels and value."""

    def __init__(self, text):
        super().__init__()
        self.families = set()
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                self.families.add(line.split()[2])
            if line.startswith("#"):
                continue
            name, labels, value = SAMPLE.match(line).groups()
            self.setdefault(name, []).append(
                (dict(LABEL.findall(labels or "")), float(value)))

    def sum(self, name, **wanted):
        return sum(value for labels, value in self.get(name, ())
                   if wanted.items() <= labels.items())


def promtool(*arguments, stdin=b""):
    done = subprocess.run([PROMTOOL, *map(str, arguments)], input=stdin,
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def start(server, listeners, more=""):
    admin = Admin(server, free_port())
    server.configure(listeners + admin.block().replace("}", more + "}"))
    admin.token = admin.add_token("metrics", "--scope", "metrics")
    server.start()
    return admin


@pytest.fixture(name="admin", scope="module")
def watched(pki):
    """A server that has served, refused and failed a few."""
    server = Small(pki)
    plain = free_port()
    admin = start(server, server.listener("one") + (
        "listener open {\n    address 127.0.0.1:%d\n    plain-http\n}\n"
        % plain))
    for path, certificate in (("/spa%s.cfg" % MAC, "device"),
                              ("/spa%s.cfg" % MAC, "device"),
                              ("/spa%s.cfg" % OTHER, "device"),
                              ("/spa%s.cfg" % MAC, None)):
        server.get(path, certificate=certificate)
    # A client that does not trust the CA says so with an alert.
    subprocess.run(
        ["openssl", "s_client", "-connect", "127.0.0.1:%d" % server.port,
         "-verify_return_error", "-CAfile", str(server.folder /
                                                "anchors.pem"),
         "-tls1_2"], stdin=subprocess.DEVNULL, capture_output=True,
        timeout=30, check=False)
    # One that knows no TLS, and one that breaks off without a word.
    subprocess.run(
        ["curl", "--silent", "http://127.0.0.1:%d/x" % server.port],
        capture_output=True, timeout=30, check=False)
    subprocess.run(
        ["curl", "--silent", "http://127.0.0.1:%d/spa%s.cfg" % (plain, MAC)],
        capture_output=True, timeout=30, check=False)
    yield admin
    server.stop()  # and so with what counts devices, too
    server.close()


@pytest.fixture(name="figures")
def read_figures(admin):
    return wait_until(
        lambda: (lambda f: f if "sprov_certificate_devices" in f and
                 f.sum("sprov_handshakes_total", alert="unknown_ca")
                 else None)(
            Figures(admin.get("/metrics").body.decode())),
        "devices are counted, and the alert", patience=120)


def test_who_may_read(admin):
    answer = admin.get("/metrics")
    assert answer.status == 200
    assert answer.fields["content-type"] == \
        "text/plain; version=0.0.4; charset=utf-8"
    assert admin.get("/metrics", token=None).status == 401
    assert admin.get("/metrics?x=1").status == 400
    assert admin.ask("POST", "/metrics", body="").status == 405
    other = admin.add_token("other", "--scope", "read")
    assert admin.get("/metrics", token=other).status == 403
    # Lives or is ready: balancers ask without a token.
    assert admin.get("/healthz", token=None).status == 200
    ready = admin.get("/readyz", token=None)
    assert ready.status == 200 and ready.json == {"status": "ready"}


def test_figures(figures):
    requests = "sprov_requests_total"
    assert figures.sum(requests, listener="one", reason="own-profile",
                       result="served") == 2
    assert figures.sum(requests, listener="one", reason="other-device",
                       result="refused") == 1
    assert figures.sum(requests, listener="one", reason="no-certificate",
                       result="refused") == 1
    assert figures.sum(requests, listener="open", result="refused") == 1
    assert figures.sum(requests) == 5
    handshakes = "sprov_handshakes_total"
    assert figures.sum(handshakes, listener="one", ca="unknown",
                       result="completed") == 4
    assert figures.sum(handshakes, result="failed", alert_from="client",
                       alert="unknown_ca", tls="TLS1.2") == 1
    assert figures.sum(handshakes, result="failed") == 2
    for family, count in ("sprov_handshake_duration_seconds", 4), \
            ("sprov_answer_duration_seconds", 4):
        assert figures.sum(family + "_count", listener="one") == count
        assert figures.sum(family + "_bucket", listener="one",
                           le="+Inf") == count
        assert 0 < figures.sum(family + "_sum", listener="one") < 60
        buckets = [value for labels, value in figures[family + "_bucket"]
                   if labels["listener"] == "one"]
        assert len(buckets) == 15 and buckets == sorted(buckets)
    accepted = figures.sum("sprov_connections_accepted_total")
    assert accepted == figures.sum("sprov_connections_total") == 6
    assert figures.sum("sprov_answers_total", sent="whole") == 5
    assert figures.sum("sprov_inventory_devices") == 3
    assert figures.sum("sprov_accepting") == 1
    assert figures.sum("sprov_writer_dropped_total") == 0
    assert figures.sum("sprov_writer_queue_limit", queue="events") > 0
    assert figures.sum("sprov_profile_cache_requests_total") >= 1


def test_dates_and_devices(admin, figures):
    pki = admin.server.pki
    ends = figures["sprov_certificate_not_after_timestamp_seconds"]
    assert ends == [({"listener": "one", "ca": "unknown"},
                     pki.server.cert.not_valid_after.replace(
                         tzinfo=datetime.timezone.utc).timestamp())]
    (labels, end), = figures["sprov_anchor_not_after_timestamp_seconds"]
    assert labels["listener"] == "one" and labels["anchor"] == "Client Root"
    assert re.fullmatch("[0-9a-f]{16}", labels["fingerprint"])
    assert end == pki.client_root.cert.not_valid_after.replace(
        tzinfo=datetime.timezone.utc).timestamp()
    assert {labels["how"] for labels, _ in
            figures["sprov_certificate_devices"]} == {
                "accept", "alone", "alone_checking_dates"}
    now = datetime.datetime.now().timestamp()
    for name in "inventory_loaded", "inventory_asked", "config_loaded":
        assert now - 600 < figures.sum(
            "sprov_%s_timestamp_seconds" % name) <= now + 1


def test_labels_are_bounded(figures):
    """No device, no address of one."""
    known = {"listener", "ca", "tls", "result", "alert", "alert_from",
             "reason", "le", "outcome", "sent", "queue", "version", "how",
             "anchor", "fingerprint", "exception"}
    for samples in figures.values():
        for labels, _ in samples:
            assert set(labels) <= known
            assert MAC not in " ".join(labels.values())
            assert "127.0.0.1" not in " ".join(labels.values())
    assert sum(map(len, figures.values())) < 300


@needs_promtool
def test_promtool_reads_it(admin):
    said = promtool("check", "metrics", stdin=admin.get("/metrics").body)
    assert said == b""


def test_loopback_without_token(server):
    admin = start(server, server.listener(), "    metrics loopback\n")
    assert admin.get("/metrics", token=None).status == 200
    # That, and nothing else.
    assert admin.get("/api/v1/overview", token=None).status == 401
    # A token that is wrong is not ignored.
    assert admin.get("/metrics", token="sprov_" + 64 * "0").status == 401
    assert server.stop() == 0


def test_degraded(server):
    """It serves whom it can, and says what is wrong."""
    admin = start(server, server.listener())
    wait_until((server.folder / "events.db").exists, "the file of events")
    os.chmod(server.folder / "events.db", 0o444)
    try:
        answer = admin.get("/readyz", token=None)
    finally:
        os.chmod(server.folder / "events.db", 0o600)
    assert answer.status == 200
    assert answer.fields["content-type"] == "application/json"
    assert answer.json["status"] == "degraded"
    (missing,) = answer.json["missing"]
    assert missing["what"] == "state"
    assert missing["detail"] == answer.json["detail"] == \
        "events.db in the state directory cannot be written: " \
        "Permission denied"
    answer = admin.get("/readyz", token=None)
    assert answer.status == 200 and answer.json == {"status": "ready"}
    # A certificate that ends: who has no clock is still served.
    old = minting.authority("Old").issue(
        minting.name(CN="localhost"), hosts=["localhost"],
        days=(-100, -2))
    server.write_pair("server", old)
    server.reload()
    answer = admin.get("/readyz", token=None)
    assert answer.status == 200 and answer.json["status"] == "degraded"
    assert [m["what"] for m in answer.json["missing"]] == ["certificate"]
    assert "certificate of listener one ended at 20" in answer.json["detail"]
    assert admin.get("/healthz", token=None).status == 200


def test_not_ready_while_it_stops(server):
    """Who still waits for an answer gets it, nobody new should come."""
    admin = start(server, server.listener())
    with server.client() as client:
        client.send(b"GET /spa")
        server.process.terminate()
        server.wait_for_state("STOPPING=1")
        answer = admin.get("/readyz", token=None)
        assert answer.status == 503
        assert answer.fields["content-type"] == "application/problem+json"
        assert [m["what"] for m in answer.json["missing"]] == ["listeners"]
        assert answer.json["detail"] == answer.json["missing"][0]["detail"]
        assert admin.get("/healthz", token=None).status == 200
    assert server.ended() == 0


# For those who watch: the examples speak of figures that exist.


def expressions_of(value):
    """Every "expr" in a dashboard."""
    if isinstance(value, dict):
        if isinstance(value.get("expr"), str):
            yield value["expr"]
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from expressions_of(part)


def names_of(expression):
    return set(re.findall(r"\b(?:sprov|process)_[a-z0-9_]+", expression))


def check_names(expressions, figures):
    known = set(figures.families)
    for family in figures.families:
        if family.endswith("_duration_seconds"):
            known |= {family + "_bucket", family + "_sum",
                      family + "_count"}
    for expression in expressions:
        names = names_of(expression)
        assert names, expression
        assert names <= known, (expression, names - known)


@needs_promtool
def test_alert_rules(figures):
    rules = TREE / "docs" / "prometheus-alerts.yml"
    said = promtool("check", "rules", rules)
    assert b"rules found" in said
    expressions = re.findall(r"^ +expr: (?:\|\n)?((?:.+\n)+?)(?= +(?:for|labels):)",
                             rules.read_text(), re.MULTILINE)
    assert len(expressions) == int(
        re.search(rb"(\d+) rules found", said).group(1))
    check_names(expressions, figures)


@needs_promtool
def test_alert_rules_fire():
    """What the examples say is what happens."""
    said = promtool("test", "rules",
                    TREE / "tests" / "data" / "prometheus-alerts-test.yml")
    assert b"SUCCESS" in said


@needs_promtool
def test_grafana_dashboard(figures, tmp_path):
    dashboard = json.loads((TREE / "docs" / "grafana.json").read_text())
    expressions = list(expressions_of(dashboard))
    assert len(expressions) > 15
    check_names(expressions, figures)
    # Whether it is an expression at all, promtool knows.
    rules = tmp_path / "rules.yml"
    rules.write_text(json.dumps({"groups": [{"name": "a", "rules": [
        {"record": "r%d" % i, "expr": e}
        for i, e in enumerate(expressions)]}]}))
    promtool("check", "rules", rules)
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
