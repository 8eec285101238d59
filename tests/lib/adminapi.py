"""A client of the admin listener, for tests."""

import http.client
import json
import ssl
import subprocess

from daemon import BINARY, give_away


def undeclared(schema, value, place):
    """Keys of value that schema does not know."""
    if isinstance(value, list):
        for item in value:
            yield from undeclared(schema.get("items", {}), item,
                                  place + "[]")
    if not isinstance(value, dict) or "properties" not in schema and \
            "additionalProperties" not in schema:
        return
    others = schema.get("additionalProperties", True)
    for key, inner in value.items():
        if key in schema.get("properties", {}):
            yield from undeclared(schema["properties"][key], inner,
                                  "%s.%s" % (place, key))
        elif isinstance(others, dict):
            yield from undeclared(others, inner, "%s.*" % place)
        elif not others:
            yield "%s.%s" % (place, key)


class Answer:
    """Status, fields and body of an answer."""

    def __init__(self, response):
        self.status = response.status
        self.fields = {name.lower(): value
                       for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return "<%d %s>" % (self.status, self.body[:300])


class Admin:
    """The admin listener of a server."""

    def __init__(self, server, port, secure=False):
        self.server = server
        self.port = port
        self.secure = secure
        self.token = None
        self.identity = None
        self.asked = []

    def block(self):
        """What stands for it in the configuration."""
        return "admin {\n    address 127.0.0.1:%d\n    %s\n}\n" % (
            self.port, "certificate server.crt key server.key"
            if self.secure else "plain-http")

    def command(self, *arguments, stdin="", status=0):
        """Run sprov admin; what it printed."""
        done = subprocess.run(
            [str(BINARY), "admin", *arguments, "--config",
             str(self.server.config)],
            input=stdin, env=self.server.environment, capture_output=True,
            encoding="utf-8", timeout=60, check=False)
        assert done.returncode == status, (done.returncode, done.stderr)
        for path in self.server.folder.glob("*.db*"):
            give_away(path)
        return done.stdout if status == 0 else done.stderr

    def add_token(self, name="test", *options):
        return self.command("token", "add", name, *options).strip()

    def connect(self):
        if not self.secure:
            return http.client.HTTPConnection("127.0.0.1", self.port,
                                              timeout=60)
        context = ssl.create_default_context()
        context.load_verify_locations(
            cadata=self.server.pki.server_root.pem.decode())
        if self.identity:
            context.load_cert_chain(*map(str, self.identity))
        return http.client.HTTPSConnection("localhost", self.port,
                                           timeout=60, context=context)

    def ask(self, method, path, body=None, connection=None, token="",
            **fields):
        """token: another one than usual; None: none.  An iterator as the
        body is sent in chunks."""
        used = self.token if token == "" else token
        headers = {name.replace("_", "-"): value
                   for name, value in fields.items()}
        if used:
            headers["Authorization"] = "Bearer " + used
        if body is not None and not isinstance(body, (bytes, str)) and \
                not hasattr(body, "__next__"):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        own = connection or self.connect()
        own.request(method, path, body=body, headers=headers)
        answer = Answer(own.getresponse())
        self.asked.append((method, path.split("?")[0], answer))
        if connection is None:
            own.close()
        return answer

    def get(self, path, **options):
        return self.ask("GET", path, **options)

    def read(self, path, **options):
        """The JSON of an answer that has to be 200."""
        answer = self.get(path, **options)
        assert answer.status == 200, (path, answer)
        return answer.json
