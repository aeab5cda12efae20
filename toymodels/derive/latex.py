"""Checked derivations as a LaTeX article that needs amsmath and amssymb; its body fits an appendix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from toymodels.derive.breaking import INDENT, WIDTH, broken, shallow
from toymodels.derive.document import LAWS, Document, Entry, Formula
from toymodels.derive.page import count
from toymodels.derive.prose import shapes, to_latex
from toymodels.derive.typeset import width

HEAD = r"""\documentclass{article}
\usepackage[utf8]{inputenc}
\usepackage{amsmath, amssymb}
\begin{document}
% From here to \end{document} it can be pasted into an appendix; amsmath and amssymb are needed.
% \renewcommand{\checkedby}[1]{} leaves the remarks on the evidence out.
\providecommand{\checkedby}[1]{\par\noindent{\footnotesize\raggedright #1\par}\smallskip}"""
RELATIONS = {"<=": r"\le", ">=": r"\ge", "->": r"\to", "computes": "="}
SMALLER = ((1.0, ""), (1.1, r"\small"), (1.25, r"\footnotesize"), (1.4, r"\scriptsize"))
"""Sizes of type for what is still too wide when it is broken, by how much."""


def latex(documents: Sequence[Document], seconds: float) -> str:
    """Return an article with one section per derivation."""
    body = [line for document in documents for line in ["", *document_lines(document)]]
    closing = [
        "",
        r"\medskip",
        rf"\checkedby{{{to_latex(count(documents, seconds))}}}",
        r"\end{document}",
        "",
    ]
    return "\n".join([HEAD, *body, *closing])


def document_lines(document: Document) -> Iterator[str]:
    """Yield the lines of one derivation."""
    yield rf"\section{{{to_latex(document.title)}}}"
    if document.source:
        yield rf"\noindent Source: {to_latex(document.source)}."
    yield from _declared(document)
    case = None
    for entry in document.entries:
        if entry.case != case:
            yield rf"\paragraph{{{_case(entry.case)}}}\mbox{{}}"
        case = entry.case
        yield from _entry(entry)
    if not document.judged:
        yield "No step to check."


def _case(case: Formula | None) -> str:
    return "In general." if case is None else f"Case ${case.latex}$."


def _declared(document: Document) -> Iterator[str]:
    groups = []
    for group in document.letters:
        names = ", ".join(f"${name.latex}$" for name in group.names)
        groups.append(f"{names}: {to_latex(shapes(group.words))}")
    groups += [f"assume ${assumption.latex}$" for assumption in document.assumptions]
    if groups:
        yield rf"\par\noindent\begingroup\raggedright Letters. {'; '.join(groups)}.\par\endgroup"


def _entry(entry: Entry) -> Iterator[str]:
    if entry.kind == "remark":
        yield rf"\par {to_latex(entry.text)}"
    elif entry.kind in LAWS:
        yield rf"\par {_sentence(entry.because) if entry.because else 'Let'}"
        yield from display([(x.latex, "=", y.latex) for x, y in entry.rules])
    elif entry.kind == "mistake":
        yield rf"\checkedby{{\textbf{{ERROR}} {to_latex(entry.finding)}}}"
    else:
        relation = RELATIONS.get(entry.relation, entry.relation)
        yield from display([(_latex(entry.left), relation, _right(entry))], entry.number)
        yield rf"\checkedby{{{' '.join(_remarks(entry))}}}"


def _latex(formula: Formula | None) -> str:
    return "" if formula is None else formula.latex


def _right(entry: Entry) -> str:
    text = _latex(entry.right)
    if entry.order is not None:
        text += f" + {entry.order.latex}"
    for words, x in (("as", entry.limit), ("for", entry.given)):
        if x is not None:
            text += rf" \quad \text{{{words} }} {x.latex}"
    return text


def _remarks(entry: Entry) -> Iterator[str]:
    """Yield what is said of a step, as sentences."""
    if entry.mark:
        yield rf"\textbf{{{entry.mark}}}."
    for x, y in entry.rules:
        yield f"With ${x.latex} = {y.latex}$."
    if entry.kind == "ships":
        yield rf"Computed by \texttt{{{to_latex(entry.left.text if entry.left else '')}}}."
    for sentence in (entry.reason, entry.finding, entry.follows, *entry.notes):
        if sentence:
            yield _sentence(sentence)
    if entry.slack is not None:
        yield f"Slack ${entry.slack.latex}$."
    if entry.example:
        yield f"Counterexample: {to_latex('; '.join(entry.example))}."


def _sentence(text: str) -> str:
    """Return prose as a sentence; a name at its beginning keeps its case."""
    first = text.partition(" ")[0].rstrip(":,")
    if first.isalpha() and first.islower() and len(first) > 1:
        text = text[0].upper() + text[1:]
    escaped = to_latex(text)
    return escaped if escaped[-1] in ".:;!?" else f"{escaped}."


def display(relations: Sequence[tuple[str, str, str]], number: int | None = None) -> list[str]:
    """Return displayed relations, in lines that fit the width of an article.

    Parameters
    ----------
    relations : sequence of (left, relation, right)
        LaTeX.
    number : int, optional
        Shown as a tag.
    """
    found = [_rows(shallow(left), relation, shallow(right)) for left, relation, right in relations]
    rows = [row for part, _ in found for row in part]
    widest = max(wide for _, wide in found)
    tag = "" if number is None else rf" \tag{{{number}}}"
    size = next((size for ratio, size in SMALLER if widest <= ratio * (WIDTH + INDENT)), r"\tiny")
    body = [r"\begin{align*}", " \\\\\n".join(rows) + tag, r"\end{align*}"]
    return [rf"\begingroup{size}", *body, r"\endgroup"] if size else body


def _rows(left: str, relation: str, right: str) -> tuple[list[str], float]:
    """Return the rows of one relation, and about how wide the widest is."""
    beside, whole = width(left) + 14.0, f"{left} &{relation} {right}"
    if beside + width(right) <= WIDTH:
        return [whole], beside + width(right)
    if beside <= 0.45 * WIDTH:
        lines = broken(right, WIDTH - beside, WIDTH - beside - INDENT)
        rows = [rf"{left} &{relation} {lines[0]}", *(rf"&\quad {line}" for line in lines[1:])]
        return rows, beside + max(width(lines[0]), *(width(line) + INDENT for line in lines[1:]), 0.0)
    above, below = broken(left), broken(right, WIDTH - INDENT - 14.0)
    rows = [f"&{above[0]}", *(rf"&\quad {line}" for line in above[1:])]
    rows += [rf"&\quad {relation} {below[0]}", *(rf"&\qquad {line}" for line in below[1:])]
    return rows, max(width(line) + INDENT for line in [*above, *below])
