"""The audit log: who changed what, as a chain."""

import json
import sqlite3

import pytest

from adminapi import Admin
from conftest import MAC
from daemon import free_port, wait_until

PASSWORD = "correct horse battery"


@pytest.fixture(name="log")
def log_of_commands(good, tmp_path):
    """Some changes by commands, and how to ask for them."""
    uri = {"SPROV_INVENTORY": "sqlite:%s/inventory.db" % tmp_path}
    good("device", "add", MAC, "SPA504G", "--group", "east",
         "sip_password=very hidden", **uri)
    good("device", "set", MAC, "firmware=7.6.2", **uri)
    good("device", "type", "lines", "integer", **uri)
    good("device", "remove", MAC, **uri)
    return tmp_path / "audit.db"


def entries(good, log, *options):
    return json.loads(good("audit", "list", "--json", "--file", log,
                           *options))


def test_commands(good, sprov, log, tmp_path):
    found = entries(good, log)
    assert [e["action"] for e in found] == [
        "device remove", "device type", "device set", "device add"]
    assert {e["by"] for e in found} == {"command"} and found[0]["who"]
    assert found[3]["object"] == MAC and found[3]["detail"]["changes"] == [
        {"target": "group:east", "is": "added"},
        {"target": MAC, "is": "added", "set": ["sip_password"],
         "fields": {"model": ["", "SPA504G"], "group": ["", "east"]}}]
    assert found[2]["detail"]["changes"] == [
        {"target": MAC, "is": "changed",
         "fields": {"firmware": ["", "7.6.2"]}}]
    assert b"hidden" not in log.read_bytes()
    assert log.stat().st_mode & 0o777 == 0o600
    # One spelling: what anybody can compute again.
    assert found[0]["previous"] == found[1]["hash"]
    assert found[3]["previous"] == 64 * "0"
    assert entries(good, log, "--limit", "1") == found[:1]
    assert entries(good, log, "--action", "device set") == found[2:3]
    assert entries(good, log, "--object", MAC, "--who", "nobody") == []
    table = good("audit", "list", "--file", log)
    assert max(map(len, table.splitlines())) <= 80
    # What fails is no change; what fails at the log neither.
    uri = {"SPROV_INVENTORY": "sqlite:%s/inventory.db" % tmp_path}
    assert sprov("device", "set", MAC, "serial=1", **uri).status == 1
    assert entries(good, log) == found
    for path in tmp_path.glob("audit.db*"):
        path.unlink()
    log.mkdir()
    done = sprov("device", "add", MAC, "SPA504G", **uri)
    assert done.status == 1 and "cannot be noted" in done.err
    assert MAC not in sprov("device", "list", **uri).out


def test_verify(good, sprov, log):
    assert good("audit", "verify", "--file", log).startswith("4 entries")
    verdict = json.loads(good("audit", "verify", "--json", "--file", log))
    assert verdict["good"] and verdict["fault"] is None
    head = verdict["head"]
    assert good("audit", "verify", "--file", log, "--head", head)
    done = sprov("audit", "verify", "--file", log, "--head", 64 * "1")
    assert done.status == 3 and "cut or made anew" in done.err
    done = sprov("audit", "verify", "--file", log, "--head", "1")
    assert done.status == 2 and "64 hex digits" in done.err
    with sqlite3.connect(log) as db:
        db.execute("DELETE FROM entry WHERE id = 4")
    assert sprov("audit", "verify", "--file", log).status == 0
    done = sprov("audit", "verify", "--file", log, "--head", head)
    assert done.status == 3
    with sqlite3.connect(log) as db:
        db.execute("UPDATE entry SET text = replace(text, '7.6.2', '7.6.3')"
                   " WHERE id = 2")
    db.close()
    done = sprov("audit", "verify", "--file", log)
    assert done.status == 3 and "entry 2: it was altered" in done.err
    assert sprov("audit", "verify", "--file", "/nowhere").status == 1
    done = sprov("audit", "list", "--file", log.parent / "inventory.db")
    assert done.status == 1 and "no audit log" in done.err


