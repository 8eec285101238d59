"""Bytes that are, and are not, a request: over TLS, to the real server."""

import os
import re
import socket
import time

import pytest

from conftest import MAC, PROFILE, TEMPLATE
from daemon import wait_until

PATH = "/spa%s.cfg" % MAC
HOST = "Host: sprov.example.net\r\n"

# Limits that the server names in its answers and log.
HEAD_MAX = 8192
TARGET_MAX = 2048
HEADERS_MAX = 64


def check_form(reply):
    """What every answer has, whatever it says."""
    assert reply.version == "HTTP/1.1"
    assert int(reply["Content-Length"]) == len(reply.body)
    assert re.fullmatch(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d "
                        r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
                        r" \d{4} \d\d:\d\d:\d\d GMT", reply["Date"])
    assert "Transfer-Encoding" not in reply
    assert reply["Connection"] in ("close", "keep-alive")
    if reply.status != 200:
        assert reply["Content-Type"] == "text/plain"
        assert reply.body == b"%d %s\n" % (reply.status,
                                           reply.reason.encode())


def ask(server, data):
    """One answer to these bytes, and whether the server closed after it."""
    with server.client() as client:
        client.send(data)
        reply = client.reply()
        check_form(reply)
        if reply["Connection"] == "close":
            assert client.is_closed()
        return reply


# What is served


@pytest.mark.parametrize("version, field, stays", [
    ("1.0", "", False),
    ("1.0", "Connection: keep-alive\r\n", True),
    ("1.0", "connection:   Keep-Alive\r\n", True),
    ("1.0", "Connection: close\r\n", False),
    ("1.1", "", True),
    ("1.1", "Connection: keep-alive\r\n", True),
    ("1.1", "Connection: close\r\n", False),
    ("1.1", "CONNECTION: Close\r\n", False),
])
def test_keep_alive(running, version, field, stays):
    reply = ask(running, "GET %s HTTP/%s\r\n%s%s\r\n" % (
        PATH, version, HOST, field))
    assert reply.status == 200 and reply.body == PROFILE
    assert reply["Content-Type"] == "text/xml"
    assert reply["Connection"] == ("keep-alive" if stays else "close")


def test_1_0_without_host(running):
    """As old devices ask."""
    assert ask(running, "GET %s HTTP/1.0\r\n\r\n" % PATH).body == PROFILE


def test_many_on_one_connection(running):
    with running.client() as client:
        for i in range(50):
            path = PATH if i % 2 else "/absent-%d" % i
            reply = client.get(path)
            check_form(reply)
            assert reply.status == (200 if i % 2 else 404)
            assert reply["Connection"] == "keep-alive"


def test_pipelining(running):
    """All at once, answered in order; the last one closes."""
    paths = [PATH, "/absent", PATH, PATH]
    with running.client() as client:
        client.send("".join(
            "GET %s HTTP/1.1\r\n%s\r\n" % (path, HOST) for path in paths) +
            "GET %s HTTP/1.1\r\n%sConnection: close\r\n\r\n" % (PATH, HOST) +
            "GET /never HTTP/1.1\r\n%s\r\n" % HOST)
        for path in [*paths, PATH]:
            reply = client.reply()
            check_form(reply)
            assert reply.status == (404 if path == "/absent" else 200)
        assert client.is_closed()
    running.log.exactly(5, event="request")


def test_pipelining_of_large_heads(running):
    """More than one buffer of them."""
    padding = "X-Padding: %s\r\n" % ("x" * 5000)
    request = "GET %s HTTP/1.1\r\n%s%s\r\n" % (PATH, HOST, padding)
    with running.client() as client:
        client.send(request * 20)
        for _ in range(20):
            assert client.reply().body == PROFILE


def test_byte_by_byte(running):
    with running.client() as client:
        for byte in "GET %s HTTP/1.1\r\n%s\r\n" % (PATH, HOST):
            client.send(byte)
        assert client.reply().body == PROFILE


