"""What a rule says, as an expression: `size.tokens.total > 2000 and not success.passed`.

    names       fields of a conversation, and JUDGE.passed, JUDGE.score, JUDGE.KEY...  (`tertulia.corpus.fields`)
    values      numbers, 'texts', true, false, [lists]
    operators   and or not  == != < <= > >=  in, not in  + - * /
    functions   has(name)  len(x)  lower(text)  matches(text, 'regular expression')  share(part, whole)
                value('a.name.with-hyphens')

The grammar is Python's, read by its parser and never run: whatever is not in this list is a fault at its column. What a
conversation does not have makes everything that is said of it unknown, as in SQL: `unknown and false` is false,
`unknown or true` is true, all else stays unknown. A rule that comes out unknown does not hold.
"""

import ast
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tertulia.corpus.fields import MISSING, Facts, known_names
from tertulia.errors import did_you_mean

__all__ = ["Expression", "ExpressionFault", "parsed"]

CONSTANTS = {"true": True, "false": False}
COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda one, other: one in other,
    ast.NotIn: lambda one, other: one not in other,
}
ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
QUOTED = "value"  # the function that reads a name which is no chain of identifiers
FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    QUOTED: (1, lambda value: value),
    "has": (1, lambda value: value is not MISSING),
    "len": (1, len),
    "lower": (1, lambda text: text.lower()),
    "matches": (2, lambda text, pattern: re.search(pattern, text, re.IGNORECASE) is not None),
    "share": (2, lambda part, whole: part / whole if whole else 0.0),
}
LONGEST = 2000  # characters


class ExpressionFault(ValueError):
    """What is wrong with an expression, and at which of its characters, from 0."""

    def __init__(self, message: str, at: int = 0, suggestion: str = "") -> None:
        self.message, self.at, self.suggestion = message, at, suggestion
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Expression:
    """A rule's text, read."""

    text: str
    tree: ast.expr

    @property
    def names(self) -> tuple[str, ...]:
        """The fields and verdicts that it reads, each once."""
        return tuple(dict.fromkeys(named(self.tree)))

    def holds(self, facts: Facts) -> bool | None:
        """Whether it holds; None: unknown.

        Raises:
            ExpressionFault: for an operation that its values do not allow, such as a text that is greater than a
                number, and for a result that is neither true nor false."""
        found = value(self.tree, facts)
        if found is MISSING:
            return None
        if not isinstance(found, bool):
            raise ExpressionFault(f"it gives {found!r}, where true or false is wanted (compare it with something)")
        return found


def parsed(text: str) -> Expression:
    """Read an expression.

    Raises:
        ExpressionFault: with the first thing that is wrong."""
    if len(text) > LONGEST:
        raise ExpressionFault(f"longer than {LONGEST} characters; make several rules of it")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ExpressionFault(f"cannot be read: {error.msg}", max(0, (error.offset or 1) - 1)) from None
    except (RecursionError, MemoryError, ValueError):
        raise ExpressionFault("nested too deep, or not a text") from None
    check(tree)
    return Expression(text, tree)


def check(tree: ast.expr) -> None:
    """Hold every part of a tree against the vocabulary."""
    name = dotted(tree)
    if name is not None:
        check_name(tree, name)
    elif isinstance(tree, ast.Call):
        check_call(tree)
    elif isinstance(tree, ast.Constant) and isinstance(tree.value, int | float | str):
        return
    elif isinstance(tree, ast.BoolOp | ast.List | ast.Tuple):
        for part in tree.values if isinstance(tree, ast.BoolOp) else tree.elts:
            check(part)
    elif isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not | ast.USub):
        check(tree.operand)
    elif isinstance(tree, ast.BinOp) and type(tree.op) in ARITHMETIC:
        check(tree.left)
        check(tree.right)
    elif isinstance(tree, ast.Compare) and all(type(op) in COMPARE for op in tree.ops):
        for part in (tree.left, *tree.comparators):
            check(part)
    else:
        raise ExpressionFault(f"{ast.unparse(tree)!r} is not in the vocabulary of rules", tree.col_offset)


def check_name(tree: ast.expr, name: str) -> None:
    first = name.partition(".")[0]
    if first not in CONSTANTS and first not in known_names():
        hint = did_you_mean(first, [*known_names(), *CONSTANTS])
        raise ExpressionFault(f"{first!r} is neither a field nor a judge", tree.col_offset, hint)


