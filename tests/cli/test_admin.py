"""The admin listener: who may ask, and what is answered."""

import gzip
import re
import socket

import pytest

import minting

from adminapi import Admin, undeclared
from conftest import MAC, OTHER
from daemon import free_port, wait_until


@pytest.fixture(name="admin")
def running_admin(server):
    """A server with an admin listener in plain HTTP, and a token."""
    admin = Admin(server, free_port())
    server.configure(server.listener() + admin.block())
    admin.token = admin.add_token("test", "--scope", "read,audit")
    server.start()
    return admin


def test_overview(admin):
    admin.server.get()
    assert admin.get("/healthz").status == 200
    assert admin.get("/readyz").status == 200
    found = wait_until(
        lambda: (lambda o: o if o["counters"]["answered"] == 1 else None)(
            admin.read("/api/v1/overview")), "the answer is counted")
    assert found["devices"]["total"] == 3
    assert found["counters"]["completed"] == 1
    found = wait_until(
        lambda: (lambda o: o if o["devices"]["served"] else None)(
            admin.read("/api/v1/overview")), "the resync is known",
        patience=40)
    assert found["devices"] == {
        "total": 3, "retired": 1, "provisioned_today": 1, "served": 1,
        "failing": 0, "never_seen": 1}


def test_pages(admin):
    """The dashboard, or how to get one; nothing of it from elsewhere."""
    page = admin.get("/", token=None)
    assert "default-src 'none'" in page.fields["content-security-policy"]
    if page.status == 404:
        assert b"make dashboard" in page.body
        return
    assert page.fields["content-type"] == "text/html; charset=utf-8"
    text = gzip.decompress(page.body).decode()
    assert "://" not in text and "style=" not in text
    for path in re.findall(r'(?:src|href)="([^"]+)"', text):
        asset = admin.get(path, token=None)
        assert asset.status == 200, path
        assert asset.fields["content-encoding"] == "gzip"
        assert admin.get(path, token=None,
                         If_None_Match=asset.fields["etag"]).status == 304
    assert admin.get("/assets/none.js", token=None).status == 404


def test_devices(admin):
    found = admin.read("/api/v1/devices")
    macs = [d["mac"] for d in found["devices"]]
    assert macs == sorted(macs) and {MAC, OTHER} < set(macs)
    assert found["total"] == 3 and found["cursor"] is None
    assert admin.read("/api/v1/devices?state=retired")["total"] == 1
    assert admin.read("/api/v1/devices?standing=failing")["total"] == 0
    assert admin.read("/api/v1/devices?standing=never")["total"] == 3
    for text in MAC[4:10].upper(), ":".join((MAC[:2], MAC[2:4])), "SPA":
        assert admin.read("/api/v1/devices?search=" + text)["total"] >= 1
    page = admin.read("/api/v1/devices?limit=1")
    assert page["cursor"] == page["devices"][0]["mac"]
    rest = admin.read("/api/v1/devices?limit=1&cursor=" + page["cursor"])
    assert rest["devices"][0]["mac"] == macs[1] and rest["total"] == 3
    assert admin.read("/api/v1/devices?search=nothing")["devices"] == []
    one = admin.read("/api/v1/devices/" + MAC)
    assert one["mac"] == MAC and one["resyncs"] == []
    assert admin.get("/api/v1/devices/0123").status == 404
    for query in ("limit=0", "limit=x", "state=gone", "cursor=x", "what=1",
                  "standing=no", "search=%zz", "search=" + 64 * "a",
                  "limit=1&limit=2"):
        answer = admin.get("/api/v1/devices?" + query)
        assert answer.status == 400, query
        assert answer.fields["content-type"] == "application/problem+json"
        assert answer.json["status"] == 400 and answer.json["detail"]


def test_who_may_ask(admin):
    for token in None, "sprov_" + 64 * "0", admin.token[:-1], "":
        if token == "":
            continue
        answer = admin.get("/api/v1/overview", token=token)
        assert answer.status == 401
        assert "Bearer" in answer.fields["www-authenticate"]
        # Which paths there are is nobody's business either.
        assert admin.get("/api/v1/none", token=token).status == 401
    assert admin.get("/api/v1/none").status == 404
    answer = admin.ask("POST", "/api/v1/overview", body="{}")
    assert answer.status == 405 and answer.fields["allow"] == "GET, HEAD"
    metrics = admin.add_token("metrics", "--scope", "metrics")
    answer = admin.get("/api/v1/overview", token=metrics)
    assert answer.status == 403 and "read" in answer.json["detail"]
    admin.command("token", "remove", "test")
    assert admin.get("/api/v1/overview").status == 401


