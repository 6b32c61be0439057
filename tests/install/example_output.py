"""What an example prints, held to the comment at its end: words exactly, numbers within 0.002,
because other processors round other sums."""
import itertools
import re

NUMBER = re.compile(r"-?\d+\.\d+")
TOLERANCE = 0.002 + 1e-9


def expected(path):
    """The lines behind the line "Output:" of a source, without the comment marks."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    start = next(n for n, line in enumerate(lines) if re.fullmatch(r"(//|#) Output:", line))
    return [re.sub(r"^(//|#)   ", "", line) for line in lines[start + 1:]]


def differences(path, output):
    """A text for each line of `output` that is not as the example at `path` says."""
    found = []
    for said, line in itertools.zip_longest(expected(path), output.splitlines(),
                                            fillvalue="nothing"):
        same = NUMBER.sub("N", said) == NUMBER.sub("N", line) and all(
            abs(float(a) - float(b)) <= TOLERANCE
            for a, b in zip(NUMBER.findall(said), NUMBER.findall(line)))
        if not same:
            found.append(f"{path} prints {line!r}, its comment says {said!r}")
    return found
