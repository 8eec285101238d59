"""sprov firmware, and what the server makes of images and ladders."""

import hashlib
import json
import subprocess

import pytest

from conftest import MAC
from daemon import BINARY

OLD = b"old image" * 1000
NEW = b"new image" * 5000
PART = b"a part"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "images"
    made.mkdir()
    return made


@pytest.fixture
def image(tmp_path):
    def write(name, data):
        path = tmp_path / name
        path.write_bytes(data)
        return path
    return write


def add(run, folder, path, *options):
    return run("firmware", "add", "--folder", folder, *options, path)


def test_add_list_check_remove(sprov, good, folder, image):
    assert good("firmware", "list", "--folder", folder) == ""
    printed = add(good, folder, image("a.bin", OLD), "--version", "7.5.2b",
                  "--model", "SPA504G", "--model", "spa508g")
    assert printed == "%s  a.bin\n" % sha256(OLD)
    add(good, folder, image("k.sbn", PART), "--part")
    assert (folder / "a.bin").read_bytes() == OLD
    assert (folder / "manifest.tsv").read_text() == (
        "# file\tsha256\tversion\tmodels\n"
        "a.bin\t%s\t7.5.2b\tSPA504G SPA508G\n"
        "k.sbn\t%s\t-\t-\n" % (sha256(OLD), sha256(PART)))
    lines = good("firmware", "list", "--folder", folder).splitlines()
    assert lines[0].split() == ["FILE", "VERSION", "SHA-256", "MODELS"]
    assert lines[1].split() == ["a.bin", "7.5.2b", sha256(OLD)[:8],
                                "SPA504G", "SPA508G"]
    assert json.loads(good("firmware", "list", "--folder", folder,
                           "--json")) == [
        {"file": "a.bin", "sha256": sha256(OLD), "version": "7.5.2b",
         "models": ["SPA504G", "SPA508G"]},
        {"file": "k.sbn", "sha256": sha256(PART), "models": []}]
    states = json.loads(good("firmware", "check", "--folder", folder,
                             "--json"))
    assert [row["state"] for row in states] == ["good", "good"]

    (folder / "a.bin").write_bytes(NEW)
    (folder / "k.sbn").unlink()
    checked = sprov("firmware", "check", "--folder", folder)
    assert checked.status == 3
    assert "wrong" in checked.out and "missing" in checked.out
    assert "the manifest says %s" % sha256(OLD) in checked.err

    good("firmware", "remove", "--folder", folder, "a.bin")
    assert not (folder / "a.bin").exists()
    assert "a.bin" not in (folder / "manifest.tsv").read_text()
    gone = sprov("firmware", "remove", "--folder", folder, "a.bin")
    assert gone.status == 1 and "no image is called" in gone.err


def test_add_refused(sprov, good, folder, image):
    path = image("a.bin", OLD)
    for options, words in (
            (("--version", "7.5.2b"), "needs --version and --model"),
            (("--model", "SPA504G"), "needs --version and --model"),
            ((), "needs --version and --model"),
            (("--part", "--version", "7"), "needs --version and --model")):
        result = add(sprov, folder, path, *options)
        assert result.status == 2 and words in result.err
    whole = ("--version", "7.5.2b", "--model", "SPA504G")
    for name, options, words in (
            ("a.bin", ("--version", "x", "--model", "SPA504G"), "x"),
            ("a.bin", ("--version", "7.5.2", "--model", "SPA50"),
             "no known model"),
            ("a b.bin", whole, "no name for an image"),
            (".a", whole, "no name for an image"),
            ("a.bin", whole + ("--sha256", sha256(NEW)), "expected")):
        result = add(sprov, folder, image(name, OLD), *options)
        assert result.status == 1 and words in result.err, result
        assert not (folder / name).exists()
    link = path.with_name("link.bin")
    link.symlink_to(path)
    assert "a symbolic link" in add(sprov, folder, link, *whole).err
    assert add(sprov, folder, path.with_name("none"), *whole).status == 1
    # A second one of that version, or another file of that name.
    add(good, folder, path, *whole)
    assert "and so is" in add(sprov, folder, image("b.bin", NEW), *whole).err
    assert not (folder / "b.bin").exists()
    assert "another file of that name" in add(
        sprov, folder, image("a.bin", NEW), "--version", "7.6.2f", "--model",
        "SPA504G").err
    assert (folder / "a.bin").read_bytes() == OLD


def test_add_in_place(good, folder):
    """What lies in the folder already is only entered."""
    (folder / "a.bin").write_bytes(OLD)
    add(good, folder, folder / "a.bin", "--version", "7.5.2b", "--model",
        "SPA504G", "--sha256", sha256(OLD).upper())
    good("firmware", "check", "--folder", folder)


