"""What devices send of themselves: to the real server, over TLS."""

import time

import pytest

from conftest import MAC, OTHER, PROFILE
from daemon import wait_until

HOST = "Host: sprov.example.net\r\n"
PATH = "/report/%s.xml" % MAC
REPORT = b"<flat-profile><User_ID_1_>000e08aabbcc</User_ID_1_></flat-profile>"
BODY_MAX = 1024 * 1024 + 4096


@pytest.fixture
def taking(server):
    """A server that takes reports; what bodies may take is a worker's."""
    server.configure("workers 1\ntimeout body 1s\n"
                     "report /report/$MA.xml\n" + server.listener())
    server.start()
    return server


def head(method="POST", path=PATH, fields=""):
    return ("%s %s HTTP/1.1\r\n%s%s\r\n" % (method, path, HOST,
                                            fields)).encode()


def with_length(data, method="POST", path=PATH, fields=""):
    return head(method, path, "Content-Length: %d\r\n%s" % (
        len(data), fields)) + data


def ask(server, data, **options):
    with server.client(**options) as client:
        client.send(data)
        reply = client.reply()
        if reply["Connection"] == "close":
            assert client.is_closed()
        return reply


# What is taken


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_taken(taking, method):
    """Always 200: some devices take 204 for a failure."""
    reply = ask(taking, with_length(REPORT, method))
    assert reply.status == 200 and reply["Connection"] == "keep-alive"
    line = taking.log.wait(event="request", reason="report")
    assert line["status"] == "200" and line["method"] == method
    assert line["mac"] == MAC


def test_chunked(taking):
    chunks = b"".join(b"%x;a=b\r\n%s\r\n" % (len(REPORT[i:i + 7]),
                                            REPORT[i:i + 7])
                      for i in range(0, len(REPORT), 7))
    reply = ask(taking, head(fields="Transfer-Encoding: chunked\r\n") +
                chunks + b"0\r\nX: y\r\n\r\n")
    assert reply.status == 200


def test_pieces(taking):
    """As a slow device sends: byte by byte."""
    with taking.client() as client:
        for byte in with_length(REPORT):
            client.send(bytes([byte]))
        assert client.reply().status == 200


def test_pipelining(taking):
    """What follows a body is the next request."""
    with taking.client() as client:
        client.send(with_length(REPORT) + b"GET /spa%s.cfg HTTP/1.1\r\n%s\r\n"
                    % (MAC.encode(), HOST.encode()) + with_length(REPORT))
        assert client.reply().status == 200
        assert client.reply().body == PROFILE
        assert client.reply().status == 200


def test_largest(taking):
    start, end = b"<flat-profile><A>1</A><!--", b"--></flat-profile>"
    report = start + b"x" * (1024 * 1024 - len(start + end)) + end
    assert ask(taking, with_length(report)).status == 200


def test_expect_continue(taking):
    """The body is asked for when it is wanted, and only then."""
    expect = "Content-Length: %d\r\nExpect: 100-continue\r\n"
    with taking.client() as client:
        client.send(head(fields=expect % len(REPORT)))
        assert client.more()
        assert client.data == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.data = b""
        client.send(REPORT)
        assert client.reply().status == 200
    for fields, path, status in [
            (expect % (BODY_MAX + 1), PATH, 413),
            (expect % 10, "/report/%s.xml" % OTHER, 403),
            (expect % 10, "/spa%s.cfg" % MAC, 405),
            ("Content-Length: 10\r\nExpect: something\r\n", PATH, 417)]:
        reply = ask(taking, head(path=path, fields=fields))
        assert reply.status == status and reply["Connection"] == "close"


def test_continue_is_not_sent_in_vain(taking):
    """Who does not wait for it does not get it."""
    reply = ask(taking, with_length(REPORT, fields="Expect: 100-continue\r\n"))
    assert reply.status == 200


# What is refused


