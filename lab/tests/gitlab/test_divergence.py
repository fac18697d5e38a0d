"""What an unplanned failover leaves on the old side, to the row and the commit. Makes a lab of its own and breaks it."""

import json
import subprocess
import unittest
from pathlib import Path

from support import contains, fault, fresh, lab, lab_command, leave, on, psql, until
from traffic import logs

NODES = ["tokyo-rails-1", "tokyo-rails-2", "tokyo-sidekiq-1", "tokyo-gitaly-1", "tokyo-pg-1"]


def acknowledged():
    """What tokyo acknowledged: row numbers, and (project, commit)."""
    folder = logs.directory(lab())
    writes = {int(record[3]) for record in logs.read(folder / "acked-writes.log", 4) if record[2] == "tokyo"}
    return writes, {(record[3], record[4]) for record in logs.read(folder / "acked-pushes.log", 5) if record[2] == "tokyo"}


def divergence():
    done = lab_command("audit", "--divergence", "--json", check=False)
    return done.returncode, json.loads(done.stdout)


def only_tokyo():
    code, result = divergence()
    found = result["only_on"]["tokyo"]
    return code, {row["number"] for row in found["writes"]}, {(row["project"], row["commit"]) for row in found["pushes"]}


class Divergence(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        fresh()
        lab_command("load", "start")

    @classmethod
    def tearDownClass(cls):
        leave()

    def test_1_two_sites_that_replicate_have_no_divergence(self):
        until(lambda: len(acknowledged()[0]) > 10, what="users")
        self.assertEqual(divergence(), (0, {"verdict": "no divergence", "compared_with": "tokyo", "only_on": {"seoul": {"writes": [], "pushes": []}}, "unreadable": {}}))

    def test_2_a_secondary_takes_no_burst(self):
        done = lab_command("load", "burst", "seoul", "--writes", "2", "--pushes", "1", check=False)
        self.assertEqual((done.returncode, done.stdout), (1, "seoul acknowledged 0 of 2 writes and 0 of 1 pushes.\n"))
        self.assertEqual(lab_command("load", "burst", check=False).returncode, 64)

    def test_3_what_is_acknowledged_after_the_cut_is_found_exactly(self):
        fault("cut-replication")
        before = acknowledged()
        done = lab_command("load", "burst", "tokyo", "--writes", "7", "--pushes", "3")
        self.assertEqual(done.stdout, "tokyo acknowledged 7 of 7 writes and 3 of 3 pushes.\n")
        lab_command("load", "stop")
        cls = type(self)
        cls.burst = {n for n in acknowledged()[0] - before[0] if n > 10 ** 9}
        self.assertEqual(len(cls.burst), 7)
        for node in NODES:
            on(node, "gitlab-ctl", "stop")
        self.assertEqual(on("seoul-pg-1", "gitlab-ctl", "geo", "promote", "--force").returncode, 0)
        until(lambda: psql("seoul-pg-1", "SELECT pg_is_in_recovery()") == "f", what="the promotion")
        stored = {int(n) for n in psql("seoul-pg-1", "SELECT number FROM lab_writes").split()}
        writes, pushes = acknowledged()
        code, rows, commits = only_tokyo()
        self.assertEqual((code, rows), (2, writes - stored))
        self.assertLessEqual(cls.burst, rows)
        self.assertLessEqual(commits, pushes)
        cls.found = rows, commits
        done = lab_command("audit", "--json", check=False)          # the same loss as users see it
        result = json.loads(done.stdout)
        self.assertEqual((result["writes"]["lost"], result["pushes"]["lost"]), (len(rows), len(commits)))

    def test_4_it_is_found_with_the_old_side_powered_off_and_untouched(self):
        files = lab().nodes["tokyo-pg-1"].root / "var/opt/gitlab/postgresql/data/global/pg_control"
        control = files.read_bytes()
        fault("node-down", "tokyo-pg-1")
        fault("node-down", "tokyo-gitaly-1")
        self.assertEqual(only_tokyo(), (2, *self.found))
        self.assertEqual(files.read_bytes(), control)
        text = lab_command("audit", "--divergence", check=False).stdout
        contains(text, f"Only tokyo has {len(self.found[0])} writes and {len(self.found[1])} commits:\n")
        for number in self.burst:
            contains(text, f"\n  write {number}  2")
        self.assertEqual([*lab().state.glob("divergence-*"), *Path("/tmp").glob("geo-lab-*")], [])
        self.assertEqual(subprocess.run(["pgrep", "-f", f"{lab().state}/divergence-"], capture_output=True, text=True).stdout, "")

    def test_5_without_a_database_it_cannot_be_told(self):
        place = lab().nodes["tokyo-pg-1"].root / "var/opt/gitlab/postgresql"
        (place / "data").rename(place / "gone")
        code, result = divergence()
        self.assertEqual((code, result["verdict"]), (3, "cannot tell"))
        self.assertIn("there is no database in", result["unreadable"]["tokyo"])
        (place / "gone").rename(place / "data")


if __name__ == "__main__":
    unittest.main()
