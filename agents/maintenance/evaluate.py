"""`millwright evaluate maintenance`: the shipped model on unseen plants, or the method on AI4I."""

import sys
from pathlib import Path

import msgspec

from agents.base.model import MODELS, load_model
from agents.maintenance.ai4i import evaluate_ai4i
from agents.maintenance.forest import Forest
from agents.maintenance.train import collect, measure
from app.command_parser import command_parser, positive_number, whole_number


def main(argv: list[str]) -> int:
    """Print metrics as JSON."""
    parser = command_parser(
        "millwright evaluate maintenance",
        "Print metrics as JSON: of the shipped model on simulated plants it has not seen, or of\n"
        "the same method on the public data set AI4I 2020.",
        "millwright evaluate maintenance",
        "millwright evaluate maintenance --protocol ai4i --data ai4i2020.csv.gz",
    )
    parser.add_argument("--protocol", choices=("simulator", "ai4i"), default="simulator")
    parser.add_argument("--data", type=Path, help="data file of the protocol ai4i")
    parser.add_argument("--model", type=Path, default=MODELS / "maintenance", help="model folder")
    parser.add_argument("--runs", type=whole_number(1, 1000), default=8, help="simulated plants")
    parser.add_argument("--hours", type=positive_number(1000), default=8.0, help="length of each")
    parser.add_argument(
        "--seed", type=whole_number(0, 10**9), default=900_000, help="of the first plant"
    )
    parser.add_argument(
        "--step", type=positive_number(60), default=1.0, help="seconds between readings"
    )
    arguments = parser.parse_args(argv)
    if arguments.protocol == "ai4i":
        if arguments.data is None:
            parser.error("--protocol ai4i needs --data FILE")
        result = evaluate_ai4i(arguments.data)
    else:
        seeds = range(arguments.seed, arguments.seed + arguments.runs)
        runs = collect([(seed, seed % 2 == 1) for seed in seeds], arguments.hours, arguments.step)
        thresholds = Forest(load_model(arguments.model)).thresholds
        result = {"protocol": "simulator", **measure(arguments.model, runs, thresholds)}
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(result)).decode() + "\n")
    return 0