# The server

LADDER = """\
ladder old {
    model SPA962
    step 5.1.8
    step 6.1.5(a) from 5.1.8
}
"""


@pytest.fixture
def images(server):
    """A server whose folder has two images; not yet configured."""
    (server.folder / "images").mkdir()
    server.write("images/a.bin", OLD)
    server.write("images/b.bin", NEW)
    server.write("images/manifest.tsv",
                 "a.bin\t%s\t5.1.8\tSPA962\nb.bin\t%s\t6.1.5(a)\tSPA962\n"
                 % (sha256(OLD), sha256(NEW)))
    return server


def configure(server, access="devices", ladder=LADDER,
              url="url http://192.0.2.1:8080"):
    server.configure(
        "firmware images {\n    path /fw\n    access %s\n    %s\n}\n%s%s"
        % (access, url, ladder,
           server.listener(directives="client-certificate optional")))


def check(server):
    return subprocess.run(
        [str(BINARY), "serve", "--check", "--config", str(server.config)],
        env=server.environment, capture_output=True, encoding="utf-8",
        timeout=60, check=False)


def test_serve_devices(images):
    configure(images)
    images.start()
    assert images.get("/fw/b.bin").body == NEW
    assert images.get("/fw/a.bin").body == OLD
    assert images.get("/fw/b.bin", certificate=None).status == 403
    assert images.get("/fw/manifest.tsv").status == 404
    assert images.get("/fw/").status == 404
    assert images.log.wait(reason="device-file")


def test_serve_public(images):
    configure(images, access="public")
    images.start()
    assert images.get("/fw/b.bin", certificate=None).body == NEW
    assert images.get("/fw/manifest.tsv", certificate=None).status == 403


def test_wrong_hash(images):
    configure(images)
    images.write("images/b.bin", NEW + b"x")
    done = check(images)
    assert done.returncode == 1
    assert "sprov.conf:" in done.stderr
    assert "b.bin: SHA-256 is %s, the manifest says %s" % (
        sha256(NEW + b"x"), sha256(NEW)) in done.stderr


def test_reload_refused(images):
    """A wrong image does not stop what runs."""
    configure(images)
    images.start()
    images.write("images/new.bin", b"x").replace(
        images.folder / "images" / "b.bin")
    images.reload()
    assert images.log.wait(event="reload-refused")
    assert images.get("/fw/b.bin").body == NEW


@pytest.mark.parametrize("ladder, url, words", [
    (LADDER, "url https://192.0.2.1", "SPA962 cannot fetch images"),
    (LADDER, "", "SPA962 cannot fetch images"),
    (LADDER.replace("5.1.8\n", "5.1.7\n", 1).replace("from 5.1.8", ""),
     "url tftp://192.0.2.1", "no image of 5.1.7 for SPA962"),
    (LADDER.replace("from 5.1.8", "from 5.2"), "url tftp://192.0.2.1",
     "a start that it reaches"),
    (LADDER.replace("SPA962", "SPA96"), "url tftp://192.0.2.1",
     "is no known model"),
    ("ladder x {\n model SPA962\n}\n", "url tftp://192.0.2.1",
     '"step" is missing'),
    (LADDER + LADDER, "url tftp://192.0.2.1", "is given twice"),
    (LADDER, "url http://h/path", "is no server's address"),
    (LADDER, "url http://h\n url http://i", "is given twice for http"),
    ("", "path fw", "is no path for images"),
    ("", "access all", "is no access"),
])
def test_mistakes(images, ladder, url, words):
    configure(images, ladder=ladder, url=url)
    if "path fw" in url:
        images.config.write_text(images.config.read_text().replace(
            "path /fw", "", 1))
    done = check(images)
    assert done.returncode == 1 and words in done.stderr, done


def test_ladder_without_images(server):
    server.configure(LADDER + server.listener())
    assert "a ladder without images" in check(server).stderr


RULE = ("($SWVER ge 5.1.8 and $SWVER lt 6.1.5(a))? "
        "http://192.0.2.1:8080/fw/b.bin | "
        "($SWVER lt 5.1.8)? http://192.0.2.1:8080/fw/a.bin")


def ask(server, firmware):
    with server.client() as client:
        return client.get(
            "/spa%s.cfg" % MAC,
            "User-Agent: Linksys/SPA-962-%s (88012AA00001)" % firmware)


