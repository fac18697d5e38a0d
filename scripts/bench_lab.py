"""What the tool adds to the commands of a failover, from the journal of a run and the job directories on the nodes.

    scripts/bench lab            makes a lab, looks at it and fails it over, measures, takes the lab down
    scripts/bench lab look NAME  what `check` starts on the nodes of a lab that is up
    scripts/bench lab RUN_DIR    measures a run that is already there

Of each command that a step runs on a node, the journal knows when it was about to be sent and when its end was known,
and the node knows how long the command itself took. The difference is the tool's own: session, sudo, start, waiting,
the way back, two synchronised records. The proof is the fresh look afterwards; it holds the node's own probe commands.

How many processes a look starts, each node says itself: it numbers its own, and nothing else starts any on most of them.
What does, threads of puma for its users, is counted before and taken off.
"""
import json
import os
import statistics
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAB = str(ROOT / "lab" / "lab")
NAME = "bench"


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


def measure(journal):
    """Milliseconds per command and per proof: (added, proofs, commands)."""
    started, ended, added, proofs, commands = {}, {}, [], [], []
    for line in Path(journal).read_text().splitlines():
        record = json.loads(line)
        at, (kind, entry) = moment(record["at"]), next(iter(record["entry"].items()))
        step = entry.get("step")
        if kind == "commandStarted" and entry["key"] != "local":
            started[step, entry["index"]] = at
        elif kind == "commandFinished" and (step, entry["index"]) in started:
            took = entry["outcome"]["exited"]["seconds"] * 1000
            commands.append(took)
            added.append(at - started[step, entry["index"]] - took)
            ended[step] = at
        elif kind == "stepSucceeded" and step in ended:
            proofs.append(at - ended[step])
    return added, proofs, commands


def report(journal):
    added, proofs, commands = measure(journal)
    print(f"{len(added)} commands on nodes, milliseconds{'':14}median   90 %    most")
    for name, values in [("the commands themselves, on the node", commands), ("added by the tool, per command", added),
                         ("proof by a fresh look, per step", proofs)]:
        values = sorted(values)
        ninety = values[int(len(values) * 0.9)]
        print(f"  {name:38}{statistics.median(values):8.0f}{ninety:8.0f}{values[-1]:8.0f}")


def numbers(state):
    """The last process number that each node gave out."""
    found = {}
    for file in sorted(state.glob("nodes/*/pid")):
        enter = ["nsenter", "-t", file.read_text().split()[0], "-m", "-p", "-r", "-w", "cat", "/proc/sys/kernel/ns_last_pid"]
        found[file.parent.name] = int(subprocess.run(enter, check=True, capture_output=True).stdout)
    return found


def look(state):
    """Processes that one `check` starts on each node."""
    before, began = numbers(state), time.monotonic()
    time.sleep(5)
    middle, asked = numbers(state), time.monotonic()
    tool(state, "check", accept=(0, 2))
    after, ended = numbers(state), time.monotonic()
    share = (ended - asked) / (asked - began)
    # One of each difference is the question for the number itself.
    started = {node: round(after[node] - middle[node] - 1 - (middle[node] - before[node] - 1) * share) for node in after}
    print(f"{sum(started.values())} processes on {len(started)} nodes for one check, {ended - asked:.1f} s")
    print(*(f"  {node:20}{count:6}" for node, count in started.items()), sep="\n")


def lab(*arguments):
    subprocess.run([LAB, "--name", NAME, *arguments], check=True, stdout=subprocess.DEVNULL)


def tool(state, *arguments, accept=(0,)):
    environment = os.environ | {"GEO_FAILOVER_INVENTORY": str(state / "inventory.yaml"),
                                "GEO_FAILOVER_STATE": str(state / "bench-state")}
    done = subprocess.run([os.environ["GEO_FAILOVER_BIN"], *arguments], env=environment, stdout=subprocess.DEVNULL)
    if done.returncode not in accept:
        sys.exit(f"geo-failover {' '.join(arguments)}: exit {done.returncode}")


def main():
    if sys.argv[1:2] == ["look"]:
        return look(Path("/var/lib/geo-failover-lab") / (sys.argv[2:] or ["default"])[0])
    if len(sys.argv) > 1:
        return report(Path(sys.argv[1]) / "journal.jsonl")
    try:
        lab("up")
        state = json.loads(subprocess.run([LAB, "--name", NAME, "status", "--json"], check=True, capture_output=True).stdout)
        state = Path(state["state"])
        look(state)
        plan = state / "bench.geoplan"
        tool(state, "plan", "--out", str(plan))
        digest = json.loads(plan.read_text().splitlines()[0])["digest"]
        tool(state, "execute", str(plan), "--approve", digest)
        runs = sorted((state / "bench-state" / "runs").iterdir())
        report(runs[-1] / "journal.jsonl")
    finally:
        subprocess.run([LAB, "--name", NAME, "down"], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
