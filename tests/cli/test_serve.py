"""sprov serve: its configuration, its life and its end."""

import os
import pwd
import re
import signal
import socket
import ssl
import subprocess
import time

import pytest

import minting
import wire
from conftest import MAC, OTHER, PROFILE
from daemon import BINARY, free_port, give_away, is_root, wait_until

PATH = "/spa%s.cfg" % MAC


def check(server, path=None):
    return subprocess.run(
        [str(BINARY), "serve", "--check", "--config",
         str(path or server.config)], env=server.environment,
        capture_output=True, encoding="utf-8", timeout=60, check=False)


def mistakes(server):
    """What --check says, without the path: "line:column: text"."""
    done = check(server)
    assert done.returncode == 1, done
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    start = "sprov: "
    assert all(line.startswith(start) for line in lines), lines
    return [line[len(start):].replace("%s:" % server.config, "", 1)
            for line in lines]


def place(text, words):
    """line:column of words in text, both from 1."""
    before = text[:text.index(words)]
    return "%d:%d" % (before.count("\n") + 1,
                      len(before) - (before.rfind("\n") + 1) + 1)


def served_certificate(port, host="127.0.0.1"):
    """What the listener shows, as DER."""
    with wire.Client((host, port), wire.context(lowest=wire.TLS12)) as c:
        return c.tls.getpeercert(binary_form=True)


def refuses(port, host="127.0.0.1"):
    try:
        socket.create_connection((host, port), 5).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        pass  # just now
    return False


# --check


def test_check_good(server):
    server.configure(server.listener(policy="legacy"))
    done = check(server)
    assert done.returncode == 0 and done.stderr == "", done
    lines = done.stdout.splitlines()
    assert lines[0] == "listener one: 127.0.0.1:%d" % server.port
    assert "no device is known to trust" in lines[1]
    assert lines[2] == ("  tls legacy, client certificate required, "
                        "1 client anchors")
    assert lines[-1] == "%s: good" % server.config
    # Nothing was opened for that.
    assert refuses(server.port)


def test_check_names_the_ca(lab):
    done = subprocess.run(
        [str(BINARY), "serve", "--check", "--config",
         str(lab.folder / "sprov.conf")], capture_output=True,
        encoding="utf-8", timeout=60, check=False)
    assert done.returncode == 0, done
    assert "certificate of LAB Cisco SB 2 (" in done.stdout
    assert done.stdout.count("listener ") == len(lab.ports)


def test_no_file(server):
    done = check(server, server.folder / "absent.conf")
    assert done.returncode == 1
    assert done.stderr == "sprov: %s: No such file or directory\n" % (
        server.folder / "absent.conf")


def test_all_mistakes_in_one_run(server):
    """With a suggestion where one is near."""
    text = server.configure("""\
worker 2
log-level loud
timeout handshake 5
timeout idel 5s
connections 0
inventory postgres:x
profile spa$MA.cfg
common /spa$PSN.cfg ../common.xml
listener one {
    address 127.0.0.1
    address 127.0.0.1:99999
    certificate server.crt kye server.key
    tls lagacy
    client-certificate maybe
    client-anchor anchors.pem
}
listener ONE {
    address 127.0.0.1:%d
    certificate server.crt key server.key
    client-anchors anchors.pem
}
""" % server.port).read_text()
    found = mistakes(server)
    for words, message in [
            ("worker 2", 'unknown directive "worker"'),
            ("loud", '"loud" is no log level: expected error, warn, info '
             "or debug"),
            ("5\n", '"5" is no duration: expected a number with ms, s or m, '
             "from 100ms to 10m"),
            ("idel", '"idel" is no phase: expected handshake, request, body, '
             'write, idle or stop; did you mean "idle"?'),
            ("0\n", '"0": expected a number from 1 to 1000000'),
            ("postgres", '"postgres:x" is no inventory'),
            ("spa$MA", '"spa$MA.cfg" is no path'),
            ("../common", '"../common.xml" is no template'),
            ("127.0.0.1\n", '"127.0.0.1" is no address with a port'),
            ("127.0.0.1:99999", '"127.0.0.1:99999" is no address'),
            ("kye", '"kye": expected "key"'),
            ("lagacy", 'did you mean "legacy"?'),
            ("maybe", '"maybe" is no choice for client-certificate'),
            ("client-anchor a", 'did you mean "client-anchors"?'),
            ("ONE", '"ONE" is no name for a listener'),
    ]:
        at = place(text, words)
        assert any(line.startswith(at + ": ") and message in line
                   for line in found), (at, message, found)