def test_head(running):
    """As GET, without the body."""
    with running.client() as client:
        get = client.get(PATH)
        client.send("HEAD %s HTTP/1.1\r\n%s\r\n" % (PATH, HOST))
        head = client.reply(head=True)
        assert head.status == 200
        for field in "Content-Length", "Content-Type", "Connection":
            assert head[field] == get[field]
        # Nothing in between: the next answer begins at once.
        assert client.get(PATH).body == PROFILE
        client.send("HEAD /absent HTTP/1.1\r\n%s\r\n" % HOST)
        assert client.reply(head=True).status == 404
        assert client.get("/absent").status == 404


@pytest.mark.parametrize("target", [
    PATH,
    PATH + "?a=b&c",
    "/%73pa" + MAC + "%2ecfg",
    "https://sprov.example.net" + PATH,
    "HTTP://sprov.example.net:8443" + PATH,
])
def test_spellings_of_a_target(running, target):
    reply = ask(running, "GET %s HTTP/1.1\r\n%s\r\n" % (target, HOST))
    assert reply.status == 200 and reply.body == PROFILE


def test_empty_line_before_the_request(running):
    """RFC 9112 2.2."""
    reply = ask(running, "\r\nGET %s HTTP/1.1\r\n%s\r\n" % (PATH, HOST))
    assert reply.status == 200


# What is refused


@pytest.mark.parametrize("data, status", [
    # Lines
    ("GET %s HTTP/1.1\n" + HOST + "\r\n", 400),
    ("GET %s HTTP/1.1\r\nHost: a.example.net\n\r\n", 400),
    ("GET %s HTTP/1.1\n\n", 400),
    ("GET %s HTTP/1.1\r" + HOST + "\r\n", 400),
    ("\r\n\r\nGET %s HTTP/1.1\r\n" + HOST + "\r\n", 400),
    ("GET %s HTTP/1.1\r\n" + HOST + "X-Folded: a\r\n b\r\n\r\n", 400),
    ("GET %s HTTP/1.1\r\n " + HOST + "\r\n", 400),
    ("GET %s HTTP/1.1\r\n" + HOST + "No colon\r\n\r\n", 400),
    ("GET %s HTTP/1.1\r\n" + HOST + "Blank : x\r\n\r\n", 400),
    ("GET %s HTTP/1.1\r\n" + HOST + ": x\r\n\r\n", 400),
    ("GET %s HTTP/1.1\r\n" + HOST + "X: a\x00b\r\n\r\n", 400),
    ("GET  %s HTTP/1.1\r\n" + HOST + "\r\n", 400),
    ("GET %s  HTTP/1.1\r\n" + HOST + "\r\n", 400),
    ("GET\t%s HTTP/1.1\r\n" + HOST + "\r\n", 400),
    # Versions
    ("GET %s\r\n", 400),
    ("GET %s\r\n\r\n", 400),
    ("GET %s HTTP/2.0\r\n" + HOST + "\r\n", 505),
    ("GET %s HTTP/3.0\r\n" + HOST + "\r\n", 505),
    ("GET %s HTTP/1.2\r\n" + HOST + "\r\n", 505),
    ("GET %s HTTP/0.9\r\n" + HOST + "\r\n", 505),
    ("GET %s http/1.1\r\n" + HOST + "\r\n", 400),
    ("GET %s HTTP/1\r\n" + HOST + "\r\n", 400),
    ("GET %s HTTP/1.10\r\n" + HOST + "\r\n", 400),
    ("GET %s RTSP/1.0\r\n" + HOST + "\r\n", 400),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    # Host
    ("GET %s HTTP/1.1\r\n\r\n", 400),
    ("GET %s HTTP/1.1\r\n" + HOST + HOST + "\r\n", 400),
    ("GET %s HTTP/1.1\r\n" + HOST + "host: other.example.net\r\n\r\n", 400),
    ("GET %s HTTP/1.0\r\n" + HOST + HOST + "\r\n", 400),
    ("GET %s HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    ("GET %s HTTP/1.1\r\nHost: user@a\r\n\r\n", 400),
    ("GET https://a@b%s HTTP/1.1\r\n" + HOST + "\r\n", 400),
    # Bodies
    ("GET %s HTTP/1.1\r\n" + HOST + "Content-Length: 5\r\n\r\nhello", 413),
    ("HEAD %s HTTP/1.1\r\n" + HOST + "Content-Length: 5\r\n\r\nhello", 413),
    ("GET %s HTTP/1.1\r\n" + HOST + "Transfer-Encoding: chunked\r\n\r\n"
     "5\r\nhello\r\n0\r\n\r\n", 413),
    ("GET %s HTTP/1.1\r\n" + HOST + "Transfer-Encoding: gzip\r\n\r\n", 400),
    ("GET %s HTTP/1.1\r\n" + HOST + "Transfer-Encoding: chunked\r\n"
     "Content-Length: 5\r\n\r\n0\r\n\r\n", 400),
    ("GET %s HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("GET %s HTTP/1.1\r\n" + HOST + "Content-Length: 0\r\n"
     "Content-Length: 5\r\n\r\nhello", 400),
    ("GET %s HTTP/1.1\r\n" + HOST + "Content-Length: -1\r\n\r\n", 400),
    ("GET %s HTTP/1.1\r\n" + HOST + "Content-Length: 0x5\r\n\r\n", 400),
    # Targets
    ("GET spa.cfg HTTP/1.1\r\n" + HOST + "\r\n", 400),
    ("GET * HTTP/1.1\r\n" + HOST + "\r\n", 400),
    ("GET %s#x HTTP/1.1\r\n" + HOST + "\r\n", 400),
    ("GET ftp://a%s HTTP/1.1\r\n" + HOST + "\r\n", 400),
    # Sizes
    ("GET /%s HTTP/1.1\r\n" + HOST + "\r\n", 400),  # "//"
])
def test_invalid(running, data, status):
    """Refused, and the connection ends with that."""
    data = data % PATH if "%s" in data else data
    # Latin-1: byte by byte as written.
    with running.client() as client:
        client.send(data.encode("latin-1"))
        reply = client.reply()
        check_form(reply)
        assert reply.status == status, reply
        assert reply["Connection"] == "close"
        assert client.is_closed()
    line = running.log.wait(event="request", status=str(status))
    assert line["reason"] and "path" not in line
    assert running.get().status == 200


def test_plus_in_a_length(running):
    reply = ask(running, "GET %s HTTP/1.1\r\n%sContent-Length: +5\r\n\r\n" %
                (PATH, HOST))
    assert reply.status == 400


def test_smuggling(running):
    """What stands behind a refused request is never a request."""
    with running.client() as client:
        client.send(
            "GET %s HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n"
            "0\r\n\r\nGET %s HTTP/1.1\r\n%s\r\n" % (PATH, HOST, PATH, HOST))
        assert client.reply().status == 413
        assert client.is_closed()
    running.log.exactly(1, event="request")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS",
                                    "PATCH", "TRACE", "PROPFIND"])
