"""sprov device resync: by SIP and by the web page, and what comes of it."""

import base64
import http.server
import json
import signal
import subprocess
import threading
import time

import pytest

from conftest import BINARY
from daemon import ENVIRONMENT
from labs import Lab
from sipdevice import SipDevice, headers, md5, parameters

MAC = "000e08aabbcc"


@pytest.fixture
def device(sprov):
    """A device in the inventory, and its SIP side as the test wants it."""
    started = []

    def make(mac=MAC, group=None, login=("100", "secret"), **behaviour):
        one = SipDevice(**behaviour)
        started.append(one)
        done = sprov("device", "add", mac, "SPA504G",
                     "user_id=%s" % login[0], "password=%s" % login[1],
                     "contact=sip:%s@%s;transport=udp" % (login[0],
                                                          one.address),
                     *(["group=%s" % group] if group else []))
        assert done.status == 0, done
        return one
    yield make
    for one in started:
        one.close()


def resync(sprov, *arguments):
    """The result and its devices by MAC."""
    result = sprov("device", "resync", "--json", "--wait", "0",
                   *map(str, arguments))
    devices = {one["mac"]: one for one in json.loads(result.out)["devices"]} \
        if result.out else {}
    return result, devices


def test_challenge(sprov, device):
    phone = device()
    result, found = resync(sprov, MAC)
    assert result.status == 0, result
    assert found[MAC]["answer"] == "accepted"
    assert found[MAC]["challenged"] and found[MAC]["sent"]
    assert len(phone.accepted) == 1
    first, second = map(headers, phone.seen)
    assert phone.seen[0].startswith("NOTIFY sip:100@127.0.0.1:")
    assert first["event"] == "resync"
    assert first["subscription-state"] == "terminated"
    assert first["content-length"] == "0"
    assert "authorization" not in first
    assert first["call-id"] == second["call-id"]
    assert first["cseq"] != second["cseq"]
    # Secrets are in no message and in no output.
    assert not any("secret" in text for text in phone.seen)
    assert "secret" not in result.out + result.err


@pytest.mark.parametrize("behaviour", [{"qop": True}, {"stale": 1},
                                       {"open": True}])
def test_accepted(sprov, device, behaviour):
    phone = device(**behaviour)
    result, found = resync(sprov, MAC)
    assert result.status == 0, result
    assert found[MAC]["answer"] == "accepted"
    assert found[MAC]["challenged"] == ("open" not in behaviour)
    assert len(phone.accepted) == 1


@pytest.mark.parametrize("event", ["report", "reboot_now", "restart_now",
                                   "check-sync"])
def test_events(sprov, device, event):
    phone = device()
    result, _ = resync(sprov, "--event", event, MAC)
    assert result.status == 0
    assert headers(phone.seen[-1])["event"] == event


@pytest.mark.parametrize("behaviour, answer, status", [
    ({"password": "other"}, "wrong credentials", 401),
    ({"user": "other"}, "wrong credentials", 401),
    ({"silent": True}, "no answer", None),
    ({"status": "403 Forbidden"}, "refused", 403),
    ({"status": "489 Bad Event"}, "refused", 489),
    ({"status": "503 Busy"}, "refused", 503),
    ({"stale": 9}, "wrong credentials", 401),
    ({"elsewhere": True}, "answered from elsewhere", 401),
    ({"elsewhere": True, "open": True}, "answered from elsewhere", 200),
    ({"garbage": "SIP/2.0 200"}, "no answer", None),
    ({"garbage": "\r\n\r\n\0\0"}, "no answer", None),
    ({"broken": "WWW-Authenticate: Digest"}, "malformed challenge", 401),
    ({"broken": 'WWW-Authenticate: Digest realm="x", nonce="y", '
                "algorithm=SHA-256"}, "malformed challenge", 401),
    ({"broken": "X: y"}, "malformed challenge", 401),
])
def test_refused(sprov, device, behaviour, answer, status):
    phone = device(**behaviour)
    begin = time.monotonic()
    result, found = resync(sprov, "--timeout", "2", MAC)
    assert result.status == 3, result
    assert found[MAC]["answer"] == answer
    assert found[MAC]["status"] == status
    assert found[MAC]["followed"] == "-"
    assert not phone.accepted
    assert time.monotonic() - begin < 10