def test_mistakes_of_files_in_one_run(server):
    """What only shows when they are opened."""
    other = minting.key(which=9)
    server.write_pair("good", server.pki.server)
    server.write_pair("mixed", minting.Certificate(server.pki.server.cert,
                                                   other))
    server.write_pair("open", server.pki.server)
    (server.folder / "open.key").chmod(0o644)
    middle = server.pki.server_root.issue(
        minting.name(CN="Middle"), ca=True, private_key=minting.key(which=8))
    leaf = middle.issue(minting.name(CN="sprov.example.net"),
                        private_key=minting.key(which=1),
                        send=[server.pki.server_root, middle])
    server.write_pair("unordered", leaf)
    server.write_pair("upside", minting.Certificate(
        middle.cert, minting.key(which=1), (leaf.cert,)))
    server.write("rubbish.pem", "no certificate\n")
    server.write("templates/broken.xml", "<a>{{#x}}</a>\n")
    server.write("templates/circle.xml", "{{>absent.xml}}")

    def listener(name, certificate, anchors="anchors.pem", more=""):
        return server.listener(name, "127.0.0.1:%d" % free_port(), more,
                               certificate, anchors)
    text = server.configure(
        listener("a", "mixed") + listener("b", "open") +
        listener("c", "unordered") + listener("d", "upside") +
        listener("e", "absent") + listener("f", "good", "rubbish.pem") +
        listener("g", "good", "missing.pem") +
        listener("h", "good", more='allow-expired-anchor "Client Rood"') +
        "common /a$PSN.cfg common.xml\n" +
        "profile /plain.cfg /$MX.cfg\n").read_text()
    found = mistakes(server)

    def folder(name):
        return "%s" % (server.folder / name)
    for words, message in [
            ("mixed.crt", folder("mixed.key") +
             ": the key does not belong to " + folder("mixed.crt")),
            ("open.crt", folder("open.key") + ": mode 0644 lets others read "
             "or write the private key: wanted 0600 or 0640"),
            ("unordered.crt", "is not issued by"),
            ("upside.crt", "put the leaf first"),
            ("absent.crt", folder("absent.crt") +
             ": No such file or directory"),
            ("rubbish.pem", folder("rubbish.pem")),
            ("missing.pem", "missing.pem: No such file or directory"),
            ('"Client Rood"', 'no client anchor is named "Client Rood": did '
             'you mean "Client Root"?'),
            ("common.xml", 'there is no template "common.xml"'),
            ("/plain.cfg", "a profile's path needs a macro such as $MA"),
            ("/$MX.cfg", 'unknown macro at "$MX.cfg"'),
    ]:
        at = place(text, words)
        assert any(line.startswith(at + ": ") and message in line
                   for line in found), (at, message, found)
    # Templates have places of their own.
    assert any(re.search(r"broken\.xml:1:\d+: ", line) for line in found)
    assert any("absent.xml" in line for line in found), found


def test_no_folder_of_templates(server):
    text = server.config
    text.write_text("templates nowhere\n" + server.listener())
    assert mistakes(server) == [
        "1:11: %s: No such file or directory" % (server.folder / "nowhere")]


def test_a_file_that_is_cut_off(server):
    server.configure(server.listener()[:-2])
    (line,) = mistakes(server)
    assert "}" in line


