"""gitlab-ctl: finds the command, loads "Chef" for a moment, runs it."""

import importlib
import os
import sys
import time

from gitlab_lab import faults, paths
from gitlab_lab.ctl import services
from gitlab_lab.ctl.output import Exit, err, out

# Module and function; loaded when called, since a look at a lab calls `gitlab-ctl status` on every node.
COMMANDS = {
    "reconfigure": ("reconfigure", "command"),
    "geo": ("geo", "command"),
    "promotion-preflight-checks": ("preflight", "command"),
    "geo-replication-pause": ("pause", "pause"),
    "geo-replication-resume": ("pause", "resume"),
    "replicate-geo-database": ("replicate", "command"),
    "set-geo-primary-node": ("primary_node", "set_primary"),
    "get-postgresql-primary": ("primary_node", "get_postgresql_primary"),
    "graceful-kill": ("services", "graceful_kill"),
    "service-list": ("help_text", "service_list"),
    "show-config": ("help_text", "show_config"),
    "help": ("help_text", "help_command"),
}


def _load(module, function):
    return getattr(importlib.import_module(f"gitlab_lab.ctl.{module}"), function)


def main(argv):
    time.sleep(paths.pace("ctl"))
    faults.obey("gitlab-ctl", argv)
    quiet = [flag for flag in ("-q", "--quiet") if flag in argv[:1]]
    argv = argv[len(quiet):]
    command = argv[0] if argv else ""
    try:
        if command in services.COMMANDS:
            return services.control(command, argv[1:]) % 256
        if command in COMMANDS:
            return _load(*COMMANDS[command])(argv[1:])
        if command:
            out("I don't know that command.")
        return _load("help_text", "show")(1)
    except Exit as leaving:
        if leaving.message:
            err(leaving.message)
        return leaving.code
    except BrokenPipeError:
        # The session is gone. Ruby raises Errno::EPIPE here and everything ends in the middle.
        os._exit(1)


def run():
    sys.exit(main(sys.argv[1:]))
