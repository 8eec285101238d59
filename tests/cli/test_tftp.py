"""The TFTP service: what is public, and nothing else."""

import socket
import struct
import subprocess

import pytest

from conftest import MAC
from daemon import BINARY, free_port

BIG = bytes(range(256)) * 2000 + b"the end"
WAIT = 20


def numbers(*values):
    return struct.pack("!%dH" % len(values), *values)


def request(name, *options, opcode=1, mode="octet"):
    return numbers(opcode) + b"".join(
        part.encode() + b"\0" for part in (name, mode, *options))


class Client:
    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(WAIT)
        self.server = ("127.0.0.1", port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, *arguments, **options):
        self.socket.sendto(request(*arguments, **options), self.server)
        return self.receive()

    def receive(self):
        data, self.peer = self.socket.recvfrom(65536)
        return data

    def ack(self, block):
        self.socket.sendto(numbers(4, block), self.peer)


@pytest.fixture
def tftp(server):
    server.tftp_port = free_port()
    server.write("big.bin", BIG)
    server.write("even.bin", b"x" * 1024)
    server.write("templates/hello.xml", "<flat-profile></flat-profile>\n")
    server.configure(
        "public-file /big.bin big.bin\n"
        "public-file /even.bin even.bin\n"
        "public /spa$PSN.cfg hello.xml\n"
        "tftp {\n    address 127.0.0.1:%d\n    per-source 2\n}\n"
        % server.tftp_port + server.listener())
    server.start()
    return server


def curl(port, name, path, *options):
    return subprocess.run(
        ["curl", "-sS", *options, "-o", str(path),
         "tftp://127.0.0.1:%d/%s" % (port, name)],
        capture_output=True, encoding="utf-8", timeout=60, check=False)


@pytest.mark.parametrize("options", [(), ("--tftp-blksize", "1400"),
                                     ("--tftp-blksize", "60000"),
                                     ("--tftp-no-options",)])
def test_curl(tftp, tmp_path, options):
    path = tmp_path / "got"
    done = curl(tftp.tftp_port, "big.bin", path, *options)
    assert done.returncode == 0, done
    assert path.read_bytes() == BIG
    line = tftp.log.wait(event="tftp")
    assert line["status"] == "sent" and line["path"].endswith("big.bin")
    assert int(line["bytes"]) == len(BIG)


def test_rendered_and_even(tftp, tmp_path):
    path = tmp_path / "got"
    assert curl(tftp.tftp_port, "spa504G.cfg", path).returncode == 0
    assert path.read_bytes() == b"<flat-profile></flat-profile>\n"
    # A last block that is empty.
    assert curl(tftp.tftp_port, "even.bin", path).returncode == 0
    assert path.read_bytes() == b"x" * 1024


@pytest.mark.parametrize("name", [
    "spa%s.cfg" % MAC, "none", "../sprov.conf", "/etc/passwd", "big.bin/",
    "//big.bin", "%2e%2e/sprov.conf", "BIG.BIN", "", "sprov.conf"])
def test_nothing_else(tftp, name):
    with Client(tftp.tftp_port) as client:
        assert client.ask(name)[:4] == numbers(5, 1)


def test_refused(tftp):
    with Client(tftp.tftp_port) as client:
        assert client.ask("big.bin", opcode=2)[:4] == numbers(5, 2)
        assert client.ask("big.bin", mode="netascii")[:4] == numbers(5, 0)


def test_malformed(tftp, tmp_path):
    """No answer, and no harm."""
    with Client(tftp.tftp_port) as client:
        for data in (b"", b"\0", b"\0\1", b"\0\1big.bin", b"\0\1big.bin\0oct",
                     b"\0\1big.bin\0octet\0blksize", b"\0\4\0\1", b"\0\11xx",
                     request("x" * 300), b"\xff" * 600, numbers(5, 1)):
            client.socket.sendto(data, client.server)
        client.socket.settimeout(0.3)
        with pytest.raises(socket.timeout):
            client.receive()
    assert curl(tftp.tftp_port, "big.bin", tmp_path / "x").returncode == 0


