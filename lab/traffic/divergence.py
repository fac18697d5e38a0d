"""`lab audit --divergence`: what only one side has, row by row and commit by commit.

Read from the data itself, not from what users were told: from the database when it answers, otherwise from a copy of its files
that is started beside the node, so that a fenced or powered-off site is not touched.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time

POSTGRES = "/usr/lib/postgresql/15/bin"
OWNER = 996             # gitlab-psql
DATA = "var/opt/gitlab/postgresql/data"
REPOSITORIES = "var/opt/gitlab/git-data/repositories"
WRITES = "SELECT number, created_at FROM lab_writes ORDER BY number"
PROJECTS = ("SELECT t.path, r.disk_path FROM routes t JOIN project_repositories r ON r.project_id = t.source_id"
            " WHERE t.source_type = 'Project' ORDER BY 1")


class Unreadable(Exception):
    """Why a side cannot be read."""


def compare(lab, site, acknowledged, ask, node_of):
    """{site: what it has and `site` has not}. `ask(site, query)` is psql's output or None; `acknowledged` holds (site, what)."""
    result, unreadable = {}, {}
    for other in (name for name in lab.sites if name != site):
        try:
            # The other side first: what reaches `site` meanwhile is then no difference.
            with _reader(lab, other, ask, node_of) as query:
                rows, projects = _table(query(WRITES)), dict(_table(query(PROJECTS)))
                commits = {path: _commits(node_of(lab, other, "gitaly"), place) for path, place in projects.items()}
            with _reader(lab, site, ask, node_of) as query:
                here = {number for number, _ in _table(query(WRITES))}
                places = dict(_table(query(PROJECTS)))
        except Unreadable as reason:
            unreadable[other] = str(reason)
            continue
        writes = [{"number": int(number), "time": moment, "acknowledged": (other, int(number)) in acknowledged}
                  for number, moment in rows if number not in here]
        pushes = []
        for path, found in commits.items():
            there = _commits(node_of(lab, site, "gitaly"), places[path]) if path in places else {}
            pushes += [{"project": path, "commit": commit, "time": moment, "acknowledged": (other, commit) in acknowledged}
                       for commit, moment in found.items() if commit not in there]
        result[other] = {"writes": writes, "pushes": pushes}
    return result, unreadable


def _table(text):
    return [tuple(line.split("|")) for line in text.splitlines()]


def _commits(node, place):
    """{commit: when}, oldest first, of all refs; read from outside the node, which may be down."""
    directory = node.root / REPOSITORIES / f"{place}.git"
    if not directory.is_dir():
        return {}
    environment = {"PATH": os.environ["PATH"], "HOME": "/", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory",
                   "GIT_CONFIG_VALUE_0": "*", "GIT_OPTIONAL_LOCKS": "0"}
    done = subprocess.run(["git", "--git-dir", str(directory), "log", "--all", "--reverse", "--format=%H|%cI"], env=environment,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise Unreadable(f"the repository {directory}: {done.stderr.strip()}")
    return dict(_table(done.stdout))


@contextlib.contextmanager
def _reader(lab, site, ask, node_of):
    if ask(site, "SELECT 1") is not None:
        def answer(query):
            found = ask(site, query)
            if found is None:
                raise Unreadable(f"the database of {site} stopped answering")
            return found
        yield answer
    else:
        with _copy(lab, site, node_of(lab, site, "postgresql").root / DATA) as answer:
            yield answer


@contextlib.contextmanager
def _copy(lab, site, data):
    """The files of a stopped database, copied and started on a socket that nobody else knows."""
    if not (data / "global/pg_control").exists():
        raise Unreadable(f"there is no database in {data}")
    folder = tempfile.mkdtemp(prefix="divergence-", dir=lab.state)
    socket = tempfile.mkdtemp(prefix="geo-lab-")
    server = None
    try:
        copy = f"{folder}/data"
        subprocess.run(["cp", "-a", "--reflink=auto", str(data), copy], check=True, capture_output=True, timeout=300)
        for name in ("postmaster.pid", "standby.signal", "recovery.signal"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{copy}/{name}")
        with open(f"{folder}/hba", "w", encoding="utf-8") as file:
            file.write("local all all trust\n")
        for path in (folder, socket):
            os.chown(path, OWNER, OWNER)
        settings = {"listen_addresses": "", "unix_socket_directories": socket, "hba_file": f"{folder}/hba", "ssl": "off", "fsync": "off"}
        with open(f"{folder}/log", "w", encoding="utf-8") as log:
            server = subprocess.Popen(
                ["setpriv", f"--reuid={OWNER}", f"--regid={OWNER}", "--clear-groups", f"{POSTGRES}/postgres", "-D", copy,
                 *(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True)
        yield _client(server, socket, folder, site)
    except (OSError, subprocess.SubprocessError) as error:
        raise Unreadable(f"a copy of the database of {site} could not be read: {error}") from error
    finally:
        if server is not None:
            server.terminate() if server.poll() is None else None
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(20)
            server.kill() if server.poll() is None else None
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(socket, ignore_errors=True)


def _client(server, socket, folder, site):
    def answer(query):
        deadline = time.monotonic() + 60         # it may have to recover first
        while True:
            done = subprocess.run([f"{POSTGRES}/psql", "-h", socket, "-U", "gitlab-psql", "-d", "gitlabhq_production", "-AtX", "-c", query],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
            if done.returncode == 0:
                return done.stdout
            if done.returncode != 2 or server.poll() is not None or time.monotonic() > deadline:
                with open(f"{folder}/log", encoding="utf-8", errors="replace") as log:
                    raise Unreadable(f"a copy of the database of {site} does not start: {(done.stderr + log.read())[-400:].strip()}")
            time.sleep(0.2)
    return answer


def as_text(result):
    if result["verdict"] == "cannot tell" and "only_on" not in result:
        return f"Cannot tell: {result['reason']}."
    lines = [f"Compared with {result['compared_with']}."]
    for site, found in result["only_on"].items():
        if not found["writes"] and not found["pushes"]:
            lines.append(f"{site} has nothing that {result['compared_with']} has not.")
            continue
        lines.append(f"Only {site} has {len(found['writes'])} writes and {len(found['pushes'])} commits:")
        unknown = {True: "", False: "  (never acknowledged)"}
        lines += [f"  write {row['number']}  {row['time']}{unknown[row['acknowledged']]}" for row in found["writes"]]
        lines += [f"  commit {row['commit']} of {row['project']}  {row['time']}{unknown[row['acknowledged']]}" for row in found["pushes"]]
    lines += [f"{site} cannot be read: {reason}" for site, reason in result["unreadable"].items()]
    return "\n".join(lines)