@pytest.mark.parametrize("fields, status, reason", [
    ("", 411, "no-length"),
    ("Content-Length: %d\r\n" % (BODY_MAX + 1), 413, "too-large"),
    ("Content-Length: 100000000\r\n", 413, "too-large"),
    ("Content-Length: 10\r\nContent-Encoding: br\r\n", 415, "content-coding"),
    ("Content-Length: 10\r\nExpect: wonders\r\n", 417, "expectation"),
])
def test_refused_by_the_head(taking, fields, status, reason):
    """Not a byte of the body is waited for."""
    reply = ask(taking, head(fields=fields))
    assert reply.status == status
    taking.log.wait(event="request", reason=reason)


@pytest.mark.parametrize("path, certificate, status, reason", [
    (PATH, None, 403, "no-certificate"),
    (PATH, "other", 403, "other-device"),
    ("/report/%s.xml" % OTHER, "device", 403, "other-device"),
    ("/report/x.xml", "device", 405, "method"),
    ("/spa%s.cfg" % MAC, "device", 405, "method"),
])
def test_same_identity_as_for_profiles(server, path, certificate, status,
                                       reason):
    server.configure("report /report/$MA.xml\n" + server.listener(
        directives="client-certificate optional"))
    server.start()
    reply = ask(server, with_length(REPORT, path=path),
                certificate=certificate)
    assert reply.status == status
    server.log.wait(event="request", reason=reason)


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_nothing_is_read_back(taking, method):
    with taking.client() as client:
        client.send(head(method))
        reply = client.reply(head=method == "HEAD")
        assert reply.status == 405
        if method != "DELETE":
            assert reply["Allow"] == "POST, PUT"


@pytest.mark.parametrize("body", [
    b"", b"hello", b"<flat-profile>", b"<a/>", b"\x00" * 100,
    b"<!DOCTYPE a [<!ENTITY b 'c'>]><flat-profile>&b;</flat-profile>",
])
def test_no_report(taking, body):
    assert ask(taking, with_length(body)).status == 400
    line = taking.log.wait(event="report-refused")
    assert line["mac"] == MAC and line["message"]


@pytest.mark.parametrize("chunks", [
    b"zz\r\n", b"5\nhello\r\n0\r\n\r\n", b"5\r\nhello!\r\n"])
def test_bad_chunks(taking, chunks):
    reply = ask(taking, head(fields="Transfer-Encoding: chunked\r\n") + chunks)
    assert reply.status == 400


def test_chunks_without_end(taking):
    """Refused at the limit, not when memory is full."""
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with taking.client() as client:
        client.send(head(fields="Transfer-Encoding: chunked\r\n"))
        try:
            for _ in range(64):
                client.send(chunk)
        except OSError:
            return  # closed on us: that is a refusal, too
        assert client.reply().status == 413


@pytest.mark.parametrize("sent", [b"", b"<flat"])
def test_slow(taking, sent):
    with taking.client() as client:
        client.send(head(fields="Content-Length: 100\r\n") + sent)
        began = time.monotonic()
        assert client.reply().status == 408
        assert time.monotonic() - began < 20
        assert client.is_closed()


def test_cut_off(taking):
    """Nothing is answered, and nothing is left over."""
    with taking.client() as client:
        client.send(head(fields="Content-Length: 100\r\n") + b"<flat")
    taking.log.wait(event="no-request")
    assert ask(taking, with_length(REPORT)).status == 200


def test_memory_is_bounded(taking):
    """Who comes when too much is being read comes later."""
    clients = []
    try:
        for _ in range(16 + 1):
            client = taking.client()
            clients.append(client)
            client.send(head(fields="Content-Length: %d\r\n" % BODY_MAX))
        refused = clients[-1].reply()
        assert refused.status == 503 and refused["Retry-After"] == "60"
        assert taking.log.wait(event="request", reason="too-many-bodies")
    finally:
        for client in clients:
            client.__exit__()
    wait_until(lambda: ask(taking, with_length(REPORT)).status == 200,
               "room again")
