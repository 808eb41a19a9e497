"""The trainer, on a model of two small layers and a corpus of a few tools. Needs torch and the packages of train.py."""

import csv
import json
import os
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "build")]

try:
    import numpy as np
    import tokenizers
    import torch
    import tqdm  # noqa: F401
except ImportError as error:
    raise unittest.SkipTest(f"needs torch, tokenizers and tqdm: {error}") from None

import bert
import corpus as corpora
import encoder as encoders
import mine
import train
from holdback import measures
from lexical import B, K1, WEIGHT, Lexical, inner
from loss import contrastive
from sampler import Sampler
from shares import Shares, dealt

WORDS = "list the open orders of a customer send mail to and delete files play some music now please".split()
LAYERS, HIDDEN, HEADS = 2, 24, 2


def tensors(seed=0):
    """Weights of a small model under the published names."""
    random = np.random.default_rng(seed)

    def of(*shape):
        return random.normal(0, 0.2, shape).astype(np.float32)

    out = {f"embeddings.{name}_embeddings.weight": of(rows, HIDDEN)
           for name, rows in (("word", len(WORDS) + 3), ("position", 128), ("token_type", 2))}
    dense = {"attention.self.query": (HIDDEN, HIDDEN), "attention.self.key": (HIDDEN, HIDDEN),
             "attention.self.value": (HIDDEN, HIDDEN), "attention.output.dense": (HIDDEN, HIDDEN),
             "intermediate.dense": (4 * HIDDEN, HIDDEN), "output.dense": (HIDDEN, 4 * HIDDEN)}
    norms = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}."
        norms += [prefix + "attention.output.LayerNorm", prefix + "output.LayerNorm"]
        for name, shape in dense.items():
            out[f"{prefix}{name}.weight"], out[f"{prefix}{name}.bias"] = of(*shape), of(shape[0])
    for name in norms:
        out[name + ".weight"], out[name + ".bias"] = 1 + of(HIDDEN), of(HIDDEN)
    return out


def tokenizer():
    """Words in, [CLS] and [SEP] around them."""
    words = {word: at + 3 for at, word in enumerate(WORDS)} | {"[CLS]": 0, "[SEP]": 1, "[UNK]": 2}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 0), ("[SEP]", 1)])
    return made


def small():
    """The sizes of the published model, replaced everywhere they are used."""
    sizes = {"LAYERS": LAYERS, "HIDDEN": HIDDEN, "HEADS": HEADS}
    patches = [mock.patch.object(module, name, value) for module in (bert, encoders) for name, value in sizes.items()]
    return [*patches, mock.patch.object(encoders, "INNER", 4 * HIDDEN)]


def write_corpus(folder):
    tools = [("a/list", "list", "list the open orders", "a"), ("a/lists", "lists", "list orders of a customer", "a"),
             ("b/send", "send", "send mail to a customer", "b"), ("b/delete", "delete", "delete files", "b"),
             ("b/play", "play", "play some music", "b")]
    pairs = [("please list the orders", ["a/list"], "labelled", "a"), ("send mail now", ["b/send"], "sentence", "b"),
             ("delete some files", ["b/delete"], "sentence", "b"), ("play music and send mail", ["b/play", "b/send"],
             "several", "b"), ("now please", [], "no_tool", "talk")]
    held = [("list open orders now", ["a/list"], "labelled", "a")]

    def write(name, rows):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")

    copies = {"a/list": ["a/lists"], "a/lists": ["a/list"]}
    write("tools.jsonl", [{"id": i, "name": n, "description": d, "input_schema": {}, "server": s, "set": s,
                           "copies": copies.get(i, [])} for i, n, d, s in tools])
    write("texts.jsonl", [{"id": i, "views": [n, f"{n}: {d}", f"{n}: {d}"]} for i, n, d, _ in tools])
    for name, rows in (("pairs.jsonl", pairs), ("holdback.jsonl", held)):
        write(name, [{"query": q, "relevant": r, "kind": k, "set": s, "negatives": []} for q, r, k, s in rows])


