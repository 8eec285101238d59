"""A running sprov serve, as the tests see it from outside."""

import os
import pathlib
import pwd
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TREE = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("SPROV", TREE / "build" / "sprov"))

# Long for a machine that is busy; nothing waits for it to pass.
PATIENCE = 30

# What a test may need of the caller's environment, and nothing else.
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "LC_ALL": "C.UTF-8",
    **{variable: os.environ[variable] for variable in os.environ
       if variable.endswith("SAN_OPTIONS")},
}


def is_root():
    return os.geteuid() == 0


def give_away(path):
    """As root: to the user that the server becomes."""
    if is_root():
        user = pwd.getpwnam("nobody")
        os.chown(path, user.pw_uid, user.pw_gid)


def wait_until(condition, what, patience=PATIENCE):
    """Until condition() is true; returns what it was."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, "waited in vain: %s" % what
        time.sleep(0.01)


_reserved = []


def free_port(host="127.0.0.1"):
    """One that nobody else gets while this process lives.

    A socket that is bound and does not listen keeps it from all who ask for
    any port, and from outgoing connections; a server that sets SO_REUSEADDR,
    as all do, can still bind it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    s = socket.socket(family)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((host, 0))
    _reserved.append(s)
    return s.getsockname()[1]


FIELD = re.compile(r'([a-z-]+)=("(?:[^"\\]|\\.)*"|\S*)')


ESCAPE = re.compile(r"\\x([0-9a-f]{2})")


class Line(dict):
    """A line of the log: its fields, and the line itself."""

    def __init__(self, text):
        super().__init__((key, self.plain(value))
                         for key, value in FIELD.findall(text))
        self.text = text

    @staticmethod
    def plain(value):
        if value[:1] == '"':
            value = value[1:-1]
        return ESCAPE.sub(lambda found: chr(int(found.group(1), 16)), value)


class Log:
    """A log file that somebody writes."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def text(self):
        return self.path.read_text(errors="replace") \
            if self.path.exists() else ""

    def lines(self, **fields):
        """Those in which all these fields stand so."""
        lines = map(Line, self.text().splitlines())
        return [line for line in lines
                if all(line.get(key) == value
                       for key, value in fields.items())]

    def wait(self, count=1, **fields):
        """The line number count with these fields.

        The log is written by a thread of its own: what happened may not be
        in it yet.
        """
        return wait_until(lambda: self.lines(**fields)[count - 1:],
                          "%s in the log" % fields)[0]

    def exactly(self, count, **fields):
        """Those, of which there have to be so many."""
        self.wait(count, **fields)
        lines = self.lines(**fields)
        assert len(lines) == count
        return lines

    def messages(self, **fields):
        """The texts of those, as one; there has to be one."""
        self.wait(**fields)
        return "\n".join(line["message"] for line in self.lines(**fields))

    def check(self):
        """Nothing that a sanitizer complained about."""
        text = self.text()
        at = text.find("Sanitizer")
        assert at < 0 and "runtime error:" not in text, \
            text[max(at - 1000, 0):]

    def tail(self, count=20):
        return "\n".join(self.text().splitlines()[-count:])


class Manager:
    """The socket on which a service manager hears from the server."""

    def __init__(self, folder):
        self.path = folder / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        os.chmod(self.path, 0o666)
        self.states = []

    def hear(self, timeout):
        """Keep what comes within timeout; whether something did."""
        if not select.select([self.socket], [], [], timeout)[0]:
            return False
        self.states.append(self.socket.recv(4096).decode())
        return True

    def close(self):
        self.socket.close()


class Server:
    """A folder with a configuration, an inventory and a process.

    As root the server runs as nobody, so the folder is one that nobody can
    reach, which those of pytest are not.
    """

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sprov-test-"))
        self.folder.chmod(0o755)
        give_away(self.folder)
        (self.folder / "templates").mkdir()
        self.config = self.folder / "sprov.conf"
        self.log = Log(self.folder / "serve.log")
        self.manager = Manager(self.folder)
        self.process = None
        self.environment = {
            **ENVIRONMENT,
            "HOME": str(self.folder),
            "SPROV_INVENTORY": "sqlite:%s" % (self.folder / "inventory.db"),
        }

    # Files

    def write(self, name, text):
        path = self.folder / name
        if isinstance(text, str):
            text = text.encode()
        path.write_bytes(text)
        give_away(path)
        return path

    def write_pair(self, base, certificate):
        for path in certificate.write(self.folder, base):
            give_away(path)

    def configure(self, text):
        """Without visits of its own, unless the text speaks of them."""
        user = "user nobody\n" if is_root() else ""
        visits = "" if "self-test" in text else "self-test off\n"
        return self.write("sprov.conf",
                          user + visits + "templates templates\n" + text)

    def device(self, *arguments, stdin=""):
        """Run sprov device; returns what it printed."""
        done = subprocess.run(
            [str(BINARY), "device", *map(str, arguments)], input=stdin,
            env=self.environment, capture_output=True, encoding="utf-8",
            timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        for path in self.folder.glob("inventory.db*"):
            give_away(path)
        return done.stdout

    # The process

    @property
    def pid(self):
        return self.process.pid

    def spawn(self, before=(), **options):
        """Start it, and do not wait."""
        with open(self.log.path, "ab") as log:
            self.process = subprocess.Popen(
                [*before, str(BINARY), "serve", "--config",
                 str(self.config)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**self.environment,
                     "NOTIFY_SOCKET": str(self.manager.path)}, **options)

    def wait_for_state(self, state):
        """Until the server says so, beginning after what was said before."""
        end = time.monotonic() + PATIENCE
        while True:
            heard = self.manager.hear(0.05)
            if heard and state in self.manager.states[-1].split("\n"):
                return
            assert self.process.poll() is None or heard, (
                "the server ended with %s:\n%s"
                % (self.process.returncode, self.log.tail()))
            assert time.monotonic() < end, "never heard: %s" % state

    def start(self, **options):
        self.spawn(**options)
        self.wait_for_state("READY=1")

    def reload(self):
        self.process.send_signal(signal.SIGHUP)
        self.wait_for_state("READY=1")

    def ended(self):
        """Wait for the end; the exit status."""
        return self.process.wait(PATIENCE)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def close(self):
        """At the end of a test, whatever became of it."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.manager.close()
        try:
            self.log.check()
        finally:
            shutil.rmtree(self.folder)
