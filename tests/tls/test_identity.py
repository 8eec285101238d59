"""Who gets what: every form of certificate, and everything that is none."""

import pytest

import minting
import wire
from conftest import DEVICES, MAC, OTHER, PROFILE
from minting import documented, mic, observed

SERIAL = "88012AA00001"

RETIRED = "000e08aabbce"
UNKNOWN = "000e08aabbcf"

# form: how to write the subject, and the product of a model of each form
FORMS = {
    "documented": (documented, "SPA962", "SPA-962"),
    "observed": (observed, "SPA525G2", "SPA-525G2"),
    "mic": (mic, "CP-8841-3PCC", "CP-8841-3PCC"),
}

SPELLINGS = [
    "/spa{ma}.cfg", "/spa{mau}.cfg", "/{ma}.xml", "/{mau}.xml", "/{ma}.cfg",
    "/{mau}.cfg", "/spa-{ma}.cfg", "/{colon}.xml", "/{colonup}.cfg",
    "/{dash}.xml", "/Cisco/{pn}/{ma}.cfg", "/spa{ma}.cfg?serial=1",
    "/%73pa{ma}.cfg",
]

# What no spelling may reach; with the status.  Of another device:
OTHERS = [
    ("/spa{other}.cfg", 403), ("/{other}.xml", 403), ("/{othercolon}.xml",
                                                      403),
    ("/spa-{other}.cfg", 403), ("/Cisco/{pn}/{other}.cfg", 403),
    ("/../spa{other}.cfg", 400), ("/./spa{other}.cfg", 400),
    ("/spa{ma}.cfg/../spa{other}.cfg", 400),
    ("/%2e%2e/spa{other}.cfg", 400), ("/.%2e/spa{other}.cfg", 400),
    ("/%2fspa{other}.cfg", 400), ("//spa{other}.cfg", 400),
    ("/..\\spa{other}.cfg", 400), ("/spa{ma}.cfg%00", 400),
    ("/spa{ma}%0d%0a.cfg", 400), ("/%c0%ae%c0%ae/spa{other}.cfg", 400),
    ("/%252e%252e/spa{other}.cfg", 400),
]
# Of nobody:
ABSENT = [
    "/SPA{ma}.CFG", "/spa{ma}.CFG", "/Spa{ma}.cfg", "/spa{ma}.cfg/",
    "/spa{ma}.cfg.bak", "/spa{ma}.cfg~", "/x/spa{ma}.cfg", "/spa.cfg",
    "/spa{ma}0.cfg", "/spa0{ma}.cfg", "/{ma}", "/", "/sprov.conf",
    "/templates/device.xml", "/server.key", "/inventory.db", "/cisco/{pn}/"
    "{ma}.cfg", "/Cisco/SPA504G/{ma}.cfg.", "/Cisco//{ma}.cfg",
]


def spell(path, product="", mac=MAC):
    def pairs(text, between):
        return between.join(text[i:i + 2] for i in range(0, 12, 2))
    return path.format(
        ma=mac, mau=mac.upper(), colon=pairs(mac, ":"),
        colonup=pairs(mac.upper(), ":"), dash=pairs(mac, "-"), pn=product,
        other=OTHER, othercolon=pairs(OTHER, ":"))


class Formed:
    """A server whose devices are of one form, and a way to ask it."""

    def __init__(self, server, form):
        self.server = server
        self.form = form
        self.subject, self.model, self.product = FORMS[form]
        # $PN has the hyphen in the SPA9xx only.
        self.pn = "SPA-962" if form == "documented" else self.model
        self.asked = 0

    def certificate(self, mac=MAC, serial=SERIAL, authority=None, days=None,
                    **changes):
        authority = authority or self.server.pki.client_root
        return authority.issue(
            self.subject(mac, serial, self.product, **changes),
            private_key=minting.key(1024), digest="sha1",
            days=days or (-10, 1000))

    def ask(self, path, certificate):
        """The reply, and the log's reason for it."""
        self.asked += 1
        reply = self.server.get(path, certificate)
        line = self.server.log.wait(self.asked, event="request")
        assert line["status"] == str(reply.status)
        return reply, line

    def refused(self, path, certificate, status, reason):
        reply, line = self.ask(path, certificate)
        assert reply.status == status, (path, reply)
        assert reason is None or line["reason"] == reason, line.text
        assert b"flat-profile" not in reply.body
        assert b"secret" not in reply.body
        return line


@pytest.fixture(params=list(FORMS))
def formed(request, server):
    made = Formed(server, request.param)
    server.device("import", "--update", "-", stdin=DEVICES.replace(
        "SPA962", made.model))
    server.configure(server.listener())
    server.start()
    return made


# By form


