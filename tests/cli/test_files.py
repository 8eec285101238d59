"""Files that are sent as they are, and paths that name no device."""

import hashlib
import os
import socket
import subprocess

import pytest

import wire
from conftest import MAC, PROFILE
from daemon import BINARY, free_port

BIG = bytes(range(256)) * 4096 + b"the end"  # a megabyte and an odd rest

EMPTY = (b'<?xml version="1.0" encoding="UTF-8"?>\n<flat-profile>\n'
         b'</flat-profile>\n')


def ask(server, *fields, path="/image.bin", method="GET", who=None):
    with server.client(who) as client:
        client.send("".join("%s\r\n" % line for line in (
            "%s %s HTTP/1.1" % (method, path), "Host: sprov.example.net",
            "Connection: close", *fields, "")))
        answer = client.reply(head=method == "HEAD")
        assert client.rest() == b""
        return answer


@pytest.fixture
def files(server):
    """A server with two public files, started."""
    server.write("big.bin", BIG)
    server.write("empty.bin", b"")
    server.configure("public-file /image.bin big.bin\n"
                     "public-file /nothing.bin empty.bin\n"
                     + server.listener(directives="client-certificate optional"))
    server.start()
    return server


def test_whole(files):
    answer = ask(files)
    assert answer.status == 200 and answer.body == BIG
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["ETag"] == '"%s"' % hashlib.sha256(BIG).hexdigest()[:16]
    assert "Last-Modified" in answer and "Content-Range" not in answer
    line = files.log.wait(event="request")
    assert line["reason"] == "public-file"
    assert int(line["bytes"]) == len(BIG)


def test_empty(files):
    answer = ask(files, path="/nothing.bin")
    assert answer.status == 200 and answer.body == b""
    answer = ask(files, "Range: bytes=0-", path="/nothing.bin")
    assert answer.status == 416
    assert answer["Content-Range"] == "bytes */0"


def test_head(files):
    answer = ask(files, "Range: bytes=0-9", method="HEAD")
    assert answer.status == 200  # RFC 9110 14.2: Range is for GET
    assert int(answer["Content-Length"]) == len(BIG)


@pytest.mark.parametrize("field, first, last", [
    ("bytes=0-0", 0, 0),
    ("bytes=65530-65550", 65530, 65550),
    ("bytes=1000000-", 1000000, len(BIG) - 1),
    ("bytes=-7", len(BIG) - 7, len(BIG) - 1),
    ("bytes=10-99999999", 10, len(BIG) - 1),
])
def test_part(files, field, first, last):
    answer = ask(files, "Range: " + field)
    assert answer.status == 206
    assert answer.body == BIG[first:last + 1]
    assert answer["Content-Range"] == "bytes %d-%d/%d" % (first, last,
                                                          len(BIG))


def test_no_part(files):
    answer = ask(files, "Range: bytes=%d-" % len(BIG))
    assert answer.status == 416
    assert answer["Content-Range"] == "bytes */%d" % len(BIG)
    assert b"416" in answer.body
    # What is not understood is not there: RFC 9110 14.2.
    for field in ("bytes=0-1,5-6", "lines=1-2", "bytes=5-1"):
        assert ask(files, "Range: " + field).status == 200


def test_resume(files):
    """Only of the same file."""
    tag = ask(files)["ETag"]
    part = "Range: bytes=1000000-"
    assert ask(files, part, "If-Range: " + tag).status == 206
    answer = ask(files, part, 'If-Range: "something-else"')
    assert answer.status == 200 and answer.body == BIG


