"""The command line of the lab."""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys

from . import faults, host, keys, status, up
from .host import LabError
from .lab import MARKER, Lab, state_parent, write_atomic

DESCRIPTION = """\
A practice GitLab Geo deployment on this machine: two sites, fifteen nodes with their own addresses, real sshd, runit,
PostgreSQL, Redis and HAProxy, and stand-ins for GitLab's own programs. Break it, fail over, count what was lost."""

EPILOG = """\
examples:
  lab/lab up                              make the lab (once; again to repair it)
  lab/lab ssh tokyo-pg-1                  log in as geo-ops, who may sudo
  lab/lab exec tokyo-pg-1 -- gitlab-ctl status
  lab/lab load start                      users begin to write and push
  lab/lab fault partition tokyo           break something; `fault list` says what there is
  lab/lab audit                           what was lost?
  lab/lab down                            remove everything

environment:
  GEO_LAB_NAME    name of the lab when --name is not given (else "default")
  GEO_LAB_STATE   directory that holds the labs' state (else /var/lib/geo-failover-lab)

exit status: 0 done, 1 failed, 2 audit found losses, 3 audit cannot tell, 64 wrong usage; `exec` and `ssh` pass on the command's."""


class Parser(argparse.ArgumentParser):
    def error(self, message: str):
        self.print_usage(sys.stderr)
        print(f"lab: {message}. See: lab/lab --help", file=sys.stderr)
        sys.exit(64)


def parser() -> Parser:
    raw = argparse.RawDescriptionHelpFormatter
    top = Parser(prog="lab/lab", description=DESCRIPTION, epilog=EPILOG, formatter_class=raw)
    top.add_argument("--name", default=os.environ.get("GEO_LAB_NAME") or "default", help="which lab (several can be up side by side)")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Parser)

    def verb(name: str, text: str, more: str = "") -> Parser:
        return verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + "." + more, formatter_class=raw)

    p = verb("up", "make the lab, or repair it", "\n\nSafe to repeat: what is there stays, what is missing comes back. A lab that was left half made is made anew.")
    p.add_argument("--pace", choices=sorted(up.PACES), help="how long GitLab's commands pretend to work: fast (default), or real (Rails boots in 20 s)")
    p.add_argument("--failback", action="store_true", help="a new lab whose sites are alike, so that the first one can come back as a secondary:\n"
                   "one more node (tokyo-geo-1) and a log cursor on tokyo-sidekiq-1, both switched off in gitlab.rb")
    p.add_argument("--sites", type=int, choices=(2, 3), help="a new lab with a third site, busan: a secondary on one node")
    p.add_argument("--bare", action="store_true", help="a new lab without GitLab: nodes with sshd and runit only (for tests of the lab itself)")
    verb("down", "remove the lab: processes, network, mounts, state", "\n\nSafe to repeat, and after a crash. Other labs stay.")
    p = verb("status", "show the nodes, their services and the active faults", " Exit status 1 when something is down that no fault explains.")
    p.add_argument("--json", action="store_true", help="print one JSON object")
    p = verb("list", "show all labs")
    p.add_argument("--json", action="store_true", help="print a JSON array")
    p = verb("ssh", "log in to a node, or run a command there, as the operator would", " Real SSH as geo-ops with the lab's key and known_hosts.")
    p.add_argument("node", metavar="NODE")
    p.add_argument("command", nargs=argparse.REMAINDER, metavar="CMD", help="command; without one, a login shell")
    p = verb("exec", "run a command in a node as root, past sshd and the network", " Works whatever faults are active, unless the node is down.")
    p.usage = "lab/lab exec [--user USER] NODE -- CMD [ARG...]"
    p.add_argument("--user", help="run as this user of the node")
    p.add_argument("node", metavar="NODE")
    p.add_argument("command", nargs=argparse.REMAINDER, metavar="-- CMD")
    p = verb("fault", "break something, or heal it", "\n\n" + faults.help_text())
    p.add_argument("--json", action="store_true", help="with `list`: print a JSON array of the active faults")
    p.add_argument("fault", metavar="NAME", help="a fault of the list below, `list`, or `heal [NAME [NODE|SITE]]`")
    p.add_argument("arguments", nargs=argparse.REMAINDER, metavar="[NODE|SITE] [ARG...]")
    verb("load", "let users write and push: load start|stop|status (load --help says more)")
    verb("audit", "count what was acknowledged and lost, and whether two sites were ever writable")
    return top