def check_call(tree: ast.Call) -> None:
    name = tree.func.id if isinstance(tree.func, ast.Name) else ast.unparse(tree.func)
    if name not in FUNCTIONS or tree.keywords:
        known = ", ".join(FUNCTIONS)
        raise ExpressionFault(f"there is no function {name!r}; known: {known}", tree.col_offset)
    if len(tree.args) != FUNCTIONS[name][0]:
        raise ExpressionFault(f"{name}() takes {FUNCTIONS[name][0]} values, not {len(tree.args)}", tree.col_offset)
    if name == QUOTED:
        constant_text(tree.args[0], "value() takes a name in quotes")
    if name == "matches":
        pattern = tree.args[1]
        text = constant_text(pattern, "matches() takes a regular expression in quotes")
        try:
            re.compile(text)
        except re.error as error:
            raise ExpressionFault(f"{text!r} is not a regular expression: {error}", pattern.col_offset) from None
    for part in tree.args:
        check(part)


def constant_text(tree: ast.expr, otherwise: str) -> str:
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        return tree.value
    raise ExpressionFault(otherwise, tree.col_offset)


def dotted(tree: ast.expr) -> str | None:
    """`size.tokens.total` of a name with its attributes, or of value('size.tokens.total'); None for anything else."""
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == QUOTED:
        only = tree.args[0] if len(tree.args) == 1 and not tree.keywords else None
        return only.value if isinstance(only, ast.Constant) and isinstance(only.value, str) else None
    if isinstance(tree, ast.Name):
        return tree.id
    if isinstance(tree, ast.Attribute):
        before = dotted(tree.value)
        return None if before is None else f"{before}.{tree.attr}"
    return None


def named(tree: ast.expr) -> Iterator[str]:
    name = dotted(tree)
    if name is not None:
        if name not in CONSTANTS:
            yield name
        return
    for part in ast.iter_child_nodes(tree):
        if isinstance(part, ast.expr) and not (isinstance(tree, ast.Call) and part is tree.func):
            yield from named(part)


def value(tree: ast.expr, facts: Facts) -> Any:
    name = dotted(tree)
    if name is not None:
        return CONSTANTS[name] if name in CONSTANTS else facts.value(name)
    try:
        return EVALUATE[type(tree)](tree, facts)
    except (TypeError, AttributeError, ZeroDivisionError) as error:
        raise ExpressionFault(f"{ast.unparse(tree)!r} cannot be worked out: {error}", tree.col_offset) from None


def of_constant(tree: ast.Constant, facts: Facts) -> Any:
    return tree.value


def of_list(tree: ast.List | ast.Tuple, facts: Facts) -> Any:
    found = [value(part, facts) for part in tree.elts]
    return MISSING if MISSING in found else found


def of_bool(tree: ast.BoolOp, facts: Facts) -> Any:
    """Kleene's three values: what decides the matter is found even where something else is unknown."""
    decides, unknown = isinstance(tree.op, ast.Or), False
    for part in tree.values:
        found = value(part, facts)
        if found is MISSING:
            unknown = True
        elif not isinstance(found, bool):
            raise ExpressionFault(f"{ast.unparse(part)!r} is {found!r}, neither true nor false", part.col_offset)
        elif found is decides:
            return decides
    return MISSING if unknown else not decides


def of_unary(tree: ast.UnaryOp, facts: Facts) -> Any:
    found = value(tree.operand, facts)
    if found is MISSING:
        return MISSING
    if isinstance(tree.op, ast.USub):
        return -found
    if not isinstance(found, bool):
        raise ExpressionFault(f"{ast.unparse(tree.operand)!r} is {found!r}, neither true nor false", tree.col_offset)
    return not found


def of_arithmetic(tree: ast.BinOp, facts: Facts) -> Any:
    one, other = value(tree.left, facts), value(tree.right, facts)
    if MISSING in (one, other):
        return MISSING
    if not isinstance(one, int | float) or not isinstance(other, int | float):
        raise ExpressionFault(f"{ast.unparse(tree)!r} works on numbers alone", tree.col_offset)
    return ARITHMETIC[type(tree.op)](one, other)


def of_comparison(tree: ast.Compare, facts: Facts) -> Any:
    found = [value(part, facts) for part in (tree.left, *tree.comparators)]
    if MISSING in found:
        return MISSING
    return all(COMPARE[type(op)](*pair) for op, pair in zip(tree.ops, pairwise(found), strict=True))


def of_call(tree: ast.Call, facts: Facts) -> Any:
    name = tree.func.id if isinstance(tree.func, ast.Name) else ""
    found = [value(part, facts) for part in tree.args]
    return MISSING if MISSING in found and name != "has" else FUNCTIONS[name][1](*found)


EVALUATE: dict[type[ast.expr], Callable[[Any, Facts], Any]] = {
    ast.Constant: of_constant,
    ast.List: of_list,
    ast.Tuple: of_list,
    ast.BoolOp: of_bool,
    ast.UnaryOp: of_unary,
    ast.BinOp: of_arithmetic,
    ast.Compare: of_comparison,
    ast.Call: of_call,
}
