"""Certificates for tests: good, weak, expired and false ones.

All names and addresses are invented.  Keys are made once in a process and
used again: what they are worth does not depend on it.
"""

import datetime
import functools
import ipaddress
import itertools

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

DIGESTS = {"md5": hashes.MD5, "sha1": hashes.SHA1, "sha256": hashes.SHA256}

ATTRIBUTES = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
    "serialNumber": NameOID.SERIAL_NUMBER,
}

_serials = itertools.count(1000)


@functools.lru_cache(maxsize=None)
def key(bits=2048, which=0):
    """A private key; another one for each value of which."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def name(**parts):
    return x509.Name([x509.NameAttribute(ATTRIBUTES[part], value)
                      for part, value in parts.items()])


class Certificate:
    """A certificate, its key and those of its issuers that go along."""

    def __init__(self, cert, private_key, chain=()):
        self.cert = cert
        self.key = private_key
        self.chain = chain

    @property
    def pem(self):
        return b"".join(c.public_bytes(serialization.Encoding.PEM)
                        for c in (self.cert, *self.chain))

    @property
    def der(self):
        return self.cert.public_bytes(serialization.Encoding.DER)

    @property
    def key_pem(self):
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption())

    def write(self, folder, base):
        """Write BASE.crt and BASE.key; returns both paths."""
        paths = folder / (base + ".crt"), folder / (base + ".key")
        paths[0].write_bytes(self.pem)
        paths[1].touch(mode=0o600)
        paths[1].write_bytes(self.key_pem)
        return paths

    def issue(self, subject, *, private_key=None, days=(-10, 1000),
              digest="sha256", hosts=(), ca=False, serial=None, send=()):
        """Sign a certificate; days are its dates, counted from now."""
        private_key = private_key or key(which=1)
        issuer = self.cert.subject if self.cert else subject
        now = datetime.datetime.utcnow()
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(private_key.public_key())
            .serial_number(serial or next(_serials))
            .not_valid_before(now + datetime.timedelta(days=days[0]))
            .not_valid_after(now + datetime.timedelta(days=days[1])))
        if ca:
            builder = builder.add_extension(
                x509.BasicConstraints(ca=True, path_length=None), True)
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName(
                [general_name(host) for host in hosts]), False)
        signer = self.key or private_key
        return Certificate(builder.sign(signer, DIGESTS[digest]()),
                           private_key, tuple(c.cert for c in send))


def general_name(host):
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def authority(common_name, *, bits=2048, which=2, **options):
    """A root."""
    return Certificate(None, None).issue(
        name(O="Example", CN=common_name), private_key=key(bits, which),
        ca=True, **options)


# The forms in which devices say who they are.


def documented(mac, serial, product="SPA-962", **changes):
    return name(**{"OU": product, "L": serial, "ST": mac, **changes})


def observed(mac, serial, product="SPA-525G2", **changes):
    return name(**{
        "C": "US", "ST": mac.upper(), "L": serial, "O": "Example",
        "OU": "example.net",
        "CN": "%s, MAC: %s, Serial: %s" % (product, mac.upper(), serial),
        **changes})


def mic(mac, serial, product="CP-8841-3PCC", **changes):
    return name(**{
        "serialNumber": "PID:%s SN:%s" % (product, serial),
        "O": "Example", "OU": "CTG",
        "CN": "%s-SEP%s" % (product, mac.upper()), **changes})


def load(certificate_path, key_path):
    """A certificate that somebody else has made."""
    return Certificate(
        x509.load_pem_x509_certificate(certificate_path.read_bytes()),
        serialization.load_pem_private_key(key_path.read_bytes(), None))
