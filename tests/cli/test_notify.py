"""Telling people: webhooks and commands, what is sent, and what is not said
twice."""

import hashlib
import hmac
import http.server
import json
import os
import socket
import ssl
import threading
import time

import pytest

import minting

from conftest import MAC, OTHER
from daemon import free_port, give_away, wait_until

# Reports are made a tenth of the time at most, and may be slow once.
PATIENCE = 60

SECRET = b"a secret of more than sixteen bytes"


class Receiver:
    """A web server that remembers what it got.

    statuses: what to answer, one after the other, then 200.
    """

    def __init__(self, statuses=(), identity=None):
        statuses = list(statuses)
        self.got = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # pylint: disable=invalid-name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = statuses.pop(0) if statuses else 200
                receiver.got.append((status, self.headers, body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        if identity:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*map(str, identity))
            self.server.socket = context.wrap_socket(self.server.socket,
                                                     server_side=True)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever,
                         args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def taken(self):
        """What was answered with 200, as JSON."""
        return [json.loads(body) for status, _, body in self.got
                if status == 200]

    def wait(self, count=1, **fields):
        """The first so many notices that have these fields."""
        return wait_until(
            lambda: (lambda found: found if len(found) >= count else None)(
                [n for n in self.taken() if fields.items() <= n.items()]),
            "%d of %s" % (count, fields), patience=PATIENCE)


def check_signature(headers, body, secret=SECRET):
    fields = dict(part.split("=", 1)
                  for part in headers["Sprov-Signature"].split(","))
    assert abs(time.time() - int(fields["t"])) < 60
    assert hmac.compare_digest(fields["v1"], hmac.new(
        secret, fields["t"].encode() + b"." + body,
        hashlib.sha256).hexdigest())


def put_secret(server, secret=SECRET):
    path = server.write("noc.secret", secret + b"\n")
    path.chmod(0o600)


def webhook(port, more="", scheme="http"):
    return ("notify noc {\n"
            "    webhook %s://127.0.0.1:%d/hook?a=%%22b\n"
            "    secret-file noc.secret\n"
            "    every 200ms\n%s}\n" % (scheme, port, more))


def expiring(server, days):
    """Let the certificate of the listener end in so many days."""
    server.write_pair("server", server.pki.server_root.issue(
        minting.name(CN="localhost"), hosts=["localhost"],
        days=(-10, days)))


def test_webhook(server):
    """Said until it is taken, signed, and once; also over a restart."""
    expiring(server, 6.5)
    put_secret(server)
    with Receiver([500, 503]) as receiver:
        server.configure(server.listener() + webhook(
            receiver.port, "    on expiry\n    devices 0\n"))
        server.start()
        notice, = receiver.wait(kind="expiry", severity="critical")
        assert notice["text"].startswith(
            "The certificate of listener one ends in 6 days (20")
        assert notice["details"]["listener"] == "one"
        assert notice["details"]["devices"]["alone"] == notice["devices"] == 0
        assert notice["notify"] == "noc"
        # All of them were the same notice, and who it is from is proven.
        assert [status for status, _, _ in receiver.got] == [500, 503, 200]
        assert len({body for _, _, body in receiver.got}) == 1
        for _, headers, body in receiver.got:
            check_signature(headers, body)
            assert headers["Content-Type"] == "application/json"
            assert SECRET not in body
        server.log.wait(event="notified", notify="noc", kind="expiry")
        assert len(server.log.lines(event="not-notified")) == 1
        # Looks go on, and it is not news any more; nor after a restart.
        said = wait_until((server.folder / "notices.json").exists, "the file")
        assert said and (server.folder / "notices.json").stat().st_mode & \
            0o777 == 0o600
        assert server.stop() == 0
        server.start()
        expiring(server, 0.5)
        server.reload()
        last = receiver.wait(2, kind="expiry")[1]
        assert "ends in 0 days" in last["text"]
        assert last["id"] != notice["id"] and len(receiver.got) == 4
        assert server.stop() == 0
    assert SECRET.decode() not in server.log.text()


def test_few_devices_are_no_news(server):
    """Nobody depends on that certificate, and by default that is fine."""
    expiring(server, 6.5)
    put_secret(server)
    with Receiver() as receiver:
        server.configure(server.listener() + (
            "exception attic {\n"
            "    allow expired-certificate\n"
            "    scope device %s\n"
            "    require source 127.0.0.0/8\n"
            "    until %s\n"
            "    reason test\n"
            "    who tests\n}\n" % (
                MAC, time.strftime("%Y-%m-%d", time.gmtime(
                    time.time() + 20 * 86400)))) +
            webhook(receiver.port, "    on expiry exception\n"))
        server.start()
        notice, = receiver.wait(kind="exception")
        assert notice["details"]["exception"] == "attic"
        assert notice["severity"] == "warning"
        assert "lapses in 20 days" in notice["text"]
        assert server.stop() == 0
        assert [n["kind"] for n in receiver.taken()] == ["exception"]


def get_from(server, source):
    """As the device, from another address."""
    with server.context().wrap_socket(socket.create_connection(
            ("127.0.0.1", server.port), 30, (source, 0))) as client:
        client.sendall(b"GET /spa%s.cfg HTTP/1.0\r\n\r\n" % MAC.encode())
        while client.recv(4096):
            pass


def test_several_at_once(server):
    """The second does not wait for another look: here, for ten minutes."""
    put_secret(server)
    expiring(server, 3)
    with Receiver() as receiver:
        server.configure(
            server.listener() +
            server.listener("two", "127.0.0.1:%d" % free_port()) +
            webhook(receiver.port, "    on expiry\n    devices 0\n").replace(
                "every 200ms", "every 10m"))
        server.start()
        receiver.wait(2, kind="expiry")
        assert server.stop() == 0


def test_requests_that_fail(server):
    """The rate, the doctor's group, and a clone, once each."""
    put_secret(server)
    with Receiver() as receiver:
        server.configure(server.listener() + webhook(
            receiver.port, "    on success-rate failure clone\n"
            "    success-rate 80\n"))
        server.start()
        for _ in range(18):
            server.get("/spa000e08aabbcd.cfg")
        assert receiver.got == []
        for _ in range(4):
            server.get()
        rate, = receiver.wait(kind="success-rate")
        assert rate["severity"] == "critical"
        assert rate["details"]["percent_expected"] == 80
        assert rate["details"]["served"] * 100 < 80 * rate["details"]["all"]
        assert rate["details"]["all"] >= 20
        for _ in range(2):
            server.get("/spa%s.cfg" % MAC, certificate="other")
        failure = receiver.wait(kind="failure")[0]
        assert failure["devices"] >= 1 and failure["details"]["cause"]
        assert failure["details"]["listener"] == "one"
        for source in "127.0.0.1", "127.0.0.2", "127.0.0.1":
            get_from(server, source)
        clone, = receiver.wait(kind="clone")
        assert clone["details"]["mac"] == MAC
        assert clone["severity"] == "critical"
        assert "secret" not in json.dumps(receiver.taken())
        assert server.stop() == 0
        keys = [n["details"].get("cause", n["kind"])
                for n in receiver.taken()]
        assert len(keys) == len(set(keys))


def test_resolved(server):
    """A failure that is over is said to be, once, to who wants it; and not
    before it was over for a while, nor because of other groups."""
    put_secret(server)
    with Receiver() as receiver, Receiver() as plain:
        server.configure(server.listener() + webhook(
            receiver.port, "    on failure success-rate resolved\n"
            "    success-rate 50\n    resolved-after 1s\n") + webhook(
                plain.port, "    on failure\n    resolved-after 1s\n"
                ).replace("notify noc", "notify plain") + webhook(
                    plain.port, "    on failure resolved\n"
                    "    resolved-after 10m\n"
                    ).replace("notify noc", "notify late"))
        server.start()
        wrong, right = ("/spa%s.cfg" % mac for mac in (MAC, OTHER))
        server.get(wrong, certificate="other")
        first = receiver.wait(kind="failure")[0]
        # Another group comes and is over; the first stays.
        server.get(wrong, certificate=None)
        receiver.wait(2, kind="failure")
        server.get(right, certificate="other")
        over = receiver.wait(kind="resolved")[0]
        assert over["about"] == first["about"] and over["id"] != first["id"]
        assert over["details"]["kind"] == "failure"
        assert over["severity"] == "info"
        assert over["text"] == "This is over: " + first["text"]
        check_signature(*receiver.got[-1][1:])
        # It is news again, and over again.
        server.get(wrong, certificate="other")
        again = receiver.wait(2, about=first["about"], kind="failure")[1]
        assert again["id"] != first["id"]
        server.get(right, certificate="other")
        receiver.wait(2, about=first["about"], kind="resolved")
        assert {n["about"] for n in receiver.taken()
                if n["kind"] == "resolved"} == {first["about"]}
        # The rate: too low, then well above what is asked for.
        for _ in range(20):
            server.get(wrong, certificate=None)
        rate = receiver.wait(kind="success-rate")[0]
        for _ in range(36):
            server.get(right, certificate="other")
        over = receiver.wait(about=rate["about"], kind="resolved")[0]
        assert over["details"]["kind"] == "success-rate"
        plain.wait(4, kind="failure")
        assert {n["kind"] for n in plain.taken()} == {"failure"}
        assert server.stop() == 0


SCRIPT = """\
#!/bin/sh
# What it got, and what it runs with.
printf '%%s\\n' "$*" >%(out)s.arguments
env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= | sort >%(out)s.environment
ls -l /proc/$$/fd | sed -n 's/.* -> //p' >%(out)s.fds
cat >%(out)s.part && mv %(out)s.part %(out)s
"""


def test_command(server):
    expiring(server, 20)
    out = server.folder / "out"
    script = server.write("page.sh", SCRIPT % {"out": out})
    script.chmod(0o755)
    server.configure(server.listener() + (
        "notify pager {\n    command page.sh 'on call; echo' $HOME\n"
        "    on expiry\n    devices 0\n    every 200ms\n}\n"))
    server.environment["SPROV_TEST_SECRET"] = "x"
    server.start()
    wait_until(out.exists, "the command")
    notice = json.loads(out.read_text())
    assert notice["kind"] == "expiry" and notice["notify"] == "pager"
    assert (server.folder / "out.arguments").read_text() == \
        "on call; echo $HOME\n"
    assert (server.folder / "out.environment").read_text().split() == [
        "HOME=/nonexistent", "LC_ALL=C.UTF-8",
        "PATH=/usr/local/bin:/usr/bin:/bin", "SPROV_NOTIFY=pager",
        "SPROV_NOTIFY_KIND=expiry"]
    # Pipes for its input and outputs, and the shell's own script.
    held = set((server.folder / "out.fds").read_text().split())
    assert {"pipe" if name.startswith("pipe:[") else name
            for name in held} <= {"pipe", str(script)}, held
    server.log.wait(event="notified", notify="pager")
    assert server.stop() == 0


def test_stop_does_not_wait_for_a_command(server):
    expiring(server, 20)
    begun = server.folder / "begun"
    script = server.write("slow.sh",
                          "#!/bin/sh\ntouch %s\nsleep 1000\n" % begun)
    script.chmod(0o755)
    server.configure(server.listener() + (
        "notify slow {\n    command slow.sh\n    devices 0\n"
        "    every 200ms\n}\n"))
    server.start()
    wait_until(begun.exists, "the command")
    before = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - before < 10


def test_samples(server, sprov):
    """sprov notify test, with what may go wrong."""
    put_secret(server)

    def run(name="noc"):
        return sprov("notify", "test", name, "--config", server.config)

    with Receiver([404]) as receiver:
        server.configure(server.listener() + webhook(receiver.port))
        done = run()
        assert done.status == 1
        assert "answered with status 404: expected 200 to 299" in done.err
        done = run()
        assert done.status == 0 and "noc: http" in done.out
        notice, = receiver.taken()
        assert notice["details"] == {"test": True}
        check_signature(*receiver.got[-1][1:])
        done = run("nox")
        assert done.status == 1 and \
            'there is no notify block "nox": there are noc' in done.err
    assert "connect" in run().err and run().status == 1
    # Whose certificate nobody vouches for gets nothing.
    with Receiver(identity=server.identity(server.pki.server)) as receiver:
        server.configure(server.listener() + webhook(receiver.port,
                                                     scheme="https"))
        done = run()
        assert done.status == 1 and "certificate" in done.err
        assert receiver.got == []
    script = server.write("no.sh", "#!/bin/sh\necho broken >&2\nexit 7\n")
    script.chmod(0o755)
    server.configure(server.listener() +
                     "notify noc {\n    command no.sh\n}\n")
    assert "it ended with status 7: broken" in run().err


GOOD = "webhook http://127.0.0.1:1/\nsecret-file noc.secret\n"


@pytest.mark.parametrize("block, place, complaint", [
    ("", "8:8", "neither a webhook nor a command"),
    ("webhook http://127.0.0.1/", "8:8", '"secret-file" is missing'),
    (GOOD + "command /bin/true", "8:8", "both a webhook and a command"),
    ("command /bin/true\nsecret-file noc.secret", "10:13",
     '"secret-file" does not go with "command"'),
    ("webhook ftp://x/\nsecret-file noc.secret", "9:9", "is no URL"),
    ("webhook /x\nsecret-file noc.secret", "9:9", "is no URL"),
    ("webhook https://a:b@example.net/\nsecret-file noc.secret", "9:9",
     "without a password"),
    (GOOD + "on expiri", "11:4",
     '"expiri" is no kind of notice: expected expiry, success-rate, '
     'failure, migration, exception, clone or resolved; did you mean "expiry"?'),
    (GOOD + "expiry soon", "11:8", "soon"),
    (GOOD + "devices -1", "11:9", "-1"),
    (GOOD + "success-rate 101", "11:14", "101"),
    (GOOD + "every 5", "11:7", '"5" is no duration'),
    (GOOD + "resolved-after soon", "11:16", '"soon" is no duration'),
    (GOOD + "colour red", "11:1", 'unknown directive "colour"'),
    ("webhook http://127.0.0.1/\nsecret-file gone.secret", "10:13",
     "gone.secret: No such file"),
    ("webhook http://127.0.0.1/\nsecret-file open.secret", "10:13",
     "open.secret: mode 0644 lets others read or write the secret"),
    ("webhook http://127.0.0.1/\nsecret-file short.secret", "10:13",
     "the secret is too short: expected at least 16 bytes"),
    ("command gone.sh", "9:9", "gone.sh cannot be run: No such file"),
    ("command templates", "9:9", "templates is no program"),
])
def test_configuration(server, sprov, block, place, complaint):
    put_secret(server)
    server.write("open.secret", SECRET).chmod(0o644)
    server.write("short.secret", b"short\n").chmod(0o600)
    server.write("sprov.conf", "templates templates\n" + server.listener() +
                 "notify noc {\n%s\n}\n" % block)
    done = sprov("serve", "--check", "--config", server.config)
    assert done.status == 1, done
    assert "sprov.conf:%s: " % place in done.err and complaint in done.err, \
        done.err


def test_names(server, sprov):
    put_secret(server)
    for names, complaint in ((("a", "a"), "given twice"),
                             (("A b",), "is no name")):
        server.configure(server.listener() + "".join(
            "notify '%s' {\n%s}\n" % (name, GOOD) for name in names))
        done = sprov("serve", "--check", "--config", server.config)
        assert done.status == 1 and complaint in done.err, done


def test_damaged_state(server):
    """What cannot be read is said again, and written anew."""
    expiring(server, 20)
    put_secret(server)
    server.write("notices.json", '{"said": {"noc": [')
    with Receiver() as receiver:
        server.configure(server.listener() + webhook(
            receiver.port, "    on expiry\n    devices 0\n"))
        server.start()
        receiver.wait(kind="expiry")
        server.log.wait(event="notices-not-read")
        server.log.wait(event="notified")
        assert server.stop() == 0
    said = json.loads((server.folder / "notices.json").read_text())
    assert list(said["said"]["noc"]) and os.path.getsize(
        server.folder / "notices.json") < 1000
    give_away(server.folder / "notices.json")
