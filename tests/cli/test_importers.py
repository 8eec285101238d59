"""sprov device import --format: what other systems keep."""

import json
import os
import shutil

import pytest

DATA = os.path.join(os.path.dirname(__file__), os.pardir, "data", "importers")


@pytest.fixture
def data(tmp_path):
    """A copy of the samples, as an importer meets them."""
    folder = tmp_path / "data"
    shutil.copytree(DATA, folder)
    return folder


def shown(sprov, target):
    return json.loads(sprov("device", "show", "--json", "--secrets",
                            target).out)


def variables(sprov, target):
    return {name: variable["value"] for name, variable
            in shown(sprov, target)["variables"].items()}


def test_fusionpbx(sprov, data):
    path = data / "fusionpbx.csv"
    path.chmod(0o644)
    result = sprov("device", "import", "--format", "fusionpbx", str(path))
    assert result.status == 3  # the Yealink was not taken
    assert "imported 3 devices: 3 added" in result.out
    assert "is another maker" in " ".join(result.out.split())
    assert "mode 0644, all may read it" in " ".join(result.out.split())
    assert all(len(line) <= 80 or str(data) in line
               for line in result.out.splitlines())
    one = variables(sprov, "000e08aabb02")
    assert one["user_id"] == "102"
    assert one["password"] == "Tz4&amber<102>"
    assert one["proxy"] == one["proxy_primary"] == "sip1.example.net"
    assert one["display_name"] == 'Workshop "A"'
    two = variables(sprov, "000e08aabb03")
    assert two["user_id"] == "103" and two["user_id_2"] == "104"
    assert shown(sprov, "000e08aabb03")["state"] == "retired"
    # Secrets are not in what is printed.
    for secret in ("Qw7!vend-101", "Tz4&amber", "oldprov"):
        assert secret not in result.out + result.err


def test_wazo(sprov, data):
    path = data / "wazo.json"
    path.chmod(0o640)
    result = sprov("device", "import", "--format", "wazo", "--json",
                   str(path))
    assert result.status == 3
    found = json.loads(result.out)
    assert found["imported"] and found["added"] == 2
    assert found["not_taken_count"] == 2  # function keys, and a Yealink
    leaks = {leak["file"]: leak for leak in found["leaks"]}
    assert leaks[str(path)]["mode"] == "0640"
    assert leaks[str(path)]["devices"] == 2
    assert "admin_password" in leaks[str(path)]["parameters"]
    assert leaks["http://198.51.100.5:8667"]["mode"] is None
    one = variables(sprov, "000e08aabb11")
    assert one["user_id_2"] == "u102"
    assert one["proxy"] == "198.51.100.6:5060"  # of its group
    assert one["admin_password"] == "Rk9-admin-all"  # of the group above
    assert shown(sprov, "000e08aabb11")["group"] == "defaultconfigdevice"


def test_wazo_store(sprov, data):
    """The older store: a folder with an object a file."""
    whole = json.loads((data / "wazo.json").read_text())
    store = data / "jsondb"
    for kind in ("devices", "configs"):
        (store / kind).mkdir(parents=True)
        for item in whole[kind]:
            (store / kind / item["id"]).write_text(json.dumps(item))
    result = sprov("device", "import", "--format", "wazo", str(store))
    assert result.status == 3
    assert "imported 2 devices: 2 added" in result.out
    assert variables(sprov, "000e08aabb12")["password"] == "Vb3-wazo-103"


def test_twice(sprov, data):
    path = str(data / "wazo.json")
    assert sprov("device", "import", "--format", "wazo", path).status == 3
    again = sprov("device", "import", "--format", "wazo", path)
    assert again.status == 1
    assert "--update changes it" in again.err
    update = sprov("device", "import", "--format=wazo", "--update", path)
    assert "0 added, 0 updated, 2 as they were" in update.out


def test_nothing_half(sprov, data):
    """One bad row, and nothing is there; a trial leaves nothing either."""
    path = data / "fusionpbx.csv"
    good = path.read_text()
    path.write_text(good.replace("000e08aabb02", "000e08aabb0x"))
    result = sprov("device", "import", "--format", "fusionpbx", str(path))
    assert result.status == 1
    assert "%s:3, column 3" % path in result.err
    assert "nothing was imported" in result.err
    path.write_text(good)
    trial = sprov("device", "import", "--format", "fusionpbx", "--dry-run",
                  str(path))
    assert trial.status == 3 and "would import 3 devices" in trial.out
    assert sprov("device", "show", "000e08aabb01").status == 1


@pytest.mark.parametrize("arguments, message", [
    (["--format", "xyz", "F"], '"xyz" is no format'),
    (["--format", "wazo"], "PATH is missing"),
    (["--format", "wazo", "--model", "SPA5O4G", "F"],
     "did you mean SPA504G?"),
    (["--format", "wazo", "--group", "x" * 64, "F"], "longer than 63"),
])
def test_usage(sprov, arguments, message):
    result = sprov("device", "import", *arguments)
    assert result.status == 2
    assert message in result.err


def test_no_file(sprov, tmp_path):
    result = sprov("device", "import", "--format", "fusionpbx",
                   str(tmp_path / "none.csv"))
    assert result.status == 1
    assert "none.csv" in result.err
