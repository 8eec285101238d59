"""sprov profile: what each device gets."""

import json
import re
import stat

import pytest

MAC = "000e08aabbcc"
SECRET = "s3cret&more"


@pytest.fixture
def phone(good):
    """A phone with a line in the inventory."""
    good("device", "add", MAC, "SPA504G", "user_id=7001",
         "password=" + SECRET, "proxy=sip.example.net")
    return MAC


def configure(folder, **templates):
    """A configuration that names a folder of templates."""
    (folder / "templates").mkdir()
    for name, text in templates.items():
        (folder / "templates" / (name + ".xml")).write_text(text)
    path = folder / "sprov.conf"
    path.write_text("templates templates\nlistener a {\n"
                    "  address 127.0.0.1:4433\n  certificate a.crt key a.key\n"
                    "  client-anchors a.pem\n}\n")
    return path


# render


def test_render_masks(good, phone):
    text = good("profile", "render", "00:0E:08:AA:BB:CC")
    assert "<User_ID_1_>7001</User_ID_1_>" in text
    assert '<Password_1_ ua="na">********</Password_1_>' in text
    assert "s3cret" not in text
    assert '<Password_1_ ua="na">s3cret&amp;more</Password_1_>' in good(
        "profile", "render", "--secrets", phone)


def test_render_json(good, phone):
    value = json.loads(good("profile", "render", "--json", phone))
    assert value["mac"] == MAC
    assert value["model"] == "SPA504G"
    assert value["profile"] == good("profile", "render", phone)
    assert "s3cret" not in json.dumps(value)


def test_render_to_file(good, phone, tmp_path):
    assert good("profile", "render", "--secrets", "-o", "out.xml",
                phone) == ""
    out = tmp_path / "out.xml"
    assert out.read_text() == good("profile", "render", "--secrets", phone)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_render_of_configuration(good, sprov, phone, tmp_path):
    """No key and no certificate is needed to see a template filled in."""
    path = configure(tmp_path, mine="<flat-profile><A>{{mac_upper}}</A>"
                     "<B>{{password}}</B></flat-profile>\n")
    good("device", "set", MAC, "template=mine.xml")
    assert good("profile", "render", "-c", path, phone) == (
        "<flat-profile><A>000E08AABBCC</A><B>********</B></flat-profile>\n")
    good("device", "set", MAC, "template=other.xml")
    result = sprov("profile", "render", "-c", path, phone)
    assert result.status == 1
    assert result.err == 'sprov: template "other.xml" does not exist\n'


def test_render_many(good, sprov, phone, tmp_path):
    good("device", "set", "group:site", "parent=", "kind=site")
    good("device", "set", "group:room", "parent=site")
    good("device", "add", "-g", "room", "000e08aabb01", "SPA112",
         "user_id=1", "password=one", "proxy=sip.example.net")
    good("device", "add", "-g", "site", "000e08aabb02", "SPA112",
         "user_id=2", "password=two", "proxy=sip.example.net")
    good("device", "add", "000e08aabb03", "SPA112", "state=retired")
    assert good("profile", "render", "-g", "site", "-w", "out") == \
        "2 profiles written, 0 failed\n"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == \
        ["000e08aabb01.xml", "000e08aabb02.xml"]
    path = tmp_path / "out" / "000e08aabb01.xml"
    assert path.read_text() == good("profile", "render", "000e08aabb01")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert good("profile", "render", "--secrets", "--all", "-w", "out",
                "--json") == '{"written": 3, "failed": 0}\n'
    assert path.read_text() == good("profile", "render", "--secrets",
                                    "000e08aabb01")
    # One that cannot be made is named, and does not stop the others.
    good("device", "set", "000e08aabb01", "template=none.xml")
    result = sprov("profile", "render", "--all", "-w", "some")
    assert result.status == 1
    assert result.err == ('sprov: 000e08aabb01: template "none.xml" does not '
                          "exist\n")
    assert result.out == "2 profiles written, 1 failed\n"
    assert len(list((tmp_path / "some").iterdir())) == 2
    assert (tmp_path / "some" / (phone + ".xml")).exists()


@pytest.mark.parametrize("arguments, message", [
    (["--all"], "--write"), (["-g", "site"], "--write"),
    (["--all", "-w", "out", "-o", "x"], "--write"),
    (["--all", "-g", "site", "-w", "out"], "which device?"),
    ([MAC, "--all", "-w", "out"], "which device?"),
    ([MAC, "-w", "out"], "--write goes with"), ([], "which device?")])
def test_render_many_usage(sprov, tmp_path, arguments, message):
    result = sprov("profile", "render", *arguments)
    assert result.status == 2 and message in result.err, result
    assert not (tmp_path / "out").exists()


