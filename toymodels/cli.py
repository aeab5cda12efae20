"""The command line: verify, draw, list, show, new.

Exit codes: 0 all good, 1 something refuted, undecided or vacuous, 2 bad usage.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from toymodels import __version__
from toymodels.errors import AssumptionError, ConvergenceError, InputError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    # a reader that closes its end early (head, less) is no error
    try:
        return _main(arguments)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _main(arguments: Sequence[str] | None) -> int:
    parser = _parser()
    try:
        options = parser.parse_args(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)
    if options.run is None:
        parser.print_help()
        return 2
    try:
        return options.run(options)
    except (InputError, AssumptionError, ConvergenceError) as error:
        print(f"toymodels: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("toymodels: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="toymodels",
        description="Verify theorems, check proofs and draw analytic figures for toy models of training.",
    )
    parser.add_argument("--version", action="version", version=f"toymodels {__version__}")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(metavar="COMMAND")

    verify = commands.add_parser("verify", help="verify theorems numerically")
    verify.add_argument(
        "what", nargs="*", help="claims, theorem modules, cards, families or files; all by default"
    )
    verify.add_argument("--effort", choices=("quick", "normal", "deep"), default="normal")
    verify.add_argument("--seed", type=int, default=0)
    verify.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    verify.add_argument("--json", action="store_true", help="print the report as JSON")
    verify.add_argument(
        "--verbose", "-v", action="store_true", help="print everything known about each claim"
    )
    verify.set_defaults(run=_verify)

    draw = commands.add_parser("draw", help="draw figures")
    draw.add_argument("what", nargs="*", metavar="NAME", help="figures; all by default")
    draw.add_argument("--out", default=".", metavar="FOLDER", help="folder to write to")
    draw.add_argument("--format", default="pdf,svg,png", help="formats, separated by commas")
    draw.add_argument("--width", choices=("column", "full"), default="column")
    draw.set_defaults(run=_draw)

    listing = commands.add_parser("list", help="list claims and figures")
    listing.add_argument("what", nargs="?", help="a theorem module, card, family or file")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=_list)

    show = commands.add_parser("show", help="show a claim: statement, variables, formula as LaTeX")
    show.add_argument("what", metavar="NAME")
    show.set_defaults(run=_show)

    new = commands.add_parser("new", help="write a commented file to start from")
    new.add_argument("what", choices=("theorem",))
    new.add_argument("name", metavar="NAME")
    new.set_defaults(run=_new)
    return parser


def _verify(options: argparse.Namespace) -> int:
    from toymodels.claims.text import detailed, page, summary
    from toymodels.claims.verify import show_progress, verify

    progress = show_progress if sys.stderr.isatty() and not options.json else None
    report = verify(
        options.what or None,
        effort=options.effort,
        seed=options.seed,
        jobs=options.jobs,
        explain=options.verbose,
        progress=progress,
    )
    if options.json:
        print(report.to_json())
    elif options.verbose:
        print("\n".join(line for result in report.results for line in [*detailed(result), ""]))
        print(summary(report))
    else:
        print(page(report))
    return 0 if report.ok else 1


def _draw(options: argparse.Namespace) -> int:
    from toymodels import figures

    formats = [name for name in options.format.split(",") if name]
    names = options.what or figures.names()
    for name in names:
        figures.load(name)
    for name in names:
        for path in figures.draw(name, options.out, formats=formats, width=options.width):
            print(path)
    return 0


def _list(options: argparse.Namespace) -> int:
    from toymodels import figures
    from toymodels.claims import registry

    claims = registry.find(options.what)
    if options.json:
        rows = [
            {
                "name": claim.name,
                "label": claim.label,
                "kind": claim.kind,
                "source": claim.source,
                "statement": claim.statement,
            }
            for claim in claims
        ]
        print(json.dumps(rows, indent=2))
        return 0
    for claim in claims:
        print(f"{claim.label:<22} {claim.kind:<14} {claim.name}")
    if options.what is None:
        for name in figures.names():
            print(f"{'figure':<22} {'':<14} {name}")
    return 0


def _show(options: argparse.Namespace) -> int:
    from toymodels.claims import registry
    from toymodels.claims.show import show

    print("\n\n".join(show(claim) for claim in registry.find(options.what)))
    return 0


def _new(options: argparse.Namespace) -> int:
    from toymodels.claims.template import write_template

    path = write_template(options.name)
    print(f"wrote {path}; run: toymodels verify {Path(path).name}")
    return 0
