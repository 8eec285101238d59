"""sprov device: tags, kinds of groups, types, secrets, and what kills leave."""

import json
import os
import random
import signal
import subprocess
import time

from conftest import BINARY

MAC = "000e08aabbcc"
OTHER = "000e08aabbcd"


def make_key(folder, name, byte="1"):
    path = folder / name
    path.write_text(byte * 64 + "\n")
    path.chmod(0o600)
    return str(path)


def on_disk(folder, text):
    return any(text in path.read_bytes() for path in folder.iterdir()
               if path.name.startswith("inventory.db"))


def test_kinds_and_filters(sprov, good):
    good("device", "set", "group:acme", "kind=tenant")
    good("device", "set", "group:berlin", "kind=site", "parent=acme")
    good("device", "set", "group:floor", "parent=berlin")
    good("device", "add", MAC, "SPA504G", "-g", "floor", "-t", "vip,lobby")
    good("device", "add", OTHER, "SPA504G", "-g", "acme")

    def listed(*options):
        return [row["mac"] for row in
                json.loads(good("device", "list", "--json", *options))]

    assert listed("--group", "acme") == [OTHER]
    assert listed("--group", "acme", "--below") == [MAC, OTHER]
    assert listed("--tenant", "acme") == [MAC, OTHER]
    assert listed("--site", "berlin") == [MAC]
    assert listed("--tag", "lobby") == [MAC]
    assert listed("--tag", "none") == []
    assert listed("--state", "retired") == []
    result = sprov("device", "list", "--tenant", "berlin")
    assert result.status == 1
    assert '"berlin" is a site, no tenant' in result.err
    assert sprov("device", "list", "--tenant", "a", "--site", "b").status == 2
    assert sprov("device", "list", "--state", "x").status == 2
    result = sprov("device", "set", "group:acme", "parent=berlin")
    assert result.status == 1
    assert "is a tenant and cannot have a parent" in result.err
    result = sprov("device", "set", "group:floor", "kind=room")
    assert "expected tenant, site or group" in result.err
    result = sprov("device", "remove", "group:berlin")
    assert result.status == 1
    assert "is not empty: 0 devices and 1 groups" in result.err
    good("device", "set", MAC, "group=")
    assert good("device", "remove", "group:floor", "group:berlin") == (
        "removed 2 groups, tags or models\n")


def test_tags_inherit(good):
    good("device", "set", "tag:vip", "a=vip", "b=vip")
    good("device", "set", "tag:lobby", "b=lobby", "c=lobby")
    good("device", "set", "group:g", "a=group", "d=group")
    good("device", "add", MAC, "SPA504G", "-g", "g", "-t", "lobby,vip")
    shown = json.loads(good("device", "show", MAC, "--json"))
    assert shown["tags"] == ["lobby", "vip"]
    assert {name: entry["from"] for name, entry in
            shown["variables"].items()} == {
                "a": "tag:vip", "b": "tag:lobby", "c": "tag:lobby",
                "d": "group:g"}
    good("device", "set", MAC, "tags=vip")
    good("device", "remove", "tag:vip")
    assert json.loads(good("device", "show", MAC, "--json"))["tags"] == []


def test_types(sprov, good):
    good("device", "add", MAC, "SPA504G", "Port=5060")
    assert good("device", "type", "Port", "integer 1..65535") == (
        "Port is integer 1..65535\n")
    assert "Port" in good("device", "type")
    assert json.loads(good("device", "type", "--json")) == {
        "Port": "integer 1..65535"}
    result = sprov("device", "set", MAC, "Port=x")
    assert result.status == 1
    assert 'Port="x": expected integer 1..65535' in result.err
    result = sprov("device", "type", "Port", "address")
    assert result.status == 1
    assert "(device 000e08aabbcc)" in result.err
    assert sprov("device", "type", "Port").status == 2
    good("device", "type", "--remove", "Port")
    good("device", "set", MAC, "Port=x")


