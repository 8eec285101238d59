"""sprov device import --format: what other systems keep."""

import json
import os
import re
import shutil
from xml.etree import ElementTree

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


# A folder of profiles


def parameters(text):
    """(name, value or None, ua) of a flat profile, as a device takes it."""
    root = ElementTree.fromstring(text)
    profile = root if root.tag == "flat-profile" else \
        root.find(".//flat-profile")
    return [(item.tag, item.text, item.get("ua")) for item in profile]


def spc_parameters(path):
    """The same of plain text, read by rules of our own."""
    found = []
    for line in path.read_text().splitlines():
        if line.startswith("import "):
            found += spc_parameters(path.parent / line.split()[1])
            continue
        match = re.match(r'(\w+)(?:\[(\d+)\])? *([!?]?) *(?:"([^"]*)")? *;',
                         line)
        if match:
            name, index, mark, value = match.groups()
            found.append((name + ("_%s_" % index if index else ""), value,
                          {"!": "rw", "?": "ro", "": "na"}[mark]))
    return found


@pytest.fixture
def render(sprov, tmp_path):
    """What the server would send to a device, from the written templates."""
    templates = tmp_path / "templates"
    templates.mkdir()
    config = tmp_path / "sprov.conf"
    config.write_text(
        "inventory sqlite:%s\ntemplates %s\nlistener a {\n"
        "  address 127.0.0.1:4433\n  certificate a.crt key a.key\n"
        "  client-anchors a.pem\n}\n" % (tmp_path / "inventory.db",
                                        templates))

    def run(mac):
        result = sprov("profile", "render", "--secrets", "--config",
                       str(config), mac)
        assert result.status == 0, result
        return result.out
    run.templates = templates
    return run


DEVICES = {
    "000e08aabb21": "spa000e08aabb21.cfg",
    "000e08aabb22": "hall/spa504g-00-0E-08-AA-BB-22.xml",
    "000e08aabb23": "hall/spa000E08AABB23.xml",
    "000e08aabb31": "ata/SPA112/000e08aabb31.txt",
    "000e08aabb32": "ata/SPA112/000e08aabb32.txt",
    "000e08aabb41": "Cisco/CP-8841-3PCC/000e08aabb41.cfg",
}


def import_tree(sprov, tree, templates, *more):
    return sprov("device", "import", "--format", "tree", "--json",
                 "--templates", str(templates), *more, str(tree))


def test_tree(sprov, data, render):
    """Every device gets what its file said, parameter by parameter."""
    result = import_tree(sprov, data / "tree", render.templates)
    assert result.status == 3
    found = json.loads(result.out)
    assert found["added"] == len(DEVICES)
    for mac, name in DEVICES.items():
        path = data / "tree" / name
        expected = spc_parameters(path) if path.suffix == ".txt" \
            else parameters(path.read_text())
        assert parameters(render(mac)) == expected
    left_out = " ".join(found["not_taken"])
    for part in ("bb24.cfg: is encrypted", "bb25.cfg: is compressed",
                 "bb26.cfg: is binary", "README: is no profile",
                 "directory.xml: is XML without"):
        assert part in left_out
    assert found["not_taken_count"] == 5
    assert shown(sprov, "000e08aabb22")["group"] == "hall"
    leaks = {os.path.relpath(leak["file"], data / "tree"): leak
             for leak in found["leaks"]}
    assert set(leaks) == set(DEVICES.values()) | {"spa504G.cfg"}
    assert leaks["spa000e08aabb21.cfg"]["parameters"] == \
        "Admin_Passwd, Password_1_, GPP_SA"
    assert leaks["spa504G.cfg"]["devices"] == 3
    assert any("Profile_Rule_B is still" in note for note in found["notes"])
    # No secret in a template, which all may read.
    written = "".join(path.read_text()
                      for path in render.templates.iterdir())
    for secret in ("Pp1", "Nn8", "other-admin", "Ww6", "Yy4", "common-admin",
                   "kk-"):
        assert secret not in written
    assert "common-admin" == variables(sprov, "model:SPA504G")[
        "admin_password-common"]


def test_tree_needs_templates(sprov, data):
    result = sprov("device", "import", "--format", "tree",
                   str(data / "tree"))
    assert result.status == 1
    assert "6 templates are to be written" not in result.err
    assert "5 templates are to be written" in result.err
    trial = sprov("device", "import", "--format", "tree", "--dry-run",
                  str(data / "tree"))
    assert trial.status == 3 and "would import 6 devices" in trial.out