def test_resume_with_curl(files, tmp_path):
    """As a client that broke off does it."""
    path = tmp_path / "image.bin"
    path.write_bytes(BIG[:300000])
    done = subprocess.run(
        ["curl", "-sSk", "--ciphers", "ALL:@SECLEVEL=0", "-C", "-", "-o",
         str(path), "https://127.0.0.1:%d/image.bin" % files.port],
        capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert done.returncode == 0, done
    assert path.read_bytes() == BIG
    assert files.log.wait(event="request", status="206")


def test_kept_alive(files):
    """A file between two other answers on one connection."""
    with wire.Client(files.port, wire.context()) as client:
        for _ in range(2):
            assert client.get("/image.bin").body == BIG
            assert client.get("/none").status == 403


def test_changed(files):
    """What was changed in place is not what was checked."""
    with open(files.folder / "big.bin", "r+b") as f:
        f.write(b"x")
        os.utime(f.fileno(), (1, 1))
    assert ask(files).status == 500
    assert "changed since it was loaded" in files.log.messages(
        event="file-changed")
    files.reload()
    assert ask(files).body == b"x" + BIG[1:]


def test_replaced(files):
    """Another file of that name is served after a reload."""
    os.replace(files.write("new.bin", b"new"), files.folder / "big.bin")
    assert ask(files).body == BIG
    files.reload()
    assert ask(files).body == b"new"


@pytest.mark.parametrize("make, reason", [
    (lambda path: None, "No such file"),
    (lambda path: path.symlink_to("/etc/passwd"), "a symbolic link"),
    (lambda path: path.mkdir(), "not a file"),
    (os.mkfifo, "not a file"),
])
def test_refused(server, make, reason):
    make(server.folder / "odd")
    server.configure("public-file /odd odd\n" + server.listener())
    done = subprocess.run(
        [str(BINARY), "serve", "--check", "--config", str(server.config)],
        env=server.environment, capture_output=True, encoding="utf-8",
        timeout=60, check=False)
    assert done.returncode == 1
    assert "sprov.conf:" in done.stderr and reason in done.stderr


def test_required_certificate(server):
    """A listener that wants a certificate has nothing public."""
    server.write("big.bin", BIG)
    server.configure("public-file /image.bin big.bin\n" + server.listener())
    server.start()
    assert ask(server).status == 403
    assert ask(server, who="device").body == BIG


def test_own_profile(server):
    """A proven device finds its profile where it looks first."""
    server.configure("own-profile factory-defaults /old.cfg\n"
                     + server.listener())
    server.start()
    for path in ("/init.cfg", "/spa.cfg", "/spa962.cfg", "/old.cfg"):
        assert ask(server, path=path, who="device").body == PROFILE
        assert ask(server, path=path).status == 403
    # Another model's.
    assert ask(server, path="/spa504G.cfg", who="device").status == 403
    assert ask(server, path="/none.cfg", who="device").status == 404


def test_stub(server):
    """What there is not is empty, where somebody wants it so."""
    server.configure(server.listener())
    server.device("set", MAC, "missing-files=stub")
    server.start()
    answer = ask(server, path="/none.cfg", who="device")
    assert answer.status == 200 and answer.body == EMPTY
    assert answer["Content-Type"] == "text/xml"
    assert ask(server, path="/none.bin", who="device").status == 404
    assert ask(server, path="/none.cfg").status == 403
    assert ask(server, path="/none.cfg", who="other").status == 404


def test_public_stub(server):
    server.configure("public /spa$PSN.cfg empty.xml\n"
                     + server.listener(directives="client-certificate optional"))
    server.start()
    assert ask(server, path="/spa504G.cfg").body == EMPTY
    assert ask(server, path="/spa1.cfg").status == 403


# Without TLS: from the file to the socket, without a copy


@pytest.fixture
def plain(server):
    """A plain listener and an image that no socket takes at once."""
    server.plain_port = free_port()
    server.image = BIG * 24
    server.write("image.bin", server.image)
    server.configure(
        "public-file /image.bin image.bin\n"
        "listener plain {\n    address 127.0.0.1:%d\n    plain-http\n}\n"
        % server.plain_port + server.listener())
    server.start()
    return server


def download(server, path, *options):
    return subprocess.run(
        ["curl", "-sS", "-f", *options, "-o", str(path),
         "http://127.0.0.1:%d/image.bin" % server.plain_port],
        capture_output=True, encoding="utf-8", timeout=60, check=False)


def test_plain_whole_and_resumed(plain, tmp_path):
    path = tmp_path / "image"
    assert download(plain, path).returncode == 0
    assert path.read_bytes() == plain.image
    # Cut off in the middle of it, and gone on with.
    path.write_bytes(plain.image[:12345678])
    assert download(plain, path, "-C", "-").returncode == 0
    assert path.read_bytes() == plain.image
    lines = plain.log.exactly(2, event="request", listener="plain")
    assert [line["status"] for line in lines] == ["200", "206"]
    assert int(lines[1]["bytes"]) == len(plain.image) - 12345678


@pytest.mark.parametrize("first, last", [
    (0, 0), (1, 70000), (4096, 8191), (8000000, 20000001),
    (len(BIG) * 24 - 5, len(BIG) * 24 - 1)])
def test_plain_part(plain, tmp_path, first, last):
    path = tmp_path / "part"
    assert download(plain, path, "-r", "%d-%d" % (first, last)) \
        .returncode == 0
    assert path.read_bytes() == plain.image[first:last + 1]


def test_plain_slow_and_gone(plain, tmp_path):
    """One reader stops, others go on; one leaves, and nothing is harmed."""
    with socket.create_connection(("127.0.0.1", plain.plain_port), 30) as s:
        s.sendall(b"GET /image.bin HTTP/1.0\r\n\r\n")
        head = s.recv(1000)
        assert head.startswith(b"HTTP/1.1 200 ")
        assert download(plain, tmp_path / "other").returncode == 0
        got = head + b"".join(iter(lambda: s.recv(1 << 20), b""))
        assert got.partition(b"\r\n\r\n")[2] == plain.image
    with socket.create_connection(("127.0.0.1", plain.plain_port), 30) as s:
        s.sendall(b"GET /image.bin HTTP/1.0\r\n\r\n")
        s.recv(1000)
    assert download(plain, tmp_path / "last").returncode == 0
    assert (tmp_path / "last").read_bytes() == plain.image


def test_plain_two_in_one_connection(plain):
    """What follows a file in the connection begins where it ends."""
    with socket.create_connection(("127.0.0.1", plain.plain_port), 30) as s:
        ask_part = (b"GET /image.bin HTTP/1.1\r\nHost: x\r\n"
                    b"Range: bytes=%d-%d\r\n%s\r\n")
        s.sendall(ask_part % (5, 300000, b"")
                  + ask_part % (0, 9, b"Connection: close\r\n"))
        data = b"".join(iter(lambda: s.recv(1 << 20), b""))
    _, _, rest = data.partition(b"\r\n\r\n")
    assert rest[:299996] == plain.image[5:300001]
    head, _, second = rest[299996:].partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 206 ") and second == plain.image[:10]