def test_no_login(sprov, device):
    phone = device()
    assert sprov("device", "set", MAC, "password=").status == 0
    result, found = resync(sprov, MAC)
    assert result.status == 3
    assert found[MAC]["answer"] == "wants a login"
    assert not phone.accepted


def test_lines_and_address(sprov, device):
    phone = device(user="200", password="two")
    assert sprov("device", "set", MAC, "auth_id_2=200", "user_id_2=201",
                 "password_2=two", "contact=192.0.2.9").status == 0
    result, found = resync(sprov, "--line", "2", "--address", phone.address,
                           MAC)
    assert result.status == 0, result
    assert found[MAC]["address"] == phone.address
    assert phone.seen[0].startswith("NOTIFY sip:201@")


def test_group(sprov, device):
    """All active devices of a group and below; paced; each its own fate."""
    assert sprov("device", "add", "000e08aabb00", "SPA504G",
                 "group=site").status == 0
    phones = {"000e08aabb%02x" % i: device(
        mac="000e08aabb%02x" % i, group="site", silent=i == 3)
        for i in range(1, 9)}
    outside = device(mac="000e08aabbff", group="else")
    retired = device(mac="000e08aabbfe", group="site")
    assert sprov("device", "set", "000e08aabbfe",
                 "state=retired").status == 0
    begin = time.monotonic()
    result, found = resync(sprov, "--group", "site", "--rate", "5",
                           "--timeout", "3")
    took = time.monotonic() - begin
    assert result.status == 3
    assert set(found) == set(phones) | {"000e08aabb00"}
    assert found["000e08aabb00"]["answer"] == "no contact or address"
    assert not found["000e08aabb00"]["sent"]
    assert found["000e08aabb03"]["answer"] == "no answer"
    assert sum(one["answer"] == "accepted" for one in found.values()) == 7
    assert not outside.seen and not retired.seen
    assert took > 7 * 0.2  # eight devices, five a second


def test_stopped(sprov, device, environment):
    """An interrupt ends it, and what was not done is said."""
    phones = [device(mac="000e08aabb%02x" % i, group="site")
              for i in range(4)]
    run = subprocess.Popen([BINARY, "device", "resync", "--group", "site",
                            "--rate", "1", "--json"], env=environment,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True)
    deadline = time.monotonic() + 20
    while not phones[0].accepted and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.2)
    run.send_signal(signal.SIGINT)
    out, _ = run.communicate(timeout=20)
    assert run.returncode == 3
    found = {one["mac"]: one for one in json.loads(out)["devices"]}
    assert found["000e08aabb00"]["answer"] == "accepted"
    assert found["000e08aabb03"]["answer"] == "stopped"
    assert not phones[3].seen


def test_table(sprov, device):
    device()
    result = sprov("device", "resync", "--wait", "0", MAC)
    assert result.status == 0
    assert result.out.splitlines()[1].startswith(MAC)
    assert "accepted (login)" in result.out
    assert "not waited for" in result.out
    assert "1 of 1 device" in result.out
    assert all(len(line) <= 80 for line in result.out.splitlines())


@pytest.mark.parametrize("arguments, message, status", [
    ([], "name devices, or a group", 2),
    (["--event", "rsync", MAC], "none that devices know", 2),
    (["--rate", "0", MAC], "--rate", 2),
    (["--url", "https://x/y", MAC], "--url for --web", 2),
    (["--web", "--event", "resync", MAC], "--event is for SIP", 2),
    (["--web", "--url", "a b", MAC], "without blanks", 2),
    (["--address", "192.0.2.1", MAC, MAC], "that of one device", 2),
    (["000e08aabbc"], "is not a MAC address", 1),
    (["000e08aabb77"], "000e08aabb77: there is no such device", 1),
    (["--address", "example.net", MAC], "is no address", 1),
    (["--group", "none"], "no active device", 1),
])
def test_usage(sprov, device, arguments, message, status):
    device()
    result = sprov("device", "resync", *arguments)
    assert result.status == status
    assert message in result.err


