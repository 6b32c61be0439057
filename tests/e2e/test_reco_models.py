"""RECO.RETRAIN, EVAL, JOB and MODEL."""
import time
import unittest

import reco_e2e
from reco_e2e import RespError, as_map, reco_only, text
from test_reco_rankings import GROUP, two_tastes

NOT_INTEGER = "ERR value is not an integer or out of range"
SYNTAX = "ERR syntax error"
MISSING = "ERR no such collection 'no'; create it with RECO.CREATE or RECO.ADD"
WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
JOB_FIELDS = ["id", "kind", "key", "state", "percent", "phase", "eta-seconds", "started-ms",
              "finished-ms", "error", "result"]
METRICS = ["recall", "precision", "ndcg", "map", "mrr", "hit-rate", "coverage", "novelty"]
FOREVER = ("ITERATIONS", 1000)  # of a training long enough to be caught at work


def big(client, key="big"):
    """A collection whose 1,000 iterations take long."""
    client.cmd("RECO.CREATE", key, "DIM", 256)
    client.pipeline([("RECO.MADD", key, *[word for i in range(5000) for word in
                                          (f"u{(i * 7 + n) % 500}", f"i{(i * i + n) % 900}", 1)])
                     for n in range(4)])


@reco_only
class Retrain(reco_e2e.ServerTest):
    def test_answers_a_job_that_ends_with_a_new_active_model(self):
        client = self.client()
        two_tastes(client)
        job_id = client.cmd("RECO.RETRAIN", "shop")
        job = as_map(client.cmd("RECO.JOB", "WAIT", job_id, 0))
        self.assertEqual([job_id, b"retrain", b"shop", b"done", b""], [
            job[name] for name in ("id", "kind", "key", "state", "error")])
        info = as_map(client.cmd("RECO.INFO", "shop"))
        self.assertEqual((1, 0), (info["model-id"], info["model-seq"]))
        self.assertEqual(b"x0", client.cmd("RECO.TOPK", "shop", "a0")[0])

    def test_sync_answers_the_same_once_it_is_done(self):
        client = self.client()
        two_tastes(client)
        job_id = client.cmd("RECO.RETRAIN", "shop", "sync", "iterations", 3)
        self.assertIsInstance(job_id, int)
        job = as_map(client.cmd("RECO.JOB", "INFO", job_id))
        self.assertEqual((b"done", 100), (job["state"], float(job["percent"])))
        self.assertLess(job_id, client.cmd("RECO.RETRAIN", "shop", "iterations", 2, "SYNC"))
        self.assertEqual(2, as_map(client.cmd("RECO.INFO", "shop"))["model-id"])

    def test_a_number_is_not_given_out_again_after_a_kill_or_a_stop(self):
        with reco_e2e.Server() as server:
            ends = []
            big(server.client())
            for end in (server.kill9, server.stop):
                job = server.client().cmd("RECO.RETRAIN", "big", *FOREVER)
                end()
                server.start()
                info = as_map(server.client().cmd("RECO.JOB", "WAIT", job, 0))
                ends.append([info[name] for name in ("id", "state", "error")])
            client = server.client()
            self.assertEqual([[1, b"interrupted", b"the server stopped before it ended"],
                              [2, b"cancelled", b""]], ends)
            self.assertEqual([b"interrupted", b"cancelled"],
                             [as_map(one)["state"] for one in client.cmd("RECO.JOB", "LIST")])
            self.assertEqual(3, client.cmd("RECO.RETRAIN", "big", "ITERATIONS", 1, "SYNC"))

    def test_trains_on_what_is_left_after_removals(self):
        client = self.client()
        two_tastes(client)
        client.cmd("RECO.REM", "shop", "a0", "x1", "x2")
        client.cmd("RECO.USER", "DEL", "shop", "a1")
        client.cmd("RECO.ITEM", "DEL", "shop", "y1")
        pairs = 2 * GROUP * (GROUP - 1) - 2 - 2 * (GROUP - 1)
        self.assertEqual(pairs, as_map(client.cmd("RECO.INFO", "shop"))["interactions"])
        client.cmd("RECO.RETRAIN", "shop", "SYNC")
        self.assertEqual({b"x0", b"x1", b"x2"},
                         set(client.cmd("RECO.TOPK", "shop", "a0", "COUNT", 3)))
        self.assertEqual(pairs, as_map(client.cmd("RECO.INFO", "shop"))["interactions"])

    def test_a_command_behind_sync_waits_and_others_do_not(self):
        client, other = self.client(), self.client()
        big(client)
        client.send_raw(reco_e2e.encode("RECO.RETRAIN", "big", "SYNC", *FOREVER)
                        + reco_e2e.encode("PING"))
        job_id = reco_e2e.eventually(lambda: self.running_job(other))
        self.assertEqual("PONG", other.cmd("PING"))
        other.cmd("RECO.ADD", "big", "u1", "new")
        self.assertNotIn(b"new", other.cmd("RECO.TOPK", "big", "u1"))
        self.assertEqual("OK", other.cmd("RECO.JOB", "CANCEL", job_id))
        self.assertEqual(RespError(f"ERR job {job_id} was cancelled"), client.read_value())
        self.assertEqual("PONG", client.read_value())
        self.assertEqual(0, as_map(other.cmd("RECO.INFO", "big"))["model-id"])

    @staticmethod
    def running_job(client):
        for job in client.cmd("RECO.JOB", "LIST"):
            job = as_map(job)
            if job["state"] == b"running":
                return job["id"]
        return None

    def test_one_training_of_a_collection_at_a_time(self):
        client = self.client()
        big(client)
        job_id = client.cmd("RECO.RETRAIN", "big", *FOREVER)
        self.assertRegex(client.error("RECO.RETRAIN", "big"), "^ERR .*running")
        client.cmd("RECO.JOB", "CANCEL", job_id)
        job = as_map(client.cmd("RECO.JOB", "WAIT", job_id, 0))
        self.assertEqual(b"cancelled", job["state"])

    def test_parameters_of_one_training_are_seen_in_its_model(self):
        client = self.client(protocol=3)
        two_tastes(client)
        client.cmd("RECO.RETRAIN", "shop", "SYNC", "alpha", "2.5", "Iterations", 3)
        (model,) = client.cmd("RECO.MODEL", "LIST", "shop")
        parameters = as_map(as_map(model)["parameters"])
        self.assertEqual((2.5, 3.0), (parameters["alpha"], parameters["iterations"]))
        self.assertEqual({b"alpha": b"1"}, client.cmd("RECO.CONFIG", "shop", "GET", "alpha"))

    def test_refused_trainings_start_no_job(self):
        client = self.client()
        two_tastes(client)
        client.cmd("SET", "k", "one")
        before = client.cmd("RECO.JOB", "LIST")
        for args, message in [
                (("no",), MISSING), (("no", "SYNC"), MISSING), (("k",), WRONGTYPE),
                (("shop", "SYNC", "SYNC"), SYNTAX), (("shop", "alpha"), SYNTAX),
                (("shop", "alpha", 1, "ALPHA", 2), SYNTAX),
                (("shop", "nosuch", 1), "ERR unknown parameter 'nosuch'"),
                (("shop", "alpha", "nan"), "ERR alpha must be"),
                (("shop", "alpha", "1e400"), "ERR alpha must be"),
                (("shop", "iterations", "0x10"), "ERR iterations must be"),
                (("shop", "dim", 16), "ERR ")]:
            with self.subTest(args=args):
                error = client.error("RECO.RETRAIN", *args)
                self.assertEqual(message, error[:len(message)])
                self.assertEqual(before, client.cmd("RECO.JOB", "LIST"))
        self.assertEqual(0, client.cmd("EXISTS", "no"))


