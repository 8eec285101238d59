"""sprov simulate --fleet: load, storms and held connections, made small."""

import collections
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
import xml.etree.ElementTree

import pytest

from daemon import BINARY, ENVIRONMENT, Server, free_port, give_away

COUNT = 60

CONFIGURATION = """\
listener load {
    address 127.0.0.1:%d
    certificate F/server.crt key F/server.key
    tls legacy
    client-anchors F/ca.crt
}
"""


Result = collections.namedtuple("Result", "status out err")


class Site:
    """A fleet, its inventory and its files, and a server for them."""

    def __init__(self):
        self.server = Server()
        self.folder = self.server.folder
        self.fleet = self.folder / "F"
        self.files = self.folder / "files"
        self.port = free_port()
        self.must("--setup", "--models", "SPA504G:2,SPA112,CP-8841-3PCC",
                  "--bytes", "4000")
        self.server.device("import", self.fleet / "devices.csv")
        shutil.copy(self.fleet / "templates" / "device.xml",
                    self.folder / "templates")
        self.must("--inventory", "sqlite:%s" % (self.folder / "inventory.db"),
                  "--write-files", self.files)
        for path in [self.fleet, *self.fleet.rglob("*"),
                     *(self.folder / "templates").iterdir()]:
            give_away(path)
        self.server.configure(CONFIGURATION % self.port)
        self.server.start()

    def sprov(self, *arguments, count=COUNT):
        done = subprocess.run(
            [str(BINARY), "simulate", "--fleet", str(count), "--folder",
             str(self.fleet), *map(str, arguments)], env=ENVIRONMENT,
            capture_output=True, encoding="utf-8", timeout=60, check=False)
        return Result(done.returncode, done.stdout, done.stderr)

    def must(self, *arguments):
        result = self.sprov(*arguments)
        assert result.status == 0, result
        return result.out

    def load(self, *arguments, status=0, files=None, port=None, count=COUNT):
        """What came out of a load, as data."""
        result = self.sprov(
            "--json", "--sources", 9, "--expect", files or self.files,
            "--server-log", self.server.log.path, *arguments,
            "127.0.0.1:%d" % (port or self.port), count=count)
        assert result.status == status, result
        return json.loads(result.out)


@pytest.fixture(name="site", scope="module")
def _site():
    site = Site()
    yield site
    site.server.close()


def all_served(found, attempts):
    assert found["attempts"] == attempts
    assert found["outcomes"]["served"] == attempts, found
    assert found["ms"]["served"]["count"] == attempts
    server = found["server"]
    assert server["requests"] == server["answered_200"] == attempts
    for name in ("served_unlogged", "logged_unknown", "late", "unlogged",
                 "no_request", "failed_handshakes", "dropped_lines"):
        assert server[name] == 0, (name, server)


@pytest.mark.parametrize("options", [
    ["--tls", "1.0", "--ciphers", "AES128-SHA"], ["--tls", "1.1"],
    ["--tls", "1.2", "--ciphers", "ECDHE-RSA-AES128-GCM-SHA256"],
    ["--tls", "1.3"]])
def test_closed_loop(site, options):
    """Every model's form of certificate, each with its own profile."""
    found = site.load("--concurrency", 8, "--attempts", 2 * COUNT, *options)
    all_served(found, 2 * COUNT)
    assert found["devices_served"] == COUNT
    assert found["open_peak"] == 8
    version = "TLS" + options[1]
    assert site.server.log.lines(event="request")[-1]["tls"] == version


def test_user_agents(site):
    """As each family writes it, with a version that nobody knows."""
    site.load("--concurrency", 4, "--attempts", COUNT)
    agents = {line["agent"]
              for line in site.server.log.lines(event="request")}
    for form in (r"Cisco/SPA504G-unknown \([0-9A-F]{12}\)\(\w+\)",
                 r"Cisco/SPA112-unknown \([0-9A-F]{12}\)\(\w+\)",
                 r"Cisco-CP-8841-3PCC/unknown \([0-9a-f]{12}\)"):
        fitting = {one for one in agents if re.fullmatch(form, one)}
        assert fitting, (form, sorted(agents)[:3])
        agents -= fitting
    assert not agents