def test_other_methods(running, method):
    reply = ask(running, "%s %s HTTP/1.1\r\n%sContent-Length: 0\r\n\r\n" % (
        method, PATH, HOST))
    assert reply.status == 405
    assert reply["Allow"] == "GET, HEAD"
    assert b"flat-profile" not in reply.body


@pytest.mark.parametrize("method", ["get", "GOT", "BREW"])
def test_no_methods(running, method):
    reply = ask(running, "%s %s HTTP/1.1\r\n%s\r\n" % (method, PATH, HOST))
    assert reply.status in (400, 405) and b"flat-profile" not in reply.body


@pytest.mark.parametrize("body", [
    "Content-Length: 5\r\n\r\nhello",
    "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "Content-Length: 1000000\r\n\r\n" + "x" * 200000,
])
def test_post_with_a_body(running, body):
    """The answer arrives although nobody reads the body."""
    reply = ask(running, "POST %s HTTP/1.1\r\n%s%s" % (PATH, HOST, body))
    assert reply.status == 405 and reply["Allow"] == "GET, HEAD"
    assert reply["Connection"] == "close"


def test_long_target(running):
    longest = "/" + "a" * (TARGET_MAX - 1)
    assert ask(running, "GET %s HTTP/1.1\r\n%s\r\n" % (
        longest, HOST)).status == 404
    assert ask(running, "GET %sa HTTP/1.1\r\n%s\r\n" % (
        longest, HOST)).status == 414
    # Known before the line is complete.
    assert ask(running, "GET %saa" % longest).status == 414


