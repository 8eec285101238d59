"""Device certificates that are written in other ways than OpenSSL would."""

import base64

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

import minting
import wire
from conftest import MAC, PROFILE


def take(data):
    """The first element of DER: its tag, its contents, the rest."""
    length, at = data[1], 2
    if length & 0x80:
        size = length & 0x7F
        length, at = int.from_bytes(data[2:2 + size], "big"), 2 + size
    return data[0], data[at:at + length], data[at + length:]


def wrap(tag, contents):
    size = len(contents)
    if size < 0x80:
        return bytes((tag, size)) + contents
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + contents


def elements(contents):
    found = []
    while contents:
        tag, inner, rest = take(contents)
        found.append((tag, inner))
        contents = rest
    return found


class Rewritten:
    """A certificate after a change to its TBS, signed anew."""

    def __init__(self, made, issuer, change):
        _, whole, _ = take(made.der)
        (_, tbs), algorithm, _ = elements(whole)
        fields = elements(tbs)
        change(fields)
        tbs = wrap(0x30, b"".join(wrap(*field) for field in fields))
        signature = issuer.key.sign(tbs, padding.PKCS1v15(), hashes.SHA1())
        self.der = wrap(0x30, tbs + wrap(*algorithm) +
                        wrap(0x03, b"\0" + signature))
        self.key_pem = made.key_pem

    def write(self, folder, base):
        paths = folder / (base + ".crt"), folder / (base + ".key")
        text = base64.encodebytes(self.der).decode()
        paths[0].write_text("-----BEGIN CERTIFICATE-----\n%s"
                            "-----END CERTIFICATE-----\n" % text)
        paths[1].touch(mode=0o600)
        paths[1].write_bytes(self.key_pem)
        return paths


def without_null(fields):
    """rsaEncryption without the NULL that RFC 3279 2.3.1 asks for."""
    tag, key_info = fields[6]
    (_, algorithm), bits = elements(key_info)
    identifier = elements(algorithm)[0]
    fields[6] = tag, wrap(0x30, wrap(*identifier)) + wrap(*bits)


@pytest.mark.parametrize("version", ["TLS10", "TLS12", "TLS13"])
@pytest.mark.parametrize("change", [without_null, lambda fields: None])
def test_rewritten(server, pki, change, version):
    """It is believed, and what was signed is what is verified."""
    server.configure(server.listener(policy="legacy"))
    server.start()
    odd = Rewritten(pki.device, pki.client_root, change)
    offer = {"lowest": getattr(wire, version),
             "highest": getattr(wire, version)}
    for _ in range(2):  # anew, and as remembered
        reply = server.get(certificate=odd, **offer)
        assert (reply.status, reply.body) == (200, PROFILE)


def test_elliptic_key(running, pki):
    """No device is known to have one; it is read in the long way."""
    odd = pki.client_root.issue(
        minting.documented(MAC, "88012AA00001"),
        private_key=ec.generate_private_key(ec.SECP256R1()))
    for _ in range(2):
        reply = running.get(certificate=odd)
        assert (reply.status, reply.body) == (200, PROFILE)


def test_changed_after_signing(running, pki):
    """One bit of the key: not believed, and never as remembered."""
    assert running.get().status == 200
    der = bytearray(pki.device.der)
    numbers = pki.device.key.private_numbers().public_numbers
    at = bytes(der).index(numbers.n.to_bytes(128, "big"))
    der[at + 100] ^= 1

    class Changed(Rewritten):
        def __init__(self):  # pylint: disable=super-init-not-called
            self.der = bytes(der)
            self.key_pem = pki.device.key_pem

    with pytest.raises(Exception):  # Python refuses such a pair, or we do
        reply = running.get(certificate=Changed())
        assert reply.status == 200