def test_open_loop(site):
    found = site.load("--rate", 100, "--duration", 2)
    attempts = found["attempts"]
    all_served(found, attempts)
    # Poisson: 200 with a deviation of 14.
    assert 120 < attempts < 280
    assert sum(second[0] for second in found["series"]) == attempts
    assert sum(second[1] for second in found["series"]) == attempts


def test_same_arrivals_for_one_seed(site):
    """Also when the machine is slow."""
    first, again, other = (
        site.load("--rate", 200, "--duration", 1, "--seed", seed)["attempts"]
        for seed in (5, 5, 6))
    assert first == again
    assert other > 0


def test_paths_and_save(site, tmp_path):
    """Each asks as its line says, and what came is kept as it came."""
    rows = (site.fleet / "devices.csv").read_text().splitlines()[1:]
    macs = [row.split(",")[0] for row in rows]
    paths = tmp_path / "paths"
    # Every other one at a path that is there for all devices.
    paths.write_text("".join(
        "/spa%s.cfg\n" % mac if i % 2 else "/nowhere/%s\n" % mac
        for i, mac in enumerate(macs)))
    got = tmp_path / "got"
    result = site.sprov("--json", "--concurrency", 4, "--attempts", COUNT,
                        "--paths", paths, "--save", got,
                        "127.0.0.1:%d" % site.port)
    assert result.status == 3, result
    assert json.loads(result.out)["outcomes"]["served"] == COUNT // 2
    assert {path.name for path in got.iterdir()} == set(macs[1::2])
    for mac in macs[1::2]:
        assert (got / mac).read_bytes() == \
            (site.files / ("spa%s.cfg" % mac)).read_bytes()


@pytest.mark.parametrize("text, line", [
    ("", 1), ("/a\n" * (COUNT - 1), COUNT), ("/a\n" * (COUNT + 1), COUNT + 1),
    ("/a\nb\n" + "/a\n" * (COUNT - 2), 2), ("/a b\n" + "/a\n" * COUNT, 1),
    ("/a\r\n" * COUNT, 1)])
def test_paths_refused(site, tmp_path, text, line):
    paths = tmp_path / "paths"
    paths.write_text(text)
    result = site.sprov("--concurrency", 1, "--attempts", 1, "--paths", paths,
                        "127.0.0.1:1")
    assert result.status == 1
    assert "%s:%d: expected %d lines" % (paths, line, COUNT) in result.err


def test_storm(site):
    """All served at the first try, spread over the random delay."""
    found = site.load("--storm", "--random-delay", 0)
    all_served(found, COUNT)
    assert found["devices_served"] == COUNT and found["retries"] == 0


def test_storm_with_retries(site):
    """The server comes a second late: nobody is lost."""
    port = free_port()
    gate = Gate(port, site.port, 1.0)
    # Behind the gate the log has other sources: only the client's view.
    result = site.sprov("--json", "--storm", "--random-delay", 0, "--retry",
                        "3600,7200+60", "--compress", 7200, "--expect",
                        site.files, "127.0.0.1:%d" % port)
    gate.close()
    assert result.status == 0, result
    found = json.loads(result.out)
    assert found["devices_served"] == COUNT
    assert found["outcomes"]["no-connect"] >= COUNT
    assert found["retries"] == found["attempts"] - COUNT
    # Half a second, and then a second each time.
    assert found["ms"]["device"]["p50"] > 1000


class Gate:
    """A port that opens late and then leads to another one."""

    def __init__(self, port, to, delay):
        self.port, self.to, self.delay = port, to, delay
        self.listener = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        time.sleep(self.delay)
        self.listener = socket.create_server(("127.0.0.1", self.port))
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.relay, args=(client,),
                             daemon=True).start()

    def relay(self, client):
        with client, socket.create_connection(
                ("127.0.0.1", self.to)) as server:
            back = threading.Thread(target=copy, args=(server, client),
                                    daemon=True)
            back.start()
            copy(client, server)
            back.join(30)

    def close(self):
        if self.listener is not None:
            self.listener.close()