def test_two_listeners_at_one_address(server):
    text = server.configure(server.listener("a") +
                            server.listener("b")).read_text()
    (line,) = mistakes(server)
    assert "address 127.0.0.1:%d is taken by listener \"a\"" % server.port \
        in line
    assert line.startswith("%d:" % (text.count("\n", 0, text.rindex(
        "address")) + 1))


def failed_start(server):
    """What is said by a server that cannot start."""
    server.spawn()
    assert server.ended() == 1
    assert not server.manager.hear(0) or \
        "READY=1" not in server.manager.states[-1]
    return server.log.text()


def test_start_with_mistakes(server):
    server.configure("worker 2\n" + server.listener())
    said = failed_start(server)
    assert 'unknown directive "worker"' in said
    assert "did you mean \"workers\"?" in said


def test_address_in_use(server):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        text = server.configure(
            server.listener("a") +
            server.listener("b", "127.0.0.1:%d" % port)).read_text()
        said = failed_start(server)
    assert ("%s:%s: cannot listen on 127.0.0.1:%d: Address already in use"
            % (server.config, place(text, "127.0.0.1:%d" % port), port)
            ) in said
    assert refuses(server.port)


def test_address_that_is_not_here(server):
    server.configure(server.listener(address="192.0.2.1:%d" % server.port))
    assert "cannot listen on 192.0.2.1:" in failed_start(server)


def test_no_such_user(server):
    if not is_root():
        pytest.skip("needs root")
    server.config.write_text("user nobody-of-that-name\n" +
                             server.listener())
    assert "there is no user \"nobody-of-that-name\"" in failed_start(server)


def test_root_without_a_user(server):
    if not is_root():
        pytest.skip("needs root")
    try:
        pwd.getpwnam("sprov")
        pytest.skip("there is a user sprov")
    except KeyError:
        pass
    server.config.write_text(server.listener())
    assert "started as root: make a user \"sprov\" or name one" \
        in failed_start(server)


# Where it listens


def test_several_ports_and_addresses(server):
    """Each listener shows its own certificate."""
    ports = [free_port() for _ in range(3)]
    more = server.pki.server_root.issue(minting.name(CN="more.example.net"),
                                        private_key=minting.key(which=5))
    server.write_pair("more", more)
    server.configure(
        server.listener("a", "127.0.0.1:%d\n    address 127.0.0.1:%d" % (
            ports[0], ports[1])) +
        server.listener("b", "127.0.0.2:%d\n    address 127.0.0.1:%d" % (
            ports[0], ports[2]), certificate="more"))
    server.start()
    for host, port, certificate, listener in [
            ("127.0.0.1", ports[0], server.pki.server, "a"),
            ("127.0.0.1", ports[1], server.pki.server, "a"),
            ("127.0.0.2", ports[0], more, "b"),
            ("127.0.0.1", ports[2], more, "b")]:
        assert served_certificate(port, host) == certificate.der
        assert server.get(port=(host, port)).body == PROFILE
        server.log.wait(event="listening", listener=listener,
                        address="%s:%d" % (host, port))
    assert refuses(ports[1], "127.0.0.2")
    server.log.exactly(2, event="request", listener="a")


def test_ipv6(server):
    try:
        free_port("::1")
    except OSError:
        pytest.skip("no IPv6 here")
    port = free_port()  # of the other family, where most ports are taken
    server.configure(server.listener(
        address="[::1]:%d\n    address 127.0.0.1:%d" % (port, port)))
    server.start()
    assert server.get(port=("::1", port)).body == PROFILE
    assert server.get(port=("127.0.0.1", port)).body == PROFILE
    line = server.log.wait(event="request")
    assert line["source"].startswith("[::1]:")