def test_api(server):
    """Logins, accounts and tokens, and who may read about them."""
    admin = Admin(server, free_port())
    server.configure(server.listener() + admin.block())
    admin.token = admin.add_token("auditor", "--scope", "audit")
    server.start()
    code = admin.command("add", "noc", "--role", "operator").strip()
    login = {"name": "noc", "password": PASSWORD}
    wrong = {**login, "password": "another password"}
    post = lambda path, body=None, **fields: admin.ask(  # noqa: E731
        "POST", "/api/v1/" + path, body=body, token=None, **fields)
    assert post("login", wrong).status == 401
    answer = post("login", {**login, "code": code})
    assert answer.status == 200
    fields = {"Cookie": answer.fields["set-cookie"].split(";")[0],
              "Origin": "http://127.0.0.1:%d" % admin.port}
    assert post("password", {"old": "not the password", "new": PASSWORD},
                **fields).status == 403
    assert post("logout", **fields).status == 204
    admin.command("token", "remove", "none", status=1)
    page = admin.read("/api/v1/audit")
    found = [(e["by"], e["who"], e["action"], e["object"], e["result"])
             for e in page["entries"] if e["by"] != "command"]
    assert found == [
        ("account", "noc", "logout", None, "done"),
        ("account", "noc", "password set", "noc", "refused"),
        ("account", "noc", "password set", "noc", "done"),
        ("account", "noc", "login", None, "done"),
        ("nobody", "noc", "login", None, "refused")]
    assert page["entries"][0]["from"] == "127.0.0.1"
    assert page["cursor"] is None
    commands = [(e["action"], e["object"]) for e in page["entries"]
                if e["by"] == "command"]
    assert commands[:2] == [("admin add", "noc"),
                            ("admin token add", "auditor")]
    # Pages, and following what happens.
    first = admin.read("/api/v1/audit?limit=2")
    assert first["entries"] == page["entries"][:2]
    rest = admin.read("/api/v1/audit?before=%d" % first["cursor"])
    assert first["entries"] + rest["entries"] == page["entries"]
    last = page["entries"][0]["id"]
    assert admin.read("/api/v1/audit?after=%d" % last)["last"] == last
    assert admin.read("/api/v1/audit?after=%d" % (last - 1))[
        "entries"] == page["entries"][:1]
    assert len(admin.read("/api/v1/audit?who=noc&action=login")[
        "entries"]) == 2
    for query in "limit=0", "what=1", "after=x":
        assert admin.get("/api/v1/audit?" + query).status == 400
    # Not for everybody; of a tenant what its own people did.
    reader = admin.add_token("reader", "--scope", "read")
    assert admin.get("/api/v1/audit", token=reader).status == 403
    server.device("set", "group:north", "a=1")
    north = admin.add_token("north", "--scope", "audit", "--group", "north")
    wait_until(lambda: admin.get("/api/v1/audit", token=north).status == 200,
               "the group")
    assert admin.read("/api/v1/audit", token=north)["entries"] == []
    with open(server.folder / "audit.db", "rb") as file:
        assert PASSWORD.encode() not in file.read()
    assert admin.command("list")


def test_refused(server, sprov):
    """What was tried in vain is noted, and no flood of it."""
    admin = Admin(server, free_port())
    server.configure(server.listener() + admin.block())
    reader = admin.add_token("reader")
    writer = admin.add_token("writer", "--scope", "write")
    server.start()
    one, path = "/api/v1/devices/" + MAC, "/api/v1/devices"
    log = server.folder / "audit.db"

    def found(who):
        done = sprov("audit", "list", "--json", "--file", log, "--who", who)
        return [(e["action"], e.get("object"), e["result"], e["detail"])
                for e in reversed(json.loads(done.out))]

    def patch(token, body, **fields):
        return admin.ask("PATCH", one, body=body, token=token, If_Match="*",
                         **fields).status

    scope = "token reader may not do this: the scope \"write\" is needed"
    assert patch(reader, {}) == 403
    assert admin.ask("DELETE", "/api/v1/settings?target=group:east",
                     token=reader).status == 403
    assert found("reader") == [
        ("device set", MAC, "refused", {"status": 403, "reason": scope}),
        ("device remove", "group:east", "refused",
         {"status": 403, "reason": scope})]
    # What was sent is not repeated: a secret may be in the wrong place.
    assert patch(writer, {"model": "hidden-7"}) == 422
    assert patch(writer, {}, Origin="http://evil.example.net") == 403
    # Neither reads, what is not there, nor trials, nor who is nobody.
    for method, where, token, status in (
            ("GET", "/api/v1/overview", writer, 403),
            ("PUT", one, writer, 405), ("DELETE", one, writer, 428),
            ("DELETE", path + "/000e08ffffff", writer, 404),
            ("DELETE", one, None, 401)):
        assert admin.ask(method, where, token=token).status == status
    for trial in "1", "0":
        assert admin.ask("POST", path + "/import?dry-run=" + trial, body="x",
                         token=writer,
                         Content_Type="text/csv").status == 422
    entries = found("writer")
    assert entries[0] == ("device set", MAC, "refused", {"status": 422})
    assert "another origin" in entries[1][3]["reason"]
    assert [e[0] for e in entries[2:]] == ["device import"]
    for _ in range(30):
        assert patch(reader, {}) == 403
    assert len(found("reader")) == 10
    server.stop()
    assert len(found("reader")) == 11
    action, device, result, detail = found("reader")[-1]
    assert (action, device, result) == ("several", None, "refused")
    assert detail["more"] == 22 and detail["since"].endswith("Z")
    listed = sprov("audit", "list", "--file", log).out
    assert "refused (403)" in listed and "refused (22 more)" in listed
    assert "refused (422)" in listed
    assert b"hidden-7" not in log.read_bytes()
    assert sprov("audit", "verify", "--file", log).status == 0
