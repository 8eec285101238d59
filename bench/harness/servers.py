"""The servers under test: each with the same certificate, CA and files, one
worker, TLS from 1.0 on, and nothing that a fair comparison would not have.

A server is started in a folder of its own with a configuration written for it,
on an unprivileged port of loopback, on the core it is given, and ended by its
process id.  None touches what is installed on the machine.
"""

import os
import pathlib
import pwd
import re
import resource
import shutil
import signal
import socket
import subprocess
import time

# A device certificate of 1024 bits and SHA-1, and TLS 1.0, need level 0.
CIPHERS = ("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:"
           "AES128-GCM-SHA256:AES128-SHA:AES256-SHA:@SECLEVEL=0")
BACKLOG = 4096
PATIENCE = 20
DESCRIPTORS = 130000


def is_root():
    return os.geteuid() == 0


def raise_limit():
    """As many descriptors as can be had; all that is started inherits it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE,
                           (max(hard, DESCRIPTORS),) * 2)
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


CONNECTIONS = min(60000, raise_limit() - 1000)


_reserved = []


def free_port():
    """One that nobody else gets: a socket that is bound and does not listen
    keeps it; a server that sets SO_REUSEADDR, as all do, can bind it."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 0))
    _reserved.append(s)
    return s.getsockname()[1]


# Servers and generators before all else on their cores: other work on the
# machine then costs them caches, but not their turn.  Among themselves they take
# turns (SCHED_RR): a server that polls for its own child must not keep it from
# running.  Set before any starts.
realtime = False
REALTIME_PRIORITY = 10


def may_be_realtime():
    """Does the kernel let us?"""
    try:
        old = os.sched_getscheduler(0), os.sched_getparam(0)
        os.sched_setscheduler(0, os.SCHED_RR,
                              os.sched_param(REALTIME_PRIORITY))
        os.sched_setscheduler(0, *old)
    except OSError:
        return False
    return True


def pin(core):
    """For preexec_fn: this core only; None: any."""
    def act():
        if realtime:
            os.sched_setscheduler(0, os.SCHED_RR,
                                  os.sched_param(REALTIME_PRIORITY))
        if core is not None:
            os.sched_setaffinity(0, {core} if isinstance(core, int)
                                 else set(core))
    return act


