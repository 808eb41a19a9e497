"""What tests of checks begin with: a copy of the files, in which they break one thing."""

import pathlib
import shutil
import tempfile
import unittest

DEPLOY = pathlib.Path(__file__).resolve().parents[1]
FOLDERS = ("kubernetes", "grafana", "prometheus", "observability")


class Copied(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.deploy = self.root / "deploy"
        self.deploy.mkdir()
        shutil.copy(DEPLOY.parent / "config.sample.toml", self.root)
        for name in FOLDERS:
            shutil.copytree(DEPLOY / name, self.deploy / name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in DEPLOY.iterdir():
            if path.is_file() and not path.name.startswith("."):
                shutil.copy(path, self.deploy)

    def edit(self, file, old, new):
        text = (self.deploy / file).read_text()
        self.assertIn(old, text, f"{file} no longer holds what this test breaks")
        (self.deploy / file).write_text(text.replace(old, new))

    def line(self, file, word):
        """The first line that holds a word."""
        return next(line for line in (self.deploy / file).read_text().splitlines(keepends=True) if word in line)

    def findings(self):
        raise NotImplementedError

    def refuses(self, *words):
        """One of the findings holds all the words."""
        lines = self.findings()
        self.assertTrue(any(all(word in line for word in words) for line in lines), f"no finding holds {words}: {lines}")