def test_all_addresses_of_both_kinds(server):
    """[::] is not 0.0.0.0 too."""
    try:
        free_port("::1")
    except OSError:
        pytest.skip("no IPv6 here")
    server.configure(
        server.listener("six", "[::]:%d" % server.port) +
        server.listener("four", "0.0.0.0:%d" % server.port))
    server.start()
    for host, listener in ("::1", "six"), ("127.0.0.1", "four"), \
            ("127.0.0.3", "four"):
        assert server.get(port=(host, server.port)).status == 200
        server.log.wait(event="request", listener=listener)
    server.log.exactly(2, event="request", listener="four")


def test_port_below_1024(server):
    """Opened as root, served as nobody."""
    if not is_root():
        pytest.skip("needs root")
    for port in range(1023, 900, -1):
        if refuses(port):
            break
    server.configure(server.listener(address="127.0.0.1:%d" % port))
    server.start()
    assert server.get(port=port).body == PROFILE
    # Kept over a reload, although it could not be opened again.
    server.reload()
    server.log.wait(event="reloaded")
    assert server.get(port=port).body == PROFILE


def test_drops_root(running):
    status = open("/proc/%d/status" % running.pid).read()
    assert re.search(r"^NoNewPrivs:\s1$", status, re.MULTILINE)
    if not is_root():
        pytest.skip("the rest needs root")
    for ids in re.findall(r"^[UG]id:\s(.*)$", status, re.MULTILINE):
        assert "0" not in ids.split()
    groups = re.search(r"^Groups:\s(.*)$", status, re.MULTILINE).group(1)
    assert "0" not in groups.split()
    for kind in "Prm", "Eff", "Inh", "Amb":
        assert re.search(r"^Cap%s:\s0+$" % kind, status, re.MULTILINE)


# Reload


def test_reload_adds_and_removes_listeners(server):
    second, third = free_port(), free_port()
    first = server.listener("one")
    two = server.listener("two", "127.0.0.1:%d" % second)
    three = server.listener("three", "127.0.0.1:%d" % third)
    server.configure(first + two)
    server.start()
    assert refuses(third)
    server.configure(first + three)
    server.reload()
    server.log.wait(event="reloaded")
    assert server.get().status == 200
    assert server.get(port=third).status == 200
    assert refuses(second)


def test_reload_keeps_a_connection_that_has_not_asked(running):
    """The request was on its way: the device would wait a day to retry."""
    with running.client() as client:
        running.reload()
        reply = client.get(PATH)
        assert reply.status == 200 and reply.body == PROFILE
        assert reply["Connection"] == "close"
        assert client.is_closed()


def test_reload_keeps_a_half_request(running):
    with running.client() as client:
        client.send("GET %s HTTP/1.1\r\n" % PATH)
        running.reload()
        client.send("Host: a\r\n\r\n")
        assert client.reply().body == PROFILE


def test_reload_during_a_handshake(running):
    plain = socket.create_connection(("127.0.0.1", running.port), 30)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = running.context().wrap_bio(incoming, outgoing)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    hello = outgoing.read()
    with plain:
        plain.sendall(hello[:50])
        running.reload()
        plain.sendall(hello[50:])
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                plain.sendall(outgoing.read())
                incoming.write(plain.recv(65536))
        tls.write(b"GET %s HTTP/1.0\r\n\r\n" % PATH.encode())
        plain.sendall(outgoing.read())
        assert plain.recv(65536)


def test_reload_ends_idle_connections(running):
    """They have their answer, and would hold what was before."""
    with running.client() as client:
        assert client.get(PATH).status == 200
        running.reload()
        assert client.is_closed()


