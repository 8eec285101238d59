"""sprov device: what is printed, and how it ends."""

import json
import os
import pty
import sqlite3
import stat
import subprocess

import pytest

from conftest import BINARY

MAC = "000e08aabbcc"
OTHER = "000e08aabbcd"


def lines(text):
    return text.splitlines()


# The command line


def test_no_command(sprov):
    result = sprov()
    assert result.status == 2
    assert result.err == "sprov: a command is missing; see sprov --help\n"
    result = sprov("device")
    assert result.status == 2
    assert result.err == (
        "sprov: a command is missing; see sprov device --help\n")


def test_help_and_version(sprov, good):
    assert "device" in good("--help")
    assert good("--version").startswith("sprov ")
    out = good("device", "--help")
    for name in ("add", "import", "export", "list", "show", "set", "remove",
                 "type", "reseal"):
        assert "\n  %s " % name in out
        text = good("device", name, "--help")
        assert text.startswith("usage: sprov device %s " % name)
        assert "--inventory URI" in text
        assert all(len(line) <= 80 for line in lines(text))
        assert good("device", name, "-h") == text


@pytest.mark.parametrize("arguments, message", [
    (["devcie"], '"devcie" is no command; did you mean sprov device?'),
    (["xyzzyxyzzy"], '"xyzzyxyzzy" is no command; see sprov --help'),
    (["device", "lst"], '"lst" is no command; did you mean sprov device '
     'list?'),
    (["device", "list", "--jsno"], "unknown option --jsno; did you mean "
     "--json?"),
    (["device", "list", "--xyzzyxyzzy"], "unknown option --xyzzyxyzzy; see "
     "sprov device list --help"),
    (["device", "list", "-x"], "unknown option -x; see sprov device list "
     "--help"),
    (["device", "list", "--json=1"], "the option --json takes no value; see "
     "sprov device list --help"),
    (["device", "list", "--group"], "the option --group needs a value; see "
     "sprov device list --help"),
    (["device", "list", "-g"], "the option --group needs a value; see sprov "
     "device list --help"),
    (["device", "list", MAC], 'nothing was expected at "%s"; see sprov '
     'device list --help' % MAC),
    (["device", "add", MAC], "MAC MODEL [NAME=VALUE...] is missing; see "
     "sprov device add --help"),
    (["device", "import"], "FILE is missing; see sprov device import "
     "--help"),
    (["device", "show"], "TARGET is missing; see sprov device show --help"),
    (["device", "show", MAC, OTHER], 'nothing was expected at "%s"; see '
     'sprov device show --help' % OTHER),
    (["device", "set", MAC], "nothing to set; see sprov device set --help"),
    (["device", "remove"], "TARGET... is missing; see sprov device remove "
     "--help"),
])
def test_usage(sprov, tmp_path, arguments, message):
    result = sprov(*arguments)
    assert result.status == 2
    assert result.err == "sprov: %s\n" % message
    assert result.out == ""
    assert list(tmp_path.iterdir()) == []


# Adding


def test_add(good, tmp_path):
    assert good("device", "add", "00:0E:08:AA:BB:CC", "spa-504g", "-f",
                "7.5.4", "--serial", "CBT1", "-g", "berlin",
                "User_ID_1_=100") == (
        "new group berlin\nadded 000e08aabbcc SPA504G\n")
    assert good("device", "add", OTHER, "SPA962", "-g", "berlin") == (
        "added 000e08aabbcd SPA962\n")
    shown = json.loads(good("device", "show", MAC, "--json"))
    assert shown == {
        "mac": MAC, "model": "SPA504G", "firmware": "7.5.4",
        "serial": "CBT1", "group": "berlin", "tags": [],
        "state": "active",
        "variables": {"User_ID_1_": {"value": "100", "from": "device",
                                     "hidden": False}},
    }
    mode = (tmp_path / "inventory.db").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


