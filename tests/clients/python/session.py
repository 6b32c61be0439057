"""The scripted session of redis-py; see README.md beside this folder."""
import os

import redis

KEY = os.environ["KEY"]
PROTOCOL = int(os.environ["RESP"])


def expect_error(call, start):
    try:
        answer = call()
    except redis.exceptions.ResponseError as error:
        # redis-py takes the generic "ERR " off.
        assert str(error).startswith(start), error
        return
    raise AssertionError(f"{answer!r} instead of an error")


def pairs(answer):
    """[id, score] pairs of a list WITHSCORES: flat in RESP2, nested in RESP3."""
    if PROTOCOL == 2:
        return [(answer[i], float(answer[i + 1])) for i in range(0, len(answer), 2)]
    assert all(isinstance(score, float) for _, score in answer), answer
    return [tuple(pair) for pair in answer]


def main():
    client = redis.Redis(host="127.0.0.1", port=int(os.environ["PORT"]), protocol=PROTOCOL,
                         password=os.environ["PASSWORD"] or None)
    assert client.ping() is True
    value = b"\x00\xff\r\n text"
    assert client.set(KEY + ":text", value, ex=100) is True
    assert client.get(KEY + ":text") == value
    assert 0 < client.ttl(KEY + ":text") <= 100
    with client.pipeline(transaction=False) as pipe:
        assert pipe.set("a", 1).get("a").delete("a").execute() == [True, b"1", 1]

    shop = KEY + ":shop"
    assert client.execute_command("RECO.CREATE", shop, "DIM", 8) in (True, b"OK", "OK")
    numbers = [client.execute_command("RECO.ADD", shop, f"u{n % 8}", f"i{n * 3 % 10}")
               for n in range(40)]
    assert numbers == sorted(set(numbers)), numbers
    client.execute_command("RECO.RETRAIN", shop, "SYNC")
    best = pairs(client.execute_command("RECO.TOPK", shop, "u1", "COUNT", 3, "WITHSCORES"))
    seen = set(client.execute_command("RECO.HISTORY", shop, "u1", "COUNT", 100))
    assert len(best) == 3 and not seen & {item for item, _ in best}, (best, seen)
    assert [score for _, score in best] == sorted((s for _, s in best), reverse=True), best

    expect_error(lambda: client.execute_command("GET"), "wrong number of arguments for 'get'")
    expect_error(lambda: client.execute_command("RECO.ADD", KEY + ":text", "u", "i"), "WRONGTYPE")
    expect_error(lambda: client.execute_command("RECO.ADD", shop, "u", "i", "nan"), "")
    assert client.execute_command("RECO.ADD", shop, "u1", "i1") == numbers[-1] + 1

    # pipeline() is a transaction by default. None of it is carried out, so that a second attempt
    # counts nothing twice.
    pipe = client.pipeline()
    pipe.set("a", 1).execute_command("RECO.ADD", shop, "u1", "i1")
    expect_error(pipe.execute, "transactions are not supported")
    assert client.exists("a") == 0
    assert client.execute_command("RECO.ADD", shop, "u1", "i1") == numbers[-1] + 2
    with client.pipeline() as pipe:
        expect_error(lambda: pipe.watch("a"), "unknown command 'WATCH'")
    assert client.ping() is True
    client.close()
    print(f"redis-py {redis.__version__}, RESP{PROTOCOL}: passed")


if __name__ == "__main__":
    main()
