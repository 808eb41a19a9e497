"""Trains the embedder on what build_data.py wrote: contrastive, over each batch; with --hard, wrong answers that the model as it
is finds among all tools are added.

A run can be stopped at any time and goes on from its last checkpoint with the same command. The log has a line per
step in CSV. Two runs with one seed, on one machine and as many threads, take the same steps.
"""

import argparse
import csv
import hashlib
import json
import math
import os
import signal
import sys
import time
from pathlib import Path

import torch
from tqdm import tqdm

import corpus as corpora
from bert import load_tokenizer, read_safetensors, write_safetensors
from encoder import Encoder
from holdback import Holdback
from loss import contrastive
from mine import mine
from sampler import Sampler
from shares import Shares

# Of a batch of 256; a smaller one is noisier, and learns at a rate that is smaller by the root of it.
PEAK, PEAK_BATCH = 2e-4, 256
WARM_UP = 0.06
DECAY = 0.01
CLIP = 1.0
# Weights are averaged as training goes (Polyak): the average of the last steps is steadier than any one. A tenth of the steps
# so far counts, or a short run would keep much of the published weights; of long runs the last hundred.
AVERAGE = 0.99
# Of the published weights this share is in the result: tools unlike those of training are found better so (WiSE-FT, Wortsman
# et al., arXiv:2109.01903). Chosen from 0, 0.3 and 0.5 on the sets that weights are fitted on.
KEPT = 0.3
CHECKPOINT_SECONDS = 600


class Run:
    """All that a checkpoint holds."""

    def __init__(self, tensors, made_by, device):
        """`made_by`: what decides the steps, by flag; `steps` among it. A run goes on only with the same."""
        self.made_by, self.steps = made_by, made_by["steps"]
        self.peak = PEAK * math.sqrt(made_by["batch"] / PEAK_BATCH)
        self.encoder = Encoder(tensors).to(device)
        self.average = [parameter.detach().clone() for parameter in self.encoder.trained()]
        self.optimiser = torch.optim.AdamW(self.encoder.trained(), lr=self.peak, weight_decay=DECAY)
        self.step, self.seconds, self.hard = 0, 0.0, {}

    def rate(self):
        """Up in a straight line, down along a cosine."""
        warm = max(1, round(WARM_UP * self.steps))
        if self.step < warm:
            return self.peak * (self.step + 1) / warm
        return self.peak * 0.5 * (1 + math.cos(math.pi * (self.step - warm) / max(1, self.steps - warm)))

    def save(self, path):
        """Never half: written beside, then moved."""
        state = {
            "encoder": [parameter.detach().cpu() for parameter in self.encoder.trained()],
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "made_by": self.made_by,
            "at": (self.step, self.seconds),
            "hard": self.hard,
        }
        beside = path.with_suffix(".part")
        torch.save(state, beside)
        beside.replace(path)

    def load(self, path):
        state = torch.load(path, map_location="cpu")
        for flag, made_by in state["made_by"].items():
            if made_by != self.made_by[flag] and flag == "corpus":
                raise SystemExit(f"{path}: is of another corpus: go on with that one, or name another --out")
            if made_by != self.made_by[flag]:
                raise SystemExit(
                    f"{path}: is of a run with --{flag} {made_by}, not {self.made_by[flag]}: give --{flag} {made_by}, or "
                    "another --out"
                )
        self.step, self.seconds = state["at"]
        with torch.no_grad():
            for parameter, saved in zip(self.encoder.trained(), state["encoder"], strict=True):
                parameter.copy_(saved)
        self.average, self.hard = [one.to(parameter.device) for one in state["average"]], state["hard"]
        self.optimiser.load_state_dict(state["optimiser"])

    def result(self, tensors):
        """The averaged weights, and a share of the published ones in `tensors`."""
        encoder = Encoder(tensors)
        with torch.no_grad():
            for parameter, average in zip(encoder.trained(), self.average, strict=True):
                parameter.lerp_(average.to(parameter.device), 1 - KEPT)
        return encoder


def advance(run, sampler, shares):
    """One step; its loss."""
    batch = sampler.batch(run.step)
    run.encoder.train()
    for group in run.optimiser.param_groups:
        group["lr"] = run.rate()

    def loss_of(vectors):
        right, unsure = (torch.from_numpy(array).to(vectors.device) for array in (batch.right, batch.unsure))
        return contrastive(vectors[: len(batch.queries)], vectors[len(batch.queries) :], right, unsure)

    loss = shares.backward(run.encoder, batch.queries + batch.texts, loss_of)
    torch.nn.utils.clip_grad_norm_(run.encoder.trained(), CLIP)
    run.optimiser.step()
    run.step += 1
    with torch.no_grad():
        for average, parameter in zip(run.average, run.encoder.trained(), strict=True):
            average.lerp_(parameter.detach(), 1 - min(AVERAGE, run.step / (run.step + 9)))
    return loss


