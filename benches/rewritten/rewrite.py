"""azure-mcp asked otherwise: in lower case without punctuation, with typing slips, in Korean and in Chinese.

Usage: rewrite.py DATA OUT    DATA: folder with azure-mcp; OUT gets azure-lower, azure-typos, azure-ko and azure-zh

Case and slips are made of the set's own requests, the same ones every time. The Korean and Chinese requests are ours
(azure-mcp.tsv), one for each of forty tools.
"""

import csv
import json
import random
import re
import shutil
import sys
from pathlib import Path

SET = "azure-mcp"
# One word in so many gets a slip; `<placeholders>` and words of three letters and fewer get none.
SLIP_EVERY = 4
BESIDE = {a: b for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm") for a, b in zip(row, row[1:] + row[-2], strict=True)}


def slip(word, rng):
    """Two letters swapped, one left out, doubled, or the key beside it."""
    at = rng.randrange(1, len(word) - 1)
    return rng.choice((
        word[: at] + word[at + 1] + word[at] + word[at + 2 :],
        word[: at] + word[at + 1 :],
        word[: at] + word[at] + word[at:],
        word[: at] + BESIDE.get(word[at].lower(), word[at]) + word[at + 1 :],
    ))


def with_slips(text, key):
    """At least one, where any word is long enough; `key` decides which."""
    rng = random.Random(key)
    words = text.split(" ")
    long = [at for at, word in enumerate(words) if re.fullmatch(r"[A-Za-z]{4,}", word)]
    for at in rng.sample(long, min(len(long), max(1, len(words) // SLIP_EVERY))):
        words[at] = slip(words[at], rng)
    return " ".join(words)


def in_lower_case(text):
    """Nor any punctuation but what belongs to names."""
    return re.sub(r"[?!.,:;]+(?=\s|$)", "", text).lower()


def main():
    if len(sys.argv) != 3:
        raise SystemExit("usage: rewrite.py DATA OUT")
    data, out = Path(sys.argv[1]) / SET, Path(sys.argv[2])
    asked = [json.loads(line) for line in (data / "queries.jsonl").open(encoding="utf-8")]
    known = {json.loads(line)["id"] for line in (data / "tools.jsonl").open(encoding="utf-8")}
    sets = {
        "azure-lower": [{**query, "text": in_lower_case(query["text"])} for query in asked],
        "azure-typos": [{**query, "text": with_slips(query["text"], query["id"])} for query in asked],
    }
    with (Path(__file__).parent / "azure-mcp.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    unknown = [row["tool"] for row in rows if row["tool"] not in known]
    if unknown:
        raise SystemExit(f"azure-mcp.tsv: no such tool in {data}: {', '.join(unknown)}")
    for lang in ("ko", "zh"):
        sets[f"azure-{lang}"] = [
            {"id": f"azure-{lang}-{at}", "text": row[lang], "relevant": [row["tool"]], "lang": lang} for at, row in enumerate(rows, 1)
        ]
    for name, queries in sets.items():
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(data / "tools.jsonl", folder / "tools.jsonl")
        with (folder / "queries.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(query, ensure_ascii=False) + "\n" for query in queries)


if __name__ == "__main__":
    main()