@reco_only
class Evaluate(reco_e2e.ServerTest):
    def test_answers_the_metrics_of_model_popularity_and_cosine(self):
        client = self.client(protocol=3)
        two_tastes(client)
        result = as_map(client.cmd("RECO.EVAL", "shop", "HOLDOUT", "LAST", 1, "AT", 5, 10))
        self.assertEqual(["job", "users", "seconds", "model", "vectors", "ridge", "popularity",
                          "cosine"],
                         list(result))
        self.assertEqual(2 * GROUP, result["users"])
        self.assertIsInstance(result["seconds"], float)
        for scorer in ("model", "vectors", "ridge", "popularity", "cosine"):
            metrics = as_map(result[scorer])
            self.assertEqual({f"{metric}@{k}" for metric in METRICS for k in (5, 10)},
                             set(metrics))
            for value, half_width in metrics.values():
                self.assertGreaterEqual(value, 0)
                self.assertTrue(half_width is None or half_width >= 0)
        recalls = [as_map(result[scorer])["recall@10"][0] for scorer in ("model", "popularity")]
        self.assertGreater(recalls[0], recalls[1])

    def test_resp2_has_the_same_in_flat_arrays(self):
        client = self.client()
        two_tastes(client)
        result = as_map(client.cmd("RECO.EVAL", "shop"))
        model = as_map(result["model"])
        self.assertEqual({f"{metric}@{k}" for metric in METRICS for k in (10, 20)}, set(model))
        value, half_width = model["recall@10"]
        self.assertTrue(0 <= float(value) <= 1 and 0 <= float(half_width) <= 1)

    def test_changes_nothing_but_the_quality(self):
        client = self.client()
        two_tastes(client)
        client.cmd("RECO.RETRAIN", "shop", "SYNC")
        before = client.cmd("RECO.TOPK", "shop", "a0", "WITHSCORES")
        client.cmd("RECO.EVAL", "shop", "TIES", "STORED", "alpha", "2", "AT", "7")
        self.assertEqual(before, client.cmd("RECO.TOPK", "shop", "a0", "WITHSCORES"))
        info = as_map(client.cmd("RECO.INFO", "shop"))
        self.assertEqual(1, info["model-id"])
        self.assertIn("model.recall@7", as_map(info["quality"]))

    def test_the_same_seed_gives_the_same_metrics(self):
        client = self.client()
        two_tastes(client)
        first, second = (as_map(client.cmd("RECO.EVAL", "shop", "ties", "shuffled"))
                         for _ in range(2))
        for scorer in ("model", "popularity", "cosine"):
            self.assertEqual(first[scorer], second[scorer])

    def test_refused_evaluations_start_no_job(self):
        client = self.client()
        two_tastes(client)
        client.cmd("SET", "k", "one")
        before = client.cmd("RECO.JOB", "LIST")
        for args, message in [
                (("no",), MISSING), (("k",), WRONGTYPE), (("shop", "HOLDOUT"), SYNTAX),
                (("shop", "HOLDOUT", "FIRST", 1), SYNTAX), (("shop", "HOLDOUT", "LAST"), SYNTAX),
                (("shop", "HOLDOUT", "LAST", 0), "ERR HOLDOUT LAST must be between 1 and 10000"),
                (("shop", "HOLDOUT", "LAST", "x"), NOT_INTEGER),
                (("shop", "HOLDOUT", "LAST", 1, "HOLDOUT", "LAST", 1), SYNTAX),
                (("shop", "AT"), SYNTAX), (("shop", "AT", "x"), NOT_INTEGER),
                (("shop", "AT", 0), "ERR AT must be between 1 and 1000"),
                (("shop", "AT", 10, 1001), "ERR AT must be between 1 and 1000"),
                (("shop", "AT", 10, "1.5"), NOT_INTEGER), (("shop", "AT", 10, "0x10"), NOT_INTEGER),
                (("shop", "AT", *range(1, 10)), "ERR AT takes at most 8 cut-offs"),
                (("shop", "AT", 1, "AT", 2), SYNTAX), (("shop", "TIES"), SYNTAX),
                (("shop", "TIES", "NOSUCH"), SYNTAX), (("shop", "alpha"), SYNTAX),
                (("shop", "alpha", "inf"), "ERR alpha must be"),
                (("shop", "nosuch", "1"), "ERR unknown parameter 'nosuch'")]:
            with self.subTest(args=args):
                error = client.error("RECO.EVAL", *args)
                self.assertEqual(message, error[:len(message)])
                self.assertEqual(before, client.cmd("RECO.JOB", "LIST"))