def split_traffic(argv: list[str]) -> tuple[list[str], list[str]]:
    """Separates what belongs to `load` and `audit`, which parse their arguments themselves, options first or not."""
    at = 0
    while at < len(argv) and argv[at].startswith("-"):
        at += 2 if argv[at] == "--name" else 1
    return (argv[:at + 1], argv[at + 1:]) if argv[at:at + 1] in (["load"], ["audit"]) else (argv, [])


def command_of(arguments: list[str]) -> list[str]:
    return arguments[1:] if arguments[:1] == ["--"] else arguments


def traffic(module: str, lab: Lab, arguments: list[str]) -> int:
    part = up.gitlab_part(f"traffic.{module}")
    if part is None:
        raise LabError(f"this checkout has no lab/traffic/{module}.py")
    os.environ[MARKER] = str(lab.state)      # so that `down` finds what stays running
    return part.main(arguments, lab) or 0


def main(argv: list[str]) -> int:
    own, rest = split_traffic(argv)
    given = parser().parse_args(own)
    # A caller with a closed stdin would hand number 0 to the first file opened here.
    try:
        os.fstat(0)
    except OSError:
        os.open(os.devnull, os.O_RDONLY)
    try:
        return dispatch(given, rest)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except subprocess.TimeoutExpired as error:
        words = " ".join(map(str, error.cmd))
        print(f"lab: a command did not end within {error.timeout:.0f} s: {words[-200:]}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except KeyboardInterrupt:
        print("\nlab: interrupted", file=sys.stderr)
        return 130


def dispatch(given: argparse.Namespace, rest: list[str]) -> int:
    if given.verb == "fault" and given.fault == "list" and not (given.json or "--json" in given.arguments):
        print(faults.list_text(Lab(given.name)))
        return 0
    if given.verb == "list":
        return status.list_labs(given.json)
    host.check_host(())
    lab = Lab(given.name) if given.verb != "down" else tolerant(given.name)
    if given.verb == "up":
        up.up(lab, given.pace, up.Shape(bare=given.bare, failback=given.failback, sites=given.sites or 2))
        return 0
    if given.verb == "down":
        up.down(lab)
        return 0
    if given.verb == "status":
        return status.status(lab, given.json)
    if not lab.exists and not {"-h", "--help"} & set(rest):
        raise LabError(f"lab {lab.name} is not up. Make it: lab/lab --name {lab.name} up")
    if given.verb == "ssh":
        node = lab.node(given.node)
        return call(keys.ssh_command(lab, node) + command_of(given.command))
    if given.verb == "exec":
        command = command_of(given.command)
        if not command:
            raise LabError("exec needs a command: lab/lab exec NODE -- CMD")
        env = {"TERM": os.environ["TERM"]} if "TERM" in os.environ else None
        return call(lab.enter(given.node, command, given.user, env))
    if given.verb == "fault":
        return faults.command(lab, given.fault, given.arguments, given.json)
    return traffic(given.verb, lab, rest)


def call(line: list[str]) -> int:
    """Replaced by the command in all but name: same terminal, same stdin, its exit status."""
    return_code = subprocess.run(line, env=dict(os.environ, PATH=host.PATH)).returncode
    return return_code if return_code >= 0 else 128 - return_code


def tolerant(name: str) -> Lab:
    """A lab whose record is damaged can still be removed; its address range is also in known_hosts."""
    try:
        return Lab(name)
    except LabError:
        state = state_parent() / name
        if "/" in name or not (state / "lab.json").exists():
            raise
        try:
            net = int((state / "known_hosts").read_text().split(".")[1])
            write_atomic(state / "lab.json", json.dumps({"name": name, "net": net, "phase": "damaged"}))
        except (OSError, IndexError, ValueError):
            (state / "lab.json").unlink()
        return Lab(name)
