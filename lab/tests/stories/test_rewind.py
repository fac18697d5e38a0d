"""A former primary that went on alone is rewound instead of copied; where that cannot be, the copy follows in the same step, at
the inventory's rate."""

import json
import unittest
from pathlib import Path

from support import Story, Tool, digest, lab, leave_lab, until

PG = "/var/opt/gitlab/postgresql"
PASSWORD = "practice-replication"
RATE = 16
FUNCTIONS = ("SELECT count(*) FROM pg_proc p, aclexplode(p.proacl) a JOIN pg_roles r ON r.oid = a.grantee"
             " WHERE r.rolname = 'gitlab_replicator'")


class Rewind(Story):
    """The tests are steps of one story and run in the order of their numbers: Tokyo is rewound, and then, as the former primary
    of another failover, Seoul is copied."""
    limit = 600

    @classmethod
    def setUpClass(cls):
        cls.lab = lab("story-rewind", "--failback")
        cls.tool = Tool(cls.lab)
        secret = cls.tool.state / "replication-password"
        secret.write_text(PASSWORD + "\n")
        inventory = cls.tool.state / "inventory.yaml"
        # The lab's certificates are signed by nobody.
        inventory.write_text(
            Path(cls.lab.inventory).read_text() + f"replication: {{ password: 'file:{secret}', sslmode: prefer,"
            f" copy_rate: {RATE}MB }}\n")
        cls.tool.environment["GEO_FAILOVER_INVENTORY"] = str(inventory)

    @classmethod
    def tearDownClass(cls):
        leave_lab()         # of no use to anybody else

    # --- What both cases share

    def run_plan(self, runbook, old, new, *options):
        path = self.tool.state / f"{runbook}-to-{new}.geoplan"
        # On a busy machine a look can be too slow to be certain of the clocks.
        until(lambda: self.tool("plan", runbook, "--from", old, "--to", new, *options, "--out", path).code == 0, timeout=300,
              interval=2, what=f"a plan of {runbook} from {old} to {new}")
        answer = self.tool("execute", path, "--approve", digest(path), timeout=500)
        self.assertEqual(answer.code, 0, f"{answer}\n{self.tool('status')}")
        return answer

    def went_on_alone(self, site):
        """Rows that only the former primary has; it is started as nobody should, and stopped as it was."""
        node = f"{site}-pg-1"
        for argv in (["systemctl", "unmask", "gitlab-runsvdir"], ["systemctl", "enable", "--now", "gitlab-runsvdir"],
                     ["gitlab-ctl", "start", "postgresql"]):
            self.lab.on(node, *argv, check=False)
        until(lambda: self.lab.on(node, "gitlab-psql", "-Atc", "select pg_is_in_recovery()", check=False).strip() == "f",
              what=f"the former primary {site}")
        self.lab.sql(node, f"create table only_here_{site} as select generate_series(1, 1000) as n")
        self.lab.on(node, "gitlab-ctl", "stop")
        for argv in (["systemctl", "disable", "gitlab-runsvdir"], ["systemctl", "mask", "gitlab-runsvdir"]):
            self.lab.on(node, *argv)

    def reseed(self, primary, site):
        return self.run_plan("reseed-secondary", primary, site, "--rewind", "--waive",
                             f"operator.observation-window@{primary}->{site}=practice")

    def said(self, site):
        """What the commands of the newest run that replaced the database printed, by the program that each ran."""
        folder = self.lab.files(f"{site}-pg-1") / "var/lib/geo-failover/jobs" / self.tool.runs[-1].name
        found = {}
        for job in folder.glob("replicate~*"):
            command = (job / "command").read_text()
            name = "rewind" if "geo-failover-rewind" in command else "copy" if "geo-failover-copy" in command else "other"
            self.assertNotIn("replicate-geo-database", command)
            found[name] = (job / "output").read_text(errors="replace")
        return found

    def assertFollows(self, primary, site):
        node, source = f"{site}-pg-1", f"{primary}-pg-1"
        self.assertEqual(self.lab.sql(node, "select pg_is_in_recovery()"), "t")
        self.assertEqual(self.lab.sql(node, "select status, slot_name from pg_stat_wal_receiver"), f"streaming|{site}")
        self.assertEqual(self.lab.sql(source, "select slot_name, active from pg_replication_slots"), f"{site}|t")
        self.assertEqual(self.lab.sql(node, "select count(*) from pg_replication_slots"), "0")
        self.assertEqual(self.lab.sql(node, f"select to_regclass('only_here_{site}') is null"), "t")
        self.assertEqual(self.lab.sql(source, FUNCTIONS), "0")
        self.lab.on(node, "sh", "-c", f"for one in rewind copy; do ! test -e {PG}/data-$one && ! test -e {PG}/.pgpass-$one || exit 1; done")
        listen = self.lab.on(node, "grep", "^listen_addresses", f"{PG}/data/postgresql.conf")
        self.assertIn(self.lab.nodes[node]["address"], listen)

    def assertKept(self, site):
        """One former database, shut down, with the files of what only it has."""
        node = f"{site}-pg-1"
        kept = self.lab.on(node, "sh", "-c", f"ls -d {PG}/data.*").split()
        self.assertEqual(len(kept), 1, kept)
        self.assertRegex(kept[0], r"/data\.\d+$")
        control = self.lab.on(node, "/opt/gitlab/embedded/bin/pg_controldata", kept[0])
        self.assertSays(control, "Database cluster state: shut down")

    def assertPasswordIsNowhere(self):
        for node in ("tokyo-pg-1", "seoul-pg-1"):
            place = str(self.lab.files(node) / "var/lib/geo-failover")
            found = [path for path in Path(place).rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]
            self.assertEqual(found, [])
        for path in self.tool.runs[-1].rglob("*"):
            if path.is_file():
                self.assertNotIn(PASSWORD.encode(), path.read_bytes(), path)

    # --- The story

    def test_1_tokyo_goes_on_alone_after_the_failover(self):
        until(lambda: self.tool("check", "--from", "tokyo", "--to", "seoul").code == 0, timeout=400, interval=2,
              what="a deployment that can fail over")
        self.run_plan("planned-failover", "tokyo", "seoul")
        self.lab.wait_for_users_at("seoul")
        self.went_on_alone("tokyo")

    def test_2_without_the_flag_the_plan_says_that_a_rewind_may_do(self):
        path = self.tool.state / "copy.geoplan"
        waiver = ["--waive", "operator.observation-window@seoul->tokyo=practice"]
        until(lambda: self.tool("plan", "reseed-secondary", "--from", "seoul", "--to", "tokyo", *waiver, "--out", path).code == 0,
              timeout=300, interval=2, what="a plan of the copy")
        self.assertIn("plan --rewind", path.read_text())
        self.assertIn(f"It copies at most {RATE} MB a second", path.read_text())
        self.assertNotIn("pg_rewind --target", path.read_text())

    def test_3_tokyo_is_rewound_and_nothing_is_copied(self):
        self.reseed("seoul", "tokyo")
        said = self.said("tokyo")
        self.assertNotIn("copy", said)
        self.assertSays(said["rewind"], "rewinding it by", "servers diverged at WAL location", "PostgreSQL streams from")
        self.assertFollows("seoul", "tokyo")
        self.assertKept("tokyo")
        self.assertPasswordIsNowhere()

    def test_4_seoul_goes_on_alone_and_its_pg_rewind_breaks_off(self):
        until(lambda: self.tool("check", "--from", "seoul", "--to", "tokyo").code == 0, timeout=400, interval=2,
              what="a deployment that can fail over to tokyo")
        # A standby that was rewound writes its timeline down at a restartpoint, which nobody with users outside waits for.
        self.lab.sql("tokyo-pg-1", "alter system set checkpoint_timeout = '1h'")
        self.lab.sql("tokyo-pg-1", "select pg_reload_conf()")
        self.run_plan("planned-failover", "seoul", "tokyo")
        self.lab.wait_for_users_at("tokyo")
        self.went_on_alone("seoul")
        # One that breaks off in the middle, and leaves what it worked on of no use.
        broken = 'rm -rf "${1#--target-pgdata=}/base"; echo "pg_rewind: fatal: could not receive data"; exit 1'
        self.lab.on("seoul-pg-1", "sh", "-c", "cd /opt/gitlab/embedded/bin && rm pg_rewind && printf '#!/bin/sh\\n%s\\n' \"$1\" >pg_rewind"
                    " && chmod 755 pg_rewind", "sh", broken)

    def test_5_the_rewind_fails_and_the_copy_with_a_rate_follows_in_the_same_step(self):
        # The copy begins after a checkpoint of the source, which a busy one spreads over minutes.
        self.lab.sql("tokyo-pg-1", "alter system set checkpoint_completion_target = 0")
        self.lab.sql("tokyo-pg-1", "select pg_reload_conf()")
        answer = self.reseed("tokyo", "seoul")
        said = self.said("seoul")
        self.assertSays(said["rewind"], "NOT REWOUND: pg_rewind failed")
        self.assertSays(said["copy"], f"at most {RATE}MB a second", "tablespace", "PostgreSQL streams from")
        self.assertNotIn("halted", answer.out)
        self.assertFollows("tokyo", "seoul")
        self.assertKept("seoul")
        self.assertPasswordIsNowhere()

    def test_6_nothing_that_was_promised_is_lost(self):
        self.lab.command("load", "stop")
        _, audit = self.lab.audit()
        self.assertEqual((audit["site"], audit["writes"]["lost"], audit["pushes"]["lost"], audit["writable_now"]),
                         ("tokyo", 0, 0, ["tokyo"]), json.dumps(audit)[:2000])
        # The story itself started each former primary once, and nobody else did.
        self.assertLessEqual(len(audit["database"]["two_writable"]), 2, audit["database"])


if __name__ == "__main__":
    unittest.main()