class Small(unittest.TestCase):
    def setUp(self):
        for patch in small():
            patch.start()
            self.addCleanup(patch.stop)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        write_corpus(self.folder)
        self.corpus = corpora.read(self.folder, tokenizer())


class EncoderTest(Small):
    def test_it_is_the_reference_and_gives_its_weights_back(self):
        weights = tensors()
        encoder, reference = encoders.Encoder(weights), bert.Bert(weights)
        texts = ["list the open orders", "play", "send mail to a customer and delete files now please"]
        vectors = mine.embed(encoder, [tokenizer().encode(text).ids for text in texts])
        for text, vector in zip(texts, vectors, strict=True):
            self.assertGreater(float(vector @ reference.embed(tokenizer(), text)), 0.99999)
        again = encoder.tensors()
        self.assertEqual(set(again), set(weights))
        self.assertTrue(all(np.array_equal(again[name], weights[name]) for name in weights))

    def test_weights_survive_the_file(self):
        path = self.folder / "w.safetensors"
        bert.write_safetensors(path, tensors())
        read = bert.read_safetensors(path)
        self.assertTrue(all(np.array_equal(read[name], value) for name, value in tensors().items()))


class SamplerTest(Small):
    def test_a_step_hangs_on_seed_and_step_alone(self):
        one, other = Sampler(self.corpus, 4, 7), Sampler(self.corpus, 4, 7)
        one.batch(0)
        self.assertEqual(one.batch(5).texts, other.batch(5).texts)
        self.assertNotEqual([Sampler(self.corpus, 4, seed)._chosen(0) for seed in range(9)],
                            [Sampler(self.corpus, 4, 7)._chosen(0)] * 9)

    def test_every_step_has_a_request_that_needs_a_tool(self):
        sampler = Sampler(self.corpus, 1, 3)
        self.assertTrue(all(self.corpus.pairs[sampler._chosen(step)[0]].relevant for step in range(60)))

    def test_what_fits_as_well_is_no_wrong_answer(self):
        sampler = Sampler(self.corpus, 5, 1, most_hard=1)
        # The copy of the right tool, and another tool of the same request.
        sampler.hard = {at: [1] if at == 0 else [2, 4] for at in range(4)}
        for step in range(40):
            batch = sampler.batch(step)
            for q, at in enumerate(sampler._chosen(step)):
                pair = self.corpus.pairs[at]
                self.assertEqual(batch.right[q] >= 0, bool(pair.relevant))
                if pair.relevant:
                    self.assertIn(batch.texts[batch.right[q]], [v for t in pair.relevant for v in self.corpus.views[t]])
                    self.assertFalse(batch.unsure[q, batch.right[q]])
                for text, tokens in enumerate(batch.texts):
                    fits = {tuple(v) for t in {*pair.relevant, *(c for r in pair.relevant for c in self.corpus.copies[r])}
                            for v in self.corpus.views[t]}
                    if tuple(tokens) in fits and text != batch.right[q]:
                        self.assertTrue(batch.unsure[q, text])

    def test_unless_asked_for_a_batch_shows_right_tools_only(self):
        sampler = Sampler(self.corpus, 5, 1)
        sampler.hard = {at: [2, 4] for at in range(4)}
        for step in range(20):
            self.assertEqual(len(sampler.batch(step).texts), sum(bool(self.corpus.pairs[at].relevant) for at in sampler._chosen(step)))

    def test_wrong_answers_are_neither_right_nor_copies(self):
        hard = mine.mine(encoders.Encoder(tensors()), self.corpus, range(5))
        self.assertNotIn(4, hard)
        for at, wrong in hard.items():
            relevant = self.corpus.pairs[at].relevant
            self.assertFalse(set(wrong) & {*relevant, *(c for r in relevant for c in self.corpus.copies[r])})