def test_render_many_refusals(sprov, phone, tmp_path):
    assert phone
    result = sprov("profile", "render", "-g", "none", "-w", "out")
    assert result.status == 1
    assert result.err == 'sprov: there is no group "none" in the inventory\n'
    (tmp_path / "file").write_text("x")
    result = sprov("profile", "render", "--all", "-w", "file")
    assert result.status == 1 and "file" in result.err


# rotate


def test_rotate_group_with_those_below(good, sprov):
    good("device", "set", "group:top", "kind=tenant", "protection=aes")
    good("device", "set", "group:below", "parent=top", "kind=site")
    good("device", "add", "-g", "top", "000e08aabb01", "SPA112")
    good("device", "add", "-g", "below", "000e08aabb02", "SPA112")
    good("device", "add", "000e08aabb03", "SPA112", "protection=aes")

    def rotated(*arguments):
        found = json.loads(good("profile", "rotate", "--json", *arguments))
        return [row["mac"][-1] for row in found["devices"]]

    before = good("device", "export", "--secrets")
    assert rotated("--dry-run", "-g", "top") == ["1", "2"]
    assert rotated("--dry-run", "--all") == ["1", "2", "3"]
    assert good("device", "export", "--secrets") == before
    assert rotated("-g", "below") == ["2"]
    assert rotated("-g", "top") == ["1", "2"]
    result = sprov("profile", "rotate", "-g", "none")
    assert result.status == 1
    assert result.err == 'sprov: there is no group "none" in the inventory\n'


def test_rotate_of_configuration(good, tmp_path, environment):
    """Its inventory, sealed with its key, and its state directory."""
    del environment["SPROV_INVENTORY"]
    path = configure(tmp_path)
    key = tmp_path / "secrets.key"
    key.write_bytes(b"k" * 32)
    key.chmod(0o600)
    path.write_text("inventory sqlite:own.db\nstate-directory .\n"
                    "secrets-key secrets.key\n" + path.read_text())
    uri = "sqlite:%s" % (tmp_path / "own.db")
    good("device", "add", "-i", uri, "--secrets-key", key, MAC, "SPA504G",
         "protection=aes", "password=abc")
    assert json.loads(good("profile", "rotate", "--json", "-c", path,
                           MAC))["rotated"] == 1
    shown = good("device", "show", "-i", uri, "--secrets-key", key,
                 "--secrets", MAC)
    assert re.search(r"profile_keys +[0-9a-f]{16}:\w{32}", shown)
    assert b"profile_keys" in (tmp_path / "own.db").read_bytes()
    ident = re.search(r"([0-9a-f]{16}):\w{32}", shown).group(1)
    assert ident.encode() not in (tmp_path / "own.db").read_bytes()


def test_render_masks_what_templates_say(good, phone, tmp_path):
    path = configure(tmp_path, mine="<flat-profile><Admin_Passwd>letmein"
                     "</Admin_Passwd><Profile_Rule>[--key abc]https://a/"
                     "</Profile_Rule></flat-profile>")
    good("device", "set", MAC, "template=mine.xml")
    assert good("profile", "render", "-c", path, phone) == (
        "<flat-profile><Admin_Passwd>********</Admin_Passwd><Profile_Rule>"
        "[--key ********]https://a/</Profile_Rule></flat-profile>")
    assert "letmein" in good("profile", "render", "-c", path, "--secrets",
                             phone)


def test_render_refusals(sprov, phone, tmp_path):
    result = sprov("profile", "render", "000e08aabbcd")
    assert result.status == 1
    assert "there is no device 000e08aabbcd" in result.err
    result = sprov("profile", "render", "nonsense")
    assert result.status == 1
    assert "nonsense" in result.err
    assert sprov("profile", "render").status == 2
    result = sprov("profile", "render", "-c", "missing.conf", phone)
    assert result.status == 1
    assert "missing.conf" in result.err
    path = configure(tmp_path, bad="<flat-profile>{{#a}}</flat-profile>\n")
    result = sprov("profile", "render", "-c", path, phone)
    assert result.status == 1
    assert "templates/bad.xml:1:15: " in result.err
    assert result.out == ""


# check


BAD = """<flat-profile>
  <Provision_Enable>No</Provision_Enable>
  <Proxi_1_>sip.example.net</Proxi_1_>
  <Password_1_>s3cret</Password_1_>
  <SIP_Port_1_>70000</SIP_Port_1_>
  <Profile_Rule_B/>
</flat-profile>
"""