def copy(source, to):
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            to.sendall(data)
        to.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def test_wrong_body(site, tmp_path):
    """One byte differs in one file: that device is found out."""
    files = tmp_path / "files"
    shutil.copytree(site.files, files)
    path = sorted(files.iterdir())[3]
    path.write_bytes(path.read_bytes().replace(b"3600", b"3601", 1))
    found = site.load("--concurrency", 4, "--attempts", COUNT, files=files,
                      status=3)
    assert found["outcomes"]["wrong-body"] == 1
    assert found["outcomes"]["served"] == COUNT - 1


def test_refused(site):
    """Another path than one's own, and the log agrees."""
    result = site.sprov("--json", "--concurrency", 4, "--attempts", 20,
                        "--path", "/nothing$MA", "--server-log",
                        site.server.log.path, "127.0.0.1:%d" % site.port)
    assert result.status == 3
    found = json.loads(result.out)
    assert found["outcomes"]["refused"] == 20
    assert found["server"]["requests"] == 20
    assert found["server"]["answered_200"] == 0


class Half:
    """A server that says what it says, and then closes or is silent."""

    def __init__(self, fleet, text, silent=False, plain=False):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(fleet / "server.crt",
                                     fleet / "server.key")
        self.text, self.silent, self.plain = text, silent, plain
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,),
                             daemon=True).start()

    def serve(self, client):
        try:
            if self.plain:
                client.sendall(self.text)
            else:
                client = self.context.wrap_socket(client, server_side=True)
                client.recv(65536)
                client.sendall(self.text)
            while self.silent and client.recv(65536):
                pass  # until the device has enough of it
        except OSError:
            pass
        client.close()


@pytest.mark.parametrize("text, options, outcome", [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", {}, "cut-off"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
     {"silent": True}, "cut-off"),
    (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", {}, "busy"),
    (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", {}, "refused"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", {"silent": True},
     "timeout-answer"),
    (b"rubbish\r\n\r\n", {}, "garbled"),
    (b"", {}, "no-answer"),
    (b"", {"silent": True}, "timeout-answer"),
    (b"", {"plain": True}, "dropped"),
    (b"", {"plain": True, "silent": True}, "timeout-handshake"),
    (b"no TLS at all", {"plain": True}, "dropped"),
])
def test_outcomes(site, text, options, outcome):
    half = Half(site.fleet, text, **options)
    result = site.sprov("--json", "--concurrency", 2, "--attempts", 2,
                        "--timeout-ms", 500, "127.0.0.1:%d" % half.port)
    half.listener.close()
    assert result.status == 3, result
    outcomes = json.loads(result.out)["outcomes"]
    assert {name: count for name, count in outcomes.items() if count} == {
        outcome: 2}


def test_server_of_another_ca(site, sprov, tmp_path):
    """The devices refuse it."""
    assert sprov("simulate", "--fleet", 1, "--folder", tmp_path / "G",
                 "--setup").status == 0
    half = Half(tmp_path / "G", b"")
    result = site.sprov("--json", "--concurrency", 1, "--attempts", 1,
                        "127.0.0.1:%d" % half.port)
    half.listener.close()
    assert result.status == 3
    found = json.loads(result.out)
    assert found["outcomes"]["alert"] == 1
    assert "refused" in found["first_error"]


@pytest.mark.parametrize("kind", ["tcp", "hello", "tls"])
def test_hold(site, kind):
    result = site.sprov("--json", "--hold", kind, "--duration", 1,
                        "127.0.0.1:%d" % site.port, count=20)
    assert result.status == 0, result
    found = json.loads(result.out)
    assert found["opened"] == found["held_peak"] == found["held"] == 20
    assert found["closed"] == found["failed"] == 0


def test_hold_is_closed(site):
    half = Half(site.fleet, b"", plain=True)
    result = site.sprov("--json", "--hold", "tcp", "--duration", 1,
                        "127.0.0.1:%d" % half.port, count=5)
    half.listener.close()
    found = json.loads(result.out)
    assert found["closed"] + found["failed"] == 5 and found["held"] == 0


