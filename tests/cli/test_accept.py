"""Several workers that accept from the same sockets."""

import concurrent.futures
import os
import pathlib
import re
import resource
import socket
import threading

from conftest import PROFILE
from daemon import free_port, wait_until

# server/accept.c
SLACK = 8

DESCRIPTORS = 100


def refuses(port):
    """At once: nobody may still be about to close it."""
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except ConnectionRefusedError:
        return True
    return False


def crowd(port, count):
    """Connections that say nothing."""
    return [socket.create_connection(("127.0.0.1", port), 5)
            for _ in range(count)]


def link(path):
    try:
        return os.readlink(path)
    except FileNotFoundError:
        return ""  # closed meanwhile


def polled(pid):
    """For each loop of the process, the sockets that it polls."""
    found = []
    for fd in pathlib.Path("/proc/%d/fd" % pid).iterdir():
        if link(fd) != "anon_inode:[eventpoll]":
            continue
        text = (fd.parents[1] / "fdinfo" / fd.name).read_text()
        names = [link(fd.parent / number)
                 for number in re.findall(r"tfd:\s*(\d+)", text)]
        found.append({name for name in names if name.startswith("socket:")})
    return found


def counters(server):
    line = server.log.wait(event="counters")
    return {name: int(value) for name, value in line.items()
            if value.isdigit()}


class Load:
    """Devices that come again and again, until somebody says stop."""

    def __init__(self, server, threads=4):
        self.server = server
        self.ended = threading.Event()
        server.context()  # writes its files: not from several threads
        self.pool = concurrent.futures.ThreadPoolExecutor(threads)
        self.served = 0
        self.runs = [self.pool.submit(self.run) for _ in range(threads)]

    def run(self):
        """How many were served, and how many found nobody."""
        served = failed = 0
        while not self.ended.is_set():
            try:
                reply = self.server.get()
            except OSError:  # ssl.SSLError is one
                failed += 1
                continue
            assert reply.status == 200 and reply.body == PROFILE
            served += 1
            self.served += 1
        return served, failed

    def stop(self):
        self.ended.set()
        done = [run.result(60) for run in self.runs]
        self.pool.shutdown()
        return sum(one[0] for one in done), sum(one[1] for one in done)


def start(server, listeners=None, **options):
    server.configure("workers 2\n" + (listeners or server.listener()))
    server.start(**options)


def test_each_worker_has_its_part(server):
    """No matter that one of them accepts what comes to a socket."""
    start(server)
    wait_until(lambda: any(polled(server.pid)), "the socket to be polled")
    # One worker does, and nobody is woken in vain.
    listening = [one for one in polled(server.pid) if one]
    assert len(listening) == 1 and len(listening[0]) == 1
    silent = crowd(server.port, 64)

    def shares():
        counts = [len(one - listening[0]) for one in polled(server.pid)]
        return sorted(counts)[-2:]
    wait_until(lambda: sum(shares()) == len(silent), "all to be polled")
    assert max(shares()) - min(shares()) <= SLACK + 1, shares()
    assert server.get().body == PROFILE
    for one in silent:
        one.close()
    load = Load(server)
    wait_until(lambda: load.served >= 100, "100 to be served")
    served, failed = load.stop()
    assert failed == 0
    assert server.stop() == 0
    assert counters(server)["answered"] == served + 1


def test_sockets_are_shared_out(server):
    """Two workers, three listeners: each socket has one that polls it."""
    ports = [server.port, free_port(), free_port()]
    start(server, listeners=server.listener() + "".join(
        server.listener("l%d" % port, "127.0.0.1:%d" % port)
        for port in ports[1:]))
    wait_until(lambda: sum(map(len, polled(server.pid))) == 3, "all polled")
    found = sorted(len(one) for one in polled(server.pid) if one)
    assert found == [1, 2]
    for port in ports:
        assert server.get(port=port).body == PROFILE


def test_full_with_two_workers(server):
    """The limit is one for all of them together."""
    start(server, listeners="connections 20\n" + server.listener())
    silent = crowd(server.port, 60)
    server.log.wait(event="connections-full")
    assert server.get().body == PROFILE
    for one in silent:
        one.close()
    assert server.stop() == 0
    counted = counters(server)
    assert counted["accepted"] == 61 and counted["answered"] == 1
    assert counted["dropped-full"] + counted["refused-full"] >= 41


def test_reload_under_load(server):
    """Who comes to a listener that stays is served; one that goes is gone when
    the reload is said to be over."""
    second = free_port()
    kept = server.listener()
    both = kept + server.listener("two", "127.0.0.1:%d" % second)
    start(server, listeners=both)
    load = Load(server)
    for _ in range(5):
        assert server.get(port=second).body == PROFILE
        server.configure("workers 2\n" + kept)
        server.reload()
        assert refuses(second)
        server.configure("workers 2\n" + both)
        server.reload()
    _served, failed = load.stop()
    assert failed == 0
    assert server.stop() == 0
    assert counters(server)["cut"] == 0


def test_no_descriptors_left(server):
    """Accepting waits, and goes on when there are some again."""
    start(server, preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS)))
    assert server.get().body == PROFILE
    waiting = crowd(server.port, 2 * DESCRIPTORS)
    server.log.wait(2, event="accept-failed")
    for one in waiting:
        one.close()
    assert server.get().body == PROFILE
    server.reload()
    server.log.wait(event="reloaded")
    assert server.get().body == PROFILE
    assert server.stop() == 0
    # Two workers and a pause of 100 ms, but one line a second.
    stamps = [line.text.split()[0]
              for line in server.log.lines(event="accept-failed")]
    assert len(stamps) <= len(set(stamps)) + 1, stamps


def test_stop_under_load(server):
    """Nobody is half served, and nobody comes in after that."""
    start(server)
    load = Load(server)
    wait_until(lambda: load.served >= 40, "40 to be served")
    assert server.stop() == 0
    assert refuses(server.port)
    served, failed = load.stop()
    assert failed > 0
    counted = counters(server)
    assert counted["answered"] == counted["completed"] == served
    assert counted["cut"] == counted["unasked"] == 0
    assert counted["accepted"] == sum(counted[name] for name in (
        "refused-full", "dropped-full", "closed-early", "silent", "gone",
        "late", "failed", "timed-out", "completed"))
