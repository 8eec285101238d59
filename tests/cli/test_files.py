"""Files that are sent as they are, and paths that name no device."""

import hashlib
import os
import subprocess

import pytest

import wire
from conftest import MAC, PROFILE
from daemon import BINARY

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