class LossTest(unittest.TestCase):
    def test_it_falls_as_the_right_text_comes_nearer(self):
        texts = torch.nn.functional.normalize(torch.eye(3), dim=1)
        right, unsure = torch.tensor([0, 1]), torch.zeros(2, 3, dtype=torch.bool)
        near = contrastive(texts[:2], texts, right, unsure)
        far = contrastive(texts[[1, 2]], texts, right, unsure)
        self.assertLess(float(near), float(far))
        unsure[0, 1] = True
        self.assertLess(float(contrastive(texts[[1, 1]], texts, right, unsure)),
                        float(contrastive(texts[[1, 1]], texts, right, torch.zeros_like(unsure))))

    def test_a_request_without_a_tool_is_to_be_near_none(self):
        texts, unsure = torch.eye(3), torch.zeros(2, 3, dtype=torch.bool)
        right = torch.tensor([0, -1])
        aside = torch.nn.functional.normalize(torch.tensor([[1.0, 0, 0], [1.0, 1, 1]]), dim=1)
        self.assertLess(float(contrastive(aside, texts, right, unsure)),
                        float(contrastive(texts[[0, 1]], texts, right, unsure)))

    def test_measures(self):
        recall, ndcg = measures(np.array([0.1, 0.9, 0.5, 0.4]), [1, 0])
        self.assertEqual(recall, 1.0)
        self.assertAlmostEqual(ndcg, (1 + 1 / np.log2(5)) / (1 + 1 / np.log2(3)))


class LexicalTest(Small):
    def test_it_is_bm25_as_the_books_have_it(self):
        lexical, request = Lexical(self.corpus), tokenizer().encode("list mail customer music").ids
        documents = [inner(views[0]) + inner(views[2]) for views in self.corpus.views]
        mean, scores = np.mean([len(document) for document in documents]), []
        for document in documents:
            score = 0.0
            for piece in inner(request):
                holding = sum(piece in other for other in documents)
                rarity = np.log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))
                times = document.count(piece)
                score += rarity * times * (K1 + 1) / (times + K1 * (1 - B + B * len(document) / mean))
            scores.append(score)
        np.testing.assert_allclose(lexical.worth(request), WEIGHT * np.array(scores) / max(scores), rtol=1e-5)
        self.assertFalse(lexical.worth(tokenizer().encode("now").ids).any(), "no tool has the word")


class SharesTest(Small):
    def test_shares_have_the_loss_and_the_gradient_of_the_whole(self):
        encoder = encoders.Encoder(tensors()).train()
        texts = [tokenizer().encode(text).ids for text in ("list the orders", "play", "send mail to a customer now", "delete files")]
        target = torch.from_numpy(np.random.default_rng(3).normal(size=(4, HIDDEN)).astype(np.float32))

        def loss_of(vectors):
            return (vectors * target).sum()

        whole = loss_of(encoder(*map(torch.from_numpy, corpora.padded(texts))))
        whole.backward()
        wanted = [parameter.grad.clone() for parameter in encoder.trained()]
        for threads in (1, 2, 3, 9):
            shares = Shares(threads, torch.device("cpu"))
            self.assertAlmostEqual(shares.backward(encoder, texts, loss_of), float(whole), 4)
            for parameter, gradient in zip(encoder.trained(), wanted, strict=True):
                torch.testing.assert_close(parameter.grad, gradient, rtol=1e-3, atol=1e-5)
            np.testing.assert_allclose(shares.embed(encoder, texts), mine.embed(encoder, texts), atol=1e-5)
            encoder.train()
        self.assertEqual(sorted(at for share in dealt(texts, 3) for at in share), [0, 1, 2, 3])