def test_reload_of_a_broken_file(running):
    """Nothing changes, and the log says what is wrong."""
    with running.client() as client:
        before = running.config.read_text()
        running.config.write_text(before.replace("modern", "modren"))
        running.reload()
        running.log.wait(2, event="reload-refused", level="error")
        said = running.log.messages(event="reload-refused")
        assert re.search(r'sprov\.conf:\d+:\d+: "modren" is no TLS policy: '
                         r'.* did you mean "modern"\?', said)
        assert "going on as before" in said
        assert not running.log.lines(event="reloaded")
        # Not even idle connections notice.
        assert client.get(PATH).status == 200
        running.reload()
        assert client.get(PATH).status == 200
    assert running.get().status == 200
    running.config.write_text(before)
    running.reload()
    running.log.wait(event="reloaded")


def test_reload_without_the_file(running):
    running.config.rename(running.folder / "away.conf")
    running.reload()
    running.log.wait(event="reload-refused")
    assert running.get().status == 200


def test_reload_with_an_address_in_use(server):
    """Nor half of it: the other new listener is not there either."""
    first = server.listener("one")
    server.configure(first)
    server.start()
    fresh = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server.configure(
            first + server.listener("two", "127.0.0.1:%d" % fresh) +
            server.listener("three", "127.0.0.1:%d" % port))
        server.reload()
    assert "Address already in use" in server.log.messages(
        event="reload-refused")
    assert refuses(fresh)
    assert server.get().status == 200
    # And when it is free, all of it.
    server.reload()
    assert server.get(port=fresh).status == 200
    assert server.get(port=port).status == 200


def test_reload_shows_the_new_certificate(running):
    assert served_certificate(running.port) == running.pki.server.der
    renewed = running.pki.server_root.issue(
        minting.name(CN="sprov.example.net"),
        private_key=minting.key(which=5))
    running.write_pair("server", renewed)
    assert served_certificate(running.port) == running.pki.server.der
    running.reload()
    assert served_certificate(running.port) == renewed.der
    # One that does not fit changes nothing.
    running.write_pair("server", minting.Certificate(
        renewed.cert, minting.key(which=9)))
    running.reload()
    assert "the key does not belong to" in running.log.messages(
        event="reload-refused")
    assert served_certificate(running.port) == renewed.der


def test_reload_of_anchors_and_templates(running):
    stranger = minting.authority("Stranger", which=7)
    certificate = stranger.issue(
        minting.documented(MAC, "88012AA00001"),
        private_key=minting.key(1024))
    assert running.get(certificate=certificate).status == 403
    running.write("anchors.pem", stranger.pem)
    running.write("templates/device.xml", "<flat-profile/>\n")
    running.reload()
    reply = running.get(certificate=certificate)
    assert reply.status == 200 and reply.body == b"<flat-profile/>\n"
    assert running.get().status == 403


def test_reload_changes_policy(server):
    """And the log level, and a directive of the whole."""
    server.configure(server.listener(policy="legacy"))
    server.start()
    old = {"lowest": wire.TLS10, "highest": wire.TLS10}
    assert server.get(**old).status == 200
    server.configure("log-level error\nprofile /phones/$MA.xml\n" +
                     server.listener(policy="modern"))
    server.reload()
    with pytest.raises(ssl.SSLError):
        server.client(**old)
    assert server.get("/phones/%s.xml" % MAC).status == 200
    assert server.get().status == 404
    assert server.stop() == 0
    # Only of what came before.
    assert len(server.log.lines(event="request")) == 1
    assert not server.log.lines(event="handshake-failed")


def test_reload_of_an_inventory_elsewhere(running):
    running.environment["SPROV_INVENTORY"] = "sqlite:%s" % (
        running.folder / "other.db")
    running.device("add", OTHER, "SPA962", "password=x")
    for path in running.folder.glob("other.db*"):
        give_away(path)
    running.configure("inventory sqlite:other.db\n" + running.listener())
    running.reload()
    running.log.wait(event="reloaded")
    assert running.get().status == 403
    assert running.get("/spa%s.cfg" % OTHER, "other").status == 200


