"""set-geo-primary-node and get-postgresql-primary."""

from gitlab_lab import paths
from gitlab_lab.ctl.output import Exit, out, run


def set_primary(_arguments):
    if not paths.service_enabled("puma"):
        out("puma not enabled, exiting...")
        return 1
    code, _ = run(["/opt/gitlab/bin/gitlab-rake", "gitlab:geo:set_primary_node"])
    return 1 if code else 0


def get_postgresql_primary(_arguments):
    """The lab has no Consul, so the answer is the one of every site without it."""
    raise Exit(1, "Consul agent is not enabled on this node")