def at_least(least):
    """For argparse: a whole number."""

    def number(text):
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} is not {least} or more")
        return int(text)

    return number


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, required=True, help="folder of build_data.py, with texts.jsonl")
    parser.add_argument("--weights", type=Path, required=True, help="folder with model.safetensors and tokenizer.json")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint, log and trained weights")
    parser.add_argument("--steps", type=at_least(1), default=240)
    parser.add_argument("--batch", type=at_least(1), default=256, help="requests of a step")
    parser.add_argument("--hard", type=at_least(0), default=0, help="wrong answers shown with each request: tools that look right")
    parser.add_argument("--mine-every", type=at_least(1), default=60, help="steps between two minings of wrong answers, with --hard")
    parser.add_argument("--distractors", type=at_least(0), default=2000, help="tools of other sets in the measure at the end")
    parser.add_argument("--leave-out", action="append", default=[], metavar="SET", help="learn nothing from it, measure on it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=at_least(1), default=os.cpu_count(), help="that each embed a share of a batch")
    args = parser.parse_args()

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    shares = Shares(1 if device.type == "cuda" else args.threads, device)
    args.out.mkdir(parents=True, exist_ok=True)
    tensors = read_safetensors(args.weights / "model.safetensors")
    tokenizer = load_tokenizer(args.weights / "tokenizer.json", corpora.QUERY_TOKENS)
    try:
        corpus = corpora.read(args.corpus, tokenizer, args.leave_out)
    except corpora.CorpusError as error:
        raise SystemExit(str(error)) from None
    made_by = {"steps": args.steps, "batch": args.batch, "hard": args.hard, "mine-every": args.mine_every,
               "seed": args.seed, "leave-out": " ".join(sorted(args.leave_out))}
    run = Run(tensors, {**made_by, "corpus": digest(args.corpus)}, device)
    sampler = Sampler(corpus, args.batch, args.seed, args.hard)
    checkpoint, log = args.out / "checkpoint.pt", args.out / "log.csv"
    if checkpoint.exists():
        run.load(checkpoint)
        print(f"goes on from step {run.step} of {args.steps}", file=sys.stderr)
    print(f"{len(corpus.pairs)} requests in {len(sampler.groups)} groups, {len(corpus.ids)} tools, {device}", file=sys.stderr)
    keep_log_up_to(log, run.step)
    train(run, sampler, args, shares, checkpoint, log)

    found = {}
    holdback = Holdback(corpus, args.distractors)
    for name, encoder in (("published", Encoder(tensors)), ("trained", run.result(tensors))):
        found[name] = holdback.measure(encoder.to(device), shares.embed)
    for group in found["trained"]:
        before, after = (found[name][group] for name in ("published", "trained"))
        print(f"{group}: recall@5 {before[0]:.3f} -> {after[0]:.3f}, nDCG@10 {before[1]:.3f} -> {after[1]:.3f}")
    (args.out / "holdback.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    write_safetensors(args.out / "model.safetensors", run.result(tensors).tensors())


def digest(folder):
    """Of what is trained on."""
    whole = hashlib.sha256()
    for name in ("tools.jsonl", "texts.jsonl", "pairs.jsonl"):
        whole.update((folder / name).read_bytes())
    return whole.hexdigest()


def train(run, sampler, args, shares, checkpoint, log):
    """Until all steps are taken, with a checkpoint every ten minutes, when asked to stop, and in the end."""
    saved = time.monotonic()
    stops = []
    for wish in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wish, lambda number, _: stops.append(number))
    # Line by line, so that it can be watched, and a kill leaves no more than one line in part.
    with open(log, "a", 1, newline="", encoding="utf-8") as file, tqdm(total=args.steps, initial=run.step, unit="step") as bar:
        writer = csv.writer(file)
        if file.tell() == 0:
            writer.writerow(["step", "loss", "rate", "seconds"])
        while run.step < args.steps:
            started = time.monotonic()
            if args.hard and run.step % args.mine_every == 0:
                asked = sampler.upcoming(run.step, min(args.mine_every, args.steps - run.step))
                run.hard = mine(run.encoder, sampler.corpus, asked, mining(bar), shares.embed)
            sampler.hard = run.hard
            rate, loss = run.rate(), advance(run, sampler, shares)
            run.seconds += time.monotonic() - started
            writer.writerow([run.step, f"{loss:.5f}", f"{rate:.3e}", f"{run.seconds:.1f}"])
            bar.update()
            bar.set_postfix_str(f"loss {loss:.3f}")
            if stops or CHECKPOINT_SECONDS <= time.monotonic() - saved or run.step == args.steps:
                run.save(checkpoint)
                saved = time.monotonic()
            if stops:
                raise SystemExit(f"stopped after step {run.step} of {args.steps}; the same command goes on from there")


def mining(bar):
    """Tells the bar of texts that were embedded to find wrong answers: that takes minutes in which no step ends."""
    done = 0

    def tick(count):
        nonlocal done
        done += count
        bar.set_postfix_str(f"mining wrong answers: {done} texts")

    return tick


def keep_log_up_to(log, step):
    """Steps after the checkpoint are taken again."""
    if log.exists():
        rows = log.read_text("utf-8").splitlines(keepends=True)
        whole = [row for row in rows[1:] if row.endswith("\n")]
        kept = rows[:1] + [row for row in whole if int(row.split(",", 1)[0]) <= step]
        log.write_text("".join(kept), "utf-8")


if __name__ == "__main__":
    main()
