"""sprov migrate: real listeners, a thousand simulated devices, and kill -9.

The tool build/tests/fleet makes certificates and is the devices; they keep
the rules that they were last given.
"""

import fcntl
import json
import os
import re
import signal
import sqlite3
import subprocess
import time

import pytest

from adminapi import Admin
from conftest import BINARY, TREE
from daemon import free_port

FLEET = BINARY.parent / "tests" / "fleet"
OLD, NEW = "ciscosb-prov-1", "ciscosb-prov-2"


def wait_for(condition, what, seconds=60):
    """Wait until condition() is true, and return what it was."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("waited in vain: " + what)


class Site:
    """A server, its devices, and the migration between its listeners."""

    def __init__(self, folder, environment, count):
        self.folder = folder
        self.count = count
        self.environment = {name: value for name, value
                            in environment.items()
                            if name != "SPROV_INVENTORY"}
        self.config = folder / "sprov.conf"
        self.log = folder / "serve.log"
        self.server = None
        self.started = []
        self.ports = [free_port() for _ in range(2)]
        self.rules = ["https://%s.lab.example.net:%d/$MA.cfg" % pair
                      for pair in zip(("old", "new"), self.ports)]
        self.run(FLEET, "setup", folder, count, self.ports[0])
        self.configure("new")
        self.run(BINARY, "device", "import", "-i",
                 "sqlite:%s/inventory.db" % folder, folder / "devices.csv")

    def configure(self, new, templates=""):
        """new names the certificate of the new listener."""
        user = "user root\n" if os.geteuid() == 0 else ""
        self.config.write_text(user + templates + "".join(
            "listener %s {\n"
            "    address 127.0.0.1:%d\n"
            "    certificate servers/%s.crt key servers/%s.key\n"
            "    tls legacy\n"
            "    client-anchors client-anchors.pem\n"
            "}\n" % (name, port, cert, cert) for name, port, cert
            in (("old", self.ports[0], "old"), ("new", self.ports[1], new))))

    def begin(self, *arguments, **options):
        """Start a process that ends with the test at the latest."""
        process = subprocess.Popen([str(one) for one in arguments],
                                   env=self.environment, **options)
        self.started.append(process)
        return process

    def run(self, *arguments, status=0):
        """Run to the end; what it printed."""
        result = subprocess.run([str(one) for one in arguments],
                                env=self.environment, capture_output=True,
                                encoding="utf-8", timeout=120, check=False)
        assert result.returncode == status, (arguments, result)
        return result.stdout + result.stderr

    def serve(self):
        """Start the server and wait until it serves."""
        with open(self.log, "ab") as log:
            before = log.tell()
            self.server = self.begin(BINARY, "serve", "-c", self.config,
                                     stderr=log)
        wait_for(lambda: "event=started" in
                 self.log.read_text()[before:], "the server's start")

    def kill(self, process):
        """As a power cut would."""
        process.send_signal(signal.SIGKILL)
        process.wait()

    def told(self):
        """What the server tells a command that is added now."""
        out = self.folder / "told"
        script = self.folder / "tell.sh"
        script.write_text("#!/bin/sh\ncat >%s.part && mv %s.part %s\n"
                          % (out, out, out))
        script.chmod(0o755)
        with open(self.config, "a", encoding="utf-8") as config:
            config.write("notify pager {\n    command tell.sh\n"
                         "    on migration\n    every 100ms\n}\n")
        self.server.send_signal(signal.SIGHUP)
        wait_for(out.exists, "the notice")
        return json.loads(out.read_text())

    def resync(self, rounds):
        """Let all devices resync; how the last round went."""
        return json.loads(self.run(FLEET, "run", self.folder, rounds))

    def migrate(self, command, *arguments, status=0):
        """sprov migrate."""
        return self.run(BINARY, "migrate", command, "-c", self.config,
                        *arguments, status=status)

    def start(self, *arguments, status=0):
        """Begin the migration."""
        return self.migrate("start", "--from", OLD, "--to", NEW, "--rule",
                            self.rules[1], *arguments, status=status)

    def state(self, status=0):
        """What the migration says of itself."""
        return json.loads(self.migrate("status", "--json", status=status))

    def recorded(self):
        """How many devices have rows, by listener."""
        try:
            with sqlite3.connect("file:%s/resyncs.db?mode=ro" % self.folder,
                                 uri=True) as db:
                return dict(db.execute(
                    "SELECT listener, count(*) FROM resync "
                    "WHERE status = 200 GROUP BY listener"))
        except sqlite3.OperationalError:  # it is just being made
            return {}

    def wait_recorded(self, listener, count):
        """The server writes a little later than it answers."""
        wait_for(lambda: self.recorded().get(listener, 0) >= count,
                 "%d devices at %s" % (count, listener))

    def flash(self):
        """The two rules that each device has."""
        return [tuple(line.split("\t")[1:]) for line in
                (self.folder / "flash.tsv").read_text().splitlines()]

    def own_variables(self):
        """(MAC, variables) of each device; see schema/0003.sql."""
        with sqlite3.connect("file:%s/inventory.db?mode=ro" % self.folder,
                             uri=True) as db:
            rows = db.execute(
                "SELECT mac, variables FROM device ORDER BY mac").fetchall()
        return [(mac, dict(part.split("\x1f", 1)
                           for part in text.split("\x1e") if part))
                for mac, text in rows]

    def on_trial(self):
        """The devices that have a second rule."""
        return [mac for mac, own in self.own_variables()
                if "profile_rule_b" in own]

    def variables(self):
        """The two rules that each device has in the inventory."""
        return [(own.get("profile_rule"), own.get("profile_rule_b"))
                for _, own in self.own_variables()]


@pytest.fixture
def site(tmp_path, environment):
    """Make a Site with so many devices."""
    sites = []

    def make(count):
        sites.append(Site(tmp_path, environment, count))
        return sites[-1]

    yield make
    for one in sites:
        for process in one.started:
            if process.poll() is None:
                process.kill()
                process.wait()
        if one.log.exists():
            lines = [line for line in one.log.read_text().splitlines()
                     if "event=request" not in line]
            print("\n".join(lines[-40:]))


def test_a_thousand_devices_through_kills(site):
    """SB 1 to SB 2, with server and migration killed in the middle."""
    here = site(1000)
    here.serve()
    assert here.resync(1) == {"devices": 1000, "provisioned": 1000,
                              "failed": 0}
    here.wait_recorded("old", 1000)
    here.start("--waves", "5%,100%", "--min-wait", "1h")
    assert [wave["devices"] for wave in here.state()["waves"]] == [50, 950]
    fleet = here.begin(FLEET, "run", here.folder, 0, stdout=subprocess.PIPE)
    steps = [BINARY, "migrate", "run", "-c", here.config, "--interval", 50]
    run = here.begin(*steps, stdout=subprocess.DEVNULL)
    wait_for(lambda: here.state()["waves"][0]["state"] == "done",
             "the first wave")
    for _ in range(3):  # somewhere in the second
        here.kill(run)
        run = here.begin(*steps, stdout=subprocess.DEVNULL)
        time.sleep(0.15)
    here.kill(here.server)
    here.kill(run)
    middle = here.state()
    assert middle["state"] == "running"
    assert 0 < middle["all"]["moved"] < 1000
    here.serve()
    run = here.begin(*steps, stdout=subprocess.DEVNULL)
    assert run.wait(timeout=60) == 0
    (here.folder / "stop").touch()
    fleet.communicate(timeout=60)

    # Every device is provisioned, by its new rule alone.
    assert here.resync(1) == {"devices": 1000, "provisioned": 1000,
                              "failed": 0}
    assert set(here.flash()) == {(here.rules[1], "")}
    # And the state is true.
    state = here.state()
    assert state["state"] == "done"
    assert state["reason"] == "all 1000 devices moved"
    assert state["all"]["moved"] == 1000
    assert {wave["state"] for wave in state["waves"]} == {"done"}
    assert set(here.variables()) == {(here.rules[1], None)}
    here.wait_recorded("new", 1000)
    # Once more, when it is over.
    assert "all 1000 devices moved" in here.migrate("run")


def test_a_broken_certificate_stops_it(site):
    """Its CA has the name of the new one, but devices do not know its key."""
    here = site(200)
    here.configure("broken")
    here.serve()
    here.resync(1)
    here.wait_recorded("old", 200)
    before = here.variables()
    here.start("--waves", "10%,100%", "--min-wait", "3s")
    fleet = here.begin(FLEET, "run", here.folder, 0, stdout=subprocess.PIPE)
    out = here.migrate("run", "--interval", "100", status=3)
    assert "stopped" in out
    (here.folder / "stop").touch()
    fleet.communicate(timeout=60)

    state = here.state(status=3)
    assert state["state"] == "stopped"
    assert [wave["state"] for wave in state["waves"]] == ["put-back",
                                                          "pending"]
    assert state["all"]["moved"] == 0
    assert state["all"]["put_back"] == 20
    assert here.variables() == before
    told = here.told()
    assert told["kind"] == "migration"
    assert told["details"]["to"] == NEW
    assert told["details"]["reason"] == state["reason"]
    # The old rule still comes first: a resync takes the new one back.
    time.sleep(1.2)  # until the server looks at the inventory again
    here.resync(2)
    assert here.resync(1) == {"devices": 200, "provisioned": 200,
                              "failed": 0}
    assert set(here.flash()) == {(here.rules[0], "")}
    assert here.recorded() == {"old": 200}


def test_rollback(site):
    """All of them go back, also those that were moved."""
    here = site(40)
    here.serve()
    here.resync(1)
    here.wait_recorded("old", 40)
    before = here.variables()
    here.start("--waves", "50%,100%", "--canary", "4")
    time.sleep(1.2)
    here.resync(2)
    here.wait_recorded("new", 4)
    assert "next wave" in here.migrate("step")
    assert here.state()["all"]["moved"] == 4
    # Somebody sets a rule by hand meanwhile: that one stays.
    here.run(BINARY, "device", "set", "-i",
             "sqlite:%s/inventory.db" % here.folder, here.on_trial()[0],
             "profile_rule=/other.cfg", "profile_rule_b=/more.cfg")
    out = here.migrate("rollback", status=3)
    assert "19 devices have their previous rules again" in out
    assert "1 were left alone" in out
    assert here.state()["state"] == "rolled-back"
    rules = here.variables()
    assert sorted(set(rules)) == sorted({before[0],
                                         ("/other.cfg", "/more.cfg")})
    assert "rolled back already" in here.migrate("rollback", status=1)
    assert "no migration is running" in here.migrate("step", status=1)
    listed = json.loads(here.migrate("list", "--json"))
    assert [one["state"] for one in listed] == ["rolled-back"]


def test_stop(site):
    """By hand, and by the API: what has moved stays, the others go back."""
    here = site(20)
    admin = Admin(here, free_port())
    here.config.write_text(here.config.read_text() + admin.block())
    here.environment["SPROV_URL"] = "http://127.0.0.1:%d" % admin.port
    admin.token = admin.add_token("script", "--scope", "read,write")
    here.serve()
    here.resync(1)
    here.wait_recorded("old", 20)
    before = here.variables()
    here.start("--waves", "50%,100%")
    assert len(here.on_trial()) == 10
    assert "10 devices on trial" in here.migrate("stop", status=3)
    assert here.variables() == before
    state = here.state(status=3)
    assert state["state"] == "stopped"
    assert state["reason"] == "stopped by hand"
    assert "no migration is running" in here.migrate("stop", status=1)
    here.start("--waves", "50%,100%")
    answer = admin.ask("POST", "/api/v1/migrations/newest/stop")
    assert answer.status == 200, answer
    assert answer.json == {"id": 2, "state": "stopped", "put_back": 10,
                           "reason": "stopped by token script",
                           "left_alone": 0}
    assert here.variables() == before
    answer = admin.ask("POST", "/api/v1/migrations/newest/stop")
    assert answer.status == 409 and "no migration" in answer.json["detail"]
    answer = admin.ask("POST", "/api/v1/migrations/newest/rollback")
    assert answer.status == 200 and answer.json["state"] == "rolled-back"
    listed = json.loads(here.run(BINARY, "audit", "list", "--json", "-c",
                                 here.config, "--limit", "5"))
    assert [(e["by"], e["action"]) for e in listed] == [
        ("token", "migrate rollback"), ("token", "migrate stop"),
        ("command", "migrate start"), ("command", "migrate stop"),
        ("command", "migrate start")]
    assert listed[1]["detail"]["migration"] == {
        "id": 2, "is": "stopped", "reason": "stopped by token script"}


def test_client(site):
    """docs/api-client.sh imports, reads the plan, follows to the end."""
    here = site(12)
    admin = Admin(here, free_port())
    here.config.write_text(here.config.read_text() + admin.block())
    here.environment.update({
        "SPROV_URL": "http://127.0.0.1:%d" % admin.port, "SPROV_PAUSE": "0.5",
        "SPROV_TOKEN": admin.add_token("client", "--scope", "read,write")})
    here.serve()
    here.resync(1)
    here.wait_recorded("old", 12)
    here.start("--waves", "50%,100%", "--min-wait", "1h")
    more = here.folder / "more.csv"
    more.write_text("mac,model\n000e08ddee01,SPA504G\n")
    client = here.begin(TREE / "docs" / "api-client.sh", more,
                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                        text=True)
    lines = iter(client.stdout)
    assert next(lines) == "imported 1 of 1 devices\n"
    assert next(lines).startswith("planned for ")
    fleet = here.begin(FLEET, "run", here.folder, 0, stdout=subprocess.PIPE)
    run = here.begin(BINARY, "migrate", "run", "-c", here.config,
                     "--interval", 50, stdout=subprocess.DEVNULL)
    rest = [line for line in lines if line.startswith("migration")]
    assert client.wait(timeout=60) == 0
    assert run.wait(timeout=60) == 0
    (here.folder / "stop").touch()
    fleet.communicate(timeout=60)
    assert rest[0].startswith("migration 1 is running: ")
    assert rest[-1] == "migration 1 is done: 12 of 12 moved\n"
    # Again: it was imported already.  Another file: what is wrong is said.
    out = here.run(TREE / "docs" / "api-client.sh", more)
    assert "imported 1 of 1" in out
    more.write_text("mac,model\n000e08ddee02,SPA5O4G\n")
    out = here.run(TREE / "docs" / "api-client.sh", more, status=1)
    assert "line 2: unknown model" in out and "SPA504G" in out


# Without a server: what start accepts, and what it says.


@pytest.fixture
def three(site):
    """Three devices; nobody has answered them yet."""
    return site(3)


def test_help(sprov, good):
    out = good("migrate", "--help")
    for name in ("start", "run", "step", "status", "stop", "rollback",
                 "list"):
        assert "\n  %s " % name in out
        text = good("migrate", name, "--help")
        assert text.startswith("usage: sprov migrate %s " % name)
        assert all(len(line) <= 80 for line in text.splitlines())
    assert sprov("migrate").status == 2
    assert sprov("migrate", "status", "extra").status == 2


@pytest.mark.parametrize("arguments, message", [
    (["--rule", "x"], "--from, --to and --rule are needed"),
    (["--waves", "10%"], "the last share has to be 100%"),
    (["--waves", "50%,10%,100%"], "above the one before"),
    (["--waves", "ten"], "no list of percentages"),
    (["--threshold", "0"], "--threshold"),
    (["--threshold", "101%"], "--threshold"),
    (["--min-wait", "soon"], "--min-wait soon: expected a duration"),
    (["--min-wait", "400d"], "at most 366d"),
    (["--canary", "0"], "--canary"),
    (["--model", "SPA504H"], "did you mean SPA50"),
    (["--interval", "1"], "unknown option --interval"),
])
def test_usage(sprov, arguments, message):
    if arguments[0] != "--rule":
        arguments = ["--from", "a", "--to", "b", "--rule", "c"] + arguments
    result = sprov("migrate", "start", *arguments)
    assert result.status == 2
    assert message in result.err
    assert result.out == ""


def test_no_configuration(sprov):
    for command in ("status", "list", "step", "run", "rollback"):
        result = sprov("migrate", command, "-c", "none.conf")
        assert result.status == 1
        assert "none.conf" in result.err


def test_none_yet(three):
    for command in ("status", "list", "step", "run", "rollback"):
        assert "there is no migration yet" in three.migrate(command, status=1)
    assert json.loads(three.migrate("list", "--json")) == []


@pytest.mark.parametrize("source, target, message", [
    ("odl", "new", "--from odl: neither a CA nor a listener"),
    ("odl", "new", "did you mean old?"),
    ("old", "ciscosb-prov-3", "did you mean ciscosb-prov-"),
    ("old", "linksys-prov-1", "no listener of"),
    ("old", "old", "both mean listener old"),
    ("ciscosb-prov-1", "old", "both mean listener old"),
])
def test_unknown_ends(three, source, target, message):
    out = three.migrate("start", "--from", source, "--to", target, "--rule",
                        three.rules[1], status=1)
    assert message in out


@pytest.mark.parametrize("rule, message", [
    ("https://h/a | https://h/b", "the new rule: "),
    ("http://new.lab.example.net/$MA.cfg", "gives no URL"),
    ("https://new.lab.example.net/$MA.txt", "gives no URL"),
    ("https://new.lab.example.net/021ab1ffffff.cfg", "gives no URL"),
    ("https://old.lab.example.net:PORT/$MA.cfg", "have the new rule already"),
])
def test_wrong_rules(three, rule, message):
    rule = rule.replace("PORT", str(three.ports[0]))
    out = three.migrate("start", "--from", OLD, "--to", NEW, "--rule", rule,
                        "--unseen", status=1)
    assert message in out
    assert "there is no migration yet" in three.migrate("status", status=1)


def test_who_is_left_out(three):
    uri = "sqlite:%s/inventory.db" % three.folder
    device = [BINARY, "device"]
    three.run(*device, "add", "-i", uri, "-f", "7.5.2b", "021ab1000100",
              "SPA504G", "profile_rule=" + three.rules[0])
    three.run(*device, "add", "-i", uri, "021ab1000101", "SRP541",
              "profile_rule=" + three.rules[0])
    three.run(*device, "add", "-i", uri, "-f", "7.6.2f", "021ab1000102",
              "SPA504G")
    three.run(*device, "set", "-i", uri, "021ab1000000", "state=retired")
    three.run(*device, "set", "-i", uri, "021ab1000001",
              "profile_rule_b=/more.cfg")
    out = three.start(status=1)
    assert "there is no device to move" in out
    for why in ("retired", "known not to accept the new CA",
                "not known to accept the new CA", "no profile_rule",
                "their profile_rule_b is in use",
                "never answered by the old listener"):
        assert re.search(r"^ +1 .*%s.* 021ab1000[01]0[0-2]$" % why, out,
                         re.MULTILINE), (why, out)
    assert all(len(line) <= 80 for line in out.splitlines()[1:])
    before = three.variables()
    found = json.loads(three.start("--unseen", "--dry-run", "--json"))
    assert found["dry_run"] and found["devices"] == 1
    assert {left["devices"] for left in found["left_out"]} == {1}
    assert three.variables() == before
    found = json.loads(three.start("--unseen", "--json", "--old-rule",
                                   three.rules[0]))
    assert found["devices"] == 2
    assert "is running: let it end" in three.start("--unseen", status=1)
    three.migrate("rollback")
    # The one without a rule keeps the one that it really has.
    assert sorted(three.variables(), key=str) == sorted(
        [(three.rules[0], None)] * 5 + [(three.rules[0], "/more.cfg")],
        key=str)


def test_group_and_model(three):
    uri = "sqlite:%s/inventory.db" % three.folder
    three.run(BINARY, "device", "set", "-i", uri, "021ab1000001",
              "group=berlin")
    found = json.loads(three.start("-g", "berlin", "--unseen", "-n", "-j"))
    assert found["devices"] == 1
    found = json.loads(three.start("-m", "SPA-504G", "--unseen", "-n", "-j"))
    assert found["devices"] == 3
    three.start("-m", "SPA525G2", "--unseen", status=1)


@pytest.mark.parametrize("template, message", [
    ("<a/>", "no flat-profile"),
    ("<flat-profile/>", "does not hand on profile_rule;"),
    ("<flat-profile><Profile_Rule>{{profile_rule}}</Profile_Rule>"
     "</flat-profile>", "does not hand on an empty profile_rule_b;"),
    ("<flat-profile><Profile_Rule>{{profile_rule}}</Profile_Rule>"
     "<Profile_Rule_B></Profile_Rule_B></flat-profile>",
     "does not hand on profile_rule_b;"),
    ("<flat-profile><Profile_Rule>{{profile_rule}}</Profile_Rule>"
     "{{#profile_rule_b}}<Profile_Rule_B>{{profile_rule_b}}</Profile_Rule_B>"
     "{{/profile_rule_b}}</flat-profile>",
     "does not hand on an empty profile_rule_b;"),
    ("<flat-profile><Profile_Rule>{{profile_rule}}</Profile_Rule>"
     "<Profile_Rule_B>{{#profile_rule_b}}{{profile_rule_b}}"
     "{{/profile_rule_b}}</Profile_Rule_B></flat-profile>", None),
])
def test_templates(three, template, message):
    (three.folder / "templates").mkdir()
    (three.folder / "templates" / "device.xml").write_text(template)
    three.configure("new", "templates templates\n")
    out = three.start("--unseen", status=0 if message is None else 1)
    assert message is None or message in out


def test_a_wave_nobody_is_heard_of_in(three):
    three.start("--unseen", "--min-wait", "0s")
    out = three.migrate("step", status=3)
    assert "none of the 1 devices of wave 1 was heard of" in out
    assert "1 put back" in out
    assert "stopped" in three.migrate("run", status=3)
    text = three.migrate("status", status=3)
    assert "rollback takes it back" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_the_inventory_is_busy(three):
    three.start("--unseen")
    with open(three.folder / "inventory.db.lock", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "is writing to it" in three.migrate("step", status=1)
        run = three.begin(BINARY, "migrate", "run", "-c", three.config,
                          "--interval", "10", stderr=subprocess.PIPE)
        _, err = run.communicate(timeout=30)
        assert run.returncode == 1 and b"trying again" in err


def make_first_schema(path):
    """The inventory as the first version of its schema would hold it."""
    with sqlite3.connect(path) as db:
        devices = db.execute("SELECT mac, model, firmware, serial, state, "
                             "variables FROM device").fetchall()
        application = db.execute("PRAGMA application_id").fetchone()[0]
        mode = path.stat()
    db.close()
    for old in path.parent.glob("inventory.db*"):
        if not old.name.endswith("lock"):
            old.unlink()
    with sqlite3.connect(path) as db:
        db.executescript(
            (TREE / "src/inventory/schema/0001.sql").read_text())
        for *fields, variables in devices:
            db.execute("INSERT INTO device (mac, model, firmware, serial, "
                       "state) VALUES (?, ?, ?, ?, ?)", fields)
            for pair in variables.split(chr(30))[:-1]:
                db.execute("INSERT INTO device_variable VALUES (?, ?, ?)",
                           (fields[0], *pair.split(chr(31))))
        db.execute("PRAGMA application_id = %d" % application)
        db.execute("PRAGMA user_version = 1")
    db.close()
    path.chmod(mode.st_mode & 0o777)


def test_the_server_brings_an_old_inventory_up_to_date(three):
    make_first_schema(three.folder / "inventory.db")
    assert "by an older sprov" in three.migrate("status", status=1)
    three.serve()
    assert "there is no migration yet" in three.migrate("status", status=1)
    assert three.resync(1)["provisioned"] == 3
