"""What the server keeps of what happened: events.db, seen from outside."""

import hashlib
import sqlite3

import pytest

import minting
import wire
from conftest import MAC, OTHER
from daemon import wait_until


def rows(server, sql="SELECT * FROM event ORDER BY id"):
    path = server.folder / "events.db"
    if not path.exists():
        return []
    with sqlite3.connect("file:%s?mode=ro" % path, uri=True) as db:
        db.row_factory = sqlite3.Row
        try:
            return db.execute(sql).fetchall()
        except sqlite3.OperationalError as error:
            assert "no such table" in str(error)  # not made yet
            return []


def wait_for(server, count):
    return wait_until(lambda: (lambda found: found if len(found) >= count
                               else None)(rows(server)),
                      "%d events" % count)


def test_each_kind(running):
    """Served, refused, no request, failed handshake."""
    running.get()
    event, = wait_for(running, 1)
    assert (event["kind"], event["status"], event["reason"], event["mac"],
            event["product"], event["serial"], event["verify"]) == (
        0, 200, "own-profile", MAC, "SPA-962", "88012AA00001", "")
    assert event["path"] == "/spa%s.cfg" % MAC and event["bytes"] > 0
    assert event["class"] != 0 and event["source"] == "127.0.0.1"
    assert event["not_after"] > event["at"] and len(event["certificate"]) == 32
    running.get("/spa%s.cfg" % OTHER)
    event = wait_for(running, 2)[1]
    assert (event["kind"], event["status"], event["reason"]) == (
        1, 403, "other-device")
    with running.client():
        pass
    event = wait_for(running, 3)[2]
    assert (event["kind"], event["mac"]) == (3, MAC)
    with pytest.raises(OSError):
        running.client(lowest=wire.TLS10, highest=wire.TLS10)
    event = wait_for(running, 4)[3]
    assert event["kind"] == 4 and event["alert_sent"] == 70
    assert event["mac"] is None and event["offered_max"] == 0x0301


@pytest.mark.parametrize("protection", ["none", "gzip+aes"])
def test_hash_of_what_was_sent(running, protection):
    """Rendered, from the cache, and rendered anew; of a refusal none."""
    running.device("set", MAC, "protection=" + protection)
    running.log.wait(event="inventory-loaded")
    for count in 1, 2:
        body = running.get().body
        event = wait_for(running, count)[-1]
        assert event["sent"] == hashlib.sha256(body).digest()
    running.get("/spa%s.cfg" % OTHER)
    assert wait_for(running, 3)[-1]["sent"] is None


def test_what_is_learned(running, pki):
    """Only from devices that have proved who they are."""
    stranger = minting.authority("Stranger", which=7).issue(
        minting.documented(MAC, "88012AA00001"),
        private_key=minting.key(1024))
    running.get(certificate=stranger)
    wait_for(running, 1)
    assert not rows(running, "SELECT * FROM source")
    found, = rows(running, "SELECT * FROM certificate")
    assert found["verify"] != ""
    running.get()
    wait_for(running, 2)
    found, = rows(running, "SELECT * FROM source")
    assert (found["source"], found["mac"]) == ("127.0.0.1", MAC)
    assert len(rows(running, "SELECT * FROM certificate")) == 2


def test_off(server):
    """And on again by a reload."""
    server.configure("events off\n" + server.listener())
    server.start()
    server.get()
    server.log.wait(event="request")
    server.configure(server.listener())
    server.reload()
    server.get("/spa%s.cfg" % OTHER)
    event, = wait_for(server, 1)
    assert event["reason"] == "other-device"
