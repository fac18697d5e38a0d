"""What the tests of the lab's machinery share: a bare lab of their own, and waiting for conditions."""
import atexit
import json
import os
import subprocess
import time
from pathlib import Path

LAB = str(Path(__file__).resolve().parents[2] / "lab")
STATE = Path("/var/lib/geo-failover-lab")
_made = set()


def lab(name, *argv, check=True, timeout=400, **options):
    """One `lab/lab` command, as a script without a terminal would call it."""
    # Tests that are interrupted, above all in setUpClass, do not come to the `down` at their end.
    if "up" in argv[:1] and name not in _made:
        _made.add(name)
        atexit.register(lab, name, "down", check=False, **options)
    environment = {k: v for k, v in os.environ.items() if k not in ("GEO_LAB_NAME", "GEO_LAB_STATE")}
    done = subprocess.run([LAB, "--name", name, *argv], stdin=subprocess.DEVNULL, text=True, capture_output=True, timeout=timeout,
                          env={**environment, **options.pop("env", {})}, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"lab {' '.join(argv)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def until(condition, timeout=200, what="the condition"):
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s for {what}")
        time.sleep(0.1)


def status(name):
    return json.loads(lab(name, "status", "--json", check=False).stdout)


def nodes(name):
    return {node["name"]: node for node in status(name)["nodes"]}


def net(name):
    return json.loads((STATE / name / "lab.json").read_text())["net"]


def reaches(name, node, address, port=22, timeout=2):
    """Whether a TCP connection from inside a node is answered with a byte: a stopped sshd accepts but says nothing."""
    code = f"exec 3<>/dev/tcp/{address}/{port}; head -c 1 <&3 | grep -q ."
    return lab(name, "exec", node, "--", "timeout", str(timeout), "bash", "-c", code, check=False).returncode == 0


def operator_reaches(address, port=22, timeout=2):
    code = f"exec 3<>/dev/tcp/{address}/{port}; head -c 1 <&3 | grep -q ."
    return subprocess.run(["timeout", str(timeout), "bash", "-c", code], capture_output=True).returncode == 0


def traces(name, number):
    """Everything of a lab that the machine still knows: empty after `down`."""
    found = []
    directory = STATE / name
    if directory.exists():
        found.append(str(directory))
    found += [line for line in Path("/proc/mounts").read_text().splitlines() if str(directory) + "/" in line]
    for command in (["ip", "-br", "link"], ["ip", "netns", "list"], ["ip", "route"]):
        text = subprocess.run(command, capture_output=True, text=True).stdout
        found += [line for line in text.splitlines() if f"geolab{number}" in line or f"geo-lab-{number}" in line]
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                cmdline = Path(f"/proc/{entry}/cmdline").read_bytes()
                environment = Path(f"/proc/{entry}/environ").read_bytes()
            except OSError:
                continue
            if f"{directory}/".encode() in cmdline or f"GEO_LAB_INSTANCE={directory}\0".encode() in environment:
                found.append(f"process {entry}: {cmdline!r}")
    return found