def test_log_that_knows_more_and_less(site, tmp_path):
    """Lines that are not there, and lines of connections nobody made."""
    port = site.port
    log = tmp_path / "log"
    log.write_text("")
    threading.Timer(0.5, lambda: log.write_text(
        "time level=info event=request listener=load "
        "source=127.9.9.9:1 status=200\n")).start()
    result = site.sprov("--json", "--concurrency", 2, "--attempts", 3,
                        "--sources", 2, "--server-log", log,
                        "127.0.0.1:%d" % port)
    assert result.status == 3, result
    server = json.loads(result.out)["server"]
    assert server["served_unlogged"] == 3 and server["logged_unknown"] == 1


def test_text_and_picture(site, tmp_path):
    picture = tmp_path / "run.svg"
    out = site.must("--rate", 50, "--duration", 2, "--plot", picture,
                    "--server-log", site.server.log.path,
                    "127.0.0.1:%d" % site.port)
    assert re.match(r"\d+ attempts in \d\.\d s: \d+ served ", out)
    assert "served but not in the log: 0" in out
    root = xml.etree.ElementTree.parse(picture).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "http" not in picture.read_text().replace(
        "http://www.w3.org/2000/svg", "")


def test_sample_of_a_larger_fleet(site):
    """Every third device of the fleet, with the same certificates."""
    found = site.load("--concurrency", 2, "--attempts", 20, "--of", COUNT,
                      count=20)
    all_served(found, 20)
    macs = {line["mac"] for line in
            site.server.log.lines(event="request")[-20:]}
    assert {int(mac.replace(":", "")[-4:], 16) for mac in macs} == set(
        range(0, COUNT, 3))


def test_certificates_as_files(site, tmp_path):
    """The same bytes each time; what another load generator reads."""
    for name in "one", "two":
        site.must("--write-certificates", tmp_path / name)
    lines = (tmp_path / "one" / "list").read_text().splitlines()
    assert len(lines) == COUNT
    certificate, key, path = lines[7].split(" ")
    assert path == "/spa021af1000007.cfg"
    assert pathlib.Path(key).exists()
    assert pathlib.Path(certificate).read_bytes() == (
        tmp_path / "two" / "7.crt").read_bytes()


@pytest.mark.parametrize("arguments, status, message", [
    ([], 2, "how do devices come?"),
    (["--rate", "5", "--storm"], 2, "how do devices come?"),
    (["--rate", "5"], 2, "until when?"),
    (["--rate", "x", "--duration", "1"], 2, '--rate "x": expected a number'),
    (["--rate", "-1", "--duration", "1"], 2, "expected a number above 0"),
    (["--storm", "--retry", "0"], 2, "0 means at once to some families"),
    (["--storm", "--retry", "60;120"], 2, "at column 3"),
    (["--hold", "tls"], 2, "--hold needs --duration"),
    (["--hold", "x", "--duration", "1", "127.0.0.1:1"], 1,
     "expected tcp, hello or tls"),
    (["--storm"], 2, "ADDRESS:PORT is wanted"),
    (["--storm", "127.0.0.1"], 2, "127.0.0.1"),
    (["--storm", "--tls", "1.4", "127.0.0.1:1"], 1, "1.0, 1.1, 1.2 or 1.3"),
    (["--write-files", "x"], 2, "--write-files needs --inventory"),
])
def test_mistakes(site, arguments, status, message):
    result = site.sprov(*arguments)
    assert result.status == status, result
    assert message in result.err, result


def test_mistakes_of_setup(sprov, tmp_path):
    result = sprov("simulate", "--fleet", 1, "--setup")
    assert result.status == 2 and "--folder" in result.err
    result = sprov("simulate", "--fleet", 1, "--folder", tmp_path / "F",
                   "--setup", "--models", "SPA504")
    assert result.status == 1
    assert 'model "SPA504" is not known; did you mean SPA504G' in result.err
    assert not (tmp_path / "F").exists()
    result = sprov("simulate", "--fleet", 1, "--folder", tmp_path / "F",
                   "--concurrency", 1, "--attempts", 1, "127.0.0.1:1")
    assert result.status == 1 and "mix" in result.err
    result = sprov("simulate", "--fleet", 0, "--folder", tmp_path)
    assert result.status == 2


def test_keys_are_nobody_elses(site):
    for path in site.fleet.glob("*.key"):
        assert os.stat(path).st_mode & 0o077 == 0
