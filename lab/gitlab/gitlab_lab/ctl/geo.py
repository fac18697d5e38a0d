"""`gitlab-ctl geo promote`: one node becomes part of a primary site, whatever happened on the way.

What it does not look at is as important as what it does: the results of the
reconfigure and of the restarts are printed and forgotten, and nothing checks
that the node belongs to a secondary site.
"""

import sys

from gitlab_lab import attributes, cluster_file, paths
from gitlab_lab.ctl import promote_db, reconfigure, services
from gitlab_lab.ctl.output import Exit, err, out, result, run, start

PROMOTED = ["geo-logcursor", "geo-postgresql", "gitaly", "gitlab-workhorse", "patroni", "postgresql", "praefect", "puma", "sidekiq"]
RESTARTED = ["gitaly", "praefect", "puma", "gitlab-workhorse"]
RAKE = "/opt/gitlab/bin/gitlab-rake"
HELP = """Usage: gitlab-ctl geo [options] promote [options]

    -q, --quiet                      Silent mode
    -v, --verbose                    Verbose mode
    -h, --help                       Prints this help
promote options:
    -f, --force                      Don't ask for confirmation
        --enable-silent-mode         Enable silent mode"""


def command(arguments):
    quiet = False
    while arguments and arguments[0].startswith("-"):
        flag = arguments[0]
        if flag in ("-h", "--help"):
            out(HELP)
            return 0
        if flag not in ("-q", "--quiet", "-v", "--verbose"):
            raise Exit(128, f"parse error: invalid option: {flag}")
        quiet = quiet or flag in ("-q", "--quiet")
        arguments = arguments[1:]
    if not arguments:
        raise Exit(128, "parse error: Geo command is not specified.")
    if arguments[0] != "promote":
        raise Exit(128, f"Unknown Geo command: {arguments[0]}")
    return _promote(arguments[1:], quiet)


def _promote(options, quiet):
    for option in options:
        if option in ("-h", "--help"):
            out(HELP)
            return 0
        if option not in ("-f", "--force", "--enable-silent-mode"):
            raise Exit(128, f"parse error: invalid option: {option}")
    try:
        if "-f" not in options and "--force" not in options:
            _ask()
        return promote(silent_mode="--enable-silent-mode" in options)
    except (Exit, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001, the real command rescues everything
        text = f"{error.strerror} - {error.filename}" if isinstance(error, OSError) else str(error)
        if not quiet:
            err(f"Error while promoting the current node: {text}")
        return 3


def _ask():
    out("WARNING: The current secondary node will now be promoted to a primary node. "
        "Are you sure you want to proceed? (y/n)")
    answer = sys.stdin.readline()
    if not answer:
        raise RuntimeError("undefined method `chomp' for nil:NilClass")
    if answer.strip().lower() != "y":
        raise Exit(1)


def promote(silent_mode=False):
    if not _anything_to_promote():
        return 0
    if paths.service_enabled("postgresql"):
        out("Detected a PostgreSQL Standby server cluster.")
        promote_db.if_in_recovery()
    if any(paths.service_enabled(name) for name in ("puma", "sidekiq", "geo-logcursor", "geo-postgresql")):
        _toggle_geo_services()
    if paths.service_enabled("puma"):
        _promote_to_primary(silent_mode)
    message = "Running reconfigure to apply changes"
    start(message)
    result(message, reconfigure.converge() is None)
    for name in RESTARTED:
        if paths.service_enabled(name):
            message = f"Running restart on {name}"
            start(message)
            result(message, services.restart_and_report(name) == 0)
    out("You successfully promoted the current node! It might take some time to reload the services, "
        "and for the changes to take effect.")
    return 0


def _anything_to_promote():
    message = "Checking if we need to promote any service running on this node"
    start(message)
    if result(message, any(paths.service_enabled(name) for name in PROMOTED)):
        return True
    out(f"The {' or '.join(PROMOTED)} services are not enabled.")
    out("No actions are required to promote this node.")
    return False


def _toggle_geo_services():
    out("Detected an application or a Sidekiq or a Geo log cursor or a Geo PostgreSQL node.")
    message = "Disabling the secondary services and enabling the primary services in the cluster configuration file"
    start(message)
    attributes.load()
    values = {}
    if paths.service_enabled("puma") or paths.service_enabled("sidekiq"):
        values["geo_secondary"] = {"enable": False}
    if paths.service_enabled("geo-logcursor"):
        values["geo_logcursor"] = {"enable": False}
    if paths.service_enabled("geo-postgresql"):
        values["geo_postgresql"] = {"enable": False}
    if not result(message, cluster_file.merge(values)):
        raise Exit(1, f"Unable to write to {paths.CLUSTER_FILE}.")


def _promote_to_primary(silent_mode):
    message = "Attempting to detect the role of this Geo node"
    start(message)
    code, role = run([RAKE, "gitlab:geo:site:role"])
    if not result(message, code == 0):
        raise Exit(1, "Unable to detect the role of this Geo node.")
    if role.strip().splitlines()[-1:] != ["secondary"]:
        return
    out("Detected an application node.")
    message = "Promoting secondary site to primary site"
    start(message)
    environment = {"ENABLE_SILENT_MODE": "true" if silent_mode else "false"}
    code, _ = run([RAKE, "gitlab:geo:set_secondary_as_primary"], environment=environment)
    if not result(message, code == 0):
        raise Exit(1, "Unable to promote secondary site to primary site.")