def test_many_reloads_under_load(running):
    """Every request is answered; no descriptor is left behind."""
    def count():
        return len(os.listdir("/proc/%d/fd" % running.pid))
    assert running.get().status == 200
    # The databases that answers are recorded in are opened by the first one.
    wait_until(lambda: all((running.folder / name).exists() for name in
                           ("events.db-shm", "resyncs.db-shm")),
               "the records to be open")
    running.reload()
    before = count()
    for _ in range(20):
        running.process.send_signal(signal.SIGHUP)
        assert running.get().status == 200
        while running.manager.hear(0):
            pass
    running.reload()
    wait_until(lambda: count() <= before, "the descriptors to be closed")


# Inventory


def wait_for_status(server, status, path=PATH, certificate="device",
                    seconds=2.0):
    """How soon a change shows, without a reload."""
    start = time.monotonic()
    wait_until(lambda: server.get(path, certificate).status == status,
               "status %d" % status, patience=10)
    took = time.monotonic() - start
    assert took < seconds + 1.0, took


def test_inventory_changes_are_seen(running):
    """By themselves, within two seconds."""
    assert running.get().status == 200
    running.device("set", MAC, "state=retired")
    wait_for_status(running, 403)
    running.device("set", MAC, "state=active")
    wait_for_status(running, 200)
    running.device("set", MAC, "password=changed")
    wait_until(lambda: b"changed" in running.get().body, "the new password",
               patience=3)
    running.device("remove", MAC)
    wait_for_status(running, 403)
    running.device("add", MAC, "SPA962", "password=again")
    wait_for_status(running, 200)
    running.device("import", "--update", "-", stdin="mac,model,password\n"
                   "%s,SPA962,imported\n" % MAC)
    wait_until(lambda: b"imported" in running.get().body, "the import",
               patience=3)
    assert not running.log.lines(event="reloaded")
    running.log.exactly(6, event="inventory-loaded")


def test_first_start_makes_an_inventory(server):
    for path in server.folder.glob("inventory.db*"):
        path.unlink()
    server.configure(server.listener())
    server.start()
    assert server.get().status == 403
    server.device("add", MAC, "SPA962", "password=first & secret")
    wait_for_status(server, 200)


def test_inventory_in_memory(server):
    server.configure("inventory memory:\n" + server.listener())
    server.start()
    assert server.get().status == 403
    assert server.stop() == 0


# The end


def test_stop(running):
    assert running.get().status == 200
    assert running.stop() == 0
    running.log.wait(event="stopping")
    running.log.wait(event="stopped")
    assert running.log.text().endswith("\n")
    assert refuses(running.port)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_stop_lets_requests_end(running, how):
    with running.client() as half, running.client() as silent, \
            running.client() as idle:
        half.send("GET %s HTTP/1.1\r\n" % PATH)
        assert idle.get(PATH).status == 200
        running.process.send_signal(how)
        running.wait_for_state("STOPPING=1")
        wait_until(lambda: refuses(running.port), "the socket to be closed")
        assert idle.is_closed()
        assert running.process.poll() is None
        half.send("Host: a\r\n\r\n")
        reply = half.reply()
        assert reply.body == PROFILE and reply["Connection"] == "close"
        assert half.is_closed()
        # Its request may be on its way.
        assert silent.get(PATH).body == PROFILE
        assert silent.is_closed()
    assert running.ended() == 0
    assert not running.log.lines(level="warn", event="stopping")


def test_stop_while_an_answer_is_written(server):
    """To the last byte."""
    body = "<flat-profile><A>%s</A></flat-profile>\n" % ("x" * 200000)
    server.write("templates/device.xml", body)
    server.configure(server.listener())
    server.start()
    with server.client() as client:
        client.send("GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % PATH * 20)
        server.log.wait(event="request")
        server.process.send_signal(signal.SIGTERM)
        server.wait_for_state("STOPPING=1")
        reply = client.reply()
        assert reply.status == 200 and reply.body == body.encode()
    assert server.ended() == 0


def test_stop_twice(server):
    """The second time without patience."""
    server.configure("timeout stop 10m\ntimeout request 10m\n" +
                     server.listener())
    server.start()
    with server.client() as client:
        client.send("GET")
        server.process.send_signal(signal.SIGTERM)
        server.wait_for_state("STOPPING=1")
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGTERM)
        assert server.ended() == 0
        assert client.is_closed()


