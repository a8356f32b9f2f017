"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

ScenarioArgument = Annotated[Path, typer.Argument(metavar="SCENARIO", help="A scenario file, YAML or TOML.")]
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Where to write; a directory that does not exist.")
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", metavar="N", help="Seed of all randomness, instead of the scenario's.")
]
ReplicationsOption = Annotated[
    int | None, typer.Option("--replications", metavar="N", help="Independent runs of each arm.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Simulate again what was run before.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a field, such as policy.rounds=3. Repeatable."),
]
WorkersOption = Annotated[
    int, typer.Option("--workers", metavar="N", min=1, help="Processes that share the replications.")
]
PrecisionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--precision",
        metavar="METRIC=SHARE",
        help="Replicate until the interval's half-width is this share of the figure. Repeatable.",
    ),
]
MaxReplicationsOption = Annotated[
    int | None,
    typer.Option("--max-replications", metavar="N", help="Where --precision gives up.  [default: 1000]"),
]