def test_own_profile_in_every_spelling(formed):
    certificate = formed.certificate()
    for spelling in SPELLINGS:
        path = spell(spelling, formed.pn)
        reply, line = formed.ask(path, certificate)
        assert reply.status == 200 and reply.body == PROFILE, (path, reply)
        assert line["reason"] == "own-profile"
        assert (line["form"], line["mac"]) == (formed.form, MAC)
        assert (line["product"], line["serial"]) == (formed.product, SERIAL)
        assert line["issuer"] == "Client Root"


def test_not_another_profile(formed):
    certificate = formed.certificate()
    for spelling, status in OTHERS:
        formed.refused(spell(spelling, formed.pn), certificate, status,
                       "other-device" if status == 403 else None)


def test_nothing_else(formed):
    certificate = formed.certificate()
    for spelling in ABSENT:
        path = spell(spelling, formed.pn)
        if "//" in path:
            formed.refused(path, certificate, 400, None)
        else:
            formed.refused(path, certificate, 404, "no-such-path")
    # Of a model that this one is not.
    formed.refused(spell("/Cisco/SPA504G/{ma}.cfg"), certificate, 403,
                   "other-model")


def test_certificates_that_are_no_identity(formed):
    """Each asks for the profile that the right one would get."""
    path = spell("/spa{ma}.cfg")
    stranger = minting.authority("Client Root", which=4)
    own = formed.certificate
    for certificate, reason in [
            (None, "no-certificate"),
            (own(authority=stranger), "untrusted-certificate"),
            (own(authority=formed.server.pki.server_root),
             "untrusted-certificate"),
            (own(days=(-10, -1)), "expired-certificate"),
            (own(days=(1, 10)), "expired-certificate"),
            (own(serial="88012AA00009"), "wrong-serial"),
    ]:
        formed.refused(path, certificate, 403, reason)
    assert formed.ask(path, own())[0].status == 200


def test_devices_that_are_not_served(formed):
    own = formed.certificate
    formed.refused(spell("/spa{ma}.cfg", mac=UNKNOWN),
                   own(UNKNOWN, "88012AA00008"), 403, "unknown-device")
    formed.refused(spell("/spa{ma}.cfg", mac=RETIRED),
                   own(RETIRED, "88012AA00003"), 403, "retired-device")
    # A retired one learns nothing of what there is.
    formed.refused("/absent", own(RETIRED, "88012AA00003"), 403,
                   "retired-device")
    formed.refused(spell("/spa{ma}.cfg"), own(OTHER, "88012AA00002"), 403,
                   "other-device")


def test_parts_that_disagree(formed):
    """Where a form says something twice."""
    changes = {
        "documented": [{"CN": "SPA-962"}, {"ST": "generic"},
                       {"L": "12-34"}, {"ST": MAC + "0"}, {"OU": "a b"},
                       {"ST": "01" + MAC[2:]}, {"ST": "0" * 12},
                       {"ST": MAC + " "}],
        "observed": [{"ST": OTHER.upper()}, {"L": "88012AA00002"},
                     {"ST": "x"}, {"OU": "SPA-504G"},
                     {"CN": "SPA-525G2, MAC: %s, Serial: %s" % (
                         OTHER.upper(), SERIAL)},
                     {"CN": "SPA-525G2, MAC: %s, Serial: %s, x" % (
                         MAC.upper(), SERIAL)}],
        "mic": [{"CN": "CP-8851-3PCC-SEP" + MAC.upper()},
                {"CN": "SEP" + MAC.upper()}, {"ST": OTHER},
                {"L": "88012AA00002"},
                {"serialNumber": "PID:CP-8851-3PCC SN:" + SERIAL},
                {"serialNumber": SERIAL}],
    }[formed.form]
    for change in changes:
        reason = "generic-certificate" if "generic" in change.values() \
            else "contradictory-certificate"
        line = formed.refused(spell("/spa{ma}.cfg"),
                              formed.certificate(**change), 403, reason)
        assert "mac" not in line, line.text
        if reason == "contradictory-certificate":
            assert line["form"] == "invalid" and line["subject"]


def test_generic_certificates(formed):
    generic = {"documented": {"ST": "generic", "L": "generic"},
               "observed": {"CN": "SPA-525G2 generic certificate"},
               "mic": {"CN": "Generic-SEP" + MAC.upper()}}[formed.form]
    formed.refused(spell("/spa{ma}.cfg"), formed.certificate(**generic), 403,
                   "generic-certificate")


def test_another_model_than_the_inventory_says(formed):
    other = "CP-8851-3PCC" if formed.form == "mic" else "SPA-504G"
    certificate = formed.server.pki.client_root.issue(
        formed.subject(MAC, SERIAL, other), private_key=minting.key(1024))
    formed.refused(spell("/spa{ma}.cfg"), certificate, 403, "wrong-product")