def test_stop_in_time(server):
    """Whatever the clients do."""
    server.configure("timeout stop 200ms\ntimeout request 10m\n" +
                     server.listener())
    server.start()
    with server.client() as client:
        client.send("GET")
        assert server.stop() == 0
        assert client.is_closed()
    server.log.wait(event="stopping", level="warn")


def test_stop_during_a_reload(running):
    """And the manager does not hear that all is ready after that."""
    running.process.send_signal(signal.SIGHUP)
    running.process.send_signal(signal.SIGTERM)
    assert running.ended() == 0
    while running.manager.hear(0):
        pass
    assert running.manager.states[-1] == "STOPPING=1"


# The service manager


def test_notifications(running):
    assert running.manager.states == ["READY=1"]
    start = time.monotonic_ns() // 1000
    running.reload()
    end = time.monotonic_ns() // 1000
    state, ready = running.manager.states[1:]
    assert ready == "READY=1"
    found = re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)", state)
    assert start <= int(found.group(1)) <= end
    # Refused, and ready all the same: on as before.
    running.config.write_text("rubbish\n")
    running.reload()
    assert running.manager.states[-1] == "READY=1"
    running.stop()
    while running.manager.hear(0):
        pass
    assert running.manager.states[-1] == "STOPPING=1"


def test_abstract_notify_socket(server):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        name = "sprov-test-%d" % server.port
        heard.bind("\0" + name)
        heard.settimeout(30)
        server.configure(server.listener())
        server.spawn(before=["env", "NOTIFY_SOCKET=@" + name])
        assert heard.recv(100) == b"READY=1"


def test_without_manager(server):
    server.configure(server.listener())
    server.spawn(before=["env", "-u", "NOTIFY_SOCKET"])
    server.log.wait(event="started")
    assert server.get().status == 200
    assert server.stop() == 0


def test_manager_that_does_not_listen(running):
    """Its queue is full: the server goes on without it."""
    for done in range(1, 8):
        running.process.send_signal(signal.SIGHUP)
        running.log.wait(done, event="reloaded")
    assert running.get().status == 200
    running.process.send_signal(signal.SIGTERM)
    assert running.ended() == 0


def activate(sockets):
    """A command that hands these sockets over from descriptor 3 on."""
    script = "".join("exec %d<&%d\n" % (20 + i, s.fileno())
                     for i, s in enumerate(sockets))
    script += "".join("exec %d<&%d %d<&-\n" % (3 + i, 20 + i, 20 + i)
                      for i in range(len(sockets)))
    return ["bash", "-c", script +
            "export LISTEN_PID=$$ LISTEN_FDS=%d\nexec \"$@\"" % len(sockets),
            "bash"]


def test_socket_activation(server):
    """The socket is the manager's: taken, not opened again."""
    with socket.socket() as given, socket.socket() as unused:
        given.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        given.bind(("127.0.0.1", server.port))
        given.listen()
        unused.bind(("127.0.0.1", 0))
        unused.listen()
        own = free_port()
        server.configure(server.listener(
            address="127.0.0.1:%d\n    address 127.0.0.1:%d" % (
                server.port, own)))
        server.start(before=activate([given, unused]),
                     pass_fds=[given.fileno(), unused.fileno()])
        # While the manager holds it, nobody else could have opened it.
        assert server.get().body == PROFILE
        assert server.get(port=own).body == PROFILE
        server.reload()
        server.log.wait(event="reloaded")
        assert server.get().body == PROFILE
        assert server.stop() == 0
        # Still the manager's.
        assert not refuses(server.port)