@pytest.mark.parametrize("arguments, message", [
    (["00:0e:08", "SPA504G"], '"00:0e:08" is not a MAC address'),
    ([MAC, "SPA504"], 'unknown model "SPA504"; did you mean SPA504G?'),
    ([MAC, "xyzzyxyzzy"], 'unknown model "xyzzyxyzzy": expected one such as '
     'SPA504G or ATA192'),
    ([MAC, "SPA\x1b504"], 'unknown model "SPA\\x1b504"'),
    ([MAC, "SPA504G", "-f", "?"], '"?"'),
    ([MAC, "SPA504G", "-s", "x" * 64], "the serial is 64 bytes long, at most "
     "63 are allowed"),
    ([MAC, "SPA504G", "-g", " x"], 'the group " x" holds a blank at its '
     'start or end'),
    ([MAC, "SPA504G", "name"], '"name": expected NAME=VALUE'),
    ([MAC, "SPA504G", "=x"], '"=x": expected NAME=VALUE'),
    ([MAC, "SPA504G", "1=x"], '"1" is not the name of a variable'),
    ([MAC, "SPA504G", "a=\x01"], "the value of a holds a control character"),
    ([MAC, "SPA504G", "a=" + "x" * 4097], "the value of a is 4097 bytes "
     "long, at most 4096 are allowed"),
    ([MAC, "SPA504G", "mac=" + OTHER], "the MAC of a device cannot be set"),
    ([MAC, "SPA504G", "parent=x"], "a device has no parent"),
    ([MAC, "SPA504G", "state=x"], '"x" is not a state: expected active or '
     'retired'),
    ([MAC, "SPA504G", "a=@missing"], "a: missing: No such file or "
     "directory"),
    ([MAC, "SPA504G", "a=@-", "b=@-"], "only one value can come from "
     "standard input"),
])
def test_add_refusals(sprov, arguments, message):
    result = sprov("device", "add", *arguments)
    assert result.status == 1
    assert result.err.startswith("sprov: ")
    assert message in result.err
    assert result.out == ""
    result = sprov("device", "list")
    assert MAC not in result.out


def test_add_twice(sprov, good):
    good("device", "add", MAC, "SPA504G")
    result = sprov("device", "add", "00-0e-08-aa-bb-cc", "SPA962", "-g", "new")
    assert result.status == 1
    assert result.err == ("sprov: nothing was added: the device 000e08aabbcc "
                          "is in the inventory already\n")
    # The group did not come into being either.
    assert sprov("device", "show", "group:new").status == 1


def test_values_from_files(sprov, good, tmp_path):
    (tmp_path / "password").write_text("hunter2\n")
    (tmp_path / "lines").write_text("one\ntwo\n\n")
    (tmp_path / "empty").write_text("")
    (tmp_path / "nul").write_bytes(b"a\0b")
    (tmp_path / "long").write_text("x" * 4096 + "\n")
    (tmp_path / "longer").write_text("x" * 4098)
    good("device", "add", MAC, "SPA504G", "Password=@password",
         "lines=@lines", "empty=@empty", "at=@@home", "two=@@@", "long=@long",
         "input=@-", stdin="secret\n")
    variables = json.loads(good("device", "show", MAC, "--json",
                                "--secrets"))["variables"]
    assert {name: of["value"] for name, of in variables.items()} == {
        "Password": "hunter2", "lines": "one\ntwo\n", "empty": "",
        "at": "@home", "two": "@@", "long": "x" * 4096, "input": "secret"}
    for name, message in (("nul", "holds a NUL byte"),
                          ("longer", "4098 bytes long"),
                          (".", "not a file")):
        result = sprov("device", "set", MAC, "a=@%s" % name)
        assert result.status == 1
        assert message in result.err, result
    result = sprov("device", "set", MAC, "a=@-", stdin="x" * 5000)
    assert result.status == 1
    assert "standard input is longer than 4096 bytes" in result.err
    result = sprov("device", "set", MAC, "a=@-")
    assert result.status == 0


# Where the inventory is


