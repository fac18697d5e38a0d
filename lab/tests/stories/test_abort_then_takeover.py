"""After two failovers that were aborted: the operator's machine is lost in the middle of a failover; another person on another machine goes on."""

import os
import shlex
import signal
import subprocess

from support import BIN, ROOT, Story, Tool, end, entry, group, lab, leave_lab, until

REASON = "anna's laptop fell into the river"


class Takeover(Story):
    limit = 450

    @classmethod
    def setUpClass(cls):
        cls.lab = lab("story-abort")
        cls.anna = Tool(cls.lab)
        cls.ben = Tool(cls.lab)
        until(lambda: cls.anna("check").code == 0, what="the lab to be ready")
        cls.plan, cls.digest = cls.anna.plan()

    @classmethod
    def tearDownClass(cls):
        leave_lab()

    def as_ben(self, *argv):
        """The tool as another user on a machine of another name."""
        command = "hostname desk; exec " + shlex.join([BIN, *argv])
        return subprocess.run(["unshare", "--uts", "sh", "-c", command], env=self.ben.environment | {"USER": "ben"}, cwd=ROOT,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=400)

    def test_another_machine_goes_on_from_a_copy_and_the_first_one_can_do_nothing_more(self):
        process = self.anna.execute_until(
            lambda: any(entry(r)[0] == "commandStarted" and group(r) == "promote-database" for r in self.anna.journal()),
            "the promotion to begin", self.plan, self.digest)
        self.addCleanup(end, process)
        # Asleep, not dead: the worst of both.
        os.kill(process.pid, signal.SIGSTOP)
        run = self.anna.runs[-1].name

        new = self.as_ben("execute", str(self.plan), "--approve", self.digest)
        self.assertEqual(new.returncode, 6, new)
        self.assertSays(new.stderr, "are held by", f"for run {run}", "Nothing was changed", f"--take-over {run}")
        self.assertEqual(self.ben.runs, [], "a run that may not begin leaves nothing")

        holders = self.as_ben("status", "--on-nodes")
        self.assertSays(holders.stdout, "13 of 13 nodes are held by", run, f"geo-failover resume {run} --from-node seoul-")
        node = holders.stdout.split("--from-node ")[1].split()[0]

        refused = self.as_ben("resume", run, "--from-node", node, "--approve", self.digest)
        self.assertEqual(refused.returncode, 6, refused)
        done = self.as_ben("resume", run, "--from-node", node, "--approve", self.digest, "--take-over", run, "--reason", REASON)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertSays(done.stderr, "TOOK OVER from", REASON, "the run finished")
        report = self.as_ben("report", run)
        self.assertSays(report.stdout, "ben on desk", "TOOK OVER", REASON)

        before = {name: self.lab.jobs(name) for name in self.lab.nodes}
        os.kill(process.pid, signal.SIGCONT)
        self.assertEqual(process.wait(timeout=300), 4)
        said = " ".join(str(entry(record)) for record in self.anna.journal()[-6:])
        self.assertTrue("another run holds this node" in said or "taken over by" in said, said)
        self.assertEqual({name: self.lab.jobs(name) for name in self.lab.nodes}, before, "the first one started something")

        # She wrote that she was stopped, he wrote what he did: nobody but they can say whose journal is the run's.
        two = self.anna("resume", run, "--from-node", node, "--approve", self.digest)
        self.assertEqual(two.code, 3, two)
        self.assertSays(two.err, f"there are two journals of {run}", "Nothing was done")

        started = [job for jobs in before.values() for job in jobs if job[0] == run]
        self.assertEqual(len({(run, key) for run, key, _ in started}), len(started))
        code, audit = self.lab.audit()
        self.assertEqual(code, 0, audit)
        self.assertSays(self.as_ben("status", "--on-nodes").stdout, "Nobody holds a node that answered.")
        self.clean(run)

    def clean(self, run):
        """What the run left on the nodes goes when it is over and old enough, and not before."""
        listed = self.as_ben("jobs", "list", "--run", run)
        self.assertSays(listed.stdout, f"{run}: ", "gitlab-ctl geo promote --force", "exited with 0")
        self.assertNotIn("RUNNING", listed.stdout)
        young = self.as_ben("jobs", "clean", "--yes", "--run", run)
        self.assertEqual(young.returncode, 0, young)
        self.assertSays(young.stdout + young.stderr, f"kept: {run}, last changed", "nothing to remove")
        # On anna's machine the journal ends in the middle: for her the run is not over.
        hers = self.anna("jobs", "clean", "--run", run, "--older-than", "0s", "--yes")
        self.assertSays(hers.err, f"kept: {run}, it is not over")
        nobody = self.as_ben("jobs", "clean", "--run", run, "--older-than", "0s")
        self.assertEqual(nobody.returncode, 5, nobody)
        gone = self.as_ben("jobs", "clean", "--run", run, "--older-than", "0s", "--yes")
        self.assertEqual(gone.returncode, 0, gone.stdout + gone.stderr)
        self.assertSays(gone.stdout, f"removed: {run} from 13 nodes")
        self.assertEqual([job for node in self.lab.nodes for job in self.lab.jobs(node) if job[0] == run], [])
        self.assertSays(self.as_ben("jobs", "list", "--run", run).stdout, "No node that answered has a job of any run.")