@reco_only
class Jobs(reco_e2e.ServerTest):
    def test_info_list_and_wait_show_the_same_map(self):
        client = self.client()
        two_tastes(client)
        job_id = client.cmd("RECO.RETRAIN", "shop", "SYNC")
        job = client.cmd("RECO.JOB", "INFO", job_id)
        self.assertEqual(JOB_FIELDS, list(as_map(job)))
        self.assertEqual(job, client.cmd("RECO.JOB", "WAIT", job_id, 1))
        self.assertIn(job, client.cmd("RECO.JOB", "LIST"))
        self.assertIn(job, as_map(client.cmd("RECO.INFO", "shop"))["jobs"])
        now = time.time() * 1000
        job = as_map(job)
        self.assertTrue(now - 600_000 < job["started-ms"] <= job["finished-ms"] <= now + 1000)

    def test_resp3_types(self):
        client = self.client(protocol=3)
        two_tastes(client)
        job = client.cmd("RECO.JOB", "INFO", client.cmd("RECO.RETRAIN", "shop", "SYNC"))
        self.assertIsInstance(job, dict)
        self.assertEqual([float, float, dict],
                         [type(job[name]) for name in (b"percent", b"eta-seconds", b"result")])

    def test_wait_answers_how_the_job_stands_at_the_timeout(self):
        client = self.client()
        big(client)
        job_id = client.cmd("RECO.RETRAIN", "big", *FOREVER)
        job = as_map(client.cmd("RECO.JOB", "WAIT", job_id, 1))
        self.assertIn(job["state"], (b"queued", b"running"))
        self.assertEqual(0, job["finished-ms"])
        self.assertEqual("OK", client.cmd("RECO.JOB", "CANCEL", job_id))
        self.assertEqual(b"cancelled", as_map(client.cmd("RECO.JOB", "WAIT", job_id, 0))["state"])

    def test_a_finished_job_cannot_be_cancelled(self):
        client = self.client()
        two_tastes(client)
        job_id = client.cmd("RECO.RETRAIN", "shop", "SYNC")
        self.assertRegex(client.error("RECO.JOB", "CANCEL", job_id), "^ERR ")
        self.assertEqual(b"done", as_map(client.cmd("RECO.JOB", "INFO", job_id))["state"])

    def test_shutdown_does_not_wait_for_a_training(self):
        with reco_e2e.Server() as server:
            client = server.client()
            big(client)
            client.send_raw(reco_e2e.encode("RECO.RETRAIN", "big", "SYNC", *FOREVER))
            other = server.client()
            reco_e2e.eventually(lambda: Retrain.running_job(other))
            server.stop()
            server.start()
            self.assertEqual(0, as_map(server.client().cmd("RECO.INFO", "big"))["model-id"])

    def test_unknown_and_bad_ids(self):
        client = self.client()
        for subcommand, rest in (("INFO", ()), ("CANCEL", ()), ("WAIT", (1,))):
            for word, message in [("999999", "ERR "), ("x", NOT_INTEGER), ("1.5", NOT_INTEGER),
                                  ("0", "ERR the job id must be between 1 and"),
                                  ("-1", "ERR the job id must be between 1 and"),
                                  ("99999999999999999999", NOT_INTEGER)]:
                with self.subTest(subcommand=subcommand, word=word):
                    error = client.error("RECO.JOB", subcommand, word, *rest)
                    self.assertEqual(message, error[:len(message)])
        for word, message in [("-1", "ERR timeout-ms must be between 0 and 31536000000"),
                              ("nan", NOT_INTEGER), ("1e400", NOT_INTEGER)]:
            with self.subTest(word=word):
                self.assertEqual(message, client.error("RECO.JOB", "WAIT", 1, word))


