"""Plans that are refused, and then one planned failover of two sites in use, from beginning to end.

`PlansThatAreRefused` comes first by its name, and changes nothing that the failover needs.
"""

import hashlib
import json
import re
import time
import unittest
from pathlib import Path

from support import Story, Tool, digest, entry, lab, until


class PlansThatAreRefused(Story):
    """A plan that was touched or has become stale: exit 3, and no node has noticed."""

    @classmethod
    def setUpClass(cls):
        cls.lab = lab("story-failover")
        cls.tool = Tool(cls.lab)
        until(lambda: cls.tool("check").code == 0, what="the lab to be ready")
        cls.plan, cls.digest = cls.tool.plan()

    def setUp(self):
        super().setUp()
        self.tool = Tool(self.lab)
        self.addCleanup(self.lab.heal)

    def copy(self, text):
        path = self.tool.state / "edited.geoplan"
        path.write_text(text)
        return path

    def edited(self, change):
        """The plan with another content, and a header that fits it."""
        header, content = self.plan.read_text().split("\n", 1)
        content = change(content)
        right = json.loads(header) | {"digest": "sha256:" + hashlib.sha256(content.encode()).hexdigest()}
        return self.copy(json.dumps(right) + "\n" + content)

    def assertNothingWasDone(self):
        self.assertEqual(self.lab.sql("tokyo-pg-1", "select maintenance_mode from application_settings"), "f")
        for node in self.lab.nodes:
            self.assertEqual(self.lab.jobs(node), [], node)

    def assertRefused(self, answer, *parts):
        self.assertEqual(answer.code, 3, answer)
        self.assertSays(answer.err, *parts)
        self.assertNothingWasDone()

    def test_a_plan_that_was_edited_by_one_byte(self):
        text = self.plan.read_text()
        place = text.index("10.", len(text) // 2)       # an address deep in the plan
        answer = self.tool("execute", self.copy(text[:place] + "11." + text[place + 3:]), "--approve", self.digest)
        self.assertRefused(answer, "the plan was changed after it was made", self.digest, "Nothing was done", "Plan again")
        self.assertEqual(self.tool.runs, [])

    def test_a_plan_that_was_edited_with_its_digest_is_not_the_one_that_was_approved(self):
        path = self.edited(lambda content: content.replace("GitLab is moving", "GitLab is movinG"))
        self.assertNotEqual(digest(path), self.digest)
        answer = self.tool("execute", path, "--approve", self.digest)
        self.assertRefused(answer, "is not this plan", digest(path)[7:19], "Nothing was done")
        self.assertEqual(self.tool.runs, [])

    def test_a_plan_without_its_fence_breaks_a_promise_whatever_its_digest(self):
        def without_fence(content):
            plan = json.loads(content)
            plan["steps"] = [step for step in plan["steps"] if not step["id"].startswith("fence")]
            for step in plan["steps"]:
                step["after"] = [other for other in step["after"] if not other.startswith("fence")]
            return json.dumps(plan)
        path = self.edited(without_fence)
        answer = self.tool("execute", path, "--approve", digest(path))
        self.assertRefused(answer, "would break a promise", "fence")
        self.assertEqual(self.tool.runs, [])

    def test_a_wrong_approval(self):
        answer = self.tool("execute", self.plan, "--approve", "0123456789ab")
        self.assertRefused(answer, "is not this plan", self.digest[7:19])
        self.assertEqual(self.tool.runs, [])

    def test_nobody_to_ask_and_no_approval_declines(self):
        answer = self.tool("execute", self.plan)
        self.assertEqual(answer.code, 5, answer)
        self.assertSays(answer.err, "nobody is there to be asked", "--approve")
        self.assertNothingWasDone()

    def test_another_machine_in_the_place_of_a_node(self):
        file = self.lab.files("tokyo-gitaly-1") / "etc/machine-id"
        planned = file.read_text()
        now = hashlib.md5(planned.encode()).hexdigest() + "\n"
        self.addCleanup(file.write_text, planned)
        file.write_text(now)
        answer = self.tool("execute", self.plan, "--approve", self.digest)
        self.assertRefused(answer, "REFUSED: 1 fact that the plan stands on has changed", "tokyo-gitaly-1: machine id", f"planned {planned.strip()} now {now.strip()}",
                           "geo-failover plan planned-failover --from tokyo --to seoul")
        self.assertEqual([entry(record)[0] for record in self.tool.journal()], ["runStarted", "approved", "leaseTaken", "driftChecked", "runHalted"])

    # Of the two sites, and of one: a database, the application, and what only one of them runs.
    SWAPPED = (("tokyo-pg-1", "seoul-pg-1"), ("tokyo-rails-1", "seoul-rails-1"), ("tokyo-gitaly-1", "tokyo-rails-1"))

    def test_addresses_of_two_nodes_swapped_before_the_plan_is_made_plan_nothing(self):
        for left, right in self.SWAPPED:
            with self.subTest(f"{left} and {right}"):
                text = Path(self.lab.inventory).read_text()
                first, second = (re.search(rf"{name}: +{{ address: ([0-9.]+),", text)[1] for name in (left, right))
                for name, address in ((left, second), (right, first)):
                    text = re.sub(rf"({name}: +{{ address: )[0-9.]+,", rf"\g<1>{address},", text)
                path = self.tool.state / "swapped.yaml"
                path.write_text(text)
                answer = self.tool("plan", "-i", path, "--out", self.tool.state / "swapped.geoplan")
                self.assertEqual(answer.code, 2, answer)
                self.assertSays(answer.err, f"which the inventory calls {left}, answers as {right}", "no plan was made")
                self.assertFalse((self.tool.state / "swapped.geoplan").exists())
                self.assertNothingWasDone()

    def test_addresses_of_two_nodes_swapped_after_the_plan_was_made_execute_nothing(self):
        def swapped(left, right):
            def change(content):
                plan = json.loads(content)
                nodes = {node["id"]: node["access"] for site in plan["inventory"]["sites"] for node in site["nodes"]}
                nodes[left]["address"], nodes[right]["address"] = nodes[right]["address"], nodes[left]["address"]
                return json.dumps(plan)
            return change
        for left, right in self.SWAPPED:
            with self.subTest(f"{left} and {right}"):
                path = self.edited(swapped(left, right))
                answer = self.tool("execute", path, "--approve", digest(path))
                self.assertRefused(answer, "REFUSED:", f"{left}: machine id", f"{right}: machine id")
                self.tool = Tool(self.lab)

    def test_a_drill_says_so_everywhere_and_promotes_in_silent_mode(self):
        for form in ("text", "markdown"):
            answer = self.tool("plan", "--drill", "--out", self.tool.state / f"drill-{form}.geoplan", "-o", form)
            self.assertEqual(answer.code, 0, answer)
            self.assertSays(answer.out, "DRILL: Planned failover", "gitlab-ctl geo promote --force --enable-silent-mode", "This is a DRILL")
            self.assertNotIn("promote --force\n", answer.out)

    def test_a_drill_needs_a_gitlab_that_knows_silent_mode(self):
        files = [self.lab.files(node) / "opt/gitlab/version-manifest.txt" for node in self.lab.nodes]
        files = {path: path.read_text() for path in files if path.exists()}
        for path, text in files.items():
            self.addCleanup(path.write_text, text)
            path.write_text(text.replace("19.3.0", "16.4.5"))
        answer = self.tool("plan", "--drill", "--out", self.tool.state / "drill.geoplan")
        self.assertRefused(answer, "seoul-rails-1 runs GitLab 16.4.5-ee.0, whose promotion knows no Silent Mode", "16.5 or later")
        self.assertFalse((self.tool.state / "drill.geoplan").exists())

    def test_replication_that_was_cut_after_the_plan_was_made(self):
        self.lab.fault("cut-replication")
        until(lambda: self.lab.sql("seoul-pg-1", "select count(*) from pg_stat_wal_receiver") == "0", what="the receiver to be gone")
        answer = self.tool("execute", self.plan, "--approve", self.digest)
        self.assertRefused(answer, "NOT READY", "no WAL receiver runs on seoul-pg-1", "nothing was changed; plan again")


class WholeFailover(Story):
    """From tokyo to seoul under load, once; every story looks at what is there afterwards."""

    @classmethod
    def setUpClass(cls):
        cls.lab = lab("story-failover")
        cls.tool = Tool(cls.lab)
        # Nothing but the two printed lists is needed for all of it.
        cls.lab.allow_only("".join(cls.tool("sudoers", "--user", "geo-ops", *more).out for more in ([], ["--for", "execute"])))
        until(lambda: cls.tool("check").code == 0, what="the lab to be ready")
        cls.plan, cls.digest = cls.tool.plan()
        cls.sheet = cls.tool("plan", "--out", cls.tool.state / "other.geoplan", "-o", "markdown")
        cls.before = cls.lab.state_of_nodes()
        cls.began = time.monotonic()
        cls.execution = cls.tool("execute", cls.plan, "--approve", cls.digest, timeout=600)
        cls.journal = cls.tool.journal()
        if cls.execution.code:
            raise AssertionError(str(cls.execution))
        until(lambda: (cls.lab.state / "dns").read_text() == "seoul\n", what="the hook to have run")
        cls.lab.wait_for_users_at("seoul")
        cls.lab.command("load", "stop")
        cls.audit = cls.lab.audit()
        cls.after = cls.lab.state_of_nodes()

    def test_every_node_is_left_as_a_failover_leaves_it(self):
        """What the story of the kills is held against, too."""
        self.maxDiff = None
        self.assertGreater(len(self.after), 12)
        self.assertEqual(self.after, self.lab.after_failover(self.before))

    def test_the_run_finishes_and_says_where_the_report_is(self):
        self.assertEqual(self.execution.code, 0)
        self.assertSays(self.execution.err, "Failover tokyo -> seoul finished", "seoul is the primary", f"geo-failover report {self.tool.runs[0].name}")
        self.assertEqual(entry(self.journal[-1]), ("runFinished", {}))

    def test_without_a_terminal_every_command_is_shown_in_plain_lines(self):
        self.assertNotIn("\x1b", self.execution.text)
        self.assertNotIn("\r", self.execution.text)
        self.assertSays(self.execution.err, "tokyo-pg-1 $ sudo -n gitlab-ctl stop postgresql", "seoul-pg-1 $ sudo -n gitlab-ctl geo promote --force")
        self.assertSays(self.sheet.out, "sudo -n gitlab-ctl geo promote --force")

    def test_nothing_is_lost_and_never_two_sites_are_writable(self):
        code, audit = self.audit
        self.assertEqual((code, audit["verdict"]), (0, "nothing lost"), audit)
        self.assertEqual((audit["site"], audit["writable_now"]), ("seoul", ["seoul"]))
        for kind in ("writes", "pushes"):
            self.assertGreater(audit[kind]["acknowledged"], 10)
            self.assertEqual(audit[kind]["lost"], 0)
        for level in ("database", "application"):
            self.assertEqual(audit[level]["two_writable"], [])

    def test_the_report_names_rto_and_rpo_reached(self):
        answer = self.tool("report")
        self.assertEqual((answer.code, answer.err), (0, ""))
        for row in (r"^# Planned failover.*tokyo -> seoul", r"^\| RTO reached \| (\d+m )?\d+(\.\d+)? s \(objective 15m, met\) \|",
                    r"^\| RPO reached \| no committed write of the database was lost: seoul replayed up to .*shutdown checkpoint.*\(objective 0 s\) \|",
                    r"^\| point of no return \| passed \|", r"^## Timeline"):
            self.assertRegex(answer.out, "(?m)" + row)
        self.assertIn(self.digest, answer.out)

    def test_the_report_says_what_users_felt(self):
        """What the tool claims, against what the users' own watcher saw."""
        answer = self.tool("report", "-o", "json")
        lines = [json.loads(line) for line in answer.out.splitlines()]
        self.assertEqual({line["schema"] for line in lines}, {1})
        self.assertEqual([line["type"] for line in lines], ["report"] + ["report-step"] * (len(lines) - 1))
        report = lines[0]
        self.assertTrue(report["isFinished"] and report["isZeroLossProven"] and report["isPastPointOfNoReturn"])
        self.assertEqual((report["from"], report["to"], report["plan"]), ("tokyo", "seoul", self.digest))
        self.assertEqual({line["status"] for line in lines[1:]}, {"succeeded"})
        surely, longest = self.lab.outage_since(self.began)
        # Counted from the step's first record to the proof that the URL answers: never less than users felt for sure, and on
        # a machine that is busy some seconds more, since a command starts after its record, a proof comes after its effect.
        self.assertGreater(surely, 1)
        self.assertGreaterEqual(report["readOnlySeconds"] + 0.5, surely)
        self.assertLessEqual(report["readOnlySeconds"], longest * 2 + 60)
        self.assertLessEqual(report["outageSeconds"], report["readOnlySeconds"])

    def test_every_command_is_in_the_journal_and_was_started_once_on_its_node(self):
        started = [entry(record)[1]["key"] for record in self.journal if entry(record)[0] == "commandStarted"]
        remote = [key for key in started if key != "local"]
        self.assertEqual(len(remote), len(set(remote)))
        jobs = [key for node in self.lab.nodes for _, key, _ in self.lab.jobs(node)]
        self.assertEqual(sorted(jobs), sorted(remote))

    def test_the_former_primary_stays_off_through_a_reboot(self):
        self.lab.fault("reboot", "tokyo-pg-1")
        self.assertEqual(self.lab.on("tokyo-pg-1", "systemctl", "is-enabled", "gitlab-runsvdir", check=False).strip(), "masked")
        self.assertEqual(self.lab.on("tokyo-pg-1", "pgrep", "-x", "postgres", check=False), "")
        # Nor by what enables and starts a unit that is only disabled: a person, or a reconfigure after an upgrade of the package.
        template = "/opt/gitlab/embedded/cookbooks/package/templates/default/gitlab-runsvdir.service.erb"
        self.lab.on("tokyo-pg-1", "sh", "-c", f"echo '# of the next release' >>{template}")
        for argv in (["systemctl", "enable", "--now", "gitlab-runsvdir"], ["systemctl", "start", "gitlab-runsvdir"],
                     ["gitlab-ctl", "reconfigure"], ["gitlab-ctl", "start"]):
            with self.subTest(argv):
                self.assertNotEqual(self.lab.command("exec", "tokyo-pg-1", "--", *argv, check=False).returncode, 0)
                self.assertEqual(self.lab.on("tokyo-pg-1", "systemctl", "is-active", "gitlab-runsvdir", check=False).strip(), "inactive")
                self.assertEqual(self.lab.on("tokyo-pg-1", "pgrep", "-x", "postgres", check=False), "")

    def test_the_same_plan_again_is_stale(self):
        tool = Tool(self.lab)
        answer = tool("execute", self.plan, "--approve", self.digest)
        self.assertEqual(answer.code, 3, answer)
        self.assertSays(answer.err, "REFUSED:", "seoul-pg-1 database role standby primary", "seoul-pg-1 Geo's primary tokyo seoul")
        kinds = [entry(record)[0] for record in tool.journal()]
        self.assertEqual(kinds, ["runStarted", "approved", "leaseTaken", "driftChecked", "runHalted"])

    def test_there_is_no_way_back_after_the_point_of_no_return(self):
        refused = self.tool("abort", "--reason", "too late", "--yes")
        self.assertEqual(refused.code, 3, refused)
        self.assertSays(refused.err, "there is no way back")

    def test_check_afterwards_knows_the_new_primary_and_that_the_old_one_is_down(self):
        answer = self.tool("check")
        self.assertEqual(answer.code, 2, answer)
        self.assertSays(answer.out, "seoul -> tokyo: NOT READY", "puma of tokyo-rails-1 is down", "postgresql of tokyo-pg-1 is down", "seoul=primary")
        self.assertNotIn("tokyo -> seoul: ", answer.out)

    def test_check_afterwards_never_advises_to_start_the_former_primary(self):
        """Its database would come up writable beside the new primary's."""
        for argv in ([], ["--from", "seoul", "--to", "tokyo"]):
            answer = self.tool("check", "-o", "json", *argv)
            remedies = [json.loads(line).get("remedy") or "" for line in answer.out.splitlines()]
            bad = [r for r in remedies if "# on tokyo" in r and ("gitlab-ctl start" in r or "systemctl enable" in r)]
            self.assertEqual(bad, [])

    def test_status_afterwards_is_finished(self):
        answer = self.tool("status")
        self.assertEqual(answer.code, 0)
        self.assertSays(answer.out, "finished", "seoul is the primary")
        self.assertTrue(self.tool.status()["isFinished"])
        again = self.tool("resume")
        self.assertEqual(again.code, 0, again)
        self.assertSays(again.err, "is finished", "geo-failover report")


if __name__ == "__main__":
    unittest.main()