def head_of(size):
    """A head of that many bytes."""
    start = "GET %s HTTP/1.1\r\n%sX-Padding: " % (PATH, HOST)
    return start + "x" * (size - len(start) - 4) + "\r\n\r\n"


def test_large_head(running):
    assert ask(running, head_of(HEAD_MAX)).status == 200
    assert ask(running, head_of(HEAD_MAX + 1)).status == 431
    assert ask(running, head_of(3 * HEAD_MAX)).status == 431
    assert ask(running, head_of(200000)).status == 431


def test_many_fields(running):
    fields = "".join("X-%d: y\r\n" % i for i in range(HEADERS_MAX - 1))
    request = "GET %s HTTP/1.1\r\n%s" % (PATH, HOST)
    assert ask(running, request + fields + "\r\n").status == 200
    assert ask(running, request + fields + "X: y\r\n\r\n").status == 431


# Time


@pytest.fixture
def hasty(server):
    server.configure("timeout handshake 300ms\ntimeout request 300ms\n"
                     "timeout idle 300ms\ntimeout write 300ms\n" +
                     server.listener())
    server.start()
    return server


def test_slow_head(hasty):
    with hasty.client() as client:
        client.send("GET %s HTTP/1.1\r\n" % PATH)
        reply = client.reply()
        check_form(reply)
        assert reply.status == 408 and reply["Connection"] == "close"
        assert client.is_closed()
    line = hasty.log.wait(event="request", status="408")
    assert line["reason"] == "request timed out" and line["mac"] == MAC


def test_head_that_trickles(hasty):
    """Each byte in time, but not the head."""
    start = time.monotonic()
    with hasty.client() as client:
        client.tls.settimeout(0.05)
        try:
            for _ in range(1000):
                client.send("G")
                try:
                    if not client.more():
                        break
                except TimeoutError:
                    pass
        except OSError:
            pass  # the server has gone
    assert time.monotonic() - start < 10
    hasty.log.wait(event="request", status="408")


def test_nothing_said(hasty):
    """Closed without a word: there was no request to answer."""
    with hasty.client() as client:
        assert client.is_closed()
    with hasty.client() as client:
        assert client.get(PATH).status == 200
        assert client.is_closed()
    hasty.log.exactly(1, event="request")


def test_slow_handshake(hasty):
    with hasty.client() as client:
        assert client.get(PATH).status == 200
    with socket.create_connection(("127.0.0.1", hasty.port), 30) as plain:
        plain.sendall(b"\x16\x03\x01")
        assert plain.recv(100) == b""
    line = hasty.log.wait(event="handshake-failed")
    assert line["reason"] == "timed out"


def test_client_that_does_not_read(server):
    """It loses its connection; others are served meanwhile."""
    filling = "<!-- %s -->\n" % ("x" * 200000)
    server.write("templates/device.xml", filling + TEMPLATE)
    server.configure("workers 1\ntimeout write 500ms\n" + server.listener())
    server.start()

    def sockets():
        count = 0
        for name in os.listdir("/proc/%d/fd" % server.pid):
            try:
                count += os.readlink("/proc/%d/fd/%s" % (
                    server.pid, name)).startswith("socket:")
            except FileNotFoundError:
                pass  # just closed
        return count

    before = sockets()
    with server.client() as client:
        client.send("GET %s HTTP/1.1\r\n%s\r\n" % (PATH, HOST) * 150)
        assert server.get().status == 200
        wait_until(lambda: sockets() == before, "the end of both connections")
        got = client.rest()
        assert got.count(b"HTTP/1.1 200 OK") < 150
    assert server.get().status == 200


def test_more_connections_than_allowed(server):
    server.configure("connections 2\nself-test off\n" + server.listener())
    server.start()
    with server.client() as one, server.client() as two:
        assert one.get(PATH).status == two.get(PATH).status == 200
        with pytest.raises(OSError):
            server.client()
        assert one.get(PATH).status == 200
    server.log.wait(event="connections-full")
    # Room again, as soon as the server knows.
    def served():
        try:
            return server.get().status == 200
        except OSError:
            return False
    wait_until(served, "an answer")