def test_no_inventory(sprov, tmp_path):
    for command in (["list"], ["show", MAC]):
        result = sprov("device", *command)
        assert result.status == 1
        assert lines(result.err) == [
            "sprov: %s: cannot open the inventory: No such file or directory"
            % (tmp_path / "inventory.db"),
            'sprov: "sprov device add" or "sprov device import" makes it; '
            "--inventory names another one"]
    assert list(tmp_path.iterdir()) == []


def test_no_folder(sprov, tmp_path):
    uri = "sqlite:%s/no/inventory.db" % tmp_path
    result = sprov("device", "add", MAC, "SPA504G", "-i", uri)
    assert result.status == 1
    assert "No such file or directory" in result.err
    assert lines(result.err)[-1] == (
        "sprov: make the folder %s/no, or name another inventory with "
        "--inventory" % tmp_path)


def test_inventory_option(sprov, good, tmp_path):
    other = "sqlite:%s" % (tmp_path / "other.db")
    good("device", "add", MAC, "SPA504G", "--inventory", other)
    good("device", "add", "-i", other, OTHER, "SPA962")
    assert len(lines(good("device", "list", "-i", other))) == 3
    assert len(lines(good("device", "list", SPROV_INVENTORY=other))) == 3
    assert not (tmp_path / "inventory.db").exists()
    result = sprov("device", "list", "-i", "inventory.db")
    assert result.status == 1
    assert result.err == ('sprov: "inventory.db" is not an inventory: '
                          "expected sqlite:PATH or memory:\n")


def test_foreign_files(sprov, tmp_path):
    path = tmp_path / "inventory.db"
    path.write_text("mac,model\n" * 100)
    for command in (["list"], ["add", MAC, "SPA504G"]):
        result = sprov("device", *command)
        assert result.status == 1
        assert "file is not a database (it is no inventory" in result.err
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE device (mac)")
    result = sprov("device", "list")
    assert result.status == 1
    assert "a SQLite database of another program" in result.err