# The web page


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802  # pylint: disable=invalid-name
        self.server.seen.append((self.path, self.headers.get("Authorization")))
        given = self.headers.get("Authorization", "")
        kind = self.server.kind
        good = "Basic " + base64.b64encode(b"admin:pw").decode()
        if kind == "digest" and given.startswith("Digest "):
            value = parameters(given)
            good = given if value["response"] == md5(
                md5("admin", "dev", "pw"), "n1", value["nc"],
                value["cnonce"], "auth", md5("GET", self.path)) and \
                value["uri"] == self.path and value["nonce"] == "n1" \
                else ""
        status = self.server.status if kind == "open" or given == good \
            else 401
        self.send_response(status)
        if status == 401 and kind != "none":
            self.send_header("WWW-Authenticate", 'Digest realm="dev", '
                             'nonce="n1", qop="auth"' if kind == "digest"
                             else 'Basic realm="dev"')
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *arguments):  # pylint: disable=arguments-differ
        pass


@pytest.fixture
def page(sprov):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    server.seen, server.kind, server.status = [], "open", 200
    threading.Thread(target=server.serve_forever, daemon=True).start()
    assert sprov("device", "add", MAC, "SPA504G", "admin_password=pw",
                 "address=127.0.0.1:%d" % server.server_port).status == 0
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("kind", ["open", "basic", "digest"])
def test_web(sprov, page, kind):
    page.kind = kind
    result, found = resync(sprov, "--web", "--url",
                           "https://prov.example.net/$MA.cfg", MAC)
    assert result.status == 0, result
    assert found[MAC]["answer"] == "accepted"
    assert found[MAC]["challenged"] == (kind != "open")
    assert page.seen[-1][0] == \
        "/admin/resync?https://prov.example.net/$MA.cfg"
    result, _ = resync(sprov, "--web", MAC)
    assert page.seen[-1][0] == "/admin/resync"


@pytest.mark.parametrize("kind, password, status, answer", [
    ("basic", "no", 200, "wrong credentials"),
    ("digest", "no", 200, "wrong credentials"),
    ("none", "pw", 200, "malformed challenge"),
    ("basic", "", 200, "wants a login"),
    ("open", "pw", 404, "refused"),
    ("open", "pw", 500, "refused"),
])
def test_web_refused(sprov, page, kind, password, status, answer):
    page.kind, page.status = kind, status
    assert sprov("device", "set", MAC,
                 "admin_password=%s" % password).status == 0
    result, found = resync(sprov, "--web", MAC)
    assert result.status == 3
    assert found[MAC]["answer"] == answer


def test_web_unreachable(sprov, page):
    page.shutdown()
    page.server_close()
    result, found = resync(sprov, "--web", "--timeout", "2", MAC)
    assert result.status == 3
    assert found[MAC]["answer"] in ("not sent", "no answer")


# To the end: a device that really resyncs


@pytest.fixture(scope="module")
def lab():
    one = Lab()
    yield one
    one.close()


def fetch(lab, label):
    """The device does what a resync is."""
    return subprocess.run(
        [BINARY, "simulate", "--lab", str(lab.folder), "--as", label],
        env=ENVIRONMENT, capture_output=True, check=False)


def test_comes_back(lab, sprov, device):
    """NOTIFY, challenge, credentials, resync: the server saw it."""
    label = next(label for label, one in lab.devices.items()
                 if one.resync and one.model == "SPA504G")
    inventory = "sqlite:%s" % (lab.folder / "inventory.db")
    config = lab.folder / "sprov.conf"
    mac = lab.devices[label].mac

    def run(phone, wait):
        result = sprov("device", "resync", "--json", "--inventory", inventory,
                       "--config", str(config), "--wait", str(wait),
                       "--address", "%s" % phone.address, mac)
        return result, json.loads(result.out)["devices"][0]

    user = json.loads(sprov(
        "device", "show", "--json", "--secrets", "--inventory", inventory,
        mac).out)["variables"]
    login = {"user": user["user_id"]["value"],
             "password": user["password"]["value"]} \
        if "user_id" in user else {}
    if not login:
        assert sprov("device", "set", "--inventory", inventory, mac,
                     "user_id=100", "password=secret").status == 0
    came = SipDevice(act=lambda event: fetch(lab, label), **login)
    stays = SipDevice(**login)
    try:
        result, found = run(came, 60)
        assert result.status == 0, result
        assert found["answer"] == "accepted" and found["challenged"]
        assert found["got_profile"]
        assert found["followed"] == "got its profile"
        # An accepted NOTIFY alone is no resync.
        result, found = run(stays, 2)
        assert result.status == 3, result
        assert found["answer"] == "accepted"
        assert found["followed"] == "did not come"
    finally:
        came.close()
        stays.close()