def test_of_the_lab(lab):
    """Real devices of each form, in the spellings that the lab serves."""
    for label in "SPA962@6.1.5(a)", "SPA525G2@7.5.4", "ATA191-MPP@11.2(4)":
        device = lab.device(label)
        context = wire.context(device.identity, lowest=wire.TLS10)
        for path in ("/spa{ma}.cfg", "/spa{mau}.cfg", "/{ma}.xml",
                     "/{ma}.cfg", "/{colon}.xml"):
            reply = wire.get(device.port, context, spell(
                path, mac=device.mac))
            assert reply.status == 200 and reply.body == device.profile


def test_common_file_of_the_lab(lab):
    """That of the own model, and of no other."""
    device = lab.device("SPA962@6.1.5(a)")
    context = wire.context(device.identity, lowest=wire.TLS10)
    reply = wire.get(device.port, context, "/spa962.cfg")
    assert reply.status == 200 and b"<GPP_B>SPA-962</GPP_B>" in reply.body
    reply = wire.get(device.port, context, "/spa942.cfg")
    assert reply.status == 403
    reply = wire.get(device.port, wire.context(lowest=wire.TLS10),
                     "/spa962.cfg")
    assert reply.status == 403


# Listeners that ask, and do not insist


@pytest.fixture
def optional(server):
    server.write("templates/hello.xml",
                 "<flat-profile><GPP_A>hello</GPP_A></flat-profile>\n")
    server.write("templates/model.xml",
                 "<flat-profile><GPP_A>{{product}}</GPP_A></flat-profile>\n")
    server.configure(
        "public /hello.xml hello.xml\ncommon /spa$PSN.cfg model.xml\n" +
        server.listener(directives="client-certificate optional"))
    server.start()
    return server


def test_public_file(optional):
    """For everybody, whatever is shown."""
    expired = optional.pki.client_root.issue(
        documented(MAC, SERIAL), private_key=minting.key(1024),
        days=(-10, -1))
    stranger = minting.authority("Stranger", which=4).issue(
        documented(MAC, SERIAL), private_key=minting.key(1024))
    for certificate in None, expired, stranger, "device":
        reply = optional.get("/hello.xml", certificate)
        assert reply.status == 200 and b"hello" in reply.body
        assert reply["Content-Type"] == "text/xml"
    optional.log.exactly(4, reason="public-file")


def test_only_public_files_without_identity(optional):
    for path in "/spa%s.cfg" % MAC, "/spa962.cfg", "/absent", "/":
        reply = optional.get(path, None)
        assert reply.status == 403, (path, reply)
    assert optional.get().status == 200
    assert optional.get("/spa962.cfg").status == 200
    assert optional.get("/spa942.cfg").status == 403


def test_public_file_where_certificates_are_required(server):
    server.write("templates/hello.xml", "<flat-profile/>\n")
    server.configure("public /hello.xml hello.xml\n" + server.listener())
    server.start()
    assert server.get("/hello.xml", None).status == 403
    assert server.get("/hello.xml").status == 200


# Dates


def expired_device(server, days=(-10, -1)):
    return server.pki.client_root.issue(
        documented(MAC, SERIAL), private_key=minting.key(1024), days=days)


@pytest.mark.parametrize("policy, status", [
    ("", 403),
    ("expired-device-certificates refuse", 403),
    ("expired-device-certificates allow", 200),
])
def test_expired_device(server, policy, status):
    server.configure(server.listener(directives=policy))
    server.start()
    certificate = expired_device(server)
    assert server.get(certificate=certificate).status == status
    line = server.log.wait(event="request")
    assert line["verify"] == "certificate has expired"
    assert line["depth"] == "0"
    # Allowed is the date, and nothing else.
    reply = server.get("/spa%s.cfg" % OTHER, certificate)
    assert reply.status == 403
    stranger = minting.authority("Stranger", which=4).issue(
        documented(MAC, SERIAL), private_key=minting.key(1024),
        days=(-10, -1))
    assert server.get(certificate=stranger).status == 403
    assert server.get().status == 200


OLD_ROOT = "Old Client Root"


def old_root(server, **options):
    """An expired anchor beside a good one, in a file."""
    root = minting.authority(OLD_ROOT, which=7, days=(-1000, -1), **options)
    server.write("anchors.pem", root.pem + server.pki.client_root.pem)
    return root


