"""RecoDB from Python, through a Redis client (pip install redis). usage: client.py HOST PORT"""
import sys

import redis

ORDERS = ("ann espresso, ann croissant, bob espresso, bob croissant, bob juice, cy croissant, "
          "cy juice, dee stew, dee bread, eve stew, eve bread, eve wine, fay wine, fay juice")

# Protocol 3: maps arrive as dicts, scores as floats.
db = redis.Redis(host=sys.argv[1], port=int(sys.argv[2]), protocol=3, decode_responses=True)
db.delete("cafe")  # every run starts anew
db.execute_command("RECO.CREATE", "cafe", "DIM", 2)
for day, order in enumerate(ORDERS.split(", ")):
    guest, dish = order.split()
    db.execute_command("RECO.ADD", "cafe", guest, dish, "TS", 86_400_000 * (day + 1))
db.execute_command("RECO.RETRAIN", "cafe", "SYNC")
for dish, score in db.execute_command("RECO.TOPK", "cafe", "ann", "COUNT", 2, "WITHSCORES"):
    print(f"ann may like {dish} {score:.3f}")
    for known, share in db.execute_command("RECO.EXPLAIN", "cafe", "ann", dish)["shares"]:
        print(f"  {share:.3f} of it from {known}")

# Output:
#   ann may like juice 0.158
#     0.092 of it from croissant
#     0.067 of it from espresso
#   ann may like wine 0.016
#     0.011 of it from croissant
#     0.005 of it from espresso
