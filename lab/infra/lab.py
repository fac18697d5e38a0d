"""The `Lab` object: a lab's state directory, its nodes, and running programs in them."""
from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import subprocess
from pathlib import Path

from . import host
from .host import LabError
from .topology import SITES, Node, nodes_of, operator_address, site_url

NODE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MARKER = "GEO_LAB_INSTANCE"         # environment of what the lab leaves running on the host, so that `down` finds it


def state_parent() -> Path:
    return Path(os.environ.get("GEO_LAB_STATE") or "/var/lib/geo-failover-lab")


class Lab:
    """One lab. `config` is what `STATE/lab.json` holds; it is {} before `up` has made one."""

    def __init__(self, name: str):
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", name):
            raise LabError(f"{name!r} is not a lab name: use small letters, digits and dashes, at most 31")
        self.name = name
        self.state = state_parent().absolute() / name
        self.nodes: dict[str, Node] = {}
        self.config: dict = {}
        self.load()

    # --- state

    @property
    def exists(self) -> bool:
        return bool(self.config)

    @property
    def net(self) -> int:
        return self.config["net"]

    @property
    def pace(self) -> str:
        return self.config.get("pace", "fast")

    @property
    def sites(self) -> tuple[str, ...]:
        return SITES[:self.config.get("sites", 2)]

    @property
    def operator_address(self) -> str:
        return operator_address(self.net)

    def url(self, site: str) -> str:
        return site_url(self.net, site)

    @property
    def router(self) -> str:
        """Name of the network namespace that holds the network between the nodes."""
        return f"geo-lab-{self.net}"

    @property
    def host_link(self) -> str:
        return f"geolab{self.net}"

    def load(self) -> None:
        try:
            self.config = json.loads((self.state / "lab.json").read_text())
        except FileNotFoundError:
            self.config, self.nodes = {}, {}
            return
        except ValueError:
            raise LabError(f"{self.state}/lab.json is damaged. Run: lab/lab --name {self.name} down") from None
        self.nodes = nodes_of(self.net, self.state / "nodes", self.config.get("sites", 2), self.config.get("failback", False))
        for node in self.nodes.values():
            node.pid = host.read_pid(self.pid_file(node))

    def save(self, **changes) -> None:
        self.config.update(changes)
        write_atomic(self.state / "lab.json", json.dumps(self.config, indent=2) + "\n")

    def pid_file(self, node: Node) -> Path:
        return self.state / "nodes" / node.name / "pid"

    @contextlib.contextmanager
    def locked(self, blocking: bool = True):
        """One changing verb at a time. The lock is on the state directory itself, so nothing is left when that goes."""
        self.state.mkdir(parents=True, exist_ok=True)
        while True:
            handle = os.open(self.state, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if not blocking:
                        raise LabError(f"another command is changing lab {self.name} right now") from None
                    print(f"waiting for another command that is changing lab {self.name}", flush=True)
                    fcntl.flock(handle, fcntl.LOCK_EX)
                try:
                    same = os.fstat(handle).st_ino == os.stat(self.state).st_ino
                except FileNotFoundError:
                    same = False
                if same:                                 # else `down` removed it while we waited
                    self.load()
                    yield
                    return
                self.state.mkdir(parents=True, exist_ok=True)
            finally:
                os.close(handle)

    # --- nodes

    def node(self, name: str) -> Node:
        if name not in self.nodes:
            raise LabError(f"lab {self.name} has no node {name!r}. Nodes: {', '.join(self.nodes) or '(none: not up)'}")
        return self.nodes[name]

    def resolve(self, node: Node | str) -> Node:
        return node if isinstance(node, Node) else self.node(node)

    def enter(self, node: Node | str, argv: list[str], user: str | None = None, env: dict | None = None) -> list[str]:
        """The host command line that runs argv inside the node, with a clean environment as after boot."""
        node = self.resolve(node)
        node.pid = host.read_pid(self.pid_file(node))
        if node.pid is None:
            raise LabError(f"node {node.name} is not running")
        line = ["nsenter", "-t", str(node.pid), "-m", "-u", "-i", "-n", "-p", "-r", "-w", "--"]
        home = "/root"
        if user and user != "root":
            uid, gid, home = account(node, user)
            line += ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--init-groups", "--"]
        variables = {"PATH": NODE_PATH, "HOME": home, "USER": user or "root", "LANG": "C.UTF-8", **(env or {})}
        return line + ["env", "-i"] + [f"{k}={v}" for k, v in variables.items()] + [str(a) for a in argv]

    def exec(self, node: Node | str, argv, input=None, user=None, check=True, timeout=60, env=None) -> subprocess.CompletedProcess:
        """Runs argv in the node to its end and returns its output as text (bytes when the input is bytes)."""
        line = self.enter(node, list(argv), user, env)
        text = not isinstance(input, (bytes, bytearray))
        process = subprocess.Popen(
            line, text=text, errors="replace" if text else None, start_new_session=True, env=dict(os.environ, PATH=host.PATH),
            stdin=subprocess.DEVNULL if input is None else subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            out, err = process.communicate(input, timeout=timeout)
        except BaseException:
            # nsenter forks: killing it alone would leave the program running in the node.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        done = subprocess.CompletedProcess(argv, process.returncode, out, err)
        if check and done.returncode != 0:
            where = self.resolve(node).name
            raise LabError(f"{where}: `{' '.join(map(str, argv))}` failed with exit {done.returncode}: {(err or out)[-2000:]}")
        return done

    def spawn(self, node: Node | str, argv, user=None, env=None, **popen) -> subprocess.Popen:
        """Starts argv in the node and returns at once; what is not redirected goes to /dev/null. Dies with the node."""
        for stream in ("stdin", "stdout", "stderr"):
            popen.setdefault(stream, subprocess.DEVNULL)
        popen.setdefault("start_new_session", True)
        return subprocess.Popen(self.enter(node, list(argv), user, env), env=dict(os.environ, PATH=host.PATH), **popen)


def account(node: Node, user: str) -> tuple[int, int, str]:
    """uid, gid and home of a user as the node (not the host) has it."""
    for line in (node.root / "etc/passwd").read_text().splitlines():
        fields = line.split(":")
        if fields[0] == user:
            return int(fields[2]), int(fields[3]), fields[5]
    raise LabError(f"node {node.name} has no user {user}")


def write_atomic(path: Path, text: str, mode: int = 0o644) -> None:
    """Readers see the old file or the new one, never a half."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.chmod(mode)
    temporary.replace(path)


def all_labs() -> list[Lab]:
    parent = state_parent()
    labs = []
    for directory in sorted(parent.iterdir()) if parent.is_dir() else []:
        if directory.is_dir() and re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", directory.name):
            try:
                labs.append(Lab(directory.name))
            except LabError:
                continue
    return labs
