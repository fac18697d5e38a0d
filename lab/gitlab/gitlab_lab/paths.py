"""Where things live on a node, and who the node is.

Every path goes through `at`, so that GITLAB_LAB_ROOT can point the same code at
a directory: the installer uses that for a node which is not running yet, and
the tests use it to run without nodes.
"""

import os
import pwd

ROOT = os.environ.get("GITLAB_LAB_ROOT", "")


def at(path):
    return ROOT + path


GITLAB_RB = "/etc/gitlab/gitlab.rb"
CLUSTER_FILE = "/etc/gitlab/gitlab-cluster.json"
NODES_DIR = "/opt/gitlab/embedded/nodes"
SV_DIR = "/opt/gitlab/sv"
SERVICE_DIR = "/opt/gitlab/service"
LAB_DIR = "/opt/gitlab/lab"
PG_DIR = "/var/opt/gitlab/postgresql"
PG_DATA = PG_DIR + "/data"
GEO_PG_DIR = "/var/opt/gitlab/geo-postgresql"
RAILS_ETC = "/var/opt/gitlab/gitlab-rails/etc"
RAILS_ENV = "/opt/gitlab/etc/gitlab-rails/env"
REPOSITORIES = "/var/opt/gitlab/git-data/repositories"


def fqdn():
    """What `hostname -f` answers on the node."""
    if ROOT:
        return read("/etc/hostname").strip()
    import socket  # here, since each `gitlab-ctl status` would load it for nothing
    return socket.getfqdn()


def read(path):
    with open(at(path), encoding="utf-8") as file:
        return file.read()


def write(path, text, mode=0o644, owner=None, group=None):
    """Writes a file atomically and says whether its content changed."""
    target = at(path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    try:
        with open(target, encoding="utf-8") as file:
            changed = file.read() != text
    except OSError:
        changed = True
    if changed:
        temporary = f"{target}.new"
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, target)
    os.chmod(target, mode)
    if owner:
        own(path, owner, group)
    return changed


def account(name):
    """The (uid, gid) of an account of the node, or None if it has none."""
    try:
        if not ROOT:
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
        for line in read("/etc/passwd").splitlines():
            fields = line.split(":")
            if fields[0] == name:
                return int(fields[2]), int(fields[3])
    except (KeyError, OSError):
        pass
    return None


def own(path, owner, group=None):
    """Gives a file to an account. Without the account or the right it stays as it is."""
    ids = account(owner)
    group_ids = account(group) if group else ids
    if ids and os.geteuid() == 0:
        os.chown(at(path), ids[0], (group_ids or ids)[1])


def directory(path, mode=0o755, owner=None, group=None):
    os.makedirs(at(path), exist_ok=True)
    os.chmod(at(path), mode)
    if owner:
        own(path, owner, group)


def pace(what):
    """Seconds of pretended work, from the pace file that `up --pace` chooses: a line with name and seconds each."""
    try:
        return float(dict(line.split() for line in read(LAB_DIR + "/pace").splitlines()).get(what, 0))
    except (OSError, ValueError):
        return 0.0



def service_enabled(name):
    """GitLab's own test: the link exists. A stopped service is still enabled."""
    return os.path.lexists(at(f"{SERVICE_DIR}/{name}"))
