"""An installed copy as an embedding program sees it: find_package(reco), the public headers alone,
and no Asio in the binary."""
import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import example_output

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLES = os.path.join(ROOT, "examples")
BUILD = os.environ.get("RECO_BUILD") or os.path.join(ROOT, "build", "release")
# Of what Asio leaves in a program: its symbols, and the calls that every server makes.
SOCKETS = re.compile(r"boost|asio|epoll_|\b(bind|listen|accept4?)\b")


def run(*args, **kwargs):
    kwargs.setdefault("stderr", subprocess.STDOUT)
    done = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          check=False, **kwargs)
    if done.returncode != 0:
        told = done.stdout + (done.stderr or "")
        raise AssertionError(f"{' '.join(args)} ended with {done.returncode}:\n{told}")
    return done.stdout


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="reco-install-")
        cls.addClassCleanup(shutil.rmtree, cls.base)
        cls.prefix = os.path.join(cls.base, "prefix")
        cls.build = os.path.join(cls.base, "build")
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)
        run("cmake", "-G", "Ninja", "-S", EXAMPLES, "-B", cls.build,
            f"-DCMAKE_PREFIX_PATH={cls.prefix}", "-DCMAKE_BUILD_TYPE=Release")
        run("cmake", "--build", cls.build)
        cls.program = os.path.join(cls.build, "embedded")

    @staticmethod
    def sources():
        return sorted(glob.glob(os.path.join(EXAMPLES, "*.cc")))

    def program_of(self, source):
        return os.path.join(self.build, os.path.splitext(os.path.basename(source))[0])

    def test_each_example_prints_what_its_comment_says(self):
        folder = os.path.join(self.base, "data")  # one for all: each has a collection of its own
        self.assertTrue(self.sources())
        for source in self.sources():
            for times in ("first", "second"):
                with self.subTest(example=os.path.basename(source), run=times):
                    output = run(self.program_of(source), folder, stderr=subprocess.PIPE)
                    self.assertEqual([], example_output.differences(source, output))

    def test_an_example_that_fails_says_so(self):
        no_folder = os.path.join(self.base, "file")
        with open(no_folder, "w", encoding="utf-8"):
            pass
        for program in map(self.program_of, self.sources()):
            with self.subTest(example=os.path.basename(program)):
                self.assertRaisesRegex(AssertionError, "io-error", run, program, no_folder)

    def test_the_library_has_no_sockets(self):
        symbols = run("nm", "--demangle", "--undefined-only", "--dynamic", self.program)
        symbols += run("nm", "--demangle", self.program)
        found = sorted({line for line in symbols.splitlines() if "boost::asio" in line})
        self.assertEqual([], found[:5])
        undefined = run("nm", "--demangle", "--undefined-only", self.program)
        calls = {re.sub(r"@.*", "", line.split()[-1]) for line in undefined.splitlines() if line}
        self.assertEqual(set(), {c for c in calls if SOCKETS.fullmatch(c)})
        self.assertNotRegex(run("ldd", self.program), r"boost|libssl")

    def test_each_public_header_compiles_alone(self):
        compiler = os.environ.get("CXX") or "c++"
        headers = sorted(glob.glob(os.path.join(self.prefix, "include", "reco", "*.h")))
        self.assertGreaterEqual(len(headers), 5)
        for header in headers:
            with self.subTest(header=os.path.basename(header)):
                language, standard = ("c", "c11") if header.endswith("/c.h") else ("c++", "c++20")
                run(compiler, f"-std={standard}", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
                    "-I", os.path.join(self.prefix, "include"), "-include", header,
                    "-x", language, os.devnull)

    def test_public_headers_show_no_third_party_type(self):
        for header in glob.glob(os.path.join(self.prefix, "include", "reco", "*.h")):
            with self.subTest(header=os.path.basename(header)), open(header) as file:
                includes = re.findall(r"#\s*include\s*[<\"]([^>\"]+)", file.read())
                self.assertEqual([], [i for i in includes
                                      if "/" in i and not i.startswith("reco/")])

    def test_the_programs_are_installed(self):
        for name in ("reco-server", "reco-admin", "reco-benchmark"):
            with self.subTest(program=name):
                self.assertRegex(run(os.path.join(self.prefix, "bin", name), "--version"), r"\d")


if __name__ == "__main__":
    unittest.main()