def test_secrets(sprov, good, tmp_path):
    first, second = make_key(tmp_path, "k1"), make_key(tmp_path, "k2", "2")
    out = good("device", "add", MAC, "SPA504G", "Password_1_=findme")
    assert "note: secrets are kept in clear" in out
    assert on_disk(tmp_path, b"findme")
    status = sprov("device", "reseal", "--status", "--json")
    assert status.status == 3
    assert json.loads(status.out) == {"key": None, "sealed": 0, "clear": 1}
    good("device", "reseal", "--new-key", first)
    assert not on_disk(tmp_path, b"findme")
    hidden = json.loads(good("device", "show", MAC, "--json", "--secrets"))
    assert hidden["variables"]["Password_1_"]["hidden"] is True
    result = sprov("device", "set", MAC, "Password_1_=other")
    assert result.status == 1
    assert "name its file with --secrets-key" in result.err
    result = sprov("device", "show", MAC, "--secrets-key", second)
    assert result.status == 1
    assert "the one given is" in result.err
    shown = sprov("device", "show", MAC, "--secrets",
                  SPROV_SECRETS_KEY=first).out
    assert "findme" in shown
    assert "findme" not in good("device", "show", MAC, "--secrets-key", first)
    good("device", "reseal", "--secrets-key", first, "--new-key", second)
    assert "findme" in good("device", "show", MAC, "--secrets",
                            "--secrets-key", second)
    os.chmod(second, 0o640)
    result = sprov("device", "show", MAC, "--secrets-key", second)
    assert result.status == 1
    assert "lets others read or write the secrets key" in result.err


def rows(count, extra=""):
    return "".join("02%010x,SPA504G,g%d,%d%s\n" % (i, i % 7, i, extra)
                   for i in range(count))


def test_import_options(sprov, good, tmp_path):
    file = tmp_path / "phones.csv"
    file.write_bytes("\ufeffMAC Adresse;Name;Typ;Notiz\n"
                     "00:0E:08:AA:BB:CC;J\u00f6rg;SPA504G;x\n"
                     "00-0e-08-aa-bb-cd;Ada;;y\n".encode())
    options = ["--map", "MAC Adresse=mac", "--map", "Typ=model", "--map",
               "Notiz=-", "--model", "SPA962", "--group", "berlin"]
    report = tmp_path / "report"
    good("device", "import", *options, "--report", str(report), str(file))
    assert [json.loads(line)["result"] for line in
            report.read_text().splitlines()] == ["added", "added"]
    shown = json.loads(good("device", "show", OTHER, "--json"))
    assert shown["model"] == "SPA962" and shown["group"] == "berlin"
    assert set(shown["variables"]) == {"Name"}
    out = good("device", "import", *options, "--update", str(file))
    assert out == "imported 2 devices: 0 added, 0 updated, 2 unchanged\n"
    file.write_bytes("mac,model,Name\n000e08aabbce,SPA504G,J\u00f6rg\n".encode(
        "latin-1"))
    result = sprov("device", "import", str(file))
    assert result.status == 1
    assert ":2:23: the line holds bytes that are not UTF-8" in result.err
    assert "--encoding latin-1" in result.err
    good("device", "import", "--encoding", "latin-1", str(file))
    result = sprov("device", "import", "--json", str(file))
    assert result.status == 1
    row = json.loads(result.out)
    assert row["result"] == "refused" and row["line"] == 2
    for bad in (["--map", "x"], ["--delimiter", "pipe"],
                ["--encoding", "ebcdic"]):
        assert sprov("device", "import", *bad, str(file)).status == 2


def test_export(sprov, good, tmp_path):
    """What comes out goes in again, and comes out the same."""
    good("device", "add", MAC, "SPA504G", "-f", "7.5.4", "-g", "berlin", "-t",
         "a,b", 'Name=Lovelace, "Ada"; x', "Password_1_=s3cret", "Text=two\nlines")
    good("device", "add", OTHER, "SPA962", "Blank= x ", "User_ID_1_=7")
    good("device", "set", OTHER, "state=retired")
    good("device", "set", "group:berlin", "kind=site", "a=")
    good("device", "type", "User_ID_1_", "integer")
    csv = good("device", "export", "--secrets")
    file = tmp_path / "out.csv"
    file.write_text(csv)
    other = "sqlite:%s" % (tmp_path / "other.db")
    good("device", "import", "-i", other, str(file))
    assert good("device", "export", "-i", other, "--secrets") == csv
    # Without secrets: their column is missing, and an update keeps them.
    file.write_text(good("device", "export"))
    assert "s3cret" not in file.read_text()
    assert "Password_1_" not in file.read_text()
    good("device", "import", "-i", other, "--update", str(file))
    assert good("device", "export", "-i", other, "--secrets") == csv
    whole = json.loads(good("device", "export", "--format", "json"))
    assert whole["types"] == {"User_ID_1_": "integer"}
    assert whole["scopes"] == [{"target": "group:berlin", "kind": "site",
                                "parent": "", "variables": {"a": ""}}]
    assert whole["devices"][0]["tags"] == ["a", "b"]
    assert "Password_1_" not in whole["devices"][0]["variables"]
    key = make_key(tmp_path, "k")
    good("device", "reseal", "--new-key", key)
    result = sprov("device", "export", "--secrets")
    assert result.status == 1 and result.out == ""
    assert "1 secrets are sealed" in result.err
    assert good("device", "export", "--secrets", "--secrets-key", key) == csv
    assert sprov("device", "export", "--format", "xml").status == 2


