"""Going back before the point of no return: the site that was to be left serves again, and nothing is left over.

What runs here goes over the system's own ssh: commands on nodes, the lease, the copies of the journal.

That the next failover goes through, and that no user lost anything, is told in test_abort_then_takeover.py, in the same lab.
"""

import shlex
import subprocess

from pathlib import Path

from support import BIN, Story, Tool, end, entry, lab, until


class Abort(Story):
    limit = 450

    @classmethod
    def setUpClass(cls):
        cls.lab = lab("story-abort")
        cls.tool = Tool(cls.lab)
        text = Path(cls.lab.inventory).read_text()
        assert "become: sudo }" in text, text
        path = Path(cls.lab.inventory).with_name("openssh.yaml")
        path.write_text(text.replace("become: sudo }", "become: sudo, transport: openssh }"))
        cls.tool.environment["GEO_FAILOVER_INVENTORY"] = str(path)
        until(lambda: cls.tool("check").code == 0, what="the lab to be ready")

    def begin_until(self, condition, what):
        plan, digest = self.tool.plan()
        return self.tool.execute_until(condition, what, plan, digest), digest

    def succeeded(self, prefix):
        return sum(entry(r)[0] == "stepSucceeded" and entry(r)[1]["step"].startswith(prefix) for r in self.tool.journal())

    def test_0_a_run_that_is_paused_halts_between_steps_and_only_what_it_did_is_undone(self):
        idle = self.tool("pause", "--reason", "x")
        self.assertNotEqual(idle.code, 0, idle)
        process, _ = self.begin_until(lambda: self.succeeded("block-writes"), "Maintenance Mode")
        asked = self.tool("pause", "--reason", "the change board wants a word")
        self.assertEqual(asked.code, 0, asked)
        self.assertEqual(process.wait(timeout=300), 4)
        status = self.tool("status")
        self.assertSays(status.out, "paused it: the change board wants a word")
        self.assertEqual(self.succeeded("stop-database"), 0, "it went on")
        back = self.tool("abort", "--reason", "the change board said no", "--yes")
        self.assertEqual(back.code, 0, back)
        until(lambda: self.tool("check").code == 0, what="the deployment to be ready again")

    def test_0b_what_a_copy_of_the_journal_lacks_is_known_to_the_nodes_and_undone(self):
        process, _ = self.begin_until(lambda: self.succeeded("stop-cron-jobs"), "cron jobs to be stopped")
        process.kill()
        process.wait()
        self.assertEqual(self.cron_job("hget", "cron_job:pipeline_schedule_worker", "status"), "disabled")
        # As on another machine, to which the last records had not come yet.
        journal = self.tool.runs[-1] / "journal.jsonl"
        lines = journal.read_text().splitlines(True)
        first = next(i for i, r in enumerate(self.tool.journal()) if entry(r)[0] == "stepStarted" and entry(r)[1]["step"] == "stop-cron-jobs")
        journal.write_text("".join(lines[:first]))
        # A node that cannot say what it was told may have something to undo.
        self.lab.fault("node-down", "tokyo-rails-1")
        words = shlex.join([BIN, "abort", "--reason", "the machine is lost", "--yes"])
        process = self.tool.popen("abort", program=["unshare", "--uts", "sh", "-c", f"hostname desk-2; exec {words}"], text=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        self.addCleanup(end, process)
        _, said = process.communicate(timeout=200)
        self.assertEqual(process.returncode, 3, said)
        self.assertSays(said, "this journal is a copy, and tokyo-rails-1 cannot say", "Nothing was done")
        self.lab.heal()
        back = self.tool("abort", "--reason", "the machine is lost", "--yes")
        self.assertEqual(back.code, 0, back)
        self.assertSays(back.err, "the nodes know of commands that this journal lacks", "start-cron-jobs")
        self.assertEqual(self.cron_job("hget", "cron_job:pipeline_schedule_worker", "status"), "enabled")
        until(lambda: self.tool("check").code == 0, what="the deployment to be ready again")

    def cron_job(self, *argv):
        return self.lab.on("tokyo-redis-1", "gitlab-redis-cli", *argv).strip()

    def test_1_a_fenced_site_is_put_back_and_serves_its_users(self):
        self.cron_job("hset", "cron_job:trending_projects_worker", "status", "disabled")
        process, digest = self.begin_until(lambda: self.succeeded("fence@") >= 3, "half of the fence")
        process.kill()
        process.wait()
        run = self.tool.runs[-1].name
        self.assertSays(self.tool("status").out, f"geo-failover abort {run} --reason TEXT")

        without = self.tool("abort", run, "--reason", "no need any more")
        self.assertEqual(without.code, 5, without)
        self.assertSays(without.err, "nobody is there to be asked")
        back = self.tool("abort", run, "--reason", "no need any more", "--yes")
        self.assertEqual(back.code, 0, back)
        self.assertSays(back.err, "start-data", "tokyo is the primary, as before")
        # The run had stopped all of them; an administrator only one, and that one stays off.
        self.assertEqual(self.cron_job("hget", "cron_job:trending_projects_worker", "status"), "disabled")
        self.assertEqual(self.cron_job("hget", "cron_job:pipeline_schedule_worker", "status"), "enabled")
        self.cron_job("hset", "cron_job:trending_projects_worker", "status", "enabled")

        check = until(lambda: (a := self.tool("check")).code == 0 and a, what="the deployment to be ready again")
        self.assertSays(check.out, "tokyo -> seoul: READY")
        self.assertSays(self.tool("status", "--on-nodes").out, "Nobody holds a node that answered.")
        old = self.tool("status", run)
        self.assertSays(old.out, "was aborted", "back-to-tokyo")
        refused = self.tool("resume", run, "--approve", digest)
        self.assertEqual(refused.code, 3, refused)
        self.assertSays(refused.err, "was aborted", "geo-failover resume")
        self.assertSays(self.tool("report", run).out, "ABORTED the run, because: no need any more")

        # Its copies on the nodes know, too: nobody goes on with it from another machine, and what it left can be removed there.
        copies = [node for node in self.lab.nodes if (self.lab.files(node) / f"var/lib/geo-failover/runs/{run}/journal.jsonl").exists()]
        self.assertGreaterEqual(len(copies), 2)
        other = Tool(self.lab)
        refused = other("resume", run, "--from-node", copies[0], "--approve", digest)
        self.assertEqual(refused.code, 3, refused)
        self.assertSays(refused.err, f"{run} was aborted")
        gone = other("jobs", "clean", "--run", run, "--older-than", "0s", "--yes")
        self.assertEqual(gone.code, 0, gone)
        self.assertSays(gone.out, f"removed: {run} from")
