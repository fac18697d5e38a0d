"""`gitlab-ctl replicate-geo-database`: stop all, move the data away, copy the primary's, start all.

Faithful in what it does not check, too: a stopped local database counts as
"no data", and the sslmode is used for streaming only, not for the copy.
"""

import errno
import os
import subprocess
import sys
import time

from gitlab_lab import attributes, paths
from gitlab_lab.ctl import base_backup
from gitlab_lab.ctl.output import Exit, capture, err, out, run

RAKE = "/opt/gitlab/bin/gitlab-rake"
BIN = "/opt/gitlab/embedded/bin"
DEFAULTS = {"user": "gitlab_replicator", "port": "5432", "sslmode": "verify-full", "sslcompression": "0",
            "backup-timeout": "1800", "recovery-target-timeline": "latest", "db_name": "gitlabhq_production"}
FLAGS = {"force", "no-wait", "skip-backup", "skip-replication-slot"}
USAGE = "Usage: gitlab-ctl replicate-geo-database --host=HOST --slot-name=NAME [options]"
BOX = """
---------------------------------------------------------------
WARNING: Make sure this script is run from the secondary server
---------------------------------------------------------------

*** You are about to delete your local PostgreSQL database, and replicate the primary database. ***
*** The primary geo node is `{host}` ***
"""
# The last of what it says does not tell why: that stands above.
FAILED = """*** Initial replication failed! ***

Replication tool returned with a non zero exit status!

Troubleshooting tips:
  - replication should be run by root user
  - check if `roles ['geo_primary_role']` or `geo_primary_role['enable'] = true` exists in `gitlab.rb` on the primary node
  - check your trust settings `md5_auth_cidr_addresses` in `gitlab.rb` on the primary node

Failed to execute: {command}"""


def command(arguments):
    options = _parse(arguments)
    _check_for_data(options)
    if not paths.service_enabled("postgresql"):
        out("There is no PostgreSQL instance enabled in omnibus, exiting...")
        return 1
    out(BOX.format(host=options["host"]))
    if "no-wait" not in options:
        _confirm()
    password = _password(options)
    if "skip-backup" not in options:
        out("* Executing GitLab backup task to prevent accidental data loss")
        run([RAKE, "gitlab:backup:create"])
    try:                            # after a failure the services stay stopped (reference 7)
        return _replicate(options, password)
    except base_backup.Failed as failure:
        # [code] What was shown while it went on is printed once more.
        for said in (failure.stdout, failure.stderr):
            out(said, end="" if said.endswith("\n") else "\n")
        out(FAILED.format(command=failure))
        return 1
    except base_backup.TooLong as seconds:
        err("/opt/gitlab/embedded/lib/ruby/gems/3.2.0/gems/mixlib-shellout/lib/mixlib/shellout/unix.rb:109:in `run_command': "
            f"Command timed out after {seconds}s: (Mixlib::ShellOut::CommandTimeout)")
        return 1
    except OSError as error:
        # [code] Nothing rescues it: a trace of Ruby's, and the services stay stopped, too.
        err(f"/opt/gitlab/embedded/service/omnibus-ctl-ee/lib/gitlab_ctl/geo/replication.rb:139:in `write': {error.strerror} @ io_write - "
            f"{error.filename} (Errno::{errno.errorcode.get(error.errno, 'EIO')})")
        return 1


def _parse(arguments):
    options = dict(DEFAULTS)
    for argument in arguments:
        name, equals, value = argument.removeprefix("--").partition("=")
        if name in FLAGS:
            options[name] = True
        elif equals and (name in DEFAULTS or name in ("host", "slot-name")):
            options[name] = value
        else:
            out(f"invalid option: {argument}")
            out(USAGE)
            raise Exit(1)
    required = ["host"] if "skip-replication-slot" in options else ["host", "slot-name"]
    for name in required:
        if name not in options:
            out(f"missing argument: {name}")
            out(USAGE)
            raise Exit(1)
    return options


def _check_for_data(options):
    code, _ = run([RAKE, "gitlab:db:active"])
    if code:
        return
    found = f"Found data inside the {options['db_name']} database!"
    if "force" not in options:
        out(f"{found} If you are sure you are in the secondary server, override with --force")
        raise Exit(1)
    out(f"{found} Proceeding because --force was supplied")