def test_check_file(sprov, tmp_path):
    (tmp_path / "bad.xml").write_text(BAD)
    result = sprov("profile", "check", "--as", "SPA504G@7.6.2", "bad.xml")
    assert result.status == 3
    assert result.err == ""
    assert result.out.splitlines() == [
        "bad.xml:2:3: stops resync: Provision_Enable: no resync at all any "
        "more: only by hand on the device can this be taken back",
        "bad.xml:3:3: unknown here: Proxi_1_: did you mean Proxy_1_?",
        'bad.xml:5:3: bad value: SIP_Port_1_: "70000": expected a port: 0 to '
        "65535",
        "bad.xml:6:3: note: Profile_Rule_B: <X/> leaves the value as it is; "
        "<X></X> clears it",
        "bad.xml: profile for SPA504G at 7.6.2: 3 problems, 1 note"]


def test_check_json(sprov, good, tmp_path):
    (tmp_path / "bad.xml").write_text(BAD)
    (tmp_path / "good.xml").write_text("<flat-profile/>")
    result = sprov("profile", "check", "--json", "bad.xml", "good.xml")
    assert result.status == 3
    one, two = json.loads(result.out)
    assert (one["input"], one["kind"], one["model"]) == (
        "bad.xml", "profile", None)
    assert (one["problems"], one["count"]) == (3, 4)
    assert one["findings"][0]["severity"] == "stops resync"
    assert one["findings"][0]["name"] == "Provision_Enable"
    assert (one["findings"][0]["line"], one["findings"][0]["column"]) == (2, 3)
    assert two["findings"] == [] and two["problems"] == 0
    assert json.loads(good("profile", "check", "--json", "good.xml"))


def test_check_notes_are_no_problem(good, tmp_path):
    (tmp_path / "a.xml").write_text("<flat-profile><GPP_A/></flat-profile>")
    assert good("profile", "check", "a.xml").endswith(
        "a.xml: profile: 0 problems, 1 note\n")


@pytest.mark.parametrize("text, message", [
    (b"<flat-profile>\n<A>x & y</A></flat-profile>",
     "a.xml:2:7: malformed: not well-formed (invalid token); in a value, & is "
     "written &amp;"),
    (b"<flat-profile><A>\xe4</A></flat-profile>",
     "a.xml:1:18: malformed: not well-formed (invalid token); this byte is "
     'not UTF-8: is encoding="ISO-8859-1" missing in the first line?'),
    (b"<!DOCTYPE a [<!ENTITY b 'c'>]><flat-profile/>",
     "a.xml:1:13: malformed: DOCTYPE is not allowed in a profile"),
    (b"{{#a}}<flat-profile/>", "a.xml:1:1: malformed: section"),
    (b"<flat-profile>{{>other.xml}}</flat-profile>",
     'a.xml:1:15: malformed: partial "other.xml" does not exist'),
    (b"<flat-profile>{{#a}}<A>{{/a}}</flat-profile>",
     "malformed: ./a.xml, as rendered: 1:20: mismatched tag"),
])
def test_check_malformed(sprov, tmp_path, text, message):
    (tmp_path / "a.xml").write_bytes(text)
    result = sprov("profile", "check", "a.xml")
    assert result.status == 3
    assert message in result.out


def test_check_template(sprov, good, tmp_path):
    """Both kinds of sections, at the places of the template."""
    (tmp_path / "t.xml").write_text(
        "<flat-profile>\n{{! none }}\n{{#line}}\n  <Proxi_1_>{{proxy}}"
        "</Proxi_1_>\n{{/line}}\n{{^line}}\n<Provision_Enabled>No"
        "</Provision_Enabled>\n{{/line}}\n  <Max_Forward>{{hops}}"
        "</Max_Forward>\n</flat-profile>\n")
    result = sprov("profile", "check", "--as", "SPA504G", "t.xml")
    assert result.status == 3
    assert result.out.splitlines() == [
        "t.xml:4:3: unknown here: Proxi_1_: did you mean Proxy_1_?",
        "t.xml:7:1: unknown here: Provision_Enabled: did you mean "
        "Provision_Enable?",
        "t.xml: template for SPA504G: 2 problems, 0 notes"]
    assert good("profile", "check", "generic.xml") == (
        "generic.xml: template: good\n")


