"""Bytes over TLS, and what comes back."""

import socket
import ssl

TLS10 = ssl.TLSVersion.TLSv1
TLS11 = ssl.TLSVersion.TLSv1_1
TLS12 = ssl.TLSVersion.TLSv1_2
TLS13 = ssl.TLSVersion.TLSv1_3

TIMEOUT = 30


class Reply:
    """One HTTP answer, taken apart without mercy."""

    def __init__(self, head, body):
        lines = head.split(b"\r\n")
        assert b"\n" not in head.replace(b"\r\n", b""), head
        self.version, status, self.reason = \
            lines[0].decode().split(" ", 2)
        self.status = int(status)
        self.fields = [tuple(line.decode().split(": ", 1))
                       for line in lines[1:]]
        self.body = body

    def __getitem__(self, name):
        """The one field of that name."""
        values = [value for key, value in self.fields
                  if key.lower() == name.lower()]
        assert len(values) == 1, (name, self.fields)
        return values[0]

    def __contains__(self, name):
        return any(key.lower() == name.lower() for key, _ in self.fields)

    def __repr__(self):
        return "%d %s %r" % (self.status, self.fields, self.body[:200])


def context(identity=None, lowest=TLS12, highest=None, ciphers=None):
    """What a client offers; identity is (certificate file, key file)."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.set_ciphers((ciphers or "ALL") + ":@SECLEVEL=0")
    made.minimum_version = lowest
    made.maximum_version = highest or TLS13
    if identity is not None:
        made.load_cert_chain(*map(str, identity))
    return made


class Client:
    """One connection."""

    def __init__(self, address, client_context, session=None):
        if not isinstance(address, tuple):
            address = ("127.0.0.1", address)
        self.plain = socket.create_connection(address, TIMEOUT)
        # Else the last part of a handshake waits 40 ms for an ACK.
        self.plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.tls = client_context.wrap_socket(self.plain,
                                                  session=session)
        except BaseException:
            self.plain.close()
            raise
        self.data = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tls.close()

    def send(self, data):
        self.tls.sendall(data if isinstance(data, bytes) else data.encode())

    def more(self):
        """Receive; b"" when the server has closed."""
        try:
            data = self.tls.recv(65536)
        except (ssl.SSLEOFError, ConnectionResetError):
            data = b""
        self.data += data
        return data

    def rest(self):
        """All that comes until the server closes."""
        while self.more():
            pass
        data, self.data = self.data, b""
        return data

    def reply(self, head=False):
        """The next answer; head: that to a HEAD, which has no body."""
        while b"\r\n\r\n" not in self.data:
            assert self.more(), "closed after %r" % self.data
        text, self.data = self.data.split(b"\r\n\r\n", 1)
        answer = Reply(text, b"")
        length = 0 if head else int(answer["Content-Length"])
        while len(self.data) < length:
            assert self.more(), "closed after %r" % self.data
        answer.body = self.data[:length]
        self.data = self.data[length:]
        return answer

    def get(self, path, *fields):
        self.send("".join("%s\r\n" % line for line in (
            "GET %s HTTP/1.1" % path, "Host: sprov.example.net", *fields,
            "")))
        return self.reply()

    def is_closed(self):
        """Waits until the server closes; nothing may come before that."""
        return self.rest() == b""


def get(address, client_context, path):
    """One request on a connection of its own."""
    with Client(address, client_context) as client:
        return client.get(path, "Connection: close")