@pytest.mark.parametrize("policy, status, of_expired", [
    ("", 403, 403),
    ('allow-expired-anchor "%s"' % OLD_ROOT, 200, 403),
    ("expired-device-certificates allow", 403, 403),
    ('allow-expired-anchor "%s"\nexpired-device-certificates allow'
     % OLD_ROOT, 200, 200),
])
def test_expired_anchor(server, policy, status, of_expired):
    """Only by name: that devices may be expired is another matter."""
    root = old_root(server)
    server.configure(server.listener(directives=policy))
    server.start()
    for days, wanted in ((-20, 1000), status), ((-20, -1), of_expired):
        certificate = root.issue(
            documented(MAC, SERIAL), private_key=minting.key(1024),
            digest="md5", days=days)
        assert server.get(certificate=certificate).status == wanted
    # The other anchor is as it was.
    assert server.get().status == 200


def test_expired_anchor_of_another_key(server):
    """The name alone is not the anchor."""
    old_root(server)
    server.configure(server.listener(
        directives='allow-expired-anchor "%s"' % OLD_ROOT))
    server.start()
    false = minting.authority(OLD_ROOT, which=8, days=(-1000, -1)).issue(
        documented(MAC, SERIAL), private_key=minting.key(1024))
    assert server.get(certificate=false).status == 403
    server.log.wait(reason="untrusted-certificate")


# Anchors


def test_two_anchors_with_one_serial_number(server):
    """As two of the real ones have."""
    roots = [minting.authority("Client Root %d" % which, which=which,
                               serial=0x1d) for which in (7, 8)]
    server.write("anchors.pem", b"".join(root.pem for root in roots))
    server.configure(server.listener())
    server.start()
    for mac, serial, root in ((MAC, SERIAL, roots[0]),
                              (OTHER, "88012AA00002", roots[1])):
        certificate = root.issue(documented(mac, serial),
                                 private_key=minting.key(1024), serial=5)
        reply = server.get("/spa%s.cfg" % mac, certificate)
        assert reply.status == 200
        assert mac.encode() in reply.body
    assert {line["issuer"] for line in server.log.exactly(2, event="request")} \
        == {"Client Root 7", "Client Root 8"}


@pytest.mark.parametrize("order", [1, -1])
def test_a_renewed_anchor(server, order):
    """One name and one key, and the old one has expired."""
    roots = [minting.authority("Client Root", which=7, days=(-1000, -1)),
             minting.authority("Client Root", which=7)]
    server.write("anchors.pem",
                 b"".join(root.pem for root in roots[::order]))
    server.configure(server.listener())
    server.start()
    certificate = roots[0].issue(documented(MAC, SERIAL),
                                 private_key=minting.key(1024))
    assert server.get(certificate=certificate).status == 200


def test_anchors_in_a_folder(server):
    """PEM and DER, by the names of files."""
    folder = server.folder / "anchors"
    folder.mkdir()
    roots = {name: minting.authority(name, which=7 + i)
             for i, name in enumerate(["a.pem", "b.crt", "c.cer", "no.txt"])}
    for name, root in roots.items():
        server.write("anchors/" + name,
                     root.der if name == "c.cer" else root.pem)
    server.configure(server.listener(anchors="anchors"))
    server.start()
    for name, root in roots.items():
        certificate = root.issue(documented(MAC, SERIAL),
                                 private_key=minting.key(1024))
        wanted = 403 if name == "no.txt" else 200
        assert server.get(certificate=certificate).status == wanted, name


@pytest.fixture
def below(server):
    """A device whose issuer is an intermediate of a root."""
    root = minting.authority("Root", which=7)
    middle = root.issue(minting.name(CN="Intermediate"), ca=True,
                        private_key=minting.key(which=8))
    subject = documented(MAC, SERIAL)
    key = minting.key(1024)
    server.alone = middle.issue(subject, private_key=key)
    server.sent = middle.issue(subject, private_key=key, send=[middle])
    server.root, server.middle = root, middle
    return server


@pytest.mark.parametrize("anchor, alone, sent", [
    ("root", 403, 200), ("middle", 200, 200), ("both", 200, 200)])
def test_intermediate(below, anchor, alone, sent):
    """Sent by the device, or at home as an anchor."""
    below.write("anchors.pem", {
        "root": below.root.pem, "middle": below.middle.pem,
        "both": below.root.pem + below.middle.pem}[anchor])
    below.configure(below.listener())
    below.start()
    assert below.get(certificate=below.alone).status == alone
    assert below.get(certificate=below.sent).status == sent


def test_an_intermediate_that_is_none(server):
    """A device cannot sign others."""
    device = server.pki.client_root.issue(
        documented(OTHER, "88012AA00002"), private_key=minting.key(1024))
    false = device.issue(documented(MAC, SERIAL),
                         private_key=minting.key(1024, which=1),
                         send=[device])
    server.configure(server.listener())
    server.start()
    assert server.get(certificate=false).status == 403
    server.log.wait(reason="untrusted-certificate")
