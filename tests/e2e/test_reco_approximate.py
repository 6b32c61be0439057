"""APPROX [EF n] of the rankings by a vector. The catalogues here are too small for a graph of
neighbours, so that the answers are the exact ones; tests/engine/upkeep/graph_build_test.cc has
graphs."""
import unittest

import reco_e2e
from reco_e2e import as_map, reco_only

SYNTAX = "ERR syntax error"
NOT_INTEGER = "ERR value is not an integer or out of range"
RANKINGS = (
    ("RECO.TOPK", "shop", "a0"),
    ("RECO.MTOPK", "shop", 2, "a0", "b0"),
    ("RECO.SESSION", "shop", 2, "x1", "x2"),
    ("RECO.SIMILAR", "shop", 1, "x1"),
    ("RECO.SURPRISING", "shop", "a0"),
)


@reco_only
class Approximate(reco_e2e.ServerTest):
    """One trained collection for the class; nothing here writes to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.server.client() as client:
            client.cmd("RECO.CREATE", "shop", "DIM", 8)
            words = []
            for user, item in (("a", "x"), ("b", "y")):
                for i in range(12):
                    for j in range(12):
                        if i != j:
                            words += [f"{user}{i}", f"{item}{j}", 1]
            client.cmd("RECO.MADD", "shop", *words)
            client.cmd("RECO.RETRAIN", "shop", "SYNC")

    def setUp(self):
        self.connection = self.client()

    def test_small_catalogues_are_answered_exactly(self):
        for ranking in RANKINGS:
            exact = self.connection.cmd(*ranking, "WITHSCORES", "WITHSOURCE")
            self.assertTrue(exact, ranking)
            for words in (["APPROX"], ["approx", "ef", 1], ["APPROX", "EF", 10000]):
                self.assertEqual(
                    exact, self.connection.cmd(*ranking, *words, "WITHSCORES", "WITHSOURCE"))
                self.assertEqual(
                    exact, self.connection.cmd(*ranking, "WITHSCORES", "WITHSOURCE", *words))

    def test_words_that_are_wrong(self):
        for ranking in RANKINGS:
            for words, error in (
                    (["APPROX", "EF"], SYNTAX),
                    (["EF", 10], SYNTAX),
                    (["APPROX", 10], SYNTAX),
                    (["APPROX", "APPROX"], SYNTAX),
                    (["APPROX", "EF", 10, "EF", 10], SYNTAX),
                    (["APPROX", "EF", "many"], NOT_INTEGER),
                    (["APPROX", "EF", 0], "ERR EF must be between 1 and 10000"),
                    (["APPROX", "EF", 10001], "ERR EF must be between 1 and 10000")):
                self.assertEqual(error, self.connection.error(*ranking, *words), words)

    def test_lists_without_a_vector_have_no_such_option(self):
        for ranking in (("RECO.POPULAR", "shop"), ("RECO.LATEST", "shop"),
                        ("RECO.SIMUSERS", "shop", "a0")):
            self.assertEqual(SYNTAX, self.connection.error(*ranking, "APPROX"))

    def test_info_shows_no_graph(self):
        self.connection.cmd(*RANKINGS[0], "APPROX")
        info = as_map(self.connection.cmd("RECO.INFO", "shop"))
        self.assertEqual({}, as_map(info["approximate"]))
        self.assertEqual(0, as_map(info["memory"])["approximate-index"])


if __name__ == "__main__":
    unittest.main()
