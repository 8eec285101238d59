"""A TLS 1.0 client of few means, as devices of 2005 are.

It offers TLS_RSA_WITH_AES_128_CBC_SHA alone, in a ClientHello of the format
of SSL 2.0 (RFC 2246 appendix E) or in that of TLS, without any extension,
and proves its certificate with MD5 and SHA-1 (RFC 2246 7.4.8).  Written here
because no TLS library of today sends such a hello.  It checks nothing of the
server but its Finished.
"""

import hashlib
import hmac
import os
import socket
import struct

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

VERSION = b"\x03\x01"
CIPHER = b"\x00\x2f"  # TLS_RSA_WITH_AES_128_CBC_SHA

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23

CLIENT_HELLO, SERVER_HELLO, CERTIFICATE = 1, 2, 11
CERTIFICATE_REQUEST, SERVER_HELLO_DONE = 13, 14
CERTIFICATE_VERIFY, CLIENT_KEY_EXCHANGE, FINISHED = 15, 16, 20

WARNING = 1


class AlertReceived(Exception):
    """level and number, RFC 2246 7.2"""

    def __init__(self, level, number):
        super().__init__("alert %d, level %d" % (number, level))
        self.level = level
        self.number = number


# RFC 2246 5


def p_hash(digest, secret, seed, size):
    out, a = b"", seed
    while len(out) < size:
        a = hmac.new(secret, a, digest).digest()
        out += hmac.new(secret, a + seed, digest).digest()
    return out[:size]


def prf(secret, label, seed, size):
    half = (len(secret) + 1) // 2
    one = p_hash("md5", secret[:half], label + seed, size)
    two = p_hash("sha1", secret[-half:], label + seed, size)
    return bytes(a ^ b for a, b in zip(one, two))


def vector(data, length_bytes):
    return len(data).to_bytes(length_bytes, "big") + data


class Direction:
    """Protection of records one way: RFC 2246 6.2.3.2."""

    def __init__(self, mac_key, key, iv):
        self.mac_key = mac_key
        self.key = key
        self.iv = iv  # the last block of the record before
        self.number = 0

    def mac(self, kind, data):
        head = struct.pack(">QB2sH", self.number, kind, VERSION, len(data))
        self.number += 1
        return hmac.new(self.mac_key, head + data, "sha1").digest()

    def cipher(self):
        return Cipher(algorithms.AES(self.key), modes.CBC(self.iv))

    def protect(self, kind, data):
        data += self.mac(kind, data)
        pad = 15 - len(data) % 16
        worker = self.cipher().encryptor()
        sealed = worker.update(data + bytes([pad]) * (pad + 1))
        self.iv = sealed[-16:]
        return sealed

    def open(self, kind, sealed):
        worker = self.cipher().decryptor()
        data = worker.update(sealed)
        self.iv = sealed[-16:]
        data = data[:-1 - data[-1]]
        data, mac = data[:-20], data[-20:]
        assert self.mac(kind, data) == mac, "a record with a wrong MAC"
        return data


