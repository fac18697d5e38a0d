"""File system of a node: an own /etc, /var, /home and /opt, and the host's /usr seen through an overlay.

/usr is an overlay, so a node uses the host's Debian programs without a copy and can still have its own /usr/bin/gitlab-ctl.
Nothing else of the host is visible in a node.
"""
from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from . import keys
from .host import LabError, mounts_below, run
from .lab import Lab
from .topology import DOMAIN, OPERATOR, Node

FILES = Path(__file__).resolve().parent / "files"

# What programs in /usr need of /etc. Nothing that could hold a secret of the host.
ETC = ("alternatives", "bash.bashrc", "ca-certificates.conf", "debian_version", "ethertypes", "gai.conf", "ld.so.cache",
       "ld.so.conf", "ld.so.conf.d", "locale.alias", "locale.gen", "localtime", "login.defs", "mime.types", "netconfig",
       "os-release", "postgresql-common", "profile", "protocols", "python3", "python3.11", "rpc", "security", "services",
       "ssh/moduli", "ssl/certs", "ssl/openssl.cnf", "terminfo", "timezone", "haproxy/errors")
DIRECTORIES = {
    "dev": 0o755, "proc": 0o555, "sys": 0o555, "run": 0o755, "tmp": 0o1777, "root": 0o700, "home": 0o755, "opt": 0o755,
    "srv": 0o755, "mnt": 0o755, "media": 0o755, "boot": 0o755, "usr": 0o755, "var": 0o755, "var/log": 0o755, "var/lib": 0o755,
    "var/cache": 0o755, "var/spool": 0o755, "var/mail": 0o2775, "var/opt": 0o755, "var/tmp": 0o1777, "var/backups": 0o755,
    "etc/ssh": 0o755, "etc/pam.d": 0o755, "etc/sudoers.d": 0o750, "etc/service": 0o755, "etc/systemd/system/multi-user.target.wants": 0o755,
}
LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64", "var/run": "/run", "var/lock": "/run/lock",
         "etc/mtab": "../proc/self/mounts"}

# Accounts of the Omnibus package with its numbers: name, id, home, shell, and the components that bring it (None: all).
GITLAB_ACCOUNTS = (
    ("gitlab-www", 999, "/var/opt/gitlab/nginx", "/bin/false", None),
    ("git", 998, "/var/opt/gitlab", "/bin/sh", None),
    ("gitlab-redis", 997, "/var/opt/gitlab/redis", "/bin/false", ("redis",)),
    ("gitlab-psql", 996, "/var/opt/gitlab/postgresql", "/bin/sh", ("postgresql", "tracking-db")),
)
OPERATOR_ID = 1000


SHARED = "usr/lib/geo-lab/etc"      # where the nodes' /etc finds what is equal on all of them


def base_layer(lab: Lab) -> Path:
    return lab.state / "nodes/.base"


def build_base(lab: Lab) -> None:
    """The layer between the host's /usr and the nodes': written once, since thousands of small files are slow to copy."""
    base = base_layer(lab)
    library = base / "usr/lib/geo-lab"
    library.mkdir(parents=True, exist_ok=True)
    shutil.copy2(FILES / "boot", library / "boot")
    (base / "usr/bin").mkdir(exist_ok=True)
    # On the host this may be a link to the real one, which does nothing without systemd.
    shutil.copy2(FILES / "systemctl", base / "usr/bin/systemctl")
    local = base / "usr/local"
    if not local.exists():
        # /usr/local belongs to the host's owner: what is in there must not shadow the node's programs.
        for name in ("bin", "sbin", "lib"):
            (local / name).mkdir(parents=True)
        os.setxattr(local, "trusted.overlay.opaque", b"y")
    for name in ETC:
        source, target = Path("/etc") / name, base / SHARED / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir() and not source.is_symlink():
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
        elif source.exists() or source.is_symlink():
            target.unlink(missing_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)


def build(lab: Lab, node: Node) -> None:
    """Writes the node's own files into its root; /usr is mounted already."""
    root = node.root
    for name, mode in DIRECTORIES.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name).chmod(mode)
    links = LINKS | {f"etc/{name}": f"/{SHARED}/{name}" for name in ETC if os.path.lexists(base_layer(lab) / SHARED / name)}
    for name, target in links.items():
        if not (root / name).is_symlink():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).symlink_to(target)
    _identity(lab, node)
    _accounts(node)
    _access(lab, node)
    _boot(node)


def _write(root: Path, name: str, text: str, mode: int = 0o644, owner: tuple[int, int] = (0, 0)) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    os.chown(path, *owner)


def _identity(lab: Lab, node: Node) -> None:
    root = node.root
    _write(root, "etc/hostname", node.name + "\n")
    hosts = ["127.0.0.1\tlocalhost", f"{lab.operator_address}\toperator.{DOMAIN} operator"]
    hosts += [f"{other.address}\t{other.fqdn} {other.name}" for other in lab.nodes.values()]
    _write(root, "etc/hosts", "\n".join(hosts) + "\n")
    _write(root, "etc/machine-id", os.urandom(16).hex() + "\n", 0o444)
    _write(root, "etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files\nprotocols: files\nservices: files\n")
    _write(root, "etc/resolv.conf", "# The lab has no name server; see /etc/hosts.\n")
    _write(root, "etc/default/locale", "LANG=C.UTF-8\n")
    _write(root, "etc/motd", "")