def test_upgrade_rule(images):
    configure(images)
    images.write("templates/device.xml",
                 "<flat-profile>{{#upgrade_rule}}<Upgrade_Rule>"
                 "{{upgrade_rule}}</Upgrade_Rule>{{/upgrade_rule}}"
                 "</flat-profile>\n")
    images.start()
    assert images.get().body == b"<flat-profile></flat-profile>\n"
    images.device("set", MAC, "firmware-ladder=old")
    images.reload()
    assert images.get().body.decode() == (
        "<flat-profile><Upgrade_Rule>%s</Upgrade_Rule></flat-profile>\n"
        % RULE)


def test_upgrade_only(images):
    configure(images)
    images.device("set", MAC, "firmware-ladder=old",
                  "upgrade-only=below 6.1")
    images.start()
    answer = ask(images, "5.1.8")
    assert "<Upgrade_Rule>%s</Upgrade_Rule>" % RULE in answer.body.decode()
    assert b"Password" not in answer.body and b"User_ID" not in answer.body
    assert images.log.wait(reason="upgrade-only")
    # New enough: its own profile.
    assert b"Password_1_" in ask(images, "6.1.5(a)").body


# What cannot be meant


def test_warned(images):
    """By plain HTTP nobody proves to be a device."""
    configure(images)
    done = check(images)
    assert done.returncode == 0
    line = images.config.read_text().split("\n").index("    model SPA962") + 1
    assert "warning: %s:%d:11: SPA962 is led to http://192.0.2.1:8080" % (
        images.config, line) in done.stderr, done.stderr
    assert "expected \"access public\"" in done.stderr
    images.start()
    assert "SPA962 is led to" in images.log.wait(
        event="config-warning")["message"]
    configure(images, access="public")
    assert check(images).stderr == ""


def firmware_check(server):
    return subprocess.run(
        [str(BINARY), "firmware", "check", "--config", str(server.config)],
        env=server.environment, capture_output=True, encoding="utf-8",
        timeout=60, check=False)


def test_names_in_the_inventory(images):
    """Ladders, listeners and versions that there are not."""
    configure(images, access="public")
    with images.config.open("a") as config:
        config.write("inventory sqlite:inventory.db\n")
    images.device("set", MAC, "firmware-ladder=old", "upgrade-only=for one")
    images.device("set", "default", "upgrade-only=below 6.1")
    done = firmware_check(images)
    assert (done.returncode, done.stderr) == (0, "")
    images.device("set", MAC, "firmware-ladder=olt", "upgrade-only=for on")
    images.device("set", "model:SPA962", "upgrade-only=below new")
    images.device("add", "000e08aabb77", "SPA112", "firmware-ladder=old")
    done = firmware_check(images)
    assert done.returncode == 3
    for words in (
            '%s: firmware-ladder "olt": there is no such ladder; did you '
            'mean "old"?' % MAC,
            '%s: upgrade-only "for on": there is no such listener; did you '
            'mean "one"?' % MAC,
            'model SPA962: upgrade-only "below new": ',
            '000e08aabb77: firmware-ladder "old": that ladder is not for a '
            'SPA112'):
        assert words in done.stderr, done.stderr


@pytest.mark.parametrize("variable, expected", [
    ("missing-files=stubs", 'expected stub or not-found; did you mean "stub"'),
    ("missing-files=STUB", "expected stub or not-found"),
    ("protection=gzip+aess", 'did you mean "gzip+aes"?'),
    ("upgrade-only=yes", "expected no, below VERSION or for LISTENER"),
    ("upgrade-only=below", "expected no, below VERSION or for LISTENER"),
    ("upgrade-only=below ", "expected no, below VERSION or for LISTENER"),
    ("upgrade-only=for a ", "expected no, below VERSION or for LISTENER"),
])
def test_reserved_variables(sprov, good, variable, expected):
    """Refused wherever they come from, and nothing is changed."""
    good("device", "add", MAC, "SPA962")
    for target in (MAC, "default", "model:SPA962", "tag:x"):
        told = sprov("device", "set", target, variable)
        assert told.status == 1 and expected in told.err, told
    name, _, value = variable.partition("=")
    told = sprov("device", "import", "-", stdin="mac,model,%s\n"
                 "000e08aabbcd,SPA962,%s\n" % (name, value))
    # What surrounds a cell is dropped, so that is another mistake there.
    if value == value.strip():
        assert told.status == 1 and expected in told.err, told
        assert "2:" in told.err
        assert "000e08aabbcd" not in good("device", "list")
    assert name not in good("device", "show", MAC)


@pytest.mark.parametrize("variable", [
    "missing-files=stub", "missing-files=not-found", "missing-files=",
    "protection=none", "protection=gzip+aes128gcm", "upgrade-only=no",
    "upgrade-only=below 7.5.6", "upgrade-only=for csb", "Missing-Files=x"])
def test_reserved_variables_good(good, variable):
    good("device", "set", "default", variable)
