"""`lab up` and `lab down`."""
from __future__ import annotations

import contextlib
import fcntl
import importlib
import os
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from . import boot, disk, faults, host, keys, network, outputs, rootfs
from .host import LabError
from .lab import MARKER, Lab, state_parent
from .topology import DOMAIN, Node

TOOLS = ("ip", "nft", "tc", "unshare", "nsenter", "mount", "mkfs.ext4", "setpriv", "ssh", "ssh-keygen", "sshd", "sudo", "runsvdir", "sv",
         "chpst", "haproxy", "redis-server", "postgres", "git", "curl")
PACES = {
    "fast": {"ctl": 0.1, "rails_boot": 0.6, "reconfigure": 1.5, "promote_pg": 0.3, "spread_checkpoint": 0},
    "real": {"ctl": 1.0, "rails_boot": 20, "reconfigure": 40, "promote_pg": 0.3, "spread_checkpoint": 1},
}


@dataclass(frozen=True)
class Shape:
    """What a new lab consists of. It stays so: a lab of another shape is another lab."""
    bare: bool = False
    failback: bool = False
    sites: int = 2


class Phases:
    """One line per phase, with the time it took: silence makes people press Ctrl-C."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    @contextlib.contextmanager
    def phase(self, text: str):
        print(f"  {text} ...", end="", flush=True)
        began = time.monotonic()
        try:
            yield
        except BaseException:
            print(" failed", flush=True)
            raise
        print(f" {time.monotonic() - began:.1f} s", flush=True)


def gitlab_part(module: str):
    """A module of the GitLab layer, or None when this checkout has none."""
    path = Path(__file__).resolve().parent.parent / (module.replace(".", "/") + ".py")
    return importlib.import_module(module) if path.exists() else None


def lab_config(lab: Lab) -> dict:
    """The lab as plain data, for what is installed into the nodes."""
    return {
        "name": lab.name, "net": lab.net, "domain": DOMAIN, "primary": lab.sites[0], "operator_address": lab.operator_address,
        "pace": PACES[lab.pace],
        "sites": {
            site: {
                "url": lab.url(site), "geo_node_name": site,
                "nodes": {node.name: {"address": node.address, "fqdn": node.fqdn, "components": list(node.components)}
                          for node in lab.nodes.values() if node.site == site},
            } for site in lab.sites
        },
    }


def write_pace(lab: Lab, nodes: list[Node]) -> None:
    for node in nodes:
        if node.is_gitlab:
            target = node.root / "opt/gitlab/lab/pace"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("".join(f"{what} {seconds}\n" for what, seconds in PACES[lab.pace].items()))


def up(lab: Lab, pace: str | None, shape: Shape) -> None:
    host.check_host(TOOLS)
    phases = Phases()
    with lab.locked():
        if lab.exists and lab.config["phase"] != "complete":
            print(f"Lab {lab.name} was left half made; it is made anew.")
            with phases.phase("removing what is there"):
                remove(lab, keep_directory=True)
        elif not lab.exists and lab.state.is_dir() and any(not entry.name.startswith(".") for entry in lab.state.iterdir()):
            raise LabError(f"{lab.state} holds something that is not a lab. Remove it, or run: lab/lab --name {lab.name} down")
        if lab.exists:
            for wanted, option in ((shape.failback and not lab.config.get("failback"), "--failback"), (shape.sites > len(lab.sites), "--sites 3")):
                if wanted:
                    raise LabError(f"lab {lab.name} was made without {option}. Remove it first: lab/lab --name {lab.name} down")
        if lab.exists:
            _repair(lab, pace, phases)
        else:
            _make(lab, pace or "fast", shape, phases)
    print(f"Lab {lab.name} is up ({time.monotonic() - phases.began:.0f} s).\n\n{how_to_use(lab)}")


def _make(lab: Lab, pace: str, shape: Shape, phases: Phases) -> None:
    print(f"Making lab {lab.name} in {lab.state}", flush=True)
    try:
        with phases.phase("network"):
            _claim(lab, pace, shape)
            network.create(lab)
        with phases.phase("disk"):
            if not disk.attach(lab):
                print(" (no loop devices: a plain directory, slower)", end="")
        nodes = list(lab.nodes.values())
        with phases.phase("SSH keys"):
            keys.make_operator_keys(lab)
            keys.make_host_keys(lab)
            keys.write_known_hosts(lab)
        install = None if shape.bare else gitlab_part("gitlab.install")
        with phases.phase(f"files of {len(nodes)} nodes"):
            config = lab_config(lab)
            rootfs.build_base(lab)
            for node in nodes:
                rootfs.mount_usr(lab, node)
                rootfs.build(lab, node)
                if not node.is_gitlab:
                    outputs.write_haproxy(lab, node)
                if install:
                    install.install(node.root, node.site, node, config)
            write_pace(lab, nodes)
        with phases.phase("inventory, hook, DNS"):
            _write_outputs(lab)
        with phases.phase("booting"):
            boot.start(lab, nodes)
        provision = None if shape.bare else gitlab_part("gitlab.provision")
        if provision:
            print("  GitLab: databases, services, seed", flush=True)
            try:
                provision.provision(lab)
            except RuntimeError as error:
                raise LabError(f"GitLab could not be set up: {error}") from error
        lab.save(phase="complete")
    except BaseException:
        print(f"\n`up` did not finish. `lab/lab --name {lab.name} up` starts over, `lab/lab --name {lab.name} down` removes everything.",
              file=sys.stderr)
        raise


def _claim(lab: Lab, pace: str, shape: Shape) -> None:
    """Takes an address range. Other labs may come up at this very moment, so under a lock on the common parent."""
    handle = os.open(lab.state.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        net = network.allocate(lab.name)
        lab.save(name=lab.name, id=os.urandom(8).hex(), net=net, pace=pace, **asdict(shape), phase="making",
                 made=time.strftime("%Y-%m-%dT%H:%M:%S%z"))
        host.run("ip", "netns", "add", lab.router)
    finally:
        os.close(handle)
    lab.load()


def _write_outputs(lab: Lab) -> None:
    outputs.write_inventory(lab)
    outputs.write_hook(lab)
    outputs.write_dns(lab)
    keys.check_modes(lab)


def _repair(lab: Lab, pace: str | None, phases: Phases) -> None:
    """Brings back what is missing: a rebooted machine, a killed node, a deleted interface."""
    print(f"Lab {lab.name} exists in {lab.state}; looking what is missing.", flush=True)
    if pace and pace != lab.pace:
        lab.save(pace=pace)
        write_pace(lab, list(lab.nodes.values()))
    had_network = network.exists(lab)
    network.create(lab)
    disk.attach(lab)
    _write_outputs(lab)
    keys.write_known_hosts(lab)
    down_by_fault = faults.nodes_down(lab)
    plugged = network.links(lab)
    lost = [node for node in lab.nodes.values()
            if node.name not in down_by_fault and not (boot.is_running(lab, node) and node.port_name in plugged)]
    if lost:
        with phases.phase(f"booting {', '.join(node.name for node in lost)}"):
            boot.stop(lab, lost)
            boot.start(lab, lost)
    for node in lab.nodes.values():
        rootfs.mount_usr(lab, node)
    if lost or not had_network:
        faults.reapply(lab, lost)
    if not lost and had_network:
        print("  nothing was missing")
    if down_by_fault:
        print(f"  left down on purpose (fault node-down): {', '.join(sorted(down_by_fault))}")


def down(lab: Lab) -> None:
    host.check_host(("ip", "umount"))
    if not lab.state.exists():
        print(f"Lab {lab.name} is not there; nothing to do.")
        return
    began = time.monotonic()
    with lab.locked():
        remove(lab, keep_directory=False)
    with contextlib.suppress(OSError):
        state_parent().rmdir()          # only when this was the last lab
    print(f"Lab {lab.name} is gone ({time.monotonic() - began:.1f} s).")


def remove(lab: Lab, keep_directory: bool) -> None:
    """Removes all of a lab, whatever part of it there is."""
    family = boot.own_process()
    helpers = [pid for pid in host.processes_with_environment(MARKER, str(lab.state)) if pid not in family]
    host.kill_and_wait(helpers)
    nodes_dir = lab.state / "nodes"
    roots = {found for root in nodes_dir.glob("*/root") if (found := rootfs.device_of(root))}
    firsts = [pid for file in nodes_dir.glob("*/pid") if (pid := host.read_pid(file))]
    pids = set(host.processes_in(roots)) | set(firsts)
    # A node that was still starting has not entered its root yet; the command line of its first process names the lab.
    pids |= set(host.processes_with_argument(str(lab.state / "node-init")))
    if pids - family:
        host.kill_and_wait(sorted(pids - family))
    if lab.exists:
        network.remove(lab)
    host.unmount_below(lab.state)
    for entry in lab.state.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    if not keep_directory:
        lab.state.rmdir()
    lab.load()


def how_to_use(lab: Lab) -> str:
    me = "lab/lab" if lab.name == "default" else f"lab/lab --name {lab.name}"
    secondaries = "".join(f", {site} {lab.url(site)} (secondary)" for site in lab.sites[1:])
    return f"""Sites:       {lab.sites[0]} {lab.url(lab.sites[0])} (primary of a new lab){secondaries}
Inventory:   {lab.state}/inventory.yaml
Look:        {me} status
Log in:      {me} ssh tokyo-pg-1
Users:       {me} load start      (and afterwards: {me} audit)
Break it:    {me} fault list
Remove it:   {me} down"""