def test_check_device(sprov, good, phone, tmp_path):
    path = configure(tmp_path, mine="<flat-profile><Enable_Protocol>Http"
                     "</Enable_Protocol><Password_1_>{{password}}"
                     "</Password_1_></flat-profile>")
    assert good("profile", "check", phone) == (
        "%s: device for SPA504G: good\n" % phone)
    good("device", "set", MAC, "template=mine.xml", "firmware=7.5.4")
    result = sprov("profile", "check", "-c", path, phone)
    assert result.status == 3
    assert "Enable_Protocol: known for MPP only" in result.out
    assert "for SPA504G at 7.5.4: 1 problem" in result.out
    assert "s3cret" not in result.out
    good("device", "set", MAC, "template=gone.xml")
    result = sprov("profile", "check", "-c", path, phone)
    assert result.status == 3
    assert 'malformed: template "gone.xml" does not exist' in result.out


def test_check_fleet(sprov, good, phone):
    """All of them, or those of a group and below; only the bad ones named."""
    other = "000e08aabbcd"
    good("device", "set", "group:acme", "kind=tenant")
    good("device", "set", "group:berlin", "kind=site", "parent=acme")
    good("device", "add", other, "SPA504G", "--group", "berlin")
    assert good("profile", "check", "--all") == (
        "2 devices checked, 0 with problems\n")
    good("device", "set", other, "template=gone.xml")
    for options in ["--all"], ["--group", "acme"]:
        result = sprov("profile", "check", *options)
        assert result.status == 3 and phone not in result.out
        assert other + ": malformed: template" in result.out
        assert result.out.endswith(" checked, 1 with problems\n")
    only, = json.loads(sprov("profile", "check", "--all", "--json").out)
    assert only["input"] == other and only["problems"] == 1
    good("device", "set", other, "state=retired")
    assert good("profile", "check", "--all") == (
        "1 device checked, 0 with problems\n")
    assert sprov("profile", "check", "--group", "none").status == 1
    assert sprov("profile", "check", "--all", phone).status == 2


def test_check_refusals(sprov, tmp_path):
    (tmp_path / "a.xml").write_text("<flat-profile/>")
    result = sprov("profile", "check", "nonsense")
    assert result.status == 1
    assert "neither a file, nor a template" in result.err
    result = sprov("profile", "check", "--as", "SPA504", "a.xml")
    assert result.status == 2
    assert result.err.startswith('sprov: --as: unknown model "SPA504"; did '
                                 "you mean SPA504G")
    result = sprov("profile", "check", "--as", "SPA504G@x", "a.xml")
    assert result.status == 2
    assert result.err.startswith("sprov: --as: ")
    assert sprov("profile", "check").status == 2
    (tmp_path / "big.xml").write_text(" " * (1024 * 1024 + 1))
    result = sprov("profile", "check", "big.xml")
    assert result.status == 1
    assert "big.xml" in result.err


# templates


def test_templates(good, sprov, tmp_path):
    out = good("profile", "templates")
    assert "spa-phone.xml\n  SPA901" in out
    assert all(len(line) <= 80 for line in out.splitlines())
    listed = json.loads(good("profile", "templates", "--json"))
    assert [one["name"] for one in listed] == [
        "spa-ata.xml", "spa-phone.xml", "spa525.xml", "spa1xx.xml",
        "ata19x.xml", "mpp.xml", "generic.xml"]
    assert "SPA504G" in listed[1]["models"]
    (tmp_path / "t").mkdir()
    good("profile", "templates", "--write", "t")
    for one in listed:
        assert (tmp_path / "t" / one["name"]).read_text() == one["text"]
    # They are not written over.
    (tmp_path / "t" / "spa-ata.xml").unlink()
    (tmp_path / "t" / "mpp.xml").write_text("mine")
    result = sprov("profile", "templates", "--write", "t")
    assert result.status == 1
    assert "t/spa-phone.xml" in result.err
    assert (tmp_path / "t" / "mpp.xml").read_text() == "mine"


def test_starters_of_every_model_are_good(sprov):
    """What a stranger sends to the first device has no findings."""
    for one in json.loads(sprov("profile", "templates", "--json").out):
        for model in one["models"]:
            result = sprov("profile", "check", "--as", model, one["name"])
            assert result.out == "%s: template for %s: good\n" % (
                one["name"], model)


def test_starter_of_the_family(good):
    for model, name, admin in (
            ("SPA2102", "spa-ata.xml", "Admin_Passwd"),
            ("SPA525G2", "spa525.xml", "Admin_Password"),
            ("ATA192", "ata19x.xml", "Web_Login_Admin_Password"),
            ("CP-8841-3PCC", "mpp.xml", "Admin_Password")):
        good("device", "add", MAC, model, "admin_password=letmein")
        value = json.loads(good("profile", "render", "--json", MAC))
        assert value["template"] == name
        assert "<%s" % admin in value["profile"]
        assert "letmein" not in value["profile"]
        good("device", "remove", MAC)