def test_etag(admin):
    answer = admin.get("/api/v1/devices")
    etag = answer.fields["etag"]
    same = admin.get("/api/v1/devices", If_None_Match='"x", ' + etag)
    assert same.status == 304 and same.body == b""
    assert same.fields["etag"] == etag
    assert admin.get("/api/v1/devices",
                     If_None_Match='"other"').status == 200
    head = admin.ask("HEAD", "/api/v1/devices")
    assert head.status == 200 and head.body == b""
    assert head.fields["content-length"] == str(len(answer.body))


def test_keep_alive_and_nonsense(admin):
    connection = admin.connect()
    for _ in range(3):
        assert admin.get("/api/v1/session",
                         connection=connection).status == 200
    connection.close()
    for bytes_, status in ((b"NONSENSE\r\n\r\n", b"400"),
                           (b"GET / HTTP/2.0\r\n\r\n", b"505"),
                           (b"GET /" + 9000 * b"a", b"414")):
        with socket.create_connection(("127.0.0.1", admin.port)) as s:
            s.sendall(bytes_)
            assert s.recv(100).split()[1] == status
    answer = admin.ask("POST", "/api/v1/session", body=b"a" * 2000000)
    assert answer.status == 413


def test_tls(server):
    """Over TLS; what is not modern is refused."""
    admin = Admin(server, free_port(), secure=True)
    server.configure(server.listener() + admin.block())
    admin.token = admin.add_token()
    server.start()
    assert admin.read("/api/v1/session")["name"] == "token test"
    with socket.create_connection(("127.0.0.1", admin.port)) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"HTTP" not in s.recv(1000)


def test_reload_moves_it(admin):
    """To another port, while the old connection goes on to its end."""
    server = admin.server
    old = admin.connect()
    assert admin.get("/api/v1/session", connection=old).status == 200
    moved = Admin(server, free_port())
    moved.token = admin.token
    server.configure(server.listener() + moved.block())
    server.reload()
    assert moved.read("/api/v1/session")
    assert admin.get("/api/v1/session", connection=old).status == 200
    with pytest.raises(OSError):
        admin.get("/healthz")
    server.configure(server.listener())
    server.reload()
    with pytest.raises(OSError):
        moved.get("/healthz")


@pytest.mark.parametrize("block, complaint", [
    ("address 192.0.2.1:8443\nplain-http", "an address that others reach"),
    ("address 127.0.0.1:1", '"certificate" is missing'),
    ("plain-http", '"address" is missing'),
    ("address 127.0.0.1:1\nplain-http\ncertificate a key b",
     "does not go with"),
    ("address 127.0.0.1:1\ncertificate a kye b", 'expected "key"'),
    ("address localhost\nplain-http", "no address with a port"),
    ("address 127.0.0.1:1\naddress 127.0.0.1:1\nplain-http", "given twice"),
    ("address 127.0.0.1:1\nplain-http\ncolour red", "colour"),
    ("address 127.0.0.1:1\nplain-http\nmetrics open",
     '"open" is no way to read metrics: expected token or loopback'),
])
def test_configuration(server, sprov, block, complaint):
    server.configure(server.listener() + "admin {\n%s\n}\n" % block)
    done = sprov("serve", "--check", "--config", server.config)
    assert done.status == 1 and complaint in done.err, done


def test_openapi(admin):
    """The document knows each path that is answered, and each key."""
    server = admin.server
    server.device("set", "group:berlin", "a=1")
    server.get()
    server.get("/spa%s.cfg" % OTHER)
    wait_until(lambda: admin.read("/api/v1/groups")["groups"], "the group")
    wait_until(lambda: len(admin.read("/api/v1/events")["events"]) == 2,
               "the events")
    for kind, status in ("failures", 403), ("served", 200):
        found = admin.read("/api/v1/events?kind=" + kind)["events"]
        assert [event["status"] for event in found] == [status]
        assert (found[0]["sent_sha256"] is None) == (status == 403)
    assert admin.get("/api/v1/events?kind=none").status == 400
    document = admin.read("/api/v1/openapi.json", token=None)
    assert document["openapi"] == "3.1.0"
    admin.command("add", "somebody")
    boss = admin.add_token("boss", "--scope",
                           "read,write,metrics,audit,accounts")
    for path, operations in document["paths"].items():
        if "get" not in operations or path == "/metrics":
            continue
        place = path.format(mac=MAC, model="SPA504G", account="somebody",
                            token="boss")
        answer = admin.get(place + ("?target=group:berlin"
                                    if path.endswith("/settings") else ""),
                           token=boss)
        content = operations["get"]["responses"]["200"]["content"]
        if path == "/api/v1/migrations/newest":
            assert answer.status == 404
            continue
        assert answer.status == 200, path
        kind = answer.fields["content-type"].split(";")[0]
        assert kind in content, path
        if kind == "application/json":
            assert not list(undeclared(content[kind]["schema"], answer.json,
                                       path))


