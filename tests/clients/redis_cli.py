"""The scripted session of redis-cli, fed through its standard input as by a person; see README.md.

redis-cli asks COMMAND DOCS first and completes and explains commands from the answer; a malformed
answer ends it with an assertion.
"""
import os
import re
import shutil
import subprocess

KEY = os.environ["KEY"]
RESP = os.environ["RESP"]


def cli(*args, stdin=None):
    """Runs redis-cli; returns what it printed, without its colours."""
    command = ["redis-cli", "-h", "127.0.0.1", "-p", os.environ["PORT"], "--no-auth-warning"]
    if RESP == "3":
        command.append("-3")
    if os.environ["PASSWORD"]:
        command += ["-a", os.environ["PASSWORD"]]
    source = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin.encode()}
    done = subprocess.run(command + list(args), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=True, timeout=60, **source)
    return re.sub(r"\x1b\[\d*m", "", done.stdout.decode())


def expect(printed, pattern):
    assert re.search(pattern, printed, re.S), f"{pattern!r} not in {printed!r}"


def main():
    expect(cli("PING"), r"^PONG\n$")
    lines = [f'SET {KEY}:text "\\x00 two words"', f"GET {KEY}:text",
             f"RECO.CREATE {KEY}:shop DIM 8"]
    lines += [f"RECO.ADD {KEY}:shop u{n % 8} i{n * 3 % 10}" for n in range(40)]
    lines += [f"RECO.RETRAIN {KEY}:shop SYNC", "ECHO trained",
              f"RECO.TOPK {KEY}:shop u1 COUNT 3 WITHSCORES", "ECHO errors", "GET",
              f"RECO.ADD {KEY}:text u i", f"RECO.ADD {KEY}:shop u i nan", "NOSUCH a b"]
    printed = cli(stdin="\n".join(lines) + "\n")
    expect(printed, r'^OK\n"?\\?x?0?0?.*two words')
    before, _, after = printed.partition("trained")
    numbers = [int(n) for n in re.findall(r"^(?:\(integer\) )?(\d+)$", before, re.M)][-41:-1]
    assert len(numbers) == 40 and numbers == sorted(set(numbers)), before
    ranking, _, errors = after.partition("errors")
    assert len(set(re.findall(r"\bi\d+\b", ranking))) == 3, ranking
    expect(errors, r"ERR wrong number of arguments for 'get' command.*WRONGTYPE .*ERR .*"
                   r"ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b'")

    # The help comes from COMMAND DOCS.
    printed = cli(stdin="help RECO.TOPK\nhelp @reco\nhelp SET\n")
    expect(printed, r"RECO\.TOPK key user.*summary: \w.*group: reco")
    expect(printed, r"RECO\.ADD key user item")
    expect(printed, r"SET key value")
    expect(cli("--scan", "--pattern", f"{KEY}:*"), rf"{KEY}:(text|shop)")
    print(f"{cli('--version').strip()}, RESP{RESP}: passed")


if __name__ == "__main__":
    assert shutil.which("redis-cli"), "redis-cli is missing"
    main()