def test_options(tftp):
    with Client(tftp.tftp_port) as client:
        assert client.ask("big.bin", "TSIZE", "0", "blksize", "9000",
                          "windowsize", "9", "timeout", "2") == (
            numbers(6) + b"blksize\0" b"1428\0" b"timeout\0" b"2\0"
            b"tsize\0%d\0" % len(BIG))
        client.ack(0)
        assert client.receive() == numbers(3, 1) + BIG[:1428]
        # Impossible ones are as unknown ones.
    with Client(tftp.tftp_port) as client:
        assert client.ask("big.bin", "blksize", "7") == (
            numbers(3, 1) + BIG[:512])


def test_silence(tftp):
    """To somebody who never answers, few packets go."""
    with Client(tftp.tftp_port) as client:
        client.ask("big.bin", "timeout", "1")
        for _ in range(2):
            client.receive()
        tftp.log.wait(event="tftp", reason="no-answer")
        client.socket.settimeout(0.2)
        with pytest.raises(socket.timeout):
            client.receive()


def test_duplicates_and_loss(tftp):
    with Client(tftp.tftp_port) as client:
        assert client.ask("even.bin")[:4] == numbers(3, 1)
        client.ack(1)
        assert client.receive()[:4] == numbers(3, 2)
        client.ack(1)  # once more: no answer to it
        client.ack(7)  # nor to one that is none
        assert client.receive()[:4] == numbers(3, 2)  # the timeout's
        client.ack(2)
        assert client.receive() == numbers(3, 3)
        client.ack(3)
    assert tftp.log.wait(event="tftp", status="sent")


def test_per_source(tftp):
    with Client(tftp.tftp_port) as a, Client(tftp.tftp_port) as b, \
            Client(tftp.tftp_port) as c:
        a.ask("big.bin")
        b.ask("big.bin")
        c.socket.settimeout(0.3)
        with pytest.raises(socket.timeout):
            c.ask("big.bin")
        a.socket.sendto(numbers(5, 0) + b"enough\0", a.peer)
        tftp.log.wait(event="tftp", reason="refused by the client")
        c.socket.settimeout(WAIT)
        assert c.ask("big.bin")[:4] == numbers(3, 1)


def test_reload(tftp, tmp_path):
    """Sockets that stay are kept, others go."""
    text = tftp.config.read_text()
    other = free_port()
    tftp.config.write_text(text.replace(str(tftp.tftp_port), str(other)))
    tftp.reload()
    assert curl(other, "even.bin", tmp_path / "x").returncode == 0
    with Client(tftp.tftp_port) as client:
        client.socket.settimeout(0.3)
        with pytest.raises((socket.timeout, ConnectionError)):
            client.ask("even.bin")
    tftp.reload()
    assert curl(other, "even.bin", tmp_path / "x").returncode == 0
    assert tftp.stop() == 0


def hpa(host, port, name, path):
    """The usual client of Linux."""
    return subprocess.run(
        ["tftp", "-m", "binary", host, str(port), "-c", "get", name,
         str(path)],
        capture_output=True, encoding="utf-8", timeout=60, check=False)


def test_tftp_hpa(tftp, tmp_path):
    path = tmp_path / "got"
    done = hpa("127.0.0.1", tftp.tftp_port, "/big.bin", path)
    assert done.returncode == 0 and done.stdout == "", done
    assert path.read_bytes() == BIG
    done = hpa("127.0.0.1", tftp.tftp_port, "sprov.conf", tmp_path / "no")
    assert "Error code 1" in done.stdout + done.stderr
    assert not (tmp_path / "no").exists() or \
        (tmp_path / "no").read_bytes() == b""


