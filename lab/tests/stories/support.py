"""What the stories share: one practice lab at a time, the real tool, and waiting for conditions instead of for time.

Every limit here and in the stories ends a wait for something that never comes; none of them says how fast the tool is. They
are generous, since three labs share two cores with whatever else the machine does.

The tool is `.build/debug/geo-failover` of this repository, or GEO_FAILOVER_BIN. Everything that is started here ends
with the tests, also when they fail, are interrupted, or take longer than GEO_STORIES_LIMIT seconds (2400).
"""

import atexit
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "lab"))

from infra.host import LabError  # noqa: E402
from infra.lab import Lab  # noqa: E402
from traffic import intervals  # noqa: E402

for _name in ("GEO_LAB_NAME", "GEO_LAB_STATE"):
    os.environ.pop(_name, None)

LAB = str(ROOT / "lab/lab")
BIN = os.environ.get("GEO_FAILOVER_BIN") or str(ROOT / ".build/debug/geo-failover")
STATE = Path("/var/lib/geo-failover-lab")
# Where to write all that the tool says, to look at it afterwards; nothing when empty.
TRANSCRIPT = os.environ.get("GEO_STORIES_TRANSCRIPT")
LIMIT = float(os.environ.get("GEO_STORIES_LIMIT", "2400"))

_lab = None
_processes = set()
_folder = Path(tempfile.mkdtemp(prefix="geo-stories-"))


def _clean_up():
    signal.alarm(0)
    for process in list(_processes):
        process.kill()
        process.wait()
    leave_lab()
    shutil.rmtree(_folder, ignore_errors=True)


def _over(*_):
    raise KeyboardInterrupt


atexit.register(_clean_up)
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGTERM, _over)
    signal.signal(signal.SIGHUP, _over)
_watchdog = threading.Timer(LIMIT, os.kill, (os.getpid(), signal.SIGTERM))
_watchdog.daemon = True
_watchdog.start()


class Story(unittest.TestCase):
    """A test that ends: after `limit` seconds it fails, whatever it waits for."""
    limit = 300

    def setUp(self):
        def expire(*_):
            raise AssertionError(f"not done within {self.limit} s")
        signal.signal(signal.SIGALRM, expire)
        signal.alarm(self.limit)
        self.addCleanup(signal.alarm, 0)

    def assertSays(self, text, *parts):
        """Whether all parts are in a text, wherever its lines were broken; case matters."""
        flat = re.sub(r"\s+", " ", text)
        for part in parts:
            if part not in flat:
                self.fail(f"{part!r} is not in:\n{text[-3000:]}")


def until(condition, timeout=240, what="the condition", interval=0.1):
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s for {what}")
        time.sleep(interval)


# --- The lab


