"""sprov profile: what each device gets."""

import json
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
    assert "<Password_1_>********</Password_1_>" in text
    assert "s3cret" not in text
    assert "<Password_1_>s3cret&amp;more</Password_1_>" in good(
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