def _confirm():
    out("*** Are you sure you want to continue (replicate/no)? ***")
    while True:
        out("Confirmation: ", end="")
        answer = sys.stdin.readline().strip()
        if answer == "replicate":
            return
        if answer == "no":
            raise Exit(0)
        # At the end of the input this never ends: the real command loops at full speed, too.
        out(f"*** You entered `{answer}` instead of `replicate` or `no`.")


def _password(options):
    line = sys.stdin.readline()
    if not line:
        err("/opt/gitlab/embedded/service/omnibus-ctl/lib/gitlab_ctl/util.rb:128:in `get_password': "
            "undefined method `strip' for nil:NilClass (NoMethodError)")
        raise Exit(1)
    return line.rstrip("\n")


def _replicate(options, password):
    out("* Stopping PostgreSQL and all GitLab services")
    _run(["gitlab-ctl", "stop"])
    attributes_or_trace()
    _pgpass(options, password)
    if "skip-replication-slot" not in options:
        _slot(options)
    data = paths.PG_DATA
    if os.path.exists(paths.at(f"{data}/postgresql.conf")):
        out("* Backing up postgresql.conf")
        # Of a base backup that was cut before, it is the primary's file by now: a reconfigure writes the right one again.
        _run(["mv", paths.at(f"{data}/postgresql.conf"), paths.at(f"{paths.PG_DIR}/")])
    moved = f"{data}.{int(time.time())}"
    out(f"* Moving old data directory to '{moved}'")
    # [code] Without a look whether it is there: pg_basebackup has removed what it made, where it ended by itself and failed.
    _run(["mv", paths.at(data), paths.at(moved)])
    out(f"* Starting base backup as the replicator user ({options['user']})")
    base_backup.run(options, _as_postgres([])[1])
    out("* Restoring postgresql.conf")
    _run(["mv", paths.at(f"{paths.PG_DIR}/postgresql.conf"), paths.at(f"{data}/")])
    paths.write(f"{data}/gitlab-geo.conf", geo_conf(options, password), 0o640)
    paths.write(f"{data}/standby.signal", "", 0o600)
    out("* Setting ownership permissions in PostgreSQL data directory")
    subprocess.run(["chown", "-R", "gitlab-psql:gitlab-psql", paths.at(data)], check=False)
    out("* Starting PostgreSQL and all GitLab services")
    _run(["gitlab-ctl", "start"])
    return 0


def _run(argv):
    """Silent, unless it fails; then the rest is not done."""
    code, output, errors = capture(argv)
    if code:
        raise base_backup.Failed(" ".join(argv), output, errors)


def attributes_or_trace():
    try:
        attributes.load()
    except attributes.Missing as error:
        err(f"/opt/gitlab/embedded/service/omnibus-ctl/lib/gitlab_ctl/util.rb:75:in `get_node_attributes': {error} (GitlabCtl::Errors::NodeError)")
        raise Exit(1) from error


def geo_conf(options, password):
    lines = [
        f"recovery_target_timeline = '{options['recovery-target-timeline']}'",
        f"primary_conninfo = 'host={options['host']} port={options['port']} user={options['user']} "
        f"password={password} sslmode={options['sslmode']} sslcompression={options['sslcompression']}'",
    ]
    if "slot-name" in options:
        lines.append(f"primary_slot_name = '{options['slot-name']}'")
    return "\n".join(lines) + "\n"


def _pgpass(options, password):
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    paths.write(f"{paths.PG_DIR}/.pgpass", f"{options['host']}:{options['port']}:*:{options['user']}:{escaped}\n", 0o600, "gitlab-psql")


def _as_postgres(argv):
    environment = {"PGPASSFILE": f"{paths.PG_DIR}/.pgpass", "HOME": paths.PG_DIR}
    return [f"{BIN}/chpst", "-u", "gitlab-psql:gitlab-psql", *argv], environment


def _remote_sql(options, sql):
    argv, environment = _as_postgres([
        f"{BIN}/psql", "-h", options["host"], "-p", options["port"], "-U", options["user"],
        "-d", options["db_name"], "-t", "-c", sql,
    ])
    code, output, errors = capture(argv, environment)
    if code:
        raise base_backup.Failed(" ".join(argv), output, errors)
    return output.strip()


def _slot(options):
    name = options["slot-name"]
    out(f"* Checking for replication slot {name}")
    if not _remote_sql(options, f"SELECT slot_name FROM pg_replication_slots WHERE slot_name = '{name}';"):
        out(f"* Creating replication slot {name}")
        _remote_sql(options, f"SELECT slot_name FROM pg_create_physical_replication_slot('{name}');")
