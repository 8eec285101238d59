"""Protection per device, and what can be reached without TLS: almost nothing.

What a device would do with an encrypted profile is done here by OpenSSL's own
command line.
"""

import gzip
import hashlib
import itertools
import json
import re
import signal
import socket
import subprocess

import pytest

from conftest import MAC, OTHER
from daemon import BINARY, TREE, free_port, give_away, wait_until

TEMPLATE = """\
<flat-profile>
  <Profile_Rule>{{profile_rule}}</Profile_Rule>
  <Pieces>{{key_options}}/x{{key_query}}</Pieces>
  {{#ikm}}<IKM_HTTP_Encrypt_Content>{{ikm}}</IKM_HTTP_Encrypt_Content>{{/ikm}}
  <Password_1_>{{password}}</Password_1_>
</flat-profile>
"""
SECRET = b"first &amp; secret"
PATH = "/spa%s.cfg" % MAC
RULE = "http://prov.example.net/spa$MA.cfg"


class Plain:
    """The server with a second listener, and devices."""

    def __init__(self, server):
        self.server = server
        self.port = free_port()
        server.write("templates/device.xml", TEMPLATE)
        server.write("templates/common.xml", "<flat-profile><C/></flat-profile>")
        server.write("templates/hello.xml", "<flat-profile><H/></flat-profile>")
        server.configure(
            "public /hello.xml hello.xml\ncommon /common.xml common.xml\n"
            + server.listener()
            + "listener plain {\n  address 127.0.0.1:%d\n  plain-http\n}\n"
            % self.port)
        self.set(MAC, protection="gzip+aes", profile_rule=RULE)

    def set(self, mac, **values):
        self.server.device("set", mac, *("%s=%s" % pair
                                         for pair in values.items()))

    def rotate(self, *arguments, status=0):
        done = subprocess.run(
            [str(BINARY), "profile", "rotate", "--json", "--state",
             str(self.server.folder), *arguments],
            env=self.server.environment, capture_output=True, timeout=60,
            check=False)
        assert done.returncode == status, done.stderr
        for path in self.server.folder.glob("inventory.db*"):
            give_away(path)
        return json.loads(done.stdout)

    def loaded(self, action):
        """Do it, and wait until the server has it."""
        count = len(self.server.log.lines(event="inventory-loaded"))
        result = action()
        self.server.log.wait(count + 1, event="inventory-loaded")
        return result

    def ask(self, path, method="GET", port=None):
        """Status, head and body of an answer over plain HTTP."""
        with socket.create_connection(("127.0.0.1", port or self.port),
                                      30) as s:
            s.sendall(("%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                       % (method, path)).encode())
            data = b"".join(iter(lambda: s.recv(65536), b""))
        head, _, body = data.partition(b"\r\n\r\n")
        return int(head.split()[1]), head.decode(), body

    def over_tls(self, path=PATH, certificate="device"):
        reply = self.server.get(path, certificate)
        assert reply.status == 200, reply
        return reply


@pytest.fixture
def plain(server):
    return Plain(server)


@pytest.fixture
def started(plain):
    plain.rotate(MAC)
    plain.server.start()
    return plain


def decrypt(body, key):
    done = subprocess.run(["openssl", "enc", "-d", "-aes-256-cbc", "-md", "md5",
                           "-k", key], input=body, capture_output=True,
                          check=True)
    return done.stdout


def read_rule(profile):
    """The key and the query of the rule in a profile."""
    found = re.search(rb"<Profile_Rule>\[--key (\w+)\](\S+)"
                      rb"\?key=([0-9a-f]{16})</Profile_Rule>", profile)
    assert found, profile
    assert found.group(2).decode() == RULE
    return found.group(1).decode(), "?key=" + found.group(3).decode()


def learn(plain):
    """As a device that comes with its certificate: key and query."""
    profile = gzip.decompress(plain.over_tls().body)
    assert SECRET in profile
    key, query = read_rule(profile)
    assert ("[--key %s]/x%s" % (key, query)).encode() in profile
    return key, query


def fetch(plain, key, query):
    """As that device over plain HTTP: the profile."""
    status, head, body = plain.ask(PATH + query)
    assert status == 200, head
    assert SECRET not in body and body.startswith(b"Salted__")
    assert "Content-Encoding" not in head
    return gzip.decompress(decrypt(body, key))


def test_key_over_tls_then_plain(started):
    key, query = learn(started)
    profile = fetch(started, key, query)
    assert SECRET in profile
    assert read_rule(profile) == (key, query)
    # The very bytes again: nothing has changed.
    assert started.ask(PATH + query)[2] == started.ask(PATH + query)[2]
    # With the key named it is encrypted over TLS, too.
    body = started.over_tls(PATH + query).body
    assert gzip.decompress(decrypt(body, key)) == profile
    text = started.server.log.text()
    assert key not in text


def test_not_before_it_was_delivered(started):
    """The key is in the inventory; its id alone opens nothing."""
    shown = started.server.device("show", MAC, "--secrets")
    ident = re.search(r"([0-9a-f]{16}):\w{32}", shown).group(1)
    assert started.ask(PATH + "?key=" + ident)[0] == 403
    started.server.log.wait(reason="key-not-delivered")
    _, query = learn(started)
    assert query == "?key=" + ident
    assert started.ask(PATH + query)[0] == 200


def test_survives_kill(started):
    """Each at the worst moment: right after the answer."""
    key, query = learn(started)
    started.server.process.send_signal(signal.SIGKILL)
    started.server.ended()
    started.server.start()
    assert SECRET in fetch(started, key, query)
    started.loaded(lambda: started.rotate(MAC))
    new = read_rule(fetch(started, key, query))
    assert new[0] != key
    started.server.process.send_signal(signal.SIGKILL)
    started.server.ended()
    started.server.start()
    assert SECRET in fetch(started, key, query)  # the old one, still
    assert SECRET in fetch(started, *new)
    started.server.process.send_signal(signal.SIGKILL)
    started.server.ended()
    started.server.start()
    assert started.ask(PATH + query)[0] == 403
    started.server.log.wait(reason="retired-key")
    assert SECRET in fetch(started, *new)
    assert started.server.get(PATH + query).status == 403
    assert SECRET in gzip.decompress(started.over_tls().body)  # after a reset
    started.server.reload()
    assert started.ask(PATH + query)[0] == 403
    assert SECRET in fetch(started, *new)


def test_another_state_directory(started):
    """A reload that names one takes what is known along, both ways."""
    key, query = learn(started)
    server = started.server
    first = server.config.read_text()
    (server.folder / "other").mkdir()
    give_away(server.folder / "other")
    server.write("sprov.conf", "%sstate-directory other\ninventory sqlite:%s"
                 "\n" % (first, server.folder / "inventory.db"))
    server.reload()
    assert SECRET in fetch(started, key, query)
    started.loaded(lambda: started.rotate(MAC))
    new = read_rule(fetch(started, key, query))
    assert SECRET in fetch(started, *new)
    # It is in the new file: after a kill, the server goes on from there.
    server.process.send_signal(signal.SIGKILL)
    server.ended()
    server.start()
    assert SECRET in fetch(started, *new)
    assert started.ask(PATH + query)[0] == 403
    server.log.wait(reason="retired-key")
    # Back, where the file knows the first key only; again nothing is lost.
    server.write("sprov.conf", first)
    server.reload()
    assert SECRET in fetch(started, *new)
    assert started.ask(PATH + query)[0] == 403


def test_many_rotations_without_a_fetch(started):
    key, query = learn(started)
    for _ in range(7):
        assert started.rotate(MAC)["rotated"] == 1
    result = started.rotate(MAC, status=3)
    assert result["full"] == 1 and result["rotated"] == 0
    started.loaded(lambda: started.set(MAC, note="x"))
    assert wait_until(lambda: read_rule(fetch(started, key, query))[0] != key,
                      "the newest key")
    new = read_rule(fetch(started, key, query))
    fetch(started, *new)
    assert started.ask(PATH + query)[0] == 403
    assert started.rotate(MAC)["rotated"] == 1


def test_change_is_seen_at_once(started):
    key, query = learn(started)
    fetch(started, key, query)
    started.loaded(lambda: started.set(MAC, password="changed-secret"))
    assert b"changed-secret" in fetch(started, key, query)
    started.server.write("templates/device.xml",
                         TEMPLATE.replace("Pieces", "Parts"))
    started.server.reload()
    assert b"<Parts>" in fetch(started, key, query)


def test_aes128gcm(plain, tmp_path):
    plain.set(MAC, protection="aes128gcm")
    plain.rotate(MAC)
    plain.server.start()
    profile = plain.over_tls().body
    found = re.search(rb"<IKM_HTTP_Encrypt_Content>(\w+)</", profile)
    query = "?ikm=" + re.search(rb"\?ikm=([0-9a-f]{16})<",
                                profile).group(1).decode()
    assert b"--key" not in profile
    status, head, body = plain.ask(PATH + query)
    assert status == 200 and SECRET not in body
    assert "Content-Encoding: aes128gcm\r\n" in head
    (tmp_path / "ikm").write_bytes(found.group(1))
    text = subprocess.run([str(BINARY), "profile", "decrypt", "-k",
                           str(tmp_path / "ikm")], input=body,
                          capture_output=True, check=True).stdout
    assert text == profile
    assert body[21:37].decode() == query[5:]  # keyid
    # The same name is not good for --key: it would be another encryption.
    status, head, body = plain.ask(PATH + query.replace("ikm", "key"))
    assert status == 200 and "Content-Encoding" not in head
    assert decrypt(body, found.group(1).decode()) == profile


def test_nothing_else_is_reachable(started):
    """All paths, methods and devices, and every trick with the query."""
    key, query = learn(started)
    started.set(OTHER, protection="none")
    started.loaded(lambda: started.set("000e08aabbce", protection="aes"))
    macs = [MAC, OTHER, "000e08aabbce", "000e08aabbff", "00:0e:08:aa:bb:cc",
            MAC.upper()]
    patterns = ["/spa%s.cfg", "/%s.xml", "/%s.cfg", "/cfg%s.xml",
                "/./spa%s.cfg", "//spa%s.cfg", "/x/../spa%s.cfg",
                "/spa%s.cfg/", "/%%73pa%s.cfg", "/spa%s.cfg%%00",
                "http://x/spa%s.cfg"]
    other = "?key=0123456789abcdef"
    queries = ["", "?", "?key=", other, "?ikm=0123456789abcdef",
               query + "&" + query[1:], other + "&" + query[1:],
               query.upper(), query + "0", query.replace("key", "KEY"),
               "?x=" + query[5:], query.replace("?", "??")]
    for pattern, mac, tail in itertools.product(patterns, macs, queries):
        path = pattern % mac + tail
        status, head, body = started.ask(path)
        assert status in (400, 403, 404), (path, head)
        assert SECRET not in body and len(body) < 40, path
    # With the right key, another device's path or a common file stays shut.
    for mac in (OTHER, "000e08aabbce", "000e08aabbff"):
        assert started.ask("/spa%s.cfg%s" % (mac, query))[0] == 403
    for path in ("/common.xml", "/common.xml" + query, "/", "/*",
                 "/templates/device.xml", "/keys.db", "/inventory.db",
                 "/report/%s" % MAC, "/device.xml", "/init.cfg",
                 "/spa962.cfg", "/favicon.ico", "/../keys.db"):
        status, _, body = started.ask(path)
        assert status in (400, 403, 404), path
        assert len(body) < 40
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT",
                   "PATCH", "PROPFIND"):
        for path in (PATH + query, "/hello.xml", "/common.xml"):
            status, _, body = started.ask(path, method)
            assert status in (400, 405), (method, path)
            assert len(body) < 40
    # And what may be: the public file, and the profile that is encrypted.
    assert b"<H/>" in started.ask("/hello.xml")[2]
    fetch(started, key, query)
    status, _, body = started.ask(PATH + query, "HEAD")
    assert status == 200 and body == b""


STATE_FILES = ("inventory", "keys", "resyncs", "events", "documents",
               "choices", "migrations")


@pytest.fixture
def everything(plain):
    """All that can be configured, beside the plain listener."""
    server = plain.server
    image = b"an image " * 100
    (server.folder / "images").mkdir()
    server.write("images/a.bin", image)
    server.write("images/manifest.tsv", "# file\tsha256\tversion\tmodels\n"
                 "a.bin\t%s\t6.1.5\tSPA962\n"
                 % hashlib.sha256(image).hexdigest())
    server.write("ca.pem", b"a public file")
    key = server.write("secrets.key", b"s" * 32)
    key.chmod(0o600)
    give_away(key)
    (server.folder / "images").chmod(0o755)
    server.write("sprov.conf", server.config.read_text() + (
        "secrets-key secrets.key\n"
        "profile /spa$MA.cfg /Cisco/$PN/$MA.cfg\n"
        "own-profile factory-defaults\nown-profile /own.cfg\n"
        "common /common-$PSN.xml common.xml\n"
        "public /hello-$MA.xml hello.xml\n"
        "public-file /ca.pem ca.pem\n"
        "public-file /ca-$PSN.pem ca.pem\n"
        "report /report/$MA.xml\nreport /delta/$MA.xml delta\n"
        "report /status/$MA.xml status\n"
        "firmware images {\n  path /firmware\n  access ACCESS\n"
        "  url http://prov.example.net\n}\n"
        "ladder up {\n  model SPA962\n  step 6.1.5\n}\n"
        "tftp {\n  address 127.0.0.1:%d\n}\n" % free_port()))
    plain.image = image
    plain.set(MAC, **{"firmware-ladder": "up", "missing-files": "stub"})
    plain.set(OTHER, protection="none")
    return plain


def all_names(plain):
    """Every path that is configured, for every device, and every file."""
    patterns = re.findall(r"(?<=\s)/\S+", plain.server.config.read_text())
    patterns += ["/spa.cfg", "/init.cfg", "/spa$PSN.cfg", "/ata$PSN.cfg",
                 "/$PSN.xml", "/nowhere.cfg", "/nowhere.xml", "/firmware",
                 "/firmware/", "/firmware/a.bin", "/firmware/manifest.tsv",
                 "/firmware/../sprov.conf", "/"]
    paths = {pattern.replace("$MA", mac).replace("$PN", name)
             .replace("$PSN", name)
             for pattern in patterns for mac in (MAC, OTHER)
             for name in ("SPA962", "SPA-962", "962")}
    files = {str(path.relative_to(plain.server.folder))
             for path in plain.server.folder.rglob("*")}
    files |= {"%s.db%s" % (name, end) for name in STATE_FILES
              for end in ("", "-wal", "-shm", ".lock")}
    for name in files:
        paths |= {"/" + name, "/" + name.rsplit("/", 1)[-1],
                  "/firmware/" + name, str(plain.server.folder / name)}
    return sorted(paths)


@pytest.mark.parametrize("access", ["devices", "public"])
def test_nothing_else_with_all_that_there_is(everything, access):
    """Whatever is configured: public files, and the one encrypted profile."""
    plain, server = everything, everything.server
    server.write("sprov.conf", server.config.read_text().replace(
        "ACCESS", access))
    plain.rotate(MAC)
    server.start()
    key, query = learn(plain)
    public = {"/hello.xml": b"<H/>", "/ca.pem": b"a public file",
              "/ca-962.pem": b"a public file",
              "/hello-%s.xml" % MAC: b"<H/>", "/hello-%s.xml" % OTHER: b"<H/>"}
    if access == "public":
        public["/firmware/a.bin"] = plain.image
    profiles = {"/spa%s.cfg" % MAC, "/Cisco/SPA-962/%s.cfg" % MAC}
    names = all_names(plain)
    assert set(public) | profiles <= set(names) and len(names) > 150
    found = set()
    for path in names:
        for tail in ("", query, "?key=0123456789abcdef"):
            status, head, body = plain.ask(path + tail)
            assert SECRET not in body and key.encode() not in body
            if path in public:
                assert status == 200 and public[path] in body, path
                found.add(path)
            elif path in profiles and tail == query:
                assert status == 200 and body.startswith(b"Salted__"), path
                assert SECRET in gzip.decompress(decrypt(body, key))
                found.add(path)
            else:
                assert status in (400, 403, 404, 405), (path, tail, head)
                assert len(body) < 40, path
        for method in ("POST", "PUT"):
            status, _, body = plain.ask(path + query, method)
            assert status in (400, 405) and len(body) < 40, (method, path)
    assert found == set(public) | profiles


def test_turned_off(started):
    """Protection that is turned off shuts the plain lane for the device; over
    TLS it gets what it can read, with a rule without a key."""
    key, query = learn(started)
    fetch(started, key, query)
    started.loaded(lambda: started.set(MAC, protection="none"))
    assert started.ask(PATH + query)[0] == 403
    started.server.log.wait(reason="unprotected")
    profile = decrypt(started.over_tls(PATH + query).body, key)
    assert SECRET in profile and b"--key" not in profile


def test_tls_to_the_plain_port_and_back(started):
    with pytest.raises(OSError):
        started.server.get(PATH, port=started.port)
    with socket.create_connection(("127.0.0.1", started.server.port),
                                  30) as s:
        s.sendall(b"GET /hello.xml HTTP/1.0\r\n\r\n")
        try:
            assert b"<H/>" not in s.recv(4096)
        except ConnectionResetError:
            pass


@pytest.mark.parametrize("line, word", [
    ("certificate server.crt key server.key", "does not go with"),
    ("client-anchors anchors.pem", "does not go with"),
    ("tls legacy", "does not go with"),
    ("plain-http", "given twice"),
    ("plain-http yes", "plain-http"),
])
def test_configuration_is_refused(server, line, word):
    server.configure("listener a {\n  address 127.0.0.1:1\n  plain-http\n  %s\n"
                     "}\n" % line)
    done = subprocess.run([str(BINARY), "serve", "--check", "--config",
                           str(server.config)], capture_output=True,
                          encoding="utf-8", check=False)
    assert done.returncode == 1 and word in done.stderr, done.stderr


def simulate(plain, rule, *arguments, status=0):
    """A device in software; its rule comes from a file."""
    folder = plain.server.folder
    (folder / "rule").write_text(rule + "\n")
    crt, key = plain.server.identity(plain.server.pki.device)
    done = subprocess.run(
        [str(BINARY), "simulate", "--as", "SPA962", "--mac", MAC, "--serial",
         "88012AA00001", "--certificate", crt, "--key", key, "--resolve",
         "prov.example.net=127.0.0.1", "-o", str(folder / "got.xml"),
         *arguments, "@%s" % (folder / "rule")],
        capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout, (folder / "got.xml").read_bytes() \
        if (folder / "got.xml").exists() else b""


def test_simulated_device(started):
    key, query = learn(started)
    url = "http://prov.example.net:%d/spa$MA.cfg" % started.port
    said, got = simulate(started, "[--key %s]%s%s" % (key, url, query))
    assert "(aes-256-cbc, gzip)" in said and key not in said
    assert got == fetch(started, key, query)
    said, _ = simulate(started, "[--key wrong]%s%s" % (url, query), status=3)
    assert "corrupt" in said and "does not decrypt" in said
    said, _ = simulate(started, url + query, status=3)
    assert "the rule has no --key" in said


def test_simulated_device_with_ikm(plain):
    plain.set(MAC, protection="gzip+aes128gcm")
    plain.rotate(MAC)
    plain.server.start()
    profile = gzip.decompress(plain.over_tls().body)
    ikm = re.search(rb"Encrypt_Content>(\w+)<", profile).group(1).decode()
    query = re.search(rb"\?ikm=[0-9a-f]{16}", profile).group(0).decode()
    (plain.server.folder / "ikm").write_text(ikm)
    url = "http://prov.example.net:%d/spa$MA.cfg%s" % (plain.port, query)
    said, got = simulate(plain, url, "--ikm", str(plain.server.folder / "ikm"))
    assert "(aes128gcm, gzip)" in said and got == profile
    said, _ = simulate(plain, url, status=3)
    assert "has no IKM" in said


def test_documented_example(started):
    """docs/protected-profiles.md, with its own command line."""
    text = (TREE / "docs" / "protected-profiles.md").read_text()
    command = re.search(r"^    (openssl enc .*)$", text, re.M).group(1)
    key, query = learn(started)
    (started.server.folder / "phone.key").write_text(key + "\n")
    (started.server.folder / "phone.cfg").write_bytes(
        started.ask(PATH + query)[2])
    done = subprocess.run(command, shell=True, cwd=started.server.folder,
                          capture_output=True, check=True)
    assert SECRET in done.stdout