def test_sockets_for_another_process(server):
    """LISTEN_PID of somebody else: none of ours."""
    with socket.socket() as given:
        given.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        given.bind(("127.0.0.1", server.port))
        given.listen()
        server.configure(server.listener())
        command = activate([given])
        command[2] = command[2].replace("LISTEN_PID=$$", "LISTEN_PID=1")
        server.spawn(before=command, pass_fds=[given.fileno()])
        assert server.ended() == 1
    assert "Address already in use" in server.log.text()


# Secrets


def test_no_secret_in_the_log(server):
    """At the level that says most, whatever goes wrong."""
    server.write("templates/raw.xml",
                 "<flat-profile><A>{{{password}}}</A>"
                 "<!-- {{{broken}}} --></flat-profile>\n")
    server.configure("log-level debug\ntimeout request 300ms\n" +
                     server.listener(policy="legacy"))
    server.device("set", OTHER, "template=raw.xml",
                  "password=<never-shown&amp", "broken=-- also-hidden")
    server.device("set", "default", "smtp_password=third-hidden")
    server.start()
    assert server.get().status == 200
    # Not well-formed: our fault, so nothing is sent and the log says it.
    reply = server.get("/spa%s.cfg" % OTHER, "other")
    assert reply.status == 500 and b"never-shown" not in reply.body
    line = server.log.wait(event="render-failed")
    assert "raw.xml" in line.text
    server.device("set", OTHER, "--unset", "password")
    server.log.wait(event="inventory-loaded")
    assert server.get("/spa%s.cfg" % OTHER, "other").status == 500
    server.get(PATH + "?password=in-the-query")
    with server.client() as client:
        client.send("GET %s HTTP/1.1\r\nHost: a\r\nAuthorization: Basic "
                    "c2VjcmV0LWhlYWRlcg==\r\nCookie: cookie-hidden\r\n\r\n"
                    % PATH)
        client.reply()
    with server.client() as client:
        client.send("POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n"
                    "\r\nbody-hidden" % PATH)
        client.reply()
    server.write_pair("server", minting.Certificate(
        server.pki.server.cert, minting.key(which=9)))
    server.reload()
    assert server.stop() == 0
    log = server.log.text()
    for secret in ("never-shown", "also-hidden", "third-hidden",
                   "first & secret", "first &amp;", "second-secret",
                   "c2VjcmV0", "cookie-hidden", "body-hidden",
                   "in-the-query", "PRIVATE KEY"):
        assert secret not in log, secret
    for path in server.folder.glob("*.key"):
        for line in path.read_text().splitlines()[1:-1]:
            assert line not in log, path


def test_command_line_shows_no_secret(running):
    line = open("/proc/%d/cmdline" % running.pid).read()
    assert line.split("\0")[1:] == ["serve", "--config",
                                    str(running.config), ""]


def test_log_lines(running):
    """One for each request, of key=value; what clients send is escaped."""
    with running.client() as client:
        client.get(PATH, 'User-Agent: a "quoted" \\ name\tx')
        client.get("/%7Eabsent", "User-Agent: x=y event=forged")
    line = running.log.wait(2, event="request")
    first, second = running.log.lines(event="request")
    assert first["status"] == "200" and first["method"] == "GET"
    assert first["path"] == PATH and first["bytes"] == str(len(PROFILE))
    assert first["tls"] == "TLS1.3" and int(first["us"]) > 0
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ level=info ",
                    first.text)
    assert r'agent="a \x22quoted\x22 \x5c name\x09x"' in first.text
    assert second["agent"] == "x=y event=forged" and line is not None
    assert second["path"] == "/~absent"
    assert not running.log.lines(event="forged")
    running.log.exactly(2, event="request")


def test_usage(sprov):
    assert sprov("serve", "extra").status == 2
    assert sprov("serve", "--config").status == 2
    assert "--check" in sprov("serve", "--help").out