def test_matrix(admin):
    """Who trusts whom, for how many devices, and who says so."""
    counted = {}
    for block in admin.read("/api/v1/matrix"):
        for row in block["rows"]:
            assert row["devices"] <= block["devices"]
        counted.update(dict.fromkeys(block["models"], block["devices"]))
    assert counted["SPA962"] == 2 and counted["PAP2"] == 0
    one = admin.read("/api/v1/matrix/spa504g?firmware=7.5.6")
    assert (one["model"], one["firmware"]) == ("SPA504G", "7.5.6")
    assert one["cas"][0]["spans"][0]["decided_by"]["basis"] == "vendor"
    for path, status in (("nothing", 404), ("--json", 404),
                         ("SPA504G?firmware=--", 422),
                         ("SPA504G?inventory=x", 400)):
        assert admin.get("/api/v1/matrix/" + path).status == status, path
    admin.server.device("set", "group:acme", "kind=tenant")
    tenant = admin.add_token("acme", "--group", "acme")
    for block in admin.read("/api/v1/matrix", token=tenant):
        assert "devices" not in block and "devices" not in block["rows"][0]


# ------------------------------------------------------------------- login

PASSWORD = "correct horse battery"
COOKIE = "__Host-sprov="


def log_in(admin, name="noc", code=None, password=PASSWORD, **fields):
    body = {"name": name, "password": password}
    if code is not None:
        body["code"] = code
    return admin.ask("POST", "/api/v1/login", body=body, token=None, **fields)


def cookie_of(answer):
    return answer.fields["set-cookie"].split(";")[0]


def first_login(admin, name="noc", *options):
    code = admin.command("add", name, *options).strip()
    answer = log_in(admin, name, code)
    assert answer.status == 200, answer
    return cookie_of(answer)


def test_first_login(admin):
    code = admin.command("add", "noc", "--role", "operator").strip()
    assert log_in(admin).status == 401
    assert log_in(admin, code=code[:-1] + "x").status == 401
    answer = log_in(admin, code=code, password="short")
    assert answer.status == 422 and "12 to 256" in answer.json["detail"]
    answer = log_in(admin, code=code)
    assert answer.status == 200
    assert answer.json["scopes"] == "read,write,metrics,audit"
    cookie = answer.fields["set-cookie"]
    for part in ("Path=/", "Secure", "HttpOnly", "SameSite=Strict"):
        assert part in cookie.split("; ")
    assert cookie.startswith(COOKIE) and "Domain" not in cookie
    # The code was good once; the password is from now on.
    assert log_in(admin, code=code).status == 401
    assert log_in(admin, password=PASSWORD + "x").status == 401
    assert log_in(admin).status == 200
    text = (admin.server.folder / "admin.db").read_bytes()
    assert PASSWORD.encode() not in text and code.encode() not in text


def test_session(admin):
    cookie = first_login(admin)
    origin = "http://127.0.0.1:%d" % admin.port

    def ask(method, path, **fields):
        return admin.ask(method, path, token=None, Cookie="x=y; " + cookie,
                         **fields)

    assert ask("GET", "/api/v1/overview").status == 200
    assert admin.get("/api/v1/overview", token=None,
                     Cookie=cookie[:-1] + ("1" if cookie[-1] == "0" else "0")
                     ).status == 401
    # Only pages of this origin may do more than look.
    for other in (None, "http://evil.example.net", "null",
                  "https://127.0.0.1:%d" % admin.port):
        fields = {"Origin": other} if other else {}
        answer = ask("POST", "/api/v1/password", body={}, **fields)
        assert answer.status == 403 and "origin" in answer.json["detail"]
    answer = log_in(admin, Origin="http://evil.example.net")
    assert answer.status == 403
    # A new password ends the other sessions.
    other = cookie_of(log_in(admin))
    answer = ask("POST", "/api/v1/password", Origin=origin,
                 body={"old": PASSWORD, "new": "another long password"})
    assert answer.status == 200
    assert ask("GET", "/api/v1/overview").status == 401
    assert admin.get("/api/v1/overview", token=None,
                     Cookie=other).status == 401
    cookie = cookie_of(answer)
    assert ask("GET", "/api/v1/overview").status == 200
    assert ask("POST", "/api/v1/logout", Origin=origin).status == 204
    assert ask("GET", "/api/v1/overview").status == 401