def test_export_and_import_of_everything(sprov, good, tmp_path):
    """As JSON: the inventory comes back as it was, or nothing of it."""
    for target in (("group:acme", "kind=tenant", "proxy=sip.example.net"),
                   ("group:berlin", "kind=site", "parent=acme"),
                   ("tag:vip", "ring=loud"), ("model:SPA504G", "a=b"),
                   ("default", "ntp_server=192.0.2.1")):
        good("device", "set", *target)
    good("device", "type", "vlan", "integer 1..4094")
    good("device", "add", MAC, "SPA504G", "--group", "berlin", "--tags", "vip",
         "password=s3cret", "empty=", "vlan=7", "note=\u00e4 \"b\", c\n d")
    good("device", "add", OTHER, "SPA962")
    good("device", "set", OTHER, "state=retired")
    text = good("device", "export", "--format", "json", "--secrets")
    file = tmp_path / "all.json"
    file.write_text(text, encoding="utf-8")
    other = ["--inventory", "sqlite:%s" % (tmp_path / "other.db")]
    load = ["device", "import", "--format", "json"]
    good(*load, "--dry-run", *other, str(file))
    assert not (tmp_path / "other.db").exists()
    out = good(*load, *other, str(file))
    assert out.startswith("imported 2 devices: 2 added")
    assert "secrets are kept in clear" in out
    assert good("device", "export", "--format", "json", "--secrets",
                *other) == text
    # What is there already is not changed unasked; a trial says the same.
    file.write_text(text.replace("192.0.2.1", "192.0.2.2"), encoding="utf-8")
    for trial, status in ((["--dry-run"], 3), ([], 1)):
        result = sprov(*load, *trial, *other, str(file))
        assert result.status == status and "ntp_server" in result.err
    good(*load, "--update", *other, str(file))
    assert "192.0.2.2" in good("device", "export", "--format", "json", *other)
    # Without secrets, those that are there stay.
    file.write_text(good("device", "export", "--format", "json", *other),
                    encoding="utf-8")
    assert "s3cret" not in file.read_text(encoding="utf-8")
    good(*load, "--update", *other, str(file))
    assert "s3cret" in good("device", "export", "--format", "json",
                            "--secrets", *other)
    file.write_text(text[:-40], encoding="utf-8")
    result = sprov(*load, "--update", *other, str(file))
    assert result.status == 1 and "all.json:" in result.err


def test_killed_import(good, tmp_path):
    """Wholly old or wholly new, whenever it is killed."""
    file = tmp_path / "phones.csv"
    good("device", "add", MAC, "SPA504G")
    file.write_text("mac,model,group,number\n" + rows(60000))
    command = [BINARY, "device", "import", str(file)]
    environment = dict(os.environ, SPROV_INVENTORY="sqlite:%s/inventory.db"
                       % tmp_path)
    seen = set()
    chance = random.Random(1)
    longest = 1.0
    for attempt in range(12):
        started = time.monotonic()
        process = subprocess.Popen(command, env=environment,
                                   stdout=subprocess.DEVNULL)
        # The moment is what is random here; there is nothing to wait for.
        time.sleep(chance.random() * longest)
        process.send_signal(signal.SIGKILL)
        if process.wait() == 0:
            longest = (time.monotonic() - started) * 0.9
        count = len(json.loads(good("device", "list", "--json")))
        assert count in (1, 60001)
        seen.add(count)
        if count == 60001:
            break
    assert 1 in seen
    if 60001 not in seen:
        good("device", "import", str(file))
    assert len(json.loads(good("device", "list", "--json"))) == 60001