@reco_only
class Models(reco_e2e.ServerTest):
    def test_lists_what_was_trained_with_one_active(self):
        client = self.client()
        two_tastes(client)
        self.assertEqual([], client.cmd("RECO.MODEL", "LIST", "shop"))
        client.cmd("RECO.RETRAIN", "shop", "SYNC")
        last_seq = client.cmd("RECO.ADD", "shop", "a0", "x0")
        client.cmd("RECO.RETRAIN", "shop", "SYNC")
        models = [as_map(model) for model in client.cmd("RECO.MODEL", "LIST", "shop")]
        (active,) = [model for model in models if model["active"]]
        self.assertEqual(["id", "active", "kept", "trained-at-seq", "trained-at-ms", "dim",
                          "parameters", "metrics"], list(active))
        self.assertEqual((2, last_seq, 8),
                         (active["id"], active["trained-at-seq"], active["dim"]))
        self.assertTrue(as_map(active["metrics"]))
        self.assertIn("alpha", as_map(active["parameters"]))

    def test_lists_by_the_models_that_are_kept(self):
        client = self.client()
        two_tastes(client)
        lists = []
        for seed in range(1, 5):
            client.cmd("RECO.RETRAIN", "shop", "SYNC", "seed", seed)
            lists.append(client.cmd("RECO.TOPK", "shop", "a0", "WITHSCORES"))
        models = [as_map(model) for model in client.cmd("RECO.MODEL", "LIST", "shop")]
        self.assertEqual([(1, False), (2, True), (3, True), (4, True)],
                         [(model["id"], bool(model["kept"])) for model in models])
        self.assertEqual("ERR model 1 is not kept; RECO.MODEL LIST says which models are",
                         client.error("RECO.TOPK", "shop", "a0", "MODEL", 1))
        for restarted in (False, True):
            if restarted:
                self.server.kill9()
                self.server.start()
                client = self.client()
            for model in (2, 3, 4):
                with self.subTest(restarted=restarted, model=model):
                    self.assert_same_list(lists[model - 1], client.cmd(
                        "RECO.TOPK", "shop", "a0", "WITHSCORES", "MODEL", model))

    def assert_same_list(self, expected, got):
        self.assertEqual(expected[::2], got[::2])
        for want, score in zip(expected[1::2], got[1::2]):
            self.assertAlmostEqual(float(want), float(score), delta=1e-4)

    def test_no_model_is_kept_when_the_option_says_so(self):
        with reco_e2e.Server(keep_models=0) as server:
            client = server.client()
            two_tastes(client)
            for _ in range(2):
                client.cmd("RECO.RETRAIN", "shop", "SYNC")
            self.assertEqual("ERR model 1 is not kept; RECO.MODEL LIST says which models are",
                             client.error("RECO.TOPK", "shop", "a0", "MODEL", 1))

    def test_models_survive_a_kill(self):
        client = self.client()
        two_tastes(client)
        client.cmd("RECO.RETRAIN", "shop", "SYNC")
        before = client.cmd("RECO.MODEL", "LIST", "shop")
        self.server.kill9()
        self.server.start()
        self.assertEqual(text(before), text(self.client().cmd("RECO.MODEL", "LIST", "shop")))

    def test_missing_collection_and_wrong_type(self):
        client = self.client()
        client.cmd("SET", "k", "one")
        self.assertEqual(MISSING, client.error("RECO.MODEL", "LIST", "no"))
        self.assertEqual(WRONGTYPE, client.error("RECO.MODEL", "LIST", "k"))

    def test_arity(self):
        client = self.client()
        for args in [("RETRAIN",), ("EVAL",), ("JOB", "LIST", "x"), ("JOB", "INFO"),
                     ("JOB", "CANCEL"), ("JOB", "WAIT", 1), ("JOB", "WAIT", 1, 2, 3),
                     ("MODEL", "LIST"), ("CONFIG", "shop", "GET")]:
            with self.subTest(args=args):
                words = args[:1] if args[0] == "CONFIG" else args[:2]
                name = "|".join(word.lower() for word in words if isinstance(word, str))
                self.assertEqual(f"ERR wrong number of arguments for 'reco.{name}' command",
                                 client.error("RECO." + args[0], *args[1:]))


if __name__ == "__main__":
    unittest.main()