class PracticeLab:
    """A lab of the stories, with users on it."""

    def __init__(self, name, *shape):
        self.name = name
        # Two who test at once give one name each; one process of stories never has two labs up.
        self.real_name = os.environ.get("GEO_LAB_TEST_NAME") or name
        self.state = STATE / self.real_name
        self.command("down")
        try:
            self.command("up", *shape, timeout=400)
            self.users_come()
        except BaseException:
            self.command("down", check=False)
            raise
        self.inventory = str(self.state / "inventory.yaml")

    def command(self, *argv, check=True, timeout=300):
        done = subprocess.run([LAB, "--name", self.real_name, *argv], stdin=subprocess.DEVNULL, text=True, capture_output=True,
                              timeout=timeout, start_new_session=True)
        if check and done.returncode:
            raise AssertionError(f"lab {' '.join(argv)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def users_come(self):
        """Not as many as the lab has by default: each push is twenty processes, on the cores that the stories wait for."""
        self.command("load", "start", "--rate", "3", "--push-interval", "3")

    def fault(self, *words):
        self.command("fault", *words)

    def heal(self):
        self.command("fault", "heal")

    def on(self, node, *argv, check=True):
        """What a program in a node prints, as root and past the network. Without `lab exec`, whose start takes longer."""
        try:
            return Lab(self.real_name).exec(node, argv, check=check, timeout=300).stdout
        except LabError as error:
            if check:
                raise AssertionError(str(error)) from None
            return ""                           # the node is down

    def sql(self, node, query):
        return self.on(node, "gitlab-psql", "-Atc", query).strip()

    def files(self, node):
        """The file system of a node, as it is seen from outside."""
        return self.state / "nodes" / node / "root"

    def allow_only(self, rules):
        """Of sudo, on every node, to the account of the operators."""
        for node in self.nodes:
            (self.files(node) / "etc/sudoers.d/geo-ops").write_text(rules)

    def sshd_log(self, node):
        return (self.files(node) / "var/log/auth.log").read_bytes().decode(errors="replace").splitlines()

    @property
    def nodes(self):
        return {node["name"]: node for node in json.loads(self.command("status", "--json", check=False).stdout)["nodes"]}

    def wait_for_users_at(self, site):
        """Until users write at a site, and were promised so much that an audit means something."""
        acknowledged = {kind: self.state / f"load/acked-{kind}.log" for kind in ("writes", "pushes")}
        before = acknowledged["writes"].stat().st_size
        until(lambda: site in acknowledged["writes"].read_text()[before:], what=f"users to write at {site}")
        until(lambda: all(log.read_text().count("\n") > 10 for log in acknowledged.values()), what="more than ten writes and pushes")

    def audit(self, *options):
        done = self.command("audit", "--json", *options, check=False)
        return done.returncode, json.loads(done.stdout)

    def outage_since(self, moment):
        """The longest time without a site whose application takes writes, after a moment of this machine's monotonic clock:
        seconds for sure, and seconds at most. What stories before it did to the same lab is left out."""
        seen, outer, _ = intervals.writable(self.state / "load")
        def longest(sites):
            late = {site: [(max(start, moment), stop) for start, stop in spans if stop > moment] for site, spans in sites.items()}
            return intervals.longest_gap(late)[0]
        return longest(outer["application"]), longest(seen["application"])

    # --- How it is, and how a failover leaves it

    def state_of_nodes(self):
        """Of every node of GitLab what a failover changes, or must not: services, start at boot, both files of the
        configuration, the role of its database, the sites in Geo's tables."""
        return {name: self._state_of(name) for name in self.nodes if (self.files(name) / "etc/gitlab/gitlab.rb").exists()}

    def _state_of(self, node):
        etc = self.files(node) / "etc/gitlab"
        cluster_file = etc / "gitlab-cluster.json"
        services = re.findall(r"^(\w+): ([\w-]+):", self.on(node, "gitlab-ctl", "status", check=False), re.MULTILINE)
        return {
            "services": {name: state for state, name in services},
            "boot": self.on(node, "systemctl", "is-enabled", "gitlab-runsvdir", check=False).strip(),
            "gitlab.rb": hashlib.sha256((etc / "gitlab.rb").read_bytes()).hexdigest(),
            "cluster file": json.loads(cluster_file.read_text()) if cluster_file.exists() else None,
            "in recovery": self.on(node, "gitlab-psql", "-Atc", "select pg_is_in_recovery()", check=False).strip(),
            "sites": self.on(node, "gitlab-psql", "-Atc", "select name, url, \"primary\" from geo_nodes order by name",
                             check=False).split(),
        }

    # gitlab-ctl-behaviour.md 3.2: what a promotion writes where, and nothing on nodes of other kinds.
    CLUSTER_FILES = {"rails": ["geo_secondary"], "sidekiq": ["geo_secondary", "geo_logcursor"], "geo": ["geo_postgresql"]}

    @classmethod
    def after_failover(cls, before, former="tokyo", candidate="seoul"):
        """From the state before it, the only one that a planned failover may end in, whatever befell it."""
        after = json.loads(json.dumps(before))
        for node, state in after.items():
            site, kind = node.split("-")[:2]
            if site == former:
                state |= {"services": dict.fromkeys(state["services"], "down"), "boot": "masked", "in recovery": "", "sites": []}
                continue
            if kind in cls.CLUSTER_FILES:
                state["cluster file"] = {part: {"enable": False} for part in cls.CLUSTER_FILES[kind]}
            if state["in recovery"]:
                state["in recovery"] = "f"
                # The rake task of a promotion destroys the former primary's row.
                state["sites"] = [re.sub(r"f$", "t", row) for row in state["sites"] if row.startswith(candidate)]
        return after

    def jobs(self, node):
        """What the tool ever started on a node: (run, key, command)."""
        folder = self.files(node) / "var/lib/geo-failover/jobs"
        return [(job.parent.name, job.name, (job / "command").read_text().strip()) for job in sorted(folder.glob("*/*"))]


def lab(name, *shape):
    """The lab of that name, made with options of `lab up`; another one that is up goes first, so that never two are."""
    global _lab
    if _lab is None or _lab.name != name:
        leave_lab()
        _lab = PracticeLab(name, *shape)
    return _lab


def leave_lab():
    global _lab
    if _lab is not None:
        gone, _lab = _lab, None
        gone.command("down")


# --- The tool


class Answer:
    def __init__(self, argv, code, out, err, seconds):
        self.argv, self.code, self.out, self.err, self.seconds = argv, code, out, err, seconds

    @property
    def text(self):
        return self.out + self.err

    def __str__(self):
        return f"geo-failover {' '.join(self.argv)}: exit {self.code} after {self.seconds:.1f} s\n{self.out}{self.err}"


class Tool:
    """geo-failover with a state directory of its own, as a script without a terminal calls it."""

    def __init__(self, lab=None):
        self.lab = lab
        self.state = Path(tempfile.mkdtemp(dir=_folder))
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("GEO_")}
        self.environment |= {"GEO_FAILOVER_STATE": str(self.state), "TERM": "xterm"}
        if lab:
            self.environment["GEO_FAILOVER_INVENTORY"] = lab.inventory

    def popen(self, *argv, program=None, **options):
        process = subprocess.Popen(program or [BIN, *map(str, argv)], cwd=ROOT, env=self.environment, **options)
        _processes.add(process)
        return process

    def __call__(self, *argv, timeout=280):
        began = time.monotonic()
        process = self.popen(*argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             start_new_session=True)
        try:
            out, err = process.communicate(timeout=timeout)
        finally:
            end(process)
        answer = Answer([str(a) for a in argv], process.returncode, out, err, time.monotonic() - began)
        if TRANSCRIPT:
            with open(TRANSCRIPT, "a") as file:
                file.write(f"$ {answer}\n")
        return answer

    def plan(self, *argv):
        """A plan file and its digest."""
        path = self.state / "failover.geoplan"
        answer = self("plan", *argv, "--out", path)
        if answer.code:
            raise AssertionError(str(answer))
        return path, digest(path)

    # What is on the disk about runs

    @property
    def runs(self):
        return sorted((self.state / "runs").glob("*/"))

    def journal(self):
        """Records of the newest run, without a last line that is being written."""
        if not self.runs or not (self.runs[-1] / "journal.jsonl").exists():
            return []
        lines = (self.runs[-1] / "journal.jsonl").read_text().split("\n")
        return [json.loads(line) for line in lines[:-1]]

    def journal_size(self):
        """Bytes of the newest run's journal; another number whenever there is something new to read."""
        path = self.runs[-1] / "journal.jsonl" if self.runs else None
        return path.stat().st_size if path and path.exists() else 0

    def status(self):
        answer = self("status", "-o", "json")
        if answer.code:
            raise AssertionError(str(answer))
        return json.loads(answer.out)


def end(process):
    if process.poll() is None:
        process.kill()
    process.wait()
    _processes.discard(process)


def digest(plan):
    return json.loads(plan.read_text().split("\n", 1)[0])["digest"]


def entry(record):
    """The kind of a record, and what it holds."""
    (kind, body), = record["entry"].items()
    return kind, body


def group(record):
    """The group of steps that a record speaks of: `promote-database` of `promote-database/seoul-pg-1`."""
    return re.split(r"[@/:]", str(entry(record)[1].get("step", "")))[0]
