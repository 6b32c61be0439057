#!/usr/bin/env python3
"""Runs one client's scripted session against a server of its own. usage: run_client.py NAME

README.md beside this file says what a session does. Dependencies stay in build/clients at the
versions of the lock files.
"""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CACHE = os.path.join(ROOT, "build", "clients")
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
sys.path.insert(0, os.path.join(ROOT, "tests", "install"))
import example_output  # noqa: E402
import reco_e2e  # noqa: E402

PASSWORD = "open sesame"


def run(args, **kwargs):
    subprocess.run(args, check=True, stdin=subprocess.DEVNULL, **kwargs)


def fresh(name, *sources):
    """A folder of the cache with copies of `sources`, and whether they changed since the last
    complete preparation; mark_ready() ends one."""
    folder = os.path.join(CACHE, name)
    os.makedirs(folder, exist_ok=True)
    texts = [open(os.path.join(HERE, name, source), "rb").read() for source in sources]
    marker = os.path.join(folder, ".ready")
    ready = os.path.exists(marker) and open(marker, "rb").read() == b"\0".join(texts)
    if not ready:
        if os.path.exists(marker):
            os.remove(marker)
        for source in sources:
            shutil.copy(os.path.join(HERE, name, source), os.path.join(folder, source))
    return folder, ready


def mark_ready(name, *sources):
    texts = [open(os.path.join(HERE, name, source), "rb").read() for source in sources]
    with open(os.path.join(CACHE, name, ".ready"), "wb") as file:
        file.write(b"\0".join(texts))


def redis_cli():
    return [sys.executable, os.path.join(HERE, "redis_cli.py")]


def python():
    folder, ready = fresh("python", "requirements.txt")
    interpreter = os.path.join(folder, "venv", "bin", "python")
    if not ready:
        run([sys.executable, "-m", "venv", "--clear", os.path.join(folder, "venv")])
        run([interpreter, "-m", "pip", "install", "-q", "--disable-pip-version-check",
             "-r", os.path.join(folder, "requirements.txt")])
        mark_ready("python", "requirements.txt")
    return [interpreter, os.path.join(HERE, "python", "session.py")]


def node():
    sources = ("package.json", "package-lock.json", "session.js")
    folder, ready = fresh("node", *sources)
    if not ready:
        run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder)
        mark_ready("node", *sources)
    return ["node", os.path.join(folder, "session.js")]


def go():
    folder = os.path.join(CACHE, "go")
    os.makedirs(folder, exist_ok=True)
    binary = os.path.join(folder, "session")
    run(["go", "build", "-o", binary, "."], cwd=os.path.join(HERE, "go"),
        env=dict(os.environ, GOFLAGS="-mod=readonly -modcacherw", GOTOOLCHAIN="local",
                 GOMODCACHE=os.path.join(folder, "mod"), GOCACHE=os.path.join(folder, "cache")))
    return [binary]


def java():
    folder, ready = fresh("java", "pom.xml")
    jars = os.path.join(folder, "jars")
    if not ready:
        run(["mvn", "-B", "-q", "-ntp", "-f", os.path.join(folder, "pom.xml"),
             "-Dmaven.repo.local=" + os.path.join(folder, "repository"),
             "dependency:copy-dependencies", "-DoutputDirectory=" + jars])
        mark_ready("java", "pom.xml")
    return ["java", "-cp", os.path.join(jars, "*"), os.path.join(HERE, "java", "Session.java")]


def rust():
    target = os.path.join(CACHE, "rust")
    run(["cargo", "build", "--locked", "--quiet"], cwd=os.path.join(HERE, "rust"),
        env=dict(os.environ, CARGO_TARGET_DIR=target))
    return [os.path.join(target, "debug", "session")]


# name: (how to prepare the command, the protocols the client speaks)
CLIENTS = {"redis_cli": (redis_cli, (2, 3)), "python": (python, (2, 3)), "node": (node, (2, 3)),
           "go": (go, (2, 3)), "java": (java, (2, 3)), "rust": (rust, (2, 3))}


def run_example(interpreter, server):
    """examples/client.py, as a reader runs it, against its own comment."""
    source = os.path.join(ROOT, "examples", "client.py")
    done = subprocess.run([interpreter, source, reco_e2e.HOST, str(server.port)], check=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=120)
    different = example_output.differences(source, done.stdout)
    if different:
        raise AssertionError("\n".join(different))


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in CLIENTS:
        print(f"usage: run_client.py {'|'.join(CLIENTS)}", file=sys.stderr)
        return 2
    prepare, protocols = CLIENTS[sys.argv[1]]
    command = prepare()
    runs = [(resp, "") for resp in protocols] + [(protocols[-1], PASSWORD)]
    for number, (resp, password) in enumerate(runs):
        options = {"requirepass": password} if password else {}
        with reco_e2e.Server(**options) as server:
            run(command, timeout=120,
                env=dict(os.environ, PORT=str(server.port), RESP=str(resp), PASSWORD=password,
                         KEY=f"{sys.argv[1]}{number}"))
    if prepare is python:
        with reco_e2e.Server() as server:
            run_example(command[0], server)
    print(f"{sys.argv[1]}: {len(runs)} sessions passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