@pytest.mark.parametrize("name, text, message", [
    # one device in two spellings, with two profiles
    ("000E08AABB21.xml", "<flat-profile><A>1</A></flat-profile>",
     "another profile of the device"),
    ("spa000e08aabb99.cfg", "<flat-profile><A>1</B></flat-profile>",
     "spa000e08aabb99.cfg:1:"),
    ("spa000e08aabb99.cfg", "<flat-profile><A>1</A></flat-profile>",
     "nothing tells the model"),
    ("spa000e08aabb99.cfg", 'A "1\n', "spa000e08aabb99.cfg:1:3: the value "
     "has no closing quote"),
    ("spa000e08aabb99.txt", "import ../base.txt\n",
     "expected a file in the same folder"),
    ("spa504g-000e08aabb99.xml",
     "<flat-profile><User_ID_1_>%s</User_ID_1_></flat-profile>" % (5000 * "a"),
     "at most 4096"),
])
def test_tree_refused(sprov, data, render, name, text, message):
    (data / "tree" / name).write_text(text)
    result = import_tree(sprov, data / "tree", render.templates)
    assert result.status == 1
    assert message in " ".join(json.loads(result.out)["errors"])
    assert not list(render.templates.iterdir())
    assert sprov("device", "show", "000e08aabb21").status == 1


def test_tree_doubles(sprov, data, render):
    """The same profile under another spelling of the name is no matter."""
    text = (data / "tree" / "spa000e08aabb21.cfg").read_text()
    (data / "tree" / "SPA504G-000E08AABB21.xml").write_text(text)
    os.symlink("spa000e08aabb21.cfg", data / "tree" /
               "spa00:0e:08:aa:bb:21.cfg")
    result = import_tree(sprov, data / "tree", render.templates)
    assert result.status == 3
    found = json.loads(result.out)
    assert found["added"] == 6
    assert sum("the same as" in note for note in found["notes"]) == 2


def test_tree_templates_stay(sprov, data, render):
    """A template of the operator's is never overwritten; none is left."""
    (render.templates / "spa112.xml").write_text("mine")
    result = import_tree(sprov, data / "tree", render.templates)
    assert result.status == 1
    assert "another template is there" in json.loads(result.out)["errors"][0]
    assert [path.name for path in render.templates.iterdir()] == \
        ["spa112.xml"]


def test_tree_two_sites(sprov, data, tmp_path, render):
    """What is common to one site does not reach the other."""
    sites = {}
    for site, first, secret in (("north", 0x50, "n-admin"),
                                ("south", 0x60, "s-admin")):
        sites[site] = tree = tmp_path / site
        (tree / "hall").mkdir(parents=True)
        for i in range(3):
            (tree / ("hall" if i else ".") /
             ("spa504g-000e08aabb%02x.xml" % (first + i))).write_text(
                 "<flat-profile><Admin_Passwd>%s</Admin_Passwd>"
                 "<User_ID_1_>%d</User_ID_1_></flat-profile>" % (secret, i))
    assert import_tree(sprov, sites["north"], render.templates).status == 0
    result = import_tree(sprov, sites["south"], render.templates)
    assert result.status == 1
    error = json.loads(result.out)["errors"][0]
    assert "model:SPA504G: its variable admin_password has another" in error
    assert "admin\"" not in error and "s-admin" not in error
    result = import_tree(sprov, sites["south"], render.templates, "--group",
                         "south")
    assert result.status == 0, result
    assert shown(sprov, "000e08aabb62")["group"] == "south-hall"
    for mac, secret in (("000e08aabb52", "n-admin"),
                        ("000e08aabb60", "s-admin"),
                        ("000e08aabb62", "s-admin")):
        assert parameters(render(mac))[0][1] == secret


def test_tree_model(sprov, tmp_path, render):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "000e08aabb99.xml").write_text(
        "<flat-profile><User_ID_1_>9</User_ID_1_></flat-profile>")
    result = import_tree(sprov, tree, render.templates, "--model", "SPA942",
                         "--group", "office")
    assert result.status == 0, result
    assert shown(sprov, "000e08aabb99")["model"] == "SPA942"
    assert shown(sprov, "000e08aabb99")["group"] == "office"
    assert parameters(render("000e08aabb99")) == [("User_ID_1_", "9", None)]


# Asterisk's phoneprov


def substitute(folder, text, values, extensions):
    """What res_phoneprov makes of a template, for what the samples use."""
    def each(match):
        inner = (folder / match.group(1)).read_text()
        return "".join(substitute(folder, inner, {**values, **one}, [])
                       for one in extensions)
    text = re.sub(r"\$\{PP_EACH_EXTENSION\(\$\{MAC\}\|([^)]*)\)\}", each,
                  text)
    text = text.replace("${TOUPPER(${MAC})}", values["MAC"].upper())
    return re.sub(r"\$\{(\w+)\}", lambda m: values.get(m.group(1), ""), text)


PHONES = {
    "000e08aabb51": [
        {"USERNAME": "501", "SECRET": "Gg1-phoneprov-501", "LINE": "1",
         "DISPLAY_NAME": "Front &amp; back", "CALLERID": "501"},
        {"USERNAME": "502", "SECRET": "Gg1-phoneprov-502", "LINE": "2",
         "DISPLAY_NAME": "Front, second line", "CALLERID": "502"}],
    "000e08aabb52": [
        {"USERNAME": "503", "SECRET": "Gg1-phoneprov-503", "LINE": "1",
         "DISPLAY_NAME": "Hall", "CALLERID": "503"}],
}


