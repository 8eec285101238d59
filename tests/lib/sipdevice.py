"""A device's SIP side, for tests: takes NOTIFY, challenges, and acts.

Written from RFC 3261 and RFC 2617 with nothing of the program's, so that the
two cannot be wrong in the same way.
"""

import hashlib
import re
import secrets
import socket
import threading


def md5(*parts):
    return hashlib.md5(":".join(parts).encode()).hexdigest()


def headers(text):
    found = {}
    for line in text.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        found.setdefault(name.strip().lower(), value.strip())
    return found


def parameters(text):
    return {name: quoted or bare for name, quoted, bare in
            re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', text)}


class SipDevice:
    """act() is called once for each NOTIFY that was accepted."""

    def __init__(self, user="100", password="secret", act=lambda event: None,
                 **behaviour):
        self.user, self.password, self.act = user, password, act
        self.behaviour = behaviour
        self.seen, self.accepted, self.nonces = [], [], {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.other.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.address = "127.0.0.1:%d" % self.port
        self.running = True
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def close(self):
        self.running = False
        wake = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        wake.sendto(b"", ("127.0.0.1", self.port))
        self.thread.join(5)
        for one in (wake, self.socket, self.other):
            one.close()

    def run(self):
        while self.running:
            data, peer = self.socket.recvfrom(65536)
            if data:
                self.take(data.decode(), peer)

    def is_right(self, request, field):
        given = parameters(field)
        nonce = given.get("nonce")
        if nonce not in self.nonces:
            return False
        a1 = md5(given["username"], given["realm"], self.password)
        a2 = md5("NOTIFY", given["uri"])
        if "qop" in given:
            expected = md5(a1, nonce, given["nc"], given["cnonce"],
                           given["qop"], a2)
        else:
            expected = md5(a1, nonce, a2)
        return (given["username"] == self.user and
                given["realm"] == "device.example.net" and
                given["uri"] == request.split()[1] and
                given["response"] == expected)

    def challenge(self, stale):
        nonce = secrets.token_hex(8)
        self.nonces[nonce] = True
        return ('WWW-Authenticate: Digest realm="device.example.net", '
                'nonce="%s", algorithm=MD5%s%s\r\n' % (
                    nonce, ', qop="auth"' if self.behaviour.get("qop")
                    else "", ", stale=true" if stale else ""))

    def answer_to(self, text):
        """(status line, more header lines)"""
        fields = headers(text)
        if "status" in self.behaviour:
            return self.behaviour["status"], ""
        if self.behaviour.get("open"):
            return "200 OK", ""
        if self.behaviour.get("broken"):
            return "401 Unauthorized", self.behaviour["broken"] + "\r\n"
        if "authorization" not in fields:
            return "401 Unauthorized", self.challenge(False)
        stale = self.behaviour.get("stale", 0)
        if stale:
            self.behaviour["stale"] = stale - 1
            return "401 Unauthorized", self.challenge(True)
        if self.is_right(text.split("\r\n")[0], fields["authorization"]):
            return "200 OK", ""
        return "401 Unauthorized", self.challenge(False)

    def take(self, text, peer):
        fields = headers(text)
        self.seen.append(text)
        if self.behaviour.get("silent"):
            return
        status, more = self.answer_to(text)
        reply = ("SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s;tag=d1\r\n"
                 "Call-ID: %s\r\nCSeq: %s\r\n%sContent-Length: 0\r\n\r\n" % (
                     status, fields["via"], fields["from"], fields["to"],
                     fields["call-id"], fields["cseq"], more))
        if self.behaviour.get("garbage"):
            reply = self.behaviour["garbage"]
        wrong = self.behaviour.get("elsewhere")
        first = status.startswith("200") and not wrong and \
            fields["call-id"] not in self.accepted
        if first:
            # Before the answer: who has it may look at once.
            self.accepted.append(fields["call-id"])
        (self.other if wrong else self.socket).sendto(reply.encode(), peer)
        if first:
            self.act(fields["event"])
