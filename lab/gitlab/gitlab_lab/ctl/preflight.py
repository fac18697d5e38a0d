"""`gitlab-ctl promotion-preflight-checks`: two questions and one rake task, no look at the primary."""

import sys

from gitlab_lab.ctl.output import Exit, err, out, run

RAKE = "/opt/gitlab/bin/gitlab-rake"
MANUAL = """
Ensure you have completed the following manual preflight checks:

- Check if you need to migrate to Object Storage
- Review the configuration of each secondary node
- Run system checks
- Check that secrets match between nodes
- Ensure Geo replication is up-to-date
- Verify the integrity of replicated data
- Notify users of scheduled maintenance

Please read https://docs.gitlab.com/ee/administration/geo/disaster_recovery/planned_failover.html#preflight-checks
"""
WARNING = """
---------------------------------------
WARNING: Make sure your primary is down
---------------------------------------
"""


def command(arguments):
    down = False
    for argument in arguments:
        if argument in ("-p", "--confirm-primary-is-down"):
            down = True
        elif argument == "--no-confirm-primary-is-down":
            down = False
        else:
            raise Exit(1, f"invalid option: {argument}")
    out(MANUAL)
    out("Did you perform all manual preflight checks (y/N)?")
    if _answer("confirm_manual_checks") != "y":
        out("ERROR: Manual preflight checks were not performed! Please read "
            "https://docs.gitlab.com/ee/administration/geo/disaster_recovery/planned_failover.html#preflight-checks")
        return 1
    if not down:
        out(WARNING)
        out("*** Is primary down? (N/y): ")
        if _answer("confirm_primary_is_down") != "y":
            out("ERROR: Primary node must be down.")
            return 1
    code, text = run([RAKE, "gitlab:geo:check_replication_verification_status"])
    # Shown live above, and once more from the captured text: so does the real one.
    out(text, end="")
    if code:
        out("ERROR: Replication/verification is incomplete.")
        return 1
    out("All preflight checks have passed. This node can now be promoted.")
    return 0


def _answer(method):
    line = sys.stdin.readline()
    if not line:
        err(f"/opt/gitlab/embedded/service/omnibus-ctl-ee/lib/gitlab_ctl/geo/promotion_preflight_checks.rb:52:in "
            f"`{method}': undefined method `chomp' for nil:NilClass (NoMethodError)")
        raise Exit(1)
    return line.strip().lower()
