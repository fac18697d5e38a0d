"""stop, start, restart, status and the kills: the real `sv`, one call per service.

The exit code is the sum over the services. A name that is not a service of the
node is silent and counts 0, and names after the first are ignored.
"""

import os
import sys
import time

from gitlab_lab import paths
from gitlab_lab.ctl.output import out

# Links to `sv`, one per service: called by such a name it answers with the exit codes of an
# init script (3 for a stopped service, 4 for one that cannot be asked).
INIT = "/opt/gitlab/init/"
COMMANDS = {
    "status": "status",
    "start": "start",
    "stop": "stop",
    "restart": "restart",
    "once": "once",
    "hup": "hup",
    "term": "term",
    "int": "int",
    "kill": "kill",
    "usr1": "1",
    "usr2": "2",
}


def enabled():
    try:
        return sorted(os.listdir(paths.at(paths.SERVICE_DIR)))
    except OSError:
        return []


def control(command, names):
    """Runs one sv command over all services or the first name; returns the summed code."""
    chosen = [names[0]] if names else enabled()
    return sum(_sv(COMMANDS[command], name) for name in chosen)


def _sv(command, name):
    if not paths.service_enabled(name):
        return 0
    environment = {**os.environ, "SVDIR": paths.at(paths.SERVICE_DIR)}
    environment.setdefault("SVWAIT", "30")
    code, said = _run([INIT + name, command], environment)
    for line in said.splitlines():
        out(line)
    # GitLab's sv says 3 for a stopped service, Debian's says 0.
    if command == "status" and code == 0 and said.startswith("down:"):
        return 3
    return code


def _run(argv, environment):
    """The exit code of a program and what it printed. `subprocess` would take longer to load than all of a status."""
    reads, writes = os.pipe()
    with open(reads, encoding="utf-8", errors="replace") as said:
        try:
            pid = os.posix_spawn(argv[0], argv, environment, file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, writes, 1), (os.POSIX_SPAWN_DUP2, writes, 2)])
        finally:
            os.close(writes)
        text = said.read()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), text


def stop(name):
    return _sv("stop", name)


def running(name):
    try:
        return paths.read(f"{paths.SV_DIR}/{name}/supervise/stat").startswith("run")
    except OSError:
        return False


def graceful_kill(names):
    """Stops each service, then sends KILL to what is left of its process group."""
    import signal  # here, since each `gitlab-ctl status` would load it for nothing
    chosen = [names[0]] if names else enabled()
    for name in chosen:
        if not paths.service_enabled(name):
            continue
        pid = _pid(name)
        _sv("stop", name)
        if pid and _group_alive(pid):
            out(f"found stuck pids still running in process group: {pid}, sending SIGKILL")
            try:
                os.killpg(pid, signal.SIGKILL)
            except OSError:
                pass
            _wait(lambda pid=pid: not _group_alive(pid), 5)
    return 0


def restart_and_report(name):
    """`gitlab-ctl restart NAME` as the promotion runs it: its line appears on stdout."""
    sys.stdout.flush()
    return _sv("restart", name)


def _pid(name):
    try:
        return int(paths.read(f"{paths.SV_DIR}/{name}/supervise/pid").strip() or 0)
    except (OSError, ValueError):
        return 0


def _group_alive(pid):
    try:
        os.killpg(pid, 0)
        return True
    except OSError:
        return False


def _wait(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