class RunTest(Small):
    def test_a_share_of_the_published_weights_stays(self):
        run = train.Run(tensors(), {"steps": 2, "batch": 64}, "cpu")
        published = [parameter.detach().clone() for parameter in run.encoder.trained()]
        run.average = [parameter + 1 for parameter in published]
        for before, after in zip(published, run.result(tensors()).trained(), strict=True):
            np.testing.assert_allclose(after.detach(), before + 1 - train.KEPT, atol=1e-6)
        self.assertAlmostEqual(run.peak, train.PEAK / 2, msg="a quarter of the batch, half of the rate")

    def run_for(self, out, steps, stop_after=None):
        weights = self.folder / "weights"
        weights.mkdir(exist_ok=True)
        bert.write_safetensors(weights / "model.safetensors", tensors())
        tokenizer().save(str(weights / "tokenizer.json"))
        argv = ["train.py", "--corpus", self.folder, "--weights", weights, "--out", out, "--steps", steps, "--batch", 4,
                "--hard", 1, "--mine-every", 3, "--threads", 1]
        advance, done = train.advance, []

        def stopping(*args):
            done.append(1)
            if len(done) == stop_after:
                os.kill(os.getpid(), 15)
            return advance(*args)

        with mock.patch.object(sys, "argv", [str(arg) for arg in argv]), mock.patch.object(train, "advance", stopping):
            with open(os.devnull, "w", encoding="utf-8") as quiet, mock.patch.object(sys, "stderr", quiet), \
                    mock.patch.object(sys, "stdout", quiet):
                train.main()

    def test_a_run_that_was_stopped_ends_as_one_that_was_not(self):
        whole, parts = self.folder / "whole", self.folder / "parts"
        self.run_for(whole, 8)
        with self.assertRaises(SystemExit) as stopped:
            self.run_for(parts, 8, stop_after=4)
        self.assertIn("after step 4 of 8", str(stopped.exception))
        self.run_for(parts, 8)
        one, other = (bert.read_safetensors(out / "model.safetensors") for out in (whole, parts))
        self.assertTrue(all(np.array_equal(one[name], other[name]) for name in one))
        self.assertFalse(all(np.array_equal(one[name], value) for name, value in tensors().items()))
        with open(parts / "log.csv", encoding="utf-8") as file:
            self.assertEqual([row["step"] for row in csv.DictReader(file)], [str(step) for step in range(1, 9)])
        with self.assertRaises(SystemExit) as other_length:
            self.run_for(parts, 9)
        self.assertIn("give --steps 8", str(other_length.exception))
        with open(parts / "log.csv", "a", encoding="utf-8") as file:
            file.write("9,0.1")
        train.keep_log_up_to(parts / "log.csv", 9)
        self.assertTrue((parts / "log.csv").read_text("utf-8").splitlines()[-1].startswith("8,"))
        pairs = self.folder / "pairs.jsonl"
        pairs.write_text(pairs.read_text("utf-8").replace("some files", "files"), "utf-8")
        with self.assertRaises(SystemExit) as other_corpus:
            self.run_for(parts, 8)
        self.assertIn("is of another corpus", str(other_corpus.exception))

    def test_nothing_is_learnt_from_a_set_that_is_left_out(self):
        corpus = corpora.read(self.folder, tokenizer(), ["a"])
        self.assertEqual({pair.group for pair in corpus.pairs}, {"b/made", "talk/made"})
        self.assertEqual([pair.group for pair in corpus.holdback], ["a/labelled", "a/labelled"])
        hard = mine.mine(encoders.Encoder(tensors()), corpus, range(4))
        self.assertFalse({tool for wrong in hard.values() for tool in wrong} & corpus.unseen)
        with self.assertRaises(corpora.CorpusError) as error:
            corpora.read(self.folder, tokenizer(), ["c"])
        self.assertIn("has no set c: it has a, b", str(error.exception))

    def test_what_is_missing_is_named(self):
        (self.folder / "texts.jsonl").write_text("", "utf-8")
        with self.assertRaises(corpora.CorpusError) as error:
            corpora.read(self.folder, tokenizer())
        self.assertIn("tools.jsonl:1: texts.jsonl lacks a/list", str(error.exception))


if __name__ == "__main__":
    unittest.main()
