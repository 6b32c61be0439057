"""Cold items: recommended by their attributes before anybody has touched them."""
import json
import random
import unittest

import reco_e2e
from reco_e2e import as_map, reco_only

GENRES = ("crime", "drama", "space")
USERS = 12
ITEMS = 15


def ids(reply):
    """The ids of a list: every other word."""
    return [entry.decode() for entry in reply[::2]]


@reco_only
class ColdItems(reco_e2e.ServerTest):
    def shop(self, *options):
        """Users u<g>-<n> like the items of one genre, and now and then another one."""
        client = self.client()
        client.cmd("RECO.CREATE", "shop", "DIM", 4, "ATTRFEATURES", "genre,year", *options)
        draw = random.Random(1)
        for g, genre in enumerate(GENRES):
            for i in range(ITEMS):
                client.cmd("RECO.ITEM", "SET", "shop", f"{genre}{i}", "ATTRS",
                           json.dumps({"genre": [genre, "all"], "year": 1990 + g}))
            for u in range(USERS):
                for i in draw.sample(range(ITEMS), 9):
                    client.cmd("RECO.ADD", "shop", f"{genre}-{u}", f"{genre}{i}")
                client.cmd("RECO.ADD", "shop", f"{genre}-{u}", f"{GENRES[(g + 1) % 3]}{u}")
        return client

    def new_item(self, client, name, **attributes):
        client.cmd("RECO.ITEM", "SET", "shop", name, "ATTRS", json.dumps(attributes))

    def lists(self, client):
        return {f"{genre}-{u}": client.cmd("RECO.TOPK", "shop", f"{genre}-{u}", "COUNT", 10,
                                           "WITHSCORES")
                for genre in GENRES for u in range(USERS)}

    def test_are_listed_for_the_right_users_and_survive_a_crash(self):
        client = self.shop()
        client.cmd("RECO.RETRAIN", "shop", "SYNC")
        self.new_item(client, "brandnew", genre=["space", "all"], year=1992)
        lists = self.lists(client)
        for user, reply in lists.items():  # behind the six known items that are left of their genre
            if user.startswith("space"):
                self.assertIn("brandnew", ids(reply), user)
            else:
                self.assertNotIn("brandnew", ids(reply)[:7], user)
        vector = client.cmd("RECO.VECTOR", "GET", "shop", "ITEM", "brandnew")
        self.server.kill9()
        self.server.restart()
        client = self.client()
        self.assertEqual(vector, client.cmd("RECO.VECTOR", "GET", "shop", "ITEM", "brandnew"))
        self.assertEqual(lists, self.lists(client))
        # A first click, a training, and the item is still there.
        client.cmd("RECO.ADD", "shop", "space-0", "brandnew")
        self.assertIn("brandnew", ids(client.cmd("RECO.TOPK", "shop", "space-1", "COUNT", 10,
                                                 "WITHSCORES")))
        client.cmd("RECO.RETRAIN", "shop", "SYNC")
        self.assertIn("brandnew", ids(client.cmd("RECO.TOPK", "shop", "space-1", "COUNT", 10,
                                                 "WITHSCORES")))

    def test_without_known_attributes_come_last(self):
        client = self.shop()
        client.cmd("RECO.RETRAIN", "shop", "SYNC")
        self.new_item(client, "odd", genre=["cooking"])
        for reply in self.lists(client).values():
            self.assertNotIn("odd", ids(reply))

    def test_parameter_is_a_list_that_may_change(self):
        client = self.shop()
        self.assertEqual({"attrfeatures": b"genre,year"},
                         as_map(client.cmd("RECO.CONFIG", "shop", "GET", "attrf*")))
        self.assertIn("RETRAIN", client.cmd("RECO.CONFIG", "shop", "SET", "ATTRFEATURES", "genre"))
        client.cmd("RECO.RETRAIN", "shop", "SYNC", "attrfeatures", "year")
        self.assertEqual({"attrfeatures": b"genre"},
                         as_map(client.cmd("RECO.CONFIG", "shop", "GET", "attrf*")))
        for bad in ("a,,b", "a,a", ",".join(map(str, range(17)))):
            self.assertIn("attrfeatures must be names",
                          client.error("RECO.CONFIG", "shop", "SET", "attrfeatures", bad))
            self.assertIn("attrfeatures must be names",
                          client.error("RECO.CREATE", "bad", "ATTRFEATURES", bad))
        self.assertEqual(1, client.cmd("RECO.CREATE", "none", "ATTRFEATURES", ""))

    def test_are_evaluated_with_the_rest(self):
        client = self.shop()
        client.cmd("RECO.RETRAIN", "shop", "SYNC")
        figures = as_map(client.cmd("RECO.EVAL", "shop"))
        recall = {scorer: float(as_map(figures[scorer])["recall@10"][0])
                  for scorer in ("model", "popularity")}
        self.assertGreater(recall["model"], 2 * recall["popularity"])


if __name__ == "__main__":
    unittest.main()
