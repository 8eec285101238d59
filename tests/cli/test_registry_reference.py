"""The registry against the reference tables it was taken from.

They are not part of this project: SPROV_REFERENCE names their folder, and
without it these tests are skipped.
"""
import csv
import hashlib
import os
import pathlib
import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

SOURCE = pathlib.Path(os.environ.get(
    "SPROV_SOURCE", pathlib.Path(__file__).parents[2]))
REFERENCE = pathlib.Path(os.environ.get(
    "SPROV_REFERENCE", SOURCE / "../shared/reference"))

pytestmark = pytest.mark.skipif(
    not (REFERENCE / "trust-matrix.tsv").exists(),
    reason="the reference tables are not here")

BASES = [
    # Beginnings of the reference's kinds; one without confidence is "none".
    ("user_test", "tested"),
    ("firmware_image", "firmware"),
    ("vendor_", "vendor"),
    ("community_", "community"),
    ("provider_", "community"),
    ("third_party_re", "community"),
    ("inferred_", "inferred"),
]


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        lines = [line for line in file if not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def table(name):
    return read(SOURCE / f"src/spa/registry/{name}.tsv")


def test_every_claim():
    claims = {tuple(row[column] for column in (
        "ca", "model", "firmware_min", "firmware_max", "verdict", "basis",
        "confidence")) for row in table("claims")}
    rows = read(REFERENCE / "trust-matrix.tsv")
    assert rows
    for row in rows:
        kind, confidence = row["basis"].rsplit(":", 1)
        basis = "none" if confidence == "-" else next(
            word for start, word in BASES if kind.startswith(start))
        assert (row["ca_id"], row["model"],
                re.sub(r"\.x$", "", row["firmware_min"]), row["firmware_max"],
                row["verdict"], basis,
                confidence.replace("-", "none")) in claims, row
    assert len(claims) == len(rows)


def test_every_model():
    models = {row["name"] for row in table("models")}
    assert {row["model"] for row in read(REFERENCE / "trust-matrix.tsv")} \
        == models


def known(cell):
    return "?" not in cell and cell not in ("-", "")


def test_every_ca():
    cas = {row["id"]: row for row in table("cas")}
    denied = {row["id"]: row for row in table("denied")}
    for row in read(REFERENCE / "ca-certificates.tsv"):
        ours = cas.get(row["ca_id"]) or denied.get(row["ca_id"])
        assert ours, row["ca_id"]
        if known(row["sha256"]):
            assert ours["sha256"] == row["sha256"]
            assert ours["key_sha256"] == row["spki_sha256"]
        if row["ca_id"] in denied:
            continue
        assert ours["role"] == row["role"]
        if row["subject_dn"].startswith("/"):
            # Read since from the certificate, with its last attribute.
            assert ours["subject"].startswith(row["subject_dn"])
        for theirs, mine in (("not_before", "not_before"),
                             ("not_after", "not_after"),
                             ("serial_hex", "serial")):
            # Of some only the year is known, which is not enough for a time.
            if known(row[theirs]) and not re.fullmatch(r"(19|20)\d\d",
                                                       row[theirs]):
                assert ours[mine] == row[theirs], (row["ca_id"], mine)


def certificates():
    for path in sorted((REFERENCE / "ca").rglob("*")):
        if path.suffix in (".pem", ".crt"):
            for pem in re.findall(
                    b"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----",
                    path.read_bytes(), re.DOTALL):
                yield x509.load_pem_x509_certificate(pem)


def test_every_certificate():
    """What cas.tsv says of a certificate is what the certificate says."""
    by_hash = {row["sha256"]: row for row in table("cas") + table("denied")}
    seen = set()
    for cert in certificates():
        der = cert.public_bytes(serialization.Encoding.DER)
        row = by_hash[hashlib.sha256(der).hexdigest()]
        key = cert.public_key()
        seen.add(row["id"])
        assert row["key_sha256"] == hashlib.sha256(key.public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest()
        if "role" not in row:
            continue
        assert row["key"] == f"RSA-{key.key_size}"
        assert row["exponent"] == str(key.public_numbers().e)
        assert row["digest"] == cert.signature_hash_algorithm.name
        assert row["version"] == str(cert.version.value + 1)
        assert int(row["serial"], 16) == cert.serial_number
        assert row["not_before"] == cert.not_valid_before.isoformat() + "Z"
        assert row["not_after"] == cert.not_valid_after.isoformat() + "Z"
        names = cert.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        assert row["common_name"] == names[0].value
        assert row["subject"].endswith(names[0].value) or \
            f"/CN={names[0].value}/" in row["subject"]
    assert len(seen) >= 19