class Connection:
    """A connection whose handshake is complete."""

    def __init__(self, port, identity=None, sslv2=True):
        """identity: a Certificate of minting, or None."""
        self.identity = identity
        self.messages = b""  # of the handshake, for Finished
        self.inbox = b""     # handshake messages, not yet taken
        self.sending = self.receiving = None
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.random = os.urandom(32)
        try:
            self.send_hello(sslv2)
            self.shake_hands()
        except BaseException:
            self.close()
            raise

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Records

    def receive_exactly(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError("closed within a record")
            data += more
        return data

    def send_record(self, kind, data):
        if self.sending is not None:
            data = self.sending.protect(kind, data)
        self.socket.sendall(bytes([kind]) + VERSION + vector(data, 2))

    def receive_record(self):
        kind, version, size = struct.unpack(">B2sH", self.receive_exactly(5))
        assert version == VERSION, "a record of version %r" % version
        data = self.receive_exactly(size)
        if self.receiving is not None:
            data = self.receiving.open(kind, data)
        if kind == ALERT:
            raise AlertReceived(*data)
        return kind, data

    # Handshake messages

    def send_message(self, kind, body):
        message = bytes([kind]) + vector(body, 3)
        self.messages += message
        self.send_record(HANDSHAKE, message)

    def receive_message(self):
        """The next one: its kind and its body."""
        while len(self.inbox) < 4 or len(self.inbox) < 4 + int.from_bytes(
                self.inbox[1:4], "big"):
            kind, data = self.receive_record()
            assert kind == HANDSHAKE, kind
            self.inbox += data
        end = 4 + int.from_bytes(self.inbox[1:4], "big")
        message, self.inbox = self.inbox[:end], self.inbox[end:]
        self.messages += message
        return message[0], message[4:]

    def hello(self):
        """The body of a ClientHello in the format of TLS."""
        return (VERSION + self.random + vector(b"", 1) + vector(CIPHER, 2) +
                vector(b"\x00", 1))

    def send_hello(self, sslv2):
        if not sslv2:
            self.send_message(CLIENT_HELLO, self.hello())
            return
        # RFC 2246 E.1: a cipher of TLS has a zero byte before it; the
        # challenge is the client's random.
        specs = b"\x00" + CIPHER
        message = (bytes([CLIENT_HELLO]) + VERSION +
                   struct.pack(">HHH", len(specs), 0, len(self.random)) +
                   specs + self.random)
        self.messages += message
        self.socket.sendall(
            struct.pack(">H", 0x8000 | len(message)) + message)

    def shake_hands(self):
        got = {}
        while SERVER_HELLO_DONE not in got:
            kind, body = self.receive_message()
            got[kind] = body
        hello = got[SERVER_HELLO]
        assert hello[:2] == VERSION, hello[:2]
        server_random = hello[2:34]
        session = hello[34]
        assert hello[35 + session:37 + session] == CIPHER
        self.certificate = self.first_certificate(got[CERTIFICATE])
        self.asked = CERTIFICATE_REQUEST in got
        if self.asked:
            self.send_certificate()
        master = self.send_key_exchange(server_random)
        if self.asked and self.identity is not None:
            self.send_verify()
        self.change_ciphers(master, server_random)

    @staticmethod
    def first_certificate(body):
        end = 6 + int.from_bytes(body[3:6], "big")
        return x509.load_der_x509_certificate(body[6:end])

    def send_certificate(self):
        chain = b""
        if self.identity is not None:
            chain = vector(self.identity.der, 3)
        self.send_message(CERTIFICATE, vector(chain, 3))

    def send_key_exchange(self, server_random):
        """RSA, RFC 2246 7.4.7.1; returns the master secret."""
        secret = VERSION + os.urandom(46)
        sealed = self.certificate.public_key().encrypt(
            secret, padding.PKCS1v15())
        self.send_message(CLIENT_KEY_EXCHANGE, vector(sealed, 2))
        return prf(secret, b"master secret", self.random + server_random, 48)

    def digests(self):
        return (hashlib.md5(self.messages).digest() +
                hashlib.sha1(self.messages).digest())

    def send_verify(self):
        """RSA over both digests without a DigestInfo: by hand."""
        numbers = self.identity.key.private_numbers()
        n, d = numbers.public_numbers.n, numbers.d
        size = (n.bit_length() + 7) // 8
        text = self.digests()
        block = (b"\x00\x01" + b"\xff" * (size - 3 - len(text)) + b"\x00" +
                 text)
        signature = pow(int.from_bytes(block, "big"), d, n)
        self.send_message(CERTIFICATE_VERIFY,
                          vector(signature.to_bytes(size, "big"), 2))

    def change_ciphers(self, master, server_random):
        block = prf(master, b"key expansion", server_random + self.random,
                    2 * (20 + 16 + 16))
        self.send_record(CHANGE_CIPHER_SPEC, b"\x01")
        self.sending = Direction(block[:20], block[40:56], block[72:88])
        self.send_message(FINISHED, prf(
            master, b"client finished", self.digests(), 12))
        wanted = prf(master, b"server finished", self.digests(), 12)
        kind, _ = self.receive_record()
        assert kind == CHANGE_CIPHER_SPEC, kind
        self.receiving = Direction(block[20:40], block[56:72], block[88:])
        kind, body = self.receive_message()
        assert (kind, body) == (FINISHED, wanted)

    # What it is for

    def ask(self, text):
        """Send a request; all that comes until the server closes."""
        self.send_record(DATA, text.encode())
        answer = b""
        try:
            while True:
                kind, data = self.receive_record()
                assert kind == DATA, kind
                answer += data
        except AlertReceived as alert:
            assert alert.number == 0, alert  # close_notify
        except EOFError:
            pass
        return answer

    def renegotiate(self):
        """Another ClientHello inside; the alert that answers it."""
        self.random = os.urandom(32)
        self.send_message(CLIENT_HELLO, self.hello())
        try:
            self.receive_message()
        except AlertReceived as alert:
            return alert
        return None