class Server:
    """One that serves the files, or profiles of the inventory."""

    name = program = package = None
    one_file = False  # it can give all devices the same file only
    share = None  # harness/share.py; set for all before any starts
    wait_s = None  # how long a client may be silent; set as share is
    arguments = []

    def __init__(self, site, core=0, resumption=False, workers=1, number=0):
        self.site, self.core = site, core
        self.resumption, self.workers = resumption, workers
        self.folder = site.folder / ("run-%s%s" % (self.name, number or ""))
        self.port = free_port()
        self.processes = []
        self.log = self.folder / "log"
        # What clients saw, in all: site.load() adds to it.
        self.seen = {"connected": 0, "handshakes": 0, "served": 0}

    @classmethod
    def is_here(cls):
        return shutil.which(cls.program, path=os.environ["PATH"] +
                            ":/usr/sbin:/sbin") is not None

    @classmethod
    def path(cls):
        return shutil.which(cls.program, path=os.environ["PATH"] +
                            ":/usr/sbin:/sbin")

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def configure(self):
        raise NotImplementedError

    def spawn(self, *command, core=None):
        # Ends by itself only when we end it: kept until stop().
        # pylint: disable=consider-using-with
        log = open(self.log, "ab")
        pinned = pin(self.core if core is None else core)

        def act():
            if Server.share is not None:
                Server.share.join()
            pinned()

        process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, cwd=self.folder, preexec_fn=act)
        log.close()
        self.processes.append(process)
        return process

    def start(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.folder.chmod(0o755)
        self.spawn(*self.configure())
        self.wait()
        return self

    def wait(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    self.seen["connected"] += 1
                    return
            if self.processes[0].poll() is not None:
                break
            time.sleep(0.05)
        self.stop()
        raise RuntimeError("%s does not start:\n%s" % (
            self.name, self.log.read_text(errors="replace")[-2000:]))

    @property
    def pid(self):
        return self.processes[0].pid

    @property
    def address(self):
        return "127.0.0.1:%d" % self.port

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes = []

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class Sprov(Server):
    """This project's: profiles rendered from the inventory, log and events
    on."""

    name = "sprov"
    program = package = "sprov"

    def __init__(self, site, *arguments, extra="", name=None, **options):
        if name:
            self.name = name
        super().__init__(site, *arguments, **options)
        self.extra = extra

    @classmethod
    def is_here(cls):
        return True

    def configure(self):
        for path in self.site.folder.glob("inventory.db*"):
            shutil.copy(path, self.folder)
        if is_root():
            nobody = pwd.getpwnam("nobody")
            for path in [self.folder, *self.folder.iterdir()]:
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        extra = self.extra
        if not self.resumption and "performance" not in extra:  # as with peers; the default is to resume
            extra += "performance {\n    sessions 0\n}\n"
        config = self.write("sprov.conf", """\
%sstate-directory .
inventory sqlite:inventory.db
templates %s/templates
workers %d
connections %d
%s%s
listener bench {
    address %s
    certificate %s/server.crt key %s/server.key
    tls legacy
    client-anchors %s/ca.crt
}
""" % ("user nobody\n" if is_root() else "", self.site.fleet, self.workers,
            CONNECTIONS, "timeout request %ds\n" % self.wait_s
            if self.wait_s else "", extra, self.address,
            self.site.fleet, self.site.fleet, self.site.fleet))
        return self.site.sprov, "serve", "--config", config


    def counters(self):
        """What it counted, from its log: after stop()."""
        lines = [line for line in self.log.read_text().splitlines()
                 if " event=counters " in line]
        return {} if not lines else {
            name: int(value) for name, value in re.findall(
                r"([a-z-]+)=(\d+)(?= |$)", lines[-1])}


class Nginx(Server):
    name = program = package = "nginx"

    def body(self, plain_port=None):
        listen = "127.0.0.1:%d %sbacklog=%d" % (
            plain_port or self.port, "" if plain_port else "ssl ", BACKLOG)
        cache = "shared:s:20m" if self.resumption else "off"
        return """\
%sdaemon off;
pid %s/nginx.pid;
error_log stderr error;
worker_processes %d;
worker_rlimit_nofile %d;
events { worker_connections %d; }
http {
    access_log off;
    sendfile on;
    tcp_nodelay on;
    client_header_timeout %ds;
    default_type application/octet-stream;
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3;
    uwsgi_temp_path t4; scgi_temp_path t5;
    server {
        listen %s;
        root %s;
        %s
    }
}
""" % ("user nobody nogroup;\n" if is_root() else "", self.folder,
            self.workers, CONNECTIONS + 1000, CONNECTIONS, self.wait_s or 60,
            listen,
            self.site.files, "" if plain_port else """\
ssl_certificate %s/server.crt;
        ssl_certificate_key %s/server.key;
        ssl_client_certificate %s/ca.crt;
        ssl_verify_client on;
        ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
        ssl_ciphers %s;
        ssl_prefer_server_ciphers on;
        ssl_session_cache %s;
        ssl_session_tickets %s;""" % (
                self.site.fleet, self.site.fleet, self.site.fleet, CIPHERS,
                cache, "on" if self.resumption else "off"))

    def configure(self):
        config = self.write("nginx.conf", self.body())
        return self.path(), "-p", self.folder, "-c", config


class Haproxy(Server):
    """One file for all: it keeps answers, not folders.  It wants two
    descriptors for each connection."""

    name = program = package = "haproxy"
    one_file = True

    def configure(self):
        bundle = self.write("server.pem", (
            self.site.fleet / "server.crt").read_text() + (
                self.site.fleet / "server.key").read_text())
        bundle.chmod(0o600)
        config = self.write("haproxy.cfg", """\
global
    maxconn %d
    nbthread %d
    tune.bufsize 65536
    tune.ssl.cachesize %d
defaults
    mode http
    timeout client %ds
    timeout http-request %ds
    timeout connect 5s
    timeout server 60s
frontend bench
    bind %s backlog %d ssl crt %s ca-file %s/ca.crt verify required \
ssl-min-ver TLSv1.0 ciphers %s %s
    http-request return status 200 content-type \
application/octet-stream file %s
""" % (CONNECTIONS // 2, self.workers, 20000 if self.resumption else 0,
            self.wait_s or 60, self.wait_s or 60, self.address, BACKLOG, bundle,
            self.site.fleet, CIPHERS, "" if self.resumption else "no-tls-tickets", self.site.one_file))
        return self.path(), "-db", "-f", config


class Lighttpd(Server):
    """It wants to build its chain itself, so its CA stands in the file too and
    goes to the devices: about 800 bytes more."""

    name = program = "lighttpd"
    package = "lighttpd lighttpd-mod-openssl"

    @classmethod
    def is_here(cls):
        return super().is_here() and pathlib.Path(
            "/usr/lib/lighttpd/mod_openssl.so").exists()

    def configure(self):
        bundle = self.write("server.pem", (
            self.site.fleet / "server.crt").read_text() + (
                self.site.fleet / "server.key").read_text() + (
                    self.site.fleet / "server-ca.crt").read_text())
        bundle.chmod(0o600)
        config = self.write("lighttpd.conf", """\
server.modules = ( "mod_openssl" )
server.document-root = "%s"
server.bind = "127.0.0.1"
server.port = %d
server.max-connections = %d
server.max-fds = %d
server.listen-backlog = %d
server.max-read-idle = %d
server.errorlog = "%s/error.log"
mimetype.assign = ( "" => "application/octet-stream" )
ssl.engine = "enable"
ssl.pemfile = "%s"
ssl.verifyclient.ca-file = "%s/ca.crt"
ssl.verifyclient.activate = "enable"
ssl.verifyclient.enforce = "enable"
ssl.openssl.ssl-conf-cmd = ( "MinProtocol" => "TLSv1",
    "CipherString" => "%s", "Options" => "%sSessionTicket" )
""" % (self.site.files, self.port, CONNECTIONS, CONNECTIONS + 1000, BACKLOG,
            self.wait_s or 60, self.folder, bundle, self.site.fleet, CIPHERS,
            "" if self.resumption else "-"))
        return self.path(), "-D", "-f", config


class Hitch(Server):
    """TLS only: an nginx without TLS stands behind it, and counts."""

    name = program = package = "hitch"

    def configure(self):
        back = free_port()
        plain = Nginx(self.site, self.core)
        config = self.write("nginx.conf", plain.body(back).replace(
            str(plain.folder), str(self.folder)))
        bundle = self.write("server.pem", (
            self.site.fleet / "server.crt").read_text() + (
                self.site.fleet / "server.key").read_text())
        bundle.chmod(0o600)
        hitch = self.write("hitch.conf", """\
frontend = "[127.0.0.1]:%d"
backend = "[127.0.0.1]:%d"
pem-file = "%s"
workers = %d
backlog = %d
daemon = off
%sciphers = "%s"
tls-protos = TLSv1.0 TLSv1.1 TLSv1.2 TLSv1.3
client-verify = required
client-verify-ca = "%s/ca.crt"
""" % (self.port, back, bundle, self.workers, BACKLOG,
            'user = "nobody"\ngroup = "nogroup"\n' if is_root() else "",
            CIPHERS, self.site.fleet))
        # The shell is the parent of both, so that both are counted.
        script = self.write("both", "#!/bin/sh\n%s -p %s -c %s &\nother=$!\n"
                            "%s --config=%s &\nhitch=$!\n"
                            "trap 'kill $other $hitch' TERM\nwait\nwait\n" % (
                                Nginx.path(), self.folder, config, self.path(),
                                hitch))
        return "/bin/sh", script


class Apache(Server):
    name = "apache"
    program = "apache2"
    package = "apache2-bin"

    def configure(self):
        modules = pathlib.Path("/usr/lib/apache2/modules")
        config = self.write("apache.conf", """\
%s
ServerName bench.example.net
PidFile %s/pid
ErrorLog %s/error.log
LogLevel error
Listen %s
ListenBacklog %d
StartServers 1
ServerLimit %d
ThreadsPerChild 400
ThreadLimit 400
MaxRequestWorkers %d
MinSpareThreads 1
MaxSpareThreads 400
%sDocumentRoot %s
<Directory %s>
    Require all granted
</Directory>
SSLEngine on
SSLCertificateFile %s/server.crt
SSLCertificateKeyFile %s/server.key
SSLCACertificateFile %s/ca.crt
SSLVerifyClient require
SSLProtocol all -SSLv3 +TLSv1 +TLSv1.1
SSLCipherSuite %s
SSLSessionCache %s
SSLSessionTickets %s
""" % ("\n".join("LoadModule %s_module %s/mod_%s.so" % (name, modules, name)
                 for name in ("mpm_event", "authz_core", "socache_shmcb",
                              "ssl")), self.folder, self.folder, self.address,
            BACKLOG, self.workers, 400 * self.workers,
            "User nobody\nGroup nogroup\n" if is_root() else "",
            self.site.files, self.site.files, self.site.fleet,
            self.site.fleet, self.site.fleet, CIPHERS,
            "shmcb:%s/cache(2000000)" % self.folder if self.resumption
            else "none", "on" if self.resumption else "off"))
        return (self.path(), "-D", "FOREGROUND", "-d", self.folder, "-f",
                config)


PEERS = {server.name: server for server in (
    Nginx, Haproxy, Lighttpd, Hitch, Apache)}


def make_sure(names):
    """Install what is missing, or say what to install."""
    missing = " ".join(sorted(PEERS[name].package for name in names
                              if not PEERS[name].is_here()))
    if not missing:
        return
    command = "apt-get install --no-install-recommends " + missing
    if not is_root():
        raise SystemExit("bench: missing; as root: " + command)
    print("bench: installing " + missing)
    # Debian starts a server when it is installed; this one is not for that.
    policy = pathlib.Path("/usr/sbin/policy-rc.d")
    made = not policy.exists()
    if made:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        subprocess.run([*command.split(), "--yes", "--quiet"], check=True,
                       stdout=subprocess.DEVNULL)
    finally:
        if made:
            policy.unlink()