def test_removed_and_reset(admin):
    cookie = first_login(admin)
    admin.command("reset", "noc")
    assert admin.get("/api/v1/session", token=None,
                     Cookie=cookie).status == 401
    assert log_in(admin).status == 401
    cookie = first_login(admin, "other")
    admin.command("remove", "other")
    assert admin.get("/api/v1/session", token=None,
                     Cookie=cookie).status == 401
    assert '"noc"' in admin.command("add", "noc", status=1)
    assert "no account" in admin.command("remove", "nobody", status=1)
    assert "no role" in admin.command("add", "x", "--role", "king", status=1)
    assert "noc" in admin.command("list")


def test_throttle(admin):
    """After some failures each try has to wait, also for who knows it."""
    first_login(admin)
    answers = [log_in(admin, password="wrong wrong wrong").status
               for _ in range(5)]
    assert answers == [401] * 5
    # Where a try takes long the first wait may be over before it is seen.
    wait_until(lambda: log_in(admin, password="wrong wrong wrong").status ==
               429, "one try too many")
    answer = log_in(admin)
    assert answer.status == 429
    assert 1 <= int(answer.fields["retry-after"]) <= 60
    # By address, too: another account does not help.
    assert log_in(admin, "another").status == 429
    wait_until(lambda: log_in(admin).status == 200, "a try is allowed")
    assert log_in(admin).status == 200


def test_login_is_bounded(admin):
    post = lambda body, **fields: admin.ask(  # noqa: E731
        "POST", "/api/v1/login", body=body, token=None, **fields)
    assert post("{}", Content_Type="text/plain").status == 415
    assert post("{").status == 415
    for body, status in (
            ("{", 400), ("[]", 422), ("{}", 422),
            ('{"name":"a","password":"b","more":1}', 422),
            ('{"name":"a","name":"b","password":"c"}', 400),
            ('{"name":"%s","password":"b"}' % (100 * "a"), 422),
            ('{"name":"a","password":"%s"}' % (300 * "b"), 422),
            ('{"name":1,"password":"b"}', 422)):
        assert post(body, Content_Type="application/json").status == status, \
            body


def test_tenant(admin):
    """Sees the devices of its group and nothing about those of others."""
    server = admin.server
    server.device("set", "group:north", "a=1")
    server.device("set", "group:south", "a=1")
    server.device("set", MAC, "group=north")
    server.device("set", OTHER, "group=south")
    wait_until(lambda: admin.read("/api/v1/devices/" + OTHER)["group"],
               "the groups")
    server.get()
    server.get(certificate="other", path="/spa%s.cfg" % OTHER)
    wait_until(lambda: len(admin.read("/api/v1/events")["events"]) == 2,
               "the events")
    token = admin.add_token("north", "--group", "north")
    wait_until(lambda: admin.read("/api/v1/devices",
                                  token=token)["total"] == 1,
               "the index")
    assert admin.read("/api/v1/overview",
                      token=token)["devices"]["total"] == 1
    assert admin.read("/api/v1/devices/" + MAC, token=token)
    events = admin.read("/api/v1/events", token=token)["events"]
    assert [event["mac"] for event in events] == [MAC]
    groups = admin.read("/api/v1/groups", token=token)["groups"]
    assert [group["name"] for group in groups] == ["north"]
    for path in ("", "/variables", "/profile", "/diff", "/drift", "/doctor"):
        assert admin.get("/api/v1/devices/" + OTHER + path,
                         token=token).status == 404
    assert admin.read("/api/v1/devices/%s/events" % OTHER,
                      token=token)["events"] == []
    for path in ("plan", "doctor", "certificates", "expiry", "cas", "rates",
                 "migrations", "migrations/newest", "exceptions"):
        assert admin.get("/api/v1/" + path, token=token).status == 403
    assert admin.get("/metrics", token=token).status == 403


