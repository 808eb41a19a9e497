"""Builds training data: from the public sets, from your own catalogue and labelled requests, or from both.

    build_data.py --data DIR --out OUT                          # the public sets
    build_data.py --catalog tools.jsonl --pairs p.jsonl --out OUT   # your own
"""

import argparse
import sys
from pathlib import Path

from data.build import run
from data.sets import BadInput


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with the public sets, one folder each")
    parser.add_argument("--catalog", type=Path,
        help="your tools, one JSON object a line: id, name, description, input_schema, server")
    parser.add_argument("--pairs", type=Path,
        help='your labelled requests, one a line: {"query": …, "relevant": [ids of --catalog]}')
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument("--seed", type=int, default=1,
        help="another seed words the made requests differently (default 1)")
    parser.add_argument("--share", type=float, default=1.0,
        help="share of the pairs to keep, over 0 and at most 1 (default 1)")
    parser.add_argument("--allow-missing", action="store_true", help="go on when files of the public sets are missing")
    args = parser.parse_args()
    if args.pairs and not args.catalog:
        parser.error("--pairs needs --catalog: its ids are those of your tools")
    try:
        run(args.out, args.data, args.catalog, args.pairs, args.seed, args.share, args.allow_missing)
    except BadInput as error:
        sys.exit(f"build_data: {error}")


if __name__ == "__main__":
    main()
