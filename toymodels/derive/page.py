"""A checked derivation as a page of text that reads like the proof."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from toymodels.derive.document import LAWS, Document, Entry, Formula

WIDTH = 100
HARD_SPACE = "\N{NO-BREAK SPACE}"
LONGEST = 300
"""Characters of a detail."""
MARGIN = 10
"""Columns of the mark."""
FAILING = {"FALSE": "false", "UNDECIDED": "undecided", "VACUOUS": "vacuous", "ERROR": "in error"}

_BREAKS = re.compile(r" (?:=|<=?|>=?|->|computes|\+|-) |(?<=,) |(?<=\w)\*(?=[\w(])|(?<=\))\*")


def page(documents: Sequence[Document], seconds: float, verbose: bool = False) -> str:
    """Return every derivation and a closing count, at most 100 columns wide."""
    lines = [line for document in documents for line in [*document_lines(document, verbose), ""]]
    return "\n".join([*lines, *_words(count(documents, seconds), 0)])


def document_lines(document: Document, verbose: bool = False) -> list[str]:
    """Return the lines of one derivation."""
    lines = [
        *textwrap.wrap(document.title, WIDTH),
        *_words(f"{document.source}  [{document.name}]".strip(), 4),
    ]
    lines += ["", *_declared(document)]
    case = None
    for entry in document.entries:
        if entry.case != case and entry.case is not None:
            lines += ["", *_formula("case ", entry.case.text, MARGIN)]
        elif entry.case != case or entry.kind in LAWS:
            lines.append("")
        case = entry.case
        lines += _entry(entry, MARGIN + (4 if case else 0), verbose)
    if not document.judged:
        lines.append(" " * MARGIN + "no step to check")
    return lines


def _declared(document: Document) -> Iterator[str]:
    for group in document.letters:
        names = ", ".join(name.text for name in group.names)
        yield from _words(f"{names}: {group.words}", MARGIN)
    for assumption in document.assumptions:
        yield from _words(f"assume {assumption.text}", MARGIN)


def _entry(entry: Entry, indent: int, verbose: bool) -> list[str]:
    """Return one line of the derivation, and what is said of it below."""
    inner = indent + 6
    if entry.kind == "remark":
        return ["", *_words(entry.text, indent)]
    if entry.kind in LAWS:
        rules = [line for x, y in entry.rules for line in _formula(f"{x.text} = ", y.text, inner)]
        name = {"flow": "flow", "steps": "step", "names": "let"}[entry.kind]
        rules[0] = " " * indent + name.ljust(6) + rules[0][inner:]
        return rules + (_words(entry.reason, inner + 2) if entry.reason else [])
    if entry.kind == "mistake":
        return _marked(entry.mark, _words(entry.finding, indent))
    number = f"({entry.number})"
    first = [" " * indent + line for line in _statement(entry, number.ljust(6), indent)]
    return _marked(entry.mark, first) + list(_below(entry, inner + 2, verbose))


def _marked(mark: str, lines: list[str]) -> list[str]:
    """Put the mark into the margin of the first line."""
    return [mark.ljust(MARGIN) + lines[0][MARGIN:], *lines[1:]]


def _statement(entry: Entry, number: str, indent: int) -> list[str]:
    text = f"{_text(entry.left)} {entry.relation} {_text(entry.right)}"
    if entry.order is not None:
        text += f" + {entry.order.text}"
    if entry.limit is not None:
        text += f"  as {entry.limit.text}"
    return _fold(number + text, WIDTH - indent, " " * 10)


def _text(formula: Formula | None) -> str:
    return "" if formula is None else formula.text


def _below(entry: Entry, indent: int, verbose: bool) -> Iterator[str]:
    """Yield what is said of a step: its reason, what decided it, what it rests on, its counterexample."""
    for x, y in entry.rules:
        yield from _formula(f"with {x.text} = ", y.text, indent)
    if entry.given is not None:
        yield from _formula("given ", entry.given.text, indent)
    if entry.reason:
        yield from _words(entry.reason, indent)
    if entry.slack is not None:
        yield from _formula("slack ", entry.slack.text, indent)
    if entry.finding:
        took = "" if entry.seconds is None else f" [{entry.seconds:.2f}{HARD_SPACE}s]"
        yield from _words(entry.finding + took, indent)
    for note in [entry.follows, *entry.notes]:
        if note:
            yield from _words(note, indent)
    if entry.example:
        equations = "; ".join(x if len(x) > 40 else x.replace(" ", HARD_SPACE) for x in entry.example)
        yield from _words(f"counterexample: {equations}", indent)
    if verbose:
        yield from _verbosely(entry, indent)


def _verbosely(entry: Entry, indent: int) -> Iterator[str]:
    """Yield the rest of what is known."""
    for rung, why in entry.skipped.items():
        yield from _words(textwrap.shorten(f"no {rung}: {why}", LONGEST), indent)
    if entry.cases:
        yield from _words(f"cases looked at: {entry.cases}", indent)
    if entry.worst:
        worst = "; ".join(f"{name} = {value}" for name, value in entry.worst.items())
        yield from _words(textwrap.shorten(f"worst case: {worst}", LONGEST), indent)
    yield from _words(f"written at {entry.place}", indent)


def _words(text: str, indent: int) -> list[str]:
    lines = textwrap.wrap(
        text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2), break_on_hyphens=False
    )
    return [line.replace(HARD_SPACE, " ") for line in lines]


def _formula(before: str, text: str, indent: int) -> list[str]:
    return [" " * indent + line for line in _fold(before + text, WIDTH - indent, " " * 4)]


def _fold(text: str, width: int, indent: str) -> list[str]:
    """Break a formula before its outermost operators, so that no line is wider than `width`."""
    lines = []
    while len(text) > width:
        at = _where(text, width, len(text) - len(text.lstrip()))
        lines.append(text[:at].rstrip())
        text = indent + text[at:].lstrip()
    return [*lines, text]


def _where(text: str, width: int, indent: int) -> int:
    """Return the best place to break: the outermost sum, then product, and of those the last that fits."""
    depths, depth = [], 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        depths.append(depth)
    found = {m.end() if m[0] == "*" else m.start(): m[0] == "*" for m in _BREAKS.finditer(text)}
    for least in (indent + width // 3, indent + 8):
        fitting = [k for k in found if least < k <= width]
        if fitting:
            return min(fitting, key=lambda k: (depths[k], found[k], -k))
    return width


def count(documents: Sequence[Document], seconds: float) -> str:
    """Return the closing line: how many lines hold, on what evidence, and what fails."""
    lines = [entry for document in documents for entry in document.judged]
    held = [entry for entry in lines if entry.mark == "ok"]
    kinds = ", ".join(f"{n} {name}" for name, n in Counter(x.evidence for x in held).most_common())
    marks = Counter(entry.mark for entry in lines)
    failing = "".join(f", {marks[mark]} {word}" for mark, word in FAILING.items() if marks[mark])
    noun = "derivation" if len(documents) == 1 else "derivations"
    return (
        f"{len(held)} of {len(lines)} lines hold ({kinds or 'none'}){failing}{_conclusions(lines)}; "
        f"{len(documents)} {noun}, {seconds:.1f}{HARD_SPACE}s"
    )


def _conclusions(lines: Sequence[Entry]) -> str:
    """Say how many conclusions follow from the lines they name."""
    held = [entry for entry in lines if entry.follows]
    following = sum(entry.follows.startswith("follows") for entry in held)
    return f"; {following} of {len(held)} conclusions follow from the lines they name" if held else ""
