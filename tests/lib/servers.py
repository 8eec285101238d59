"""Servers that say what a test wants them to say."""

import socket
import ssl
import threading


class Scripted:
    """A server with an answer for each path; remembers the requests.

    identity: (certificate file, key file) for TLS, or None for plain TCP.
    """

    def __init__(self, answers, identity=None, lowest=ssl.TLSVersion.TLSv1,
                 highest=ssl.TLSVersion.TLSv1_3):
        self.answers = answers
        self.requests = []
        self.context = None
        if identity is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.set_ciphers("ALL:@SECLEVEL=0")
            self.context.minimum_version = lowest
            self.context.maximum_version = highest
            self.context.load_cert_chain(*map(str, identity))
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(30)

    def run(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            client.settimeout(30)
            try:
                self.serve(client)
            except OSError:
                pass  # such as a device that refuses the certificate
            client.close()

    def serve(self, client):
        if self.context is not None:
            client = self.context.wrap_socket(client, server_side=True)
        with client:
            request = b""
            while b"\r\n\r\n" not in request:
                more = client.recv(65536)
                if not more:
                    return
                request += more
            self.requests.append(request.decode())
            path = request.split(b" ")[1].decode()
            client.sendall(self.answers[path])
            if self.context is not None:
                client.unwrap()


def answer(status, body=b"", *fields):
    """An HTTP answer with its length."""
    head = ["HTTP/1.1 %s" % status, "Content-Length: %d" % len(body),
            "Connection: close", *fields, "", ""]
    return "\r\n".join(head).encode() + body
