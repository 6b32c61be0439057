"""A generated set of 1M users, 100k items and 20M distinct pairs, the same bits from the same seed.

User activity and item popularity follow power laws. Every user has three of 300 genres; seven pairs
in ten come from these, the rest from the whole catalogue, so that there is something to learn.
"""

import numpy as np

USERS = 1_000_000
ITEMS = 100_000
PAIRS = 20_000_000
GENRES = 300
GENRES_OF_USER = 3
SHARE_IN_GENRE = 0.7


def skewed(random, size, top):
    """Ranks in [0, top) whose density falls as rank^-0.6."""
    uniform = random.random(size, dtype=np.float32)
    return np.minimum((top * uniform ** 2.5).astype(np.int64), top - 1)


def generate(seed):
    """(users, items) of the pairs, by user, then item."""
    random = np.random.default_rng(seed)
    activity = np.minimum(1.0 / random.random(USERS) ** 0.6, 300.0)
    wanted = PAIRS * 1.3
    lengths = np.maximum(activity * (wanted / activity.sum()), 3).astype(np.int64)
    users = np.repeat(np.arange(USERS, dtype=np.int64), lengths)
    taste = random.integers(0, GENRES, (USERS, GENRES_OF_USER))
    genre = taste[users, random.integers(0, GENRES_OF_USER, len(users))]
    per_genre = ITEMS // GENRES
    inside = skewed(random, len(users), per_genre) * GENRES + genre
    rank = np.where(random.random(len(users), dtype=np.float32) < SHARE_IN_GENRE,
                    inside, skewed(random, len(users), ITEMS))
    items = random.permutation(ITEMS)[rank]
    keys = np.unique(users * ITEMS + items)
    keep = np.ones(len(keys), dtype=bool)
    keep[random.choice(len(keys), len(keys) - PAIRS, replace=False)] = False
    keys = keys[keep]
    return keys // ITEMS, keys % ITEMS