def import_phoneprov(sprov, folder, templates):
    result = sprov("device", "import", "--format", "phoneprov", "--json",
                   "--templates", str(templates), str(folder))
    return result, json.loads(result.out) if result.out else {}


def test_phoneprov(sprov, data, render):
    """The converted template gives the same bytes as Asterisk's."""
    folder = data / "asterisk"
    result, found = import_phoneprov(sprov, folder, render.templates)
    assert result.status == 3, result
    assert found["added"] == 3
    common = {"SERVER": "198.51.100.6", "SERVER_PORT": "5060",
              "TIMEZONE_TEXT": "GMT+01:00", "NTP": "ntp.example.net"}
    template = (folder / "phoneprov" / "spa504g.xml").read_text()
    for mac, extensions in PHONES.items():
        values = {"MAC": mac, **common, **extensions[0]}
        assert render(mac) == substitute(folder / "phoneprov", template,
                                         values, extensions)
    left_out = "\n".join(found["not_taken"])
    assert "ata.xml:5:20: is not converted" in left_out
    assert 'ata.xml:6:10: is not converted: "${CALLERID:0:3}"' in left_out
    assert "polycom.cfg is no flat-profile" in left_out
    assert "user 505" in left_out
    assert "phoneprov.conf:20:1: setvar is not taken" in left_out
    leaks = {leak["file"]: leak for leak in found["leaks"]}
    assert leaks[str(folder / "users.conf")]["devices"] == 3
    assert leaks["/phoneprov/spa${MAC}.cfg"]["devices"] == 2
    assert "password" in leaks["/phoneprov/spa${MAC}.cfg"]["parameters"]


def test_phoneprov_literal_secret(sprov, data, render):
    """A password in a template's text does not get into one of ours."""
    path = data / "asterisk" / "phoneprov" / "spa504g.xml"
    path.write_text(path.read_text().replace(
        "</flat-profile>", '  <Admin_Passwd ua="na">lit&amp;eral'
        "</Admin_Passwd>\n  <GPP_SA>lit2</GPP_SA>\n</flat-profile>"))
    path.chmod(0o644)
    _, found = import_phoneprov(sprov, data / "asterisk", render.templates)
    text = (render.templates / "phoneprov-spa504g.xml").read_text()
    assert '<Admin_Passwd ua="na">{{Admin_Passwd}}</Admin_Passwd>' in text
    assert "lit" not in text
    assert variables(sprov, "group:spa504g")["Admin_Passwd"] == "lit&eral"
    assert "lit&amp;eral</Admin_Passwd>" in render("000e08aabb52")
    assert "<GPP_SA>lit2</GPP_SA>" in render("000e08aabb52")
    leaks = {leak["file"]: leak for leak in found["leaks"]}
    assert leaks[str(path)]["parameters"] == "Admin_Passwd, GPP_SA"
    assert leaks[str(path)]["mode"] == "0644"


def test_phoneprov_not_converted(sprov, data, render):
    """A template with a hole is never rendered as if it had none."""
    import_phoneprov(sprov, data / "asterisk", render.templates)
    assert shown(sprov, "000e08aabb53")["model"] == "SPA112"
    with pytest.raises(AssertionError, match="phoneprov-not-converted-1"):
        render("000e08aabb53")


@pytest.mark.parametrize("name, old, new, message", [
    ("users.conf", "000e08aabb52", "000e08aabb5", "macaddress: expected"),
    ("users.conf", "[502](phone)", "[502](fone)", "users.conf:16:1: no "
     "section of that name"),
    ("users.conf", "00:0e:08:aa:bb:51\n",
     "00:0e:08:aa:bb:51\nprofile = spa112\n", "another profile"),
    ("phoneprov.conf", "=> spa504g.xml", "=> gone.xml", "gone.xml"),
    ("phoneprov.conf", "=> spa504g.xml", "=> ../users.conf",
     "not below the folder"),
    ("phoneprov/spa504g.xml", "${NTP}", "${NTP", "spa504g.xml:6:23: has no "
     "closing bracket"),
    ("phoneprov.conf", "[spa504g]", "[spa504g", 'expected \\"]\\"'),
])
def test_phoneprov_refused(sprov, data, render, name, old, new, message):
    path = data / "asterisk" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    result, found = import_phoneprov(sprov, data / "asterisk",
                                     render.templates)
    assert result.status == 1, result
    assert message in json.dumps(found["errors"])
    assert not list(render.templates.iterdir())


def test_phoneprov_data(sprov, data, render, tmp_path):
    """Templates where asterisk.conf says that they are."""
    folder = data / "asterisk"
    (tmp_path / "var").mkdir()
    (folder / "phoneprov").rename(tmp_path / "var" / "phoneprov")
    (folder / "asterisk.conf").write_text(
        "[directories](!)\nastdatadir => %s\n" % (tmp_path / "var"))
    result, found = import_phoneprov(sprov, folder, render.templates)
    assert result.status == 3 and found["added"] == 3