def test_lock(sprov, good, tmp_path):
    """While one writes, others can read but not write."""
    good("device", "add", MAC, "SPA504G")
    lock = tmp_path / "inventory.db.lock"
    with subprocess.Popen(["flock", str(lock), "cat"],
                          stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as holder:
        holder.stdin.write(b"x\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == b"x\n"  # it holds the lock
        result = sprov("device", "add", OTHER, "SPA962")
        assert result.status == 1
        assert "is writing to it (it holds %s); try again" % lock in (
            result.err)
        assert "process %s " % lock.read_text().strip() in result.err
        assert MAC in good("device", "list")
        result = sprov("device", "import", "-", "--dry-run",
                       stdin="mac,model\n%s,SPA962\n" % OTHER)
        assert result.status == 0
        holder.stdin.close()
    good("device", "add", OTHER, "SPA962")


def test_many_writers(good, tmp_path, environment):
    """Whoever gets the lock succeeds; nobody's change is lost."""
    good("device", "add", MAC, "SPA504G")
    runs = [subprocess.Popen(
        [str(BINARY), "device", "add", "0200000000%02x" % i, "SPA962"],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for i in range(20)]
    done = 0
    for run in runs:
        out, err = run.communicate(timeout=60)
        assert (run.returncode == 0) == out.startswith(b"added ")
        assert (run.returncode == 1) == (b"is writing to it" in err)
        done += run.returncode == 0
    assert done >= 1
    assert len(json.loads(good("device", "list", "--json"))) == 1 + done


# Listing


def fill(good):
    good("device", "add", OTHER, "CP-8841-3PCC", "-f",
         "sip88xx.11-3-2MPP0001-609")
    good("device", "add", MAC, "SPA504G", "-g", "berlin", "-s", "CBT1")
    good("device", "set", MAC, "state=retired")


def test_list(good):
    fill(good)
    assert [line.split() for line in lines(good("device", "list"))] == [
        ["MAC", "MODEL", "FIRMWARE", "SERIAL", "GROUP", "STATE"],
        [MAC, "SPA504G", "-", "CBT1", "berlin", "retired"],
        [OTHER, "CP-8841-3PCC", "sip88xx.11-3-2MPP0001-609", "-", "-",
         "active"]]
    starts = {line.index("a") for line in lines(good("device", "list"))[2:]}
    assert len(starts) == 1


def test_list_json(good):
    fill(good)
    assert json.loads(good("device", "list", "--json")) == [
        {"mac": MAC, "model": "SPA504G", "firmware": None, "serial": "CBT1",
         "group": "berlin", "tags": [], "state": "retired"},
        {"mac": OTHER, "model": "CP-8841-3PCC",
         "firmware": "sip88xx.11-3-2MPP0001-609", "serial": None,
         "group": None, "tags": [], "state": "active"}]
    assert json.loads(good("device", "list", "--json", "-m", "SPA962")) == []


def test_list_filters(sprov, good):
    fill(good)
    assert len(lines(good("device", "list", "-g", "berlin"))) == 2
    assert OTHER in good("device", "list", "--model", "cp-8841-3pcc")
    assert MAC not in good("device", "list", "--model", "cp-8841-3pcc")
    result = sprov("device", "list", "-g", "berlni")
    assert result.status == 1
    assert result.err == (
        'sprov: there is no group "berlni"; did you mean "berlin"?\n')
    result = sprov("device", "list", "-g", "xyzzyxyzzy")
    assert result.status == 1
    assert result.err == (
        'sprov: there is no group "xyzzyxyzzy" in the inventory\n')
    result = sprov("device", "list", "-m", "SPA50")
    assert result.status == 1
    assert 'unknown model "SPA50"; did you mean' in result.err
    result = sprov("device", "list", "-m", "SPA962")
    assert result.status == 0
    assert result.out == ""
    assert result.err == "sprov: no device of that kind\n"
    good("device", "remove", MAC, OTHER)
    result = sprov("device", "list")
    assert result.status == 0
    assert "no device yet" in result.err


def test_list_on_terminal(good, environment):
    good("device", "add", MAC, "CP-8841-3PCC", "-f",
         "sip88xx.11-3-2MPP0001-609", "-s", "FCH00000001", "-g",
         "a group with quite a long name")
    master, slave = pty.openpty()
    subprocess.run(["stty", "cols", "80"], stdin=slave, check=True)
    run = subprocess.run([str(BINARY), "device", "list"], stdout=slave,
                         stdin=slave, env=environment, check=True, timeout=60)
    os.close(slave)
    assert run.returncode == 0
    shown = b""
    try:
        while True:
            chunk = os.read(master, 65536)
            if not chunk:
                break
            shown += chunk
    except OSError:
        pass  # the end, as Linux says it
    os.close(master)
    text = lines(shown.decode())
    assert len(text) == 2
    assert all(len(line.rstrip()) <= 80 for line in text)
    assert text[1].startswith(MAC + " CP-8841-3PCC ")
    assert text[1].rstrip().endswith("active")


def test_full_disk(sprov, good, environment):
    good("device", "add", MAC, "SPA504G")
    with open("/dev/full", "w", encoding="ascii") as full:
        run = subprocess.run([str(BINARY), "device", "list"], stdout=full,
                             stderr=subprocess.PIPE, env=environment,
                             check=False, timeout=60)
    assert run.returncode == 1
    assert run.stderr.endswith(b"standard output could not be written\n")


# Showing


def test_show(good):
    good("device", "add", MAC, "SPA504G", "-g", "berlin", "a=device")
    good("device", "set", "group:emea", "a=emea", "b=emea", "c=emea",
         "parent=")
    good("device", "set", "group:berlin", "parent=emea", "a=berlin",
         "b=berlin")
    good("device", "set", "model:spa-504g", "a=model", "c=model", "d=model")
    good("device", "set", "default", "a=default", "d=default", "e=default")
    shown = [line.split() for line in lines(good("device", "show", MAC))]
    assert shown == [
        ["mac", MAC], ["model", "SPA504G"], ["firmware", "-"],
        ["serial", "-"], ["group", "berlin"], ["state", "active"], [],
        ["VARIABLE", "VALUE", "FROM"],
        ["a", "device", "device"],
        ["b", "berlin", "group:berlin"],
        ["c", "emea", "group:emea"],
        ["d", "model", "model:SPA504G"],
        ["e", "default", "default"]]
    shown = json.loads(good("device", "show", MAC, "--json"))
    assert {name: of["from"] for name, of in shown["variables"].items()} == {
        "a": "device", "b": "group:berlin", "c": "group:emea",
        "d": "model:SPA504G", "e": "default"}
    assert shown["serial"] is None


def test_show_scopes(sprov, good):
    good("device", "set", "group:emea", "a=1")
    good("device", "set", "group:berlin", "parent=emea", "PIN=1")
    good("device", "set", "default", "d=1")
    out = good("device", "show", "group:berlin")
    assert [line.split() for line in lines(out)] == [
        ["target", "group:berlin"], ["kind", "group"], ["parent", "emea"],
        [],
        ["VARIABLE", "VALUE", "FROM"], ["PIN", "********", "group:berlin"]]
    assert json.loads(good("device", "show", "default", "--json")) == {
        "target": "default", "kind": None, "parent": None,
        "variables": {"d": {"value": "1", "from": "default",
                            "hidden": False}}}
    result = sprov("device", "show", "model:SPA962")
    assert result.status == 1
    assert result.err == (
        'sprov: the model "SPA962" has no variables in the inventory\n')


@pytest.mark.parametrize("target, message", [
    (OTHER, 'there is no device 000e08aabbcd in the inventory; "sprov device '
     'list" says what is there'),
    ("group:none", 'there is no group "none" in the inventory'),
    ("group:", '"group:" lacks the name of the group'),
    ("group:" + "x" * 64, "the name of the group is 64 bytes long, at most "
     "63 are allowed"),
    ("model:", 'unknown model ""'),
    ("model:SPA504", 'unknown model "SPA504"; did you mean SPA504G?'),
    ("default", "there are no default variables in the inventory"),
    ("berlin", '"berlin": expected a MAC address, group:NAME, tag:NAME, '
     'model:MODEL or default'),
])
def test_show_refusals(sprov, good, target, message):
    good("device", "add", MAC, "SPA504G")
    result = sprov("device", "show", target)
    assert result.status == 1
    assert result.err.startswith("sprov: " + message)
    assert result.out == ""


@pytest.mark.parametrize("name, hidden", [
    ("Password_1_", True), ("User_Password", True), ("ADMIN_PASSWD", True),
    ("userpassword", True), ("sipPwd", True), ("Shared-Secret", True),
    ("key", True), ("KEY1", True), ("SRTP_Private_Key", True),
    ("apikey", True), ("SipKey", True), ("keys", True), ("PIN", True),
    ("pin.code", True), ("Pin2", True), ("VoicemailPin", True),
    ("pins", True),
    ("Keypad", False), ("Shipping", False), ("spin", False),
    ("Pinned", False), ("keyboard", False), ("Display_Name", False),
    ("FAX_Passthru_Method", False), ("s", False), ("_", False),
])
def test_secrets(good, name, hidden):
    good("device", "add", MAC, "SPA504G", name + "=visible")
    for more in ([], ["--json"]):
        out = good("device", "show", MAC, *more)
        assert ("visible" in out) == (not hidden)
        assert ("********" in out) == hidden
        assert "visible" in good("device", "show", MAC, "--secrets", *more)


# Setting


def test_set_device(good):
    good("device", "add", MAC, "SPA504G", "a=1", "b=2")
    assert good("device", "set", MAC, "model=SPA-525G2", "Firmware=7.5.4",
                "serial=X", "group=berlin", "state=retired", "c=3",
                "--unset", "a", "--unset=b") == "new group berlin\n"
    shown = json.loads(good("device", "show", MAC, "--json"))
    assert [shown[name] for name in ("model", "firmware", "serial", "group",
                                     "state")] == [
        "SPA525G2", "7.5.4", "X", "berlin", "retired"]
    assert list(shown["variables"]) == ["c"]
    assert good("device", "set", "00:0e:08:aa:bb:cc", "firmware=", "serial=",
                "group=", "state=active") == ""
    shown = json.loads(good("device", "show", MAC, "--json"))
    assert [shown[name] for name in ("firmware", "serial", "group",
                                     "state")] == [None, None, None, "active"]


@pytest.mark.parametrize("arguments, message", [
    ([OTHER, "a=1"], "there is no device 000e08aabbcd"),
    (["x", "a=1"], '"x": expected a MAC address, group:NAME'),
    ([MAC, "model="], 'unknown model ""'),
    ([MAC, "firmware=?"], '"?"'),
    ([MAC, "firmware=" + "1" * 64], "63"),
    ([MAC, "state="], '"" is not a state'),
    ([MAC, "a=1", "mac=" + OTHER], "the MAC of a device cannot be set: remove "
     "the device and add the other one"),
    ([MAC, "--unset", "b"], "--unset b: the variable is not set there"),
    ([MAC, "--unset", "group"], "--unset group: that is no variable; group= "
     "clears it"),
    (["group:berlin", "parent=none"], 'there is no group "none"'),
    (["group:berlin", "parent=berlin"], 'the group "berlin" cannot be its own '
     'parent'),
    (["group:emea", "parent=berlin"], 'that one is below it'),
    (["group:berlin", "parent=" + "x" * 64], "the parent is longer than 63"),
    (["group:berlin", "model=SPA504G"], "model cannot be set here: it is a "
     "field of devices"),
    (["model:SPA504G", "parent=x"], "parent cannot be set here: it is a field "
     "of groups"),
    (["default", "Serial=x"], "Serial cannot be set here"),
    (["default", "--unset", "x"], "--unset x: the variable is not set"),
    (["default", "a b=x"], '"a b" is not the name of a variable'),
])
def test_set_refusals(sprov, good, arguments, message):
    good("device", "add", MAC, "SPA504G", "-g", "berlin", "a=0")
    good("device", "set", "group:emea", "x=1")
    good("device", "set", "group:berlin", "parent=emea")
    before = good("device", "show", MAC, "--json")
    result = sprov("device", "set", *arguments)
    assert result.status == 1
    assert result.err.startswith("sprov: ")
    assert message in result.err
    assert good("device", "show", MAC, "--json") == before


# Removing


def test_remove(sprov, good):
    for mac in (MAC, OTHER, "020000000001"):
        good("device", "add", mac, "SPA504G")
    result = sprov("device", "remove", MAC, "020000000002", OTHER,
                   "020000000003")
    assert result.status == 1
    assert lines(result.err) == [
        "sprov: there is no device 020000000002 in the inventory",
        "sprov: there is no device 020000000003 in the inventory",
        'sprov: nothing was removed; "sprov device list" says what is there']
    assert len(json.loads(good("device", "list", "--json"))) == 3
    result = sprov("device", "remove", MAC, "x")
    assert result.status == 1
    assert '"x": expected a MAC address, group:NAME' in result.err
    assert good("device", "remove", MAC, "00:0e:08:aa:bb:cd",
                "00-0E-08-AA-BB-CC") == "removed 2 devices\n"
    assert good("device", "remove", "020000000001") == "removed 1 device\n"


# Importing


GOOD = ("mac,model,firmware,group,User_ID_1_\n"
        "000e08aabbcc,SPA504G,7.5.4,berlin,100\n"
        "00:0e:08:aa:bb:cd,spa962,,,\n")


def test_import(sprov, good, tmp_path):
    (tmp_path / "phones.csv").write_text(GOOD)
    assert good("device", "import", "phones.csv", "--dry-run") == (
        "would import 2 devices: 2 added, 0 updated\n")
    assert not (tmp_path / "inventory.db").exists()
    assert good("device", "import", "phones.csv") == (
        "imported 2 devices: 2 added, 0 updated\n")
    assert len(json.loads(good("device", "list", "--json"))) == 2
    result = sprov("device", "import", "-", stdin=GOOD)
    assert result.status == 1
    assert lines(result.err) == [
        "sprov: standard input:2: the device 000e08aabbcc is in the inventory "
        "already",
        "sprov: standard input:3: the device 000e08aabbcd is in the inventory "
        "already",
        "sprov: nothing was imported: mend what is listed and import the "
        "whole file again"]
    assert good("device", "import", "--update", "-", stdin=(
        GOOD + "020000000001,ATA192,,,\n").replace("100", "101")) == (
        "imported 3 devices: 1 added, 1 updated, 1 unchanged\n")
    shown = json.loads(good("device", "show", MAC, "--json"))
    assert shown["variables"]["User_ID_1_"]["value"] == "101"


def test_import_errors(sprov, good, tmp_path):
    (tmp_path / "phones.csv").write_text(
        GOOD + "020000000001,SPA504,,,\n"
        "020000000002,SPA504G,?,,\n"
        "00-0E-08-AA-BB-CC,SPA504G,,,\n")
    for more, status, word in (([], 1, "was"), (["-n"], 3, "would be")):
        result = sprov("device", "import", "phones.csv", *more)
        assert result.status == status
        err = lines(result.err)
        assert err[0] == ('sprov: phones.csv:4: unknown model "SPA504"; did '
                          "you mean SPA504G?")
        assert err[1].startswith('sprov: phones.csv:5: firmware "?"')
        assert err[2] == ("sprov: phones.csv:6: the device 000e08aabbcc is in "
                          "line 2 already")
        assert err[3] == ("sprov: nothing %s imported: mend what is listed "
                          "and import the whole file again" % word)
        assert result.out == ""
    assert sprov("device", "list").out == ""
    result = sprov("device", "show", "group:berlin")
    assert result.status == 1


def test_import_files(sprov, good, tmp_path):
    result = sprov("device", "import", "none.csv")
    assert result.status == 1
    assert result.err == "sprov: none.csv: No such file or directory\n"
    result = sprov("device", "import", ".")
    assert result.status == 1
    assert result.err == "sprov: .: not a file\n"
    result = sprov("device", "import", "-")
    assert result.status == 1
    assert "standard input:1: the file is empty" in result.err
    assert good("device", "import", "-", stdin="mac,model\n") == (
        "imported 0 devices: 0 added, 0 updated\n")


def test_import_dry_run_beside_devices(sprov, good, tmp_path):
    good("device", "add", MAC, "SPA504G", "-g", "berlin")
    before = (tmp_path / "inventory.db").read_bytes()
    assert good("device", "import", "-", "-n", "--update", stdin=GOOD) == (
        "would import 2 devices: 1 added, 1 updated\n")
    result = sprov("device", "import", "-", "-n", stdin=GOOD)
    assert result.status == 3
    assert "is in the inventory already" in result.err
    assert (tmp_path / "inventory.db").read_bytes() == before
    (tmp_path / "inventory.db").write_text("x" * 1000)
    result = sprov("device", "import", "-", "-n", stdin=GOOD)
    assert result.status == 1
    assert "it is no inventory" in result.err


def test_import_many_errors(sprov):
    result = sprov("device", "import", "-",
                   stdin="mac,model\n" + "x,SPA504G\n" * 1000)
    assert result.status == 1
    assert len(lines(result.err)) == 102
    assert lines(result.err)[100] == "sprov: and 900 errors more"


def test_import_large(good):
    text = "mac,model,group,User_ID_1_\n" + "".join(
        "02%010x,SPA504G,group %d,%d\n" % (i, i % 50, i)
        for i in range(20000))
    assert good("device", "import", "-", stdin=text) == (
        "imported 20000 devices: 20000 added, 0 updated\n")
    assert len(json.loads(good("device", "list", "--json"))) == 20000