def _accounts(node: Node) -> None:
    """The host's system accounts (its packages need them), without its people, and those of Omnibus on top."""
    users, groups = [], []
    for line in Path("/etc/passwd").read_text().splitlines():
        name, _, uid, gid, text, home, shell = line.split(":")
        if int(uid) < 900 or name == "nobody":
            users.append(f"{name}:x:{uid}:{gid}:{text}:{home}:{shell}")
    for line in Path("/etc/group").read_text().splitlines():
        name, _, gid, _ = line.split(":")
        if int(gid) < 900 or name == "nogroup":
            groups.append(f"{name}:x:{gid}:")
    for name, number, home, shell, components in GITLAB_ACCOUNTS if node.is_gitlab else ():
        if components is None or set(components) & set(node.components):
            users.append(f"{name}:x:{number}:{number}::{home}:{shell}")
            groups.append(f"{name}:x:{number}:")
    users.append(f"{OPERATOR}:x:{OPERATOR_ID}:{OPERATOR_ID}:lab operator:/home/{OPERATOR}:/bin/bash")
    groups.append(f"{OPERATOR}:x:{OPERATOR_ID}:")
    _write(node.root, "etc/passwd", "\n".join(users) + "\n")
    _write(node.root, "etc/group", "\n".join(groups) + "\n")
    # No account has a password; `*` (unlike `!`) still lets a key in.
    _write(node.root, "etc/shadow", "".join(f"{line.split(':')[0]}:*:20000:0:99999:7:::\n" for line in users), 0o640, (0, 42))


def _access(lab: Lab, node: Node) -> None:
    root = node.root
    owner = (OPERATOR_ID, OPERATOR_ID)
    home = root / f"home/{OPERATOR}"
    home.mkdir(exist_ok=True)
    for directory, mode in ((home, 0o755), (home / ".ssh", 0o700)):
        directory.mkdir(exist_ok=True)
        directory.chmod(mode)
        os.chown(directory, *owner)
    _write(root, f"home/{OPERATOR}/.ssh/authorized_keys", keys.authorized_keys(lab), 0o600, owner)
    keys.install_host_keys(lab, node)
    _write(root, "etc/ssh/sshd_config", (FILES / "sshd_config").read_text())
    _write(root, "etc/ssh/sshd_config.d/gitlab.conf", (FILES / "sshd_keys.conf").read_text())
    _write(root, "etc/ssh/ssh_config", "Host *\n    SendEnv LANG LC_*\n")
    _write(root, "etc/sudoers", (FILES / "sudoers").read_text(), 0o440)
    _write(root, f"etc/sudoers.d/{OPERATOR}", f"{OPERATOR} ALL=(ALL) NOPASSWD: ALL\n", 0o440)
    for service in ("sudo", "su", "runuser", "other"):
        _write(root, f"etc/pam.d/{service}", (FILES / "pam").read_text())


def _boot(node: Node) -> None:
    root = node.root
    # Not on the disk: the operator's way in must also open on a node whose disk is full. runsv makes what the link names.
    supervise = root / "etc/service/ssh/supervise"
    if not supervise.is_symlink():
        supervise.parent.mkdir(parents=True, exist_ok=True)
        supervise.symlink_to("/run/supervise-ssh")
    _write(root, "etc/service/ssh/run", "#!/bin/sh\nexec 2>&1\nmkdir -p /run/sshd\nexec /usr/sbin/sshd -D -E /var/log/auth.log\n", 0o755)
    if node.is_gitlab:
        unit = "usr/lib/systemd/system/gitlab-runsvdir.service"
        _write(root, unit, (FILES / "gitlab-runsvdir.service").read_text())
        wanted = root / "etc/systemd/system/multi-user.target.wants/gitlab-runsvdir.service"
        if not wanted.is_symlink():
            wanted.symlink_to("/" + unit)


def mount_usr(lab: Lab, node: Node) -> None:
    target = node.root / "usr"
    if mounts_below(target):
        return
    upper, work = node.root.parent / "usr", node.root.parent / "work"
    for directory in (target, upper, work):
        directory.mkdir(parents=True, exist_ok=True)
    layers = f"lowerdir={base_layer(lab)}/usr:/usr,upperdir={upper},workdir={work}"
    done = run("mount", "-t", "overlay", "geo-lab", "-o", layers, str(target), check=False)
    if done.returncode != 0:
        raise LabError(f"cannot mount an overlay of /usr for {node.name}: {done.stderr.strip()}. The state directory must be on a "
                       "file system that can hold an overlay's upper layer (ext4, xfs, btrfs, tmpfs; not overlayfs, not NFS). "
                       "Inside a container, set GEO_LAB_STATE to a directory on a volume.")


def device_of(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None
