"""The runit definition of each service below /opt/gitlab/sv."""

import os
import shutil

from gitlab_lab import faults, paths

CHPST = "/opt/gitlab/embedded/bin/chpst"
PROGRAM = "/opt/gitlab/embedded/lab/bin/"
RAILS = f"exec {CHPST} -P -e {paths.RAILS_ENV} -u git:git -U git:git {PROGRAM}"
POSTGRES = f"exec {CHPST} -P -u gitlab-psql:gitlab-psql -U gitlab-psql:gitlab-psql /opt/gitlab/embedded/bin/postgres -D "

RUN = {
    "puma": RAILS + "puma",
    "gitlab-workhorse": RAILS + "gitlab-workhorse",
    "sidekiq": RAILS + "sidekiq",
    "geo-logcursor": RAILS + "geo-logcursor",
    "nginx": f"exec {CHPST} -P {PROGRAM}nginx",
    "gitaly": f"exec {CHPST} -P -u git:git -U git:git {PROGRAM}gitaly",
    "redis": f"exec {CHPST} -P -u gitlab-redis -U gitlab-redis "
             "/opt/gitlab/embedded/bin/redis-server /var/opt/gitlab/redis/redis.conf",
    "postgresql": POSTGRES + paths.PG_DATA,
    "geo-postgresql": POSTGRES + paths.GEO_PG_DIR + "/data",
    "logrotate": f"exec {CHPST} -P sleep 3000",
}

# A smart shutdown would wait for the last client; INT makes it the fast one,
# which still sends all remaining WAL to the standby before it ends.
FAST_SHUTDOWN = """#!/bin/sh
echo "received TERM from runit, sending INT instead to force quit connections"
kill -INT "$(cat /opt/gitlab/sv/{name}/supervise/pid)"
"""
# Programs that cannot be told to ignore TERM: for these runit is kept from sending it.
FOREIGN = {"postgresql", "geo-postgresql", "redis", "logrotate"}
IGNORE_TERM = "#!/bin/sh\nexit 0\n"


def define(name):
    """Writes run, log/run and control/t; says whether the run script changed."""
    base = f"{paths.SV_DIR}/{name}"
    paths.directory(f"/var/log/gitlab/{name}", 0o755)
    changed = paths.write(f"{base}/run", f"#!/bin/sh\nexec 2>&1\ncd /\numask 0022\n{RUN[name]}\n", 0o755)
    paths.write(f"{base}/log/run", f"#!/bin/sh\nexec svlogd -tt /var/log/gitlab/{name}\n", 0o755)
    write_control(name)
    return changed


def write_control(name):
    control = f"{paths.SV_DIR}/{name}/control/t"
    if name in FOREIGN and name in faults.arguments("hung-service"):
        paths.write(control, IGNORE_TERM, 0o755)
    elif name in ("postgresql", "geo-postgresql"):
        paths.write(control, FAST_SHUTDOWN.format(name=name), 0o755)
    else:
        shutil.rmtree(paths.at(os.path.dirname(control)), ignore_errors=True)


def enable(name):
    """Links the service; runsvdir starts it within seconds. A linked service is left as it is."""
    link, init = paths.at(f"{paths.SERVICE_DIR}/{name}"), paths.at(f"/opt/gitlab/init/{name}")
    if not os.path.lexists(init):
        os.makedirs(os.path.dirname(init), exist_ok=True)
        os.symlink("/opt/gitlab/embedded/bin/sv", init)
    if os.path.lexists(link):
        return False
    os.makedirs(os.path.dirname(link), exist_ok=True)
    os.symlink(f"{paths.SV_DIR}/{name}", link)
    return True


def disable(name):
    link = paths.at(f"{paths.SERVICE_DIR}/{name}")
    if not os.path.lexists(link):
        return False
    os.unlink(link)
    return True