def test_tenant_learns_no_figure_of_others(admin):
    """What others do changes nothing that a tenant gets, nor its ETag."""
    server = admin.server
    for group, mac in (("north", MAC), ("south", OTHER)):
        server.device("set", "group:" + group, "kind=tenant")
        server.device("set", mac, "group=" + group)
    wait_until(lambda: admin.read("/api/v1/devices/" + OTHER)["group"] ==
               "south", "the groups")
    server.get()
    token = admin.add_token("quiet", "--group", "north", "--scope",
                            "read,audit")
    paths = ["/api/v1/" + path for path in (
        "devices", "devices?search=0", "devices?standing=served",
        "devices/" + MAC, "devices/%s/events" % MAC, "groups", "listeners",
        "matrix", "events", "events?after=0", "events?limit=1", "audit",
        "devices/%s/doctor" % MAC)]

    def look():
        answers = [admin.get(path, token=token) for path in paths]
        return [(path, answer.status, answer.fields.get("etag"),
                 re.sub(rb'"now":"[^"]*"', b"", answer.body))
                for path, answer in zip(paths, answers)]

    def settled():
        overview = admin.read("/api/v1/overview", token=token)
        assert set(overview) == {"version", "started_at", "now", "devices"}
        return overview["devices"] == {
            "total": 1, "retired": 0, "provisioned_today": 1, "served": 1,
            "failing": 0, "never_seen": 0} and len(admin.read(
                "/api/v1/events", token=token)["events"]) >= 1
    wait_until(settled, "the index")
    before = look()
    for _ in range(3):
        server.get(certificate="other", path="/spa%s.cfg" % OTHER)
        server.get(certificate="other", path="/spa%s.cfg" % MAC)
    server.device("set", OTHER, "serial=F123")
    wait_until(lambda: admin.read("/api/v1/devices/" + OTHER)["serial"] ==
               "F123" and len(admin.read("/api/v1/events?mac=" + OTHER)[
                   "events"]) >= 6, "what others do")
    after = look()
    for one, other in zip(before, after):
        assert one == other
    assert settled()


def test_tenant_follows_its_events(admin):
    """Numbers without an order lead through the record, and only those."""
    server = admin.server
    server.device("set", "group:north", "kind=tenant")
    server.device("set", MAC, "group=north")
    token = admin.add_token("follower", "--group", "north")
    other = admin.add_token("stranger", "--group", "south")
    wait_until(lambda: admin.get("/api/v1/devices/" + MAC,
                                 token=token).status == 200, "the group")

    def read(options):
        return admin.read("/api/v1/events?" + options, token=token)
    last = read("after=0&limit=1000")["last"]
    for _ in range(3):
        server.get()
        server.get(certificate="other", path="/spa%s.cfg" % OTHER)
    wait_until(lambda: len(read("after=%d" % last)["events"]) == 3,
               "the events")
    new = read("after=%d" % last)
    assert [event["mac"] for event in new["events"]] == [MAC] * 3
    assert read("after=%d" % new["last"])["events"] == []
    newest = read("limit=2")
    assert newest["events"] == new["events"][:0:-1]
    assert read("limit=1&before=%d" % newest["cursor"])["events"] == \
        new["events"][:1]
    assert len({event["id"] for event in new["events"]}) == 3
    for path, name in (("events?after=%d" % new["last"], other),
                       ("events?before=12345", token),
                       ("audit?after=%d" % new["last"], admin.add_token(
                           "auditor", "--group", "north", "--scope",
                           "audit"))):
        bad = admin.get("/api/v1/" + path, token=name)
        assert bad.status == 400 and "given out" in bad.json["detail"], path


def test_certificate(server, pki):
    """Who shows a certificate of people's CA is the account of its CN."""
    people = minting.authority("People", which=5)
    admin = Admin(server, free_port(), secure=True)
    server.write("people.pem", people.pem)
    server.configure(server.listener() + admin.block().replace(
        "}", "    client-anchors people.pem\n}"))
    admin.command("add", "noc", "--role", "admin")
    server.start()
    for issuer, name, status in ((people, "noc", 200),
                                 (people, "stranger", 401),
                                 (pki.client_root, "noc", 401)):
        admin.identity = issuer.issue(minting.name(CN=name)).write(
            server.folder, "person")
        assert admin.get("/api/v1/session").status == status, name
    admin.identity = None
    assert admin.get("/api/v1/session").status == 401
