"""What the stories share: one practice lab at a time, the real tool, and waiting for conditions instead of for time.

Every limit here and in the stories ends a wait for something that never comes; none of them says how fast the tool is. They
are generous, since three labs share two cores with whatever else the machine does.

Everything that is started here ends with the tests, also when they fail, are interrupted, or take longer than
GEO_STORIES_LIMIT seconds (2400).
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
import threading
import unittest
from pathlib import Path

from tool import BIN, ROOT, TRANSCRIPT, Answer, Tool, digest, end, entry, folder, group, processes, until  # noqa: F401

sys.path.insert(0, str(ROOT / "lab"))

from infra.host import LabError  # noqa: E402
from infra.lab import Lab  # noqa: E402
from traffic import intervals  # noqa: E402

for _name in ("GEO_LAB_NAME", "GEO_LAB_STATE"):
    os.environ.pop(_name, None)

LAB = str(ROOT / "lab/lab")
STATE = Path("/var/lib/geo-failover-lab")
LIMIT = float(os.environ.get("GEO_STORIES_LIMIT", "2400"))

_lab = None


def _clean_up():
    signal.alarm(0)
    for process in list(processes):
        process.kill()
        process.wait()
    leave_lab()
    shutil.rmtree(folder, ignore_errors=True)


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
        """Not as many as the lab has by default: each push is 35 processes, on the cores that the stories wait for."""
        self.command("load", "start", "--rate", "3", "--push-interval", "6")

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