def test_block_numbers_begin_again(tftp, tmp_path):
    """More blocks than 16 bits can count, each acked on the wire."""
    image = bytes(range(251)) * 2400  # 602400 bytes: 75301 blocks of 8
    tftp.write("long.bin", image)
    tftp.configure("public-file /long.bin long.bin\n"
                   "tftp {\n    address 127.0.0.1:%d\n}\n"
                   % tftp.tftp_port + tftp.listener())
    tftp.reload()
    path = tmp_path / "got"
    assert curl(tftp.tftp_port, "long.bin", path, "--tftp-blksize",
                "8").returncode == 0
    assert path.read_bytes() == image


@pytest.mark.parametrize("address, hosts", [
    ("0.0.0.0", ["127.0.0.1", "127.0.0.2", "127.3.2.1"]),
    ("[::1]", ["::1"]),
    ("[::]", ["::1"]),
])
def test_addresses(tftp, address, hosts):
    """The answer comes from the address that was asked."""
    family = socket.AF_INET6 if ":" in hosts[0] else socket.AF_INET
    port = free_port(hosts[0])
    tftp.configure("public-file /even.bin even.bin\n"
                   "tftp {\n    address %s:%d\n}\n" % (address, port)
                   + tftp.listener())
    tftp.reload()
    for host in hosts:
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            s.settimeout(WAIT)
            s.sendto(request("even.bin"), (host, port))
            data, peer = s.recvfrom(65536)
            assert data == numbers(3, 1) + b"x" * 512
            assert peer[0] == host and peer[1] != port
            s.sendto(numbers(5, 0) + b"enough\0", peer)


def test_both_families(tftp):
    """One port, two sockets."""
    port = free_port()
    tftp.configure("public-file /even.bin even.bin\n"
                   "tftp {\n    address 0.0.0.0:%d\n    address [::]:%d\n"
                   "}\n" % (port, port) + tftp.listener())
    tftp.reload()
    for family, host in ((socket.AF_INET, "127.0.0.1"),
                         (socket.AF_INET6, "::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            s.settimeout(WAIT)
            s.sendto(request("even.bin"), (host, port))
            assert s.recvfrom(65536)[0][:4] == numbers(3, 1)


def test_total(tftp):
    """So many at once, from however many addresses."""
    port = free_port()
    tftp.configure("public-file /even.bin even.bin\n"
                   "tftp {\n    address 127.0.0.1:%d\n    transfers 3\n"
                   "    per-source 2\n}\n" % port + tftp.listener())
    tftp.reload()
    sockets = []
    try:
        for i in range(4):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sockets.append(s)
            s.settimeout(WAIT if i < 3 else 0.3)
            s.bind(("127.0.0.%d" % (10 + i), 0))
            s.sendto(request("even.bin"), ("127.0.0.1", port))
            if i < 3:
                assert s.recv(65536)[:4] == numbers(3, 1)
        with pytest.raises(socket.timeout):
            sockets[3].recv(65536)
        # One ends: there is room again.
        data, peer = sockets[0].recvfrom(65536)  # once more, unanswered
        sockets[0].sendto(numbers(5, 0) + b"enough\0", peer)
        tftp.log.wait(event="tftp", reason="refused by the client")
        sockets[3].settimeout(WAIT)
        sockets[3].sendto(request("even.bin"), ("127.0.0.1", port))
        assert sockets[3].recv(65536)[:4] == numbers(3, 1)
    finally:
        for s in sockets:
            s.close()


def test_taken(server):
    """An address that somebody has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        server.configure("tftp {\n    address 127.0.0.1:%d\n}\n"
                         % s.getsockname()[1] + server.listener())
        done = subprocess.run(
            [str(BINARY), "serve", "--config", str(server.config)],
            env=server.environment, capture_output=True, encoding="utf-8",
            timeout=60, check=False)
    assert done.returncode == 1
    assert "cannot serve TFTP on 127.0.0.1" in done.stderr
